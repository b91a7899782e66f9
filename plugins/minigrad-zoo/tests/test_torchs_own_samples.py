"""The sample inputs by which torch tests its own modules: outputs and every gradient in float64."""

from collections.abc import Callable, Iterator
from typing import Any

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


def leaf(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    return value


def tensors(tree: Any) -> list[Tensor]:
    return [item for part in tree for item in tensors(part)] if isinstance(tree, tuple) else [tree]


def detached(tree: Any) -> Any:
    if isinstance(tree, tuple):
        return tuple(detached(item) for item in tree)
    return tree.detach() if isinstance(tree, Tensor) else tree


@pytest.mark.parametrize(("name", "cls", "sample"), [pytest.param(name, *rest, id=id) for name, id, *rest in SAMPLES])
def test_outputs_and_gradients_are_torchs(name: str, cls: type[nn.Module], sample: ModuleInput):
    torch.set_default_dtype(torch.float64)
    module = cls(*sample.constructor_input.args, **sample.constructor_input.kwargs)
    ours = minigrad.from_torch(module)
    given = [leaf(value) for value in sample.forward_input.args]
    assert not sample.forward_input.kwargs
    expected = module(*given)
    grad = torch.randn_like(expected)
    expected.backward(grad)

    arguments = ARGUMENTS.get(name, lambda *same: same)(*given)
    y, cache = ours.forward(*detached(arguments))
    grads = ours.backward(cache, grad) if name in LOSSES else ours.backward(grad, cache)
    torch.testing.assert_close(y, expected.detach(), rtol=1e-7, atol=1e-7)
    wanted = [tensor.grad for tensor in tensors(arguments[0])]
    assert all(isinstance(tensor, Tensor) for tensor in wanted)
    for received, theirs in zip(tensors(grads), wanted, strict=True):
        torch.testing.assert_close(received, theirs, rtol=1e-7, atol=1e-7)
    if isinstance(ours, minigrad.Layer):
        for key, parameter in ours.named_parameters():
            torch.testing.assert_close(parameter.grad, module.get_parameter(key).grad, rtol=1e-7, atol=1e-7)


def test_none_is_left_out():
    counts = {name: sum(name == other for other, *_ in SAMPLES) for name in minigrad_zoo.__all__}
    assert {name: count for name, count in counts.items() if count} == COUNTS
