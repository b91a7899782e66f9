"""Every optimizer walks torch's way: 20 steps in float64, with any options, by the plain rule and by the fast one."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

SHAPES = [(3, 2), (3,), (1, 3), (), (0, 2)]
STEPS = 20


def options(**choices: list[Any]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


ADAM = {"lr": [0.1], "betas": [(0.9, 0.999), (0.5, 0.8)], "eps": [1e-8, 1e-2], "amsgrad": [False, True]}
CONFIGS: dict[Any, list[dict[str, Any]]] = {
    SGD: [
        {},
        *(
            c
            for c in options(
                lr=[0.1],
                momentum=[0.0, 0.9],
                dampening=[0.0, 0.3],
                weight_decay=[0.0, 0.1],
                nesterov=[False, True],
                maximize=[False, True],
            )
            if not c["nesterov"] or (c["momentum"] and not c["dampening"])
        ),
    ],
    Adam: [{}, *options(**ADAM, weight_decay=[0.0, 0.1], maximize=[False, True], decoupled_weight_decay=[False, True])],
    AdamW: [{}, *options(**ADAM, weight_decay=[0.0, 0.1], maximize=[False, True])],
    RMSprop: [
        {},
        *options(
            lr=[0.1],
            alpha=[0.99, 0.5],
            eps=[1e-8, 1e-2],
            weight_decay=[0.0, 0.1],
            momentum=[0.0, 0.9],
            centered=[False, True],
            maximize=[False, True],
        ),
    ],
    Adagrad: [
        {},
        *options(
            lr=[0.1],
            lr_decay=[0.0, 0.2],
            weight_decay=[0.0, 0.1],
            initial_accumulator_value=[0.0, 0.5],
            eps=[1e-10, 1e-2],
            maximize=[False, True],
        ),
    ],
}
TWINS: dict[Any, Any] = {cls: getattr(torch.optim, cls.__name__) for cls in CONFIGS}
every = pytest.mark.parametrize("cls", CONFIGS, ids=lambda cls: cls.__name__)


def parameters(dtype: torch.dtype = torch.float64) -> tuple[list[Parameter], list[torch.nn.Parameter]]:
    values = [torch.randn(shape, dtype=dtype) for shape in SHAPES]
    return [Parameter(v.clone()) for v in values], [torch.nn.Parameter(v.clone()) for v in values]


def walk(ours: list[Parameter], twins: list[torch.nn.Parameter], optimizer: Optimizer, twin: Any) -> None:
    for step in range(STEPS):
        for i, (one, other) in enumerate(zip(ours, twins, strict=True)):
            grad = torch.randn_like(other.detach()) + 0.1
            # Now and then a parameter has no gradient.
            if (step + i) % 7 != 6:
                one.accumulate(grad)
                other.grad = grad.clone()
        optimizer.step()
        twin.step()
        optimizer.zero_grad()
        twin.zero_grad()
        for one, other in zip(ours, twins, strict=True):
            torch.testing.assert_close(one.detach().as_subclass(Tensor), other.detach(), rtol=1e-9, atol=1e-15)


@every
@pytest.mark.parametrize("fast", [True, False])
def test_every_combination_of_options(cls: Any, fast: bool, monkeypatch: pytest.MonkeyPatch):
    if not fast:
        monkeypatch.setattr(cls, "update_all", Optimizer.update_all)
    for config in CONFIGS[cls]:
        ours, twins = parameters()
        walk(ours, twins, cls(ours, **config), TWINS[cls](twins, **config))


@every
@pytest.mark.parametrize("fast", [True, False])
def test_parameter_groups(cls: Any, fast: bool, monkeypatch: pytest.MonkeyPatch):
    if not fast:
        monkeypatch.setattr(cls, "update_all", Optimizer.update_all)
    last = CONFIGS[cls][-1]
    ours, twins = parameters()

    def groups(items: list[Any]) -> list[dict[str, Any]]:
        return [{"params": items[:2]}, {"params": items[2:], "lr": 0.01, "weight_decay": 0.2}]

    walk(ours, twins, cls(groups(ours), **last), TWINS[cls](groups(twins), **last))


@every
def test_the_fast_way_is_the_plain_one(cls: Any):
    for config in CONFIGS[cls]:
        ours, _ = parameters()
        plain = [Parameter(p.detach().clone()) for p in ours]
        one, other = cls(ours, **config), cls(plain, **config)
        for _ in range(5):
            grads = [torch.randn_like(p.detach()).as_subclass(Tensor) for p in ours]
            one.update_all(ours, grads, one.states)
            Optimizer.update_all(other, plain, grads, other.states)
        for p, q in zip(ours, plain, strict=True):
            torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-13, atol=1e-15)
        for s, t in zip(one.states, other.states, strict=True):
            assert s.keys() == t.keys()
            for name in s:
                torch.testing.assert_close(s[name], t[name], rtol=1e-13, atol=1e-15)


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_narrow_dtypes_are_kept_and_right(cls: Any, dtype: torch.dtype):
    # From the same gradients, the narrow walk stays near the wide one.
    value = torch.randn(40, dtype=torch.float64).to(dtype)
    narrow, wide = Parameter(value.clone()), Parameter(value.double())
    one, other = cls([narrow], lr=0.1), cls([wide], lr=0.1)
    for _ in range(5):
        grad = torch.randn(40, dtype=torch.float64).to(dtype)
        narrow.accumulate(grad)
        wide.accumulate(grad.double())
        one.step(), other.step()
        one.zero_grad(), other.zero_grad()
    assert narrow.dtype == dtype
    torch.testing.assert_close(
        narrow.detach().double(), wide.detach(), rtol=0, atol=1e-5 if dtype == torch.float32 else 0.1
    )


@every
def test_gradients_and_parameters_of_any_strides(cls: Any):
    # The fused kernels run through memory as it lies: they must not get these.
    cases: list[tuple[Tensor, Tensor]] = [
        (torch.randn(2, 3), torch.randn(3, 2).t()),
        (torch.randn(2, 3), torch.randn(1, 1).expand(2, 3)),
        (torch.randn(3, 2).t(), torch.randn(2, 3)),
        (torch.randn(2, 6)[:, ::2], torch.randn(2, 3)),
        (torch.randn(3, 2).t(), torch.randn(3, 2).t()),
    ]
    for value, grad in cases:
        strided, plain = (
            Parameter(value.clone(memory_format=torch.preserve_format)),
            Parameter(value.clone().contiguous()),
        )
        if not value.is_contiguous() and value.stride() != (1, 2):
            strided = Parameter(value)
        optimizers = [cls([strided], lr=0.1), cls([plain], lr=0.1)]
        for _ in range(3):
            strided.accumulate(grad)
            plain.accumulate(grad.clone(memory_format=torch.contiguous_format))
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
        torch.testing.assert_close(strided.detach(), plain.detach())


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_mean_update_of_biases_divides_by_the_rows(momentum: float):
    weight, bias = Parameter(torch.ones(2)), Parameter(torch.ones(2), role="bias")
    sgd = SGD([weight, bias], lr=0.5, momentum=momentum, bias_update="mean")
    for parameter in (weight, bias):
        parameter.accumulate(torch.full((2,), 3.0), rows=2)
        parameter.accumulate(torch.full((2,), 4.0), rows=5)
    sgd.step()
    assert weight.tolist() == [-2.5, -2.5]
    assert bias.tolist() == [0.5, 0.5]


def test_a_mean_update_without_rows_leaves_a_number():
    bias = Parameter(torch.tensor([1.0]), role="bias")
    sgd = SGD([bias], lr=0.5, bias_update="mean")
    bias.accumulate(torch.zeros(1), rows=0)  # what a batch of no rows hands over
    sgd.step()
    assert bias.tolist() == [1.0]
    bias.zero_grad()
    bias.grad = torch.ones(1)  # by hand: nobody counted
    sgd.step()
    assert bias.tolist() == [0.5]
