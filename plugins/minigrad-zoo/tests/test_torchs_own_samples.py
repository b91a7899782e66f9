"""The sample inputs by which torch tests its own modules: outputs and every gradient, in float64 and in float32."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import minigrad_zoo
import pytest
import torch
from torch import Tensor, nn
from torch.testing._internal.common_modules import ModuleInput, module_db

import minigrad

LOSSES = {name for name in minigrad_zoo.__all__ if issubclass(getattr(minigrad_zoo, name), minigrad.Loss)}
# How torch's arguments become ours, where there are more than a prediction and a target, or than one input.
ARGUMENTS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "Bilinear": lambda x1, x2: ((x1, x2),),
    "CTC": lambda prediction, *target: (prediction, target),
    "CosineEmbedding": lambda x1, x2, target: ((x1, x2), target),
    "GaussianNLL": lambda mean, target, var: ((mean, var), target),
    "MarginRanking": lambda x1, x2, target: ((x1, x2), target),
}
# A denominator that cannot shrink unseen.
COUNTS = {
    "Bilinear": 3,
    "CELU": 3,
    "CTC": 40,
    "CosineEmbedding": 5,
    "GLU": 3,
    "GaussianNLL": 5,
    "Hardshrink": 3,
    "Hardtanh": 3,
    "HingeEmbedding": 10,
    "MarginRanking": 5,
    "MultiLabelMargin": 8,
    "MultiLabelSoftMargin": 5,
    "MultiMargin": 7,
    "PoissonNLL": 7,
    "ReLU6": 4,
    "SoftMargin": 4,
    "Softmax2d": 2,
    "Softmin": 4,
    "Softshrink": 4,
    "Softsign": 3,
    "Tanhshrink": 3,
    "Threshold": 4,
}


def samples() -> Iterator[tuple[str, str, type[nn.Module], ModuleInput]]:
    for info in module_db:
        name = info.module_cls.__name__.removesuffix("Loss")
        if info.module_cls.__module__.startswith("torch.nn.modules") and name in minigrad_zoo.__all__:
            torch.manual_seed(0)
            inputs = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=True)
            for i, sample in enumerate(inputs):
                yield name, f"{name}-{i}-{sample.desc}", info.module_cls, sample


SAMPLES = list(samples())


def tensors(tree: Any) -> list[Tensor]:
    return [item for part in tree for item in tensors(part)] if isinstance(tree, tuple) else [tree]


def detached(tree: Any) -> Any:
    if isinstance(tree, tuple):
        return tuple(detached(item) for item in tree)
    return tree.detach() if isinstance(tree, Tensor) else tree


every = pytest.mark.parametrize(
    ("name", "cls", "sample"), [pytest.param(name, *rest, id=id) for name, id, *rest in SAMPLES]
)


class Passes(NamedTuple):
    """Both passes by torch and by us; gradients are those of the inputs, then those of the parameters."""

    ours: Tensor
    our_grads: list[Tensor]
    torchs: Tensor
    torch_grads: list[Tensor]


@pytest.fixture(autouse=True)
def _default_dtype() -> Iterator[None]:
    yield
    torch.set_default_dtype(torch.float32)


def cast(value: Any, dtype: torch.dtype) -> Any:
    """A leaf of its own, of numbers that float32 can hold as well."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    return value.detach().float().to(dtype, copy=True).requires_grad_(value.requires_grad)


def both_passes(name: str, cls: type[nn.Module], sample: ModuleInput, dtype: torch.dtype) -> Passes:
    torch.set_default_dtype(dtype)
    options = {key: cast(value, dtype) for key, value in sample.constructor_input.kwargs.items()}
    module = cls(*sample.constructor_input.args, **options)
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float32).to(dtype)
    given = [cast(value, dtype) for value in sample.forward_input.args]
    assert not sample.forward_input.kwargs
    y = module(*given)
    grad = torch.randn(y.shape, generator=generator, dtype=torch.float32).to(dtype)
    y.backward(grad)

    ours = minigrad.from_torch(module)
    arguments = ARGUMENTS.get(name, lambda *same: same)(*given)
    our_y, cache = ours.forward(*detached(arguments))
    our_grads = tensors(ours.backward(cache, grad) if name in LOSSES else ours.backward(grad, cache))
    if isinstance(ours, minigrad.Layer):
        our_grads += [parameter.grad for parameter in ours.parameters()]
    torch_grads = [leaf.grad for leaf in (*tensors(arguments[0]), *module.parameters())]
    assert all(isinstance(grad, Tensor) for grad in torch_grads)
    return Passes(our_y, our_grads, y.detach(), torch_grads)


@every
def test_outputs_and_gradients_are_torchs(name: str, cls: type[nn.Module], sample: ModuleInput):
    passes = both_passes(name, cls, sample, torch.float64)
    torch.testing.assert_close(passes.ours, passes.torchs, rtol=1e-7, atol=1e-7)
    for ours, theirs in zip(passes.our_grads, passes.torch_grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)


def error(received: Tensor, exact: Tensor) -> float:
    return ((received.double() - exact).norm() / exact.norm().clamp(min=1e-30)).item()


@every
def test_in_float32_little_is_lost(name: str, cls: type[nn.Module], sample: ModuleInput):
    exact, narrow = (both_passes(name, cls, sample, dtype) for dtype in (torch.float64, torch.float32))
    few = 16 * torch.finfo(torch.float32).eps
    assert error(narrow.ours, exact.ours) <= few
    for grad, torch_grad, exact_grad in zip(narrow.our_grads, narrow.torch_grads, exact.our_grads, strict=True):
        assert error(grad, exact_grad) <= max(few, 2 * error(torch_grad, exact_grad))


def test_none_is_left_out():
    counts = {name: sum(name == other for other, *_ in SAMPLES) for name in minigrad_zoo.__all__}
    assert {name: count for name, count in counts.items() if count} == COUNTS
