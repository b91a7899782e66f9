"""The two judges of a gradient: central differences, and torch's autograd."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Loss
from minigrad.testing.passes import SEED, draw_upstream, forward, parameters_of
from minigrad.testing.trees import flat, leaves, map_tensors


def differentiable(component: Layer | Loss, inputs: tuple[Any, ...]) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that the output has a gradient for, by name: those of the first argument, and the parameters."""
    argument = "prediction" if isinstance(component, Loss) else "x"
    for name, leaf in leaves(inputs[0], argument):
        if leaf.is_floating_point():
            yield name, leaf
    for name, parameter in parameters_of(component).items():
        yield f"parameter {name}", parameter


def jacobian(function: Callable[[], Tensor], tensor: Tensor, eps: float) -> Tensor:
    r"""The Jacobian $J_{ij} = \partial y_j / \partial t_i$ by central differences, as `(t.numel(), y.numel())`.

    $$J_i \approx \frac{y(t + \epsilon e_i) - y(t - \epsilon e_i)}{2 \epsilon}$$

    Args:
        function: Gives $y$ as a fresh vector; it reads `tensor`, which is changed in place and restored.
        tensor: What is varied.
        eps: $\epsilon$.
    """
    entries = tensor.detach().view(-1)
    rows = []
    for i in range(len(entries)):
        saved = entries[i].item()
        entries[i] = saved + eps
        above = function()
        entries[i] = saved - eps
        below = function()
        entries[i] = saved
        rows.append((above - below) / (2 * eps))
    return torch.stack(rows) if rows else torch.zeros(0, len(function()), dtype=tensor.dtype)


def along(function: Callable[[], Tensor], tensor: Tensor, direction: Tensor, eps: float) -> Tensor:
    r"""The derivative $\partial y / \partial t \cdot u$ along one direction $u$, by central differences."""
    saved = tensor.detach().clone()
    tensor.detach().copy_(saved + eps * direction)
    above = function()
    tensor.detach().copy_(saved - eps * direction)
    below = function()
    tensor.detach().copy_(saved)
    return (above - below) / (2 * eps)


def numeric_gradient(
    component: Layer | Loss, inputs: tuple[Any, ...], upstream: Any = None, eps: float = 1e-6
) -> dict[str, Tensor]:
    """Every gradient by central differences, for a given or drawn upstream gradient; `inputs` are float64 copies."""

    def function() -> Tensor:
        return flat(forward(component, inputs)[0])

    output, _ = forward(component, inputs)
    weights = flat(draw_upstream(output) if upstream is None else upstream)
    return {
        name: (jacobian(function, tensor, eps) @ weights).reshape(tensor.shape)
        for name, tensor in differentiable(component, inputs)
    }


def autograd_gradient(
    component: Layer | Loss, inputs: tuple[Any, ...], upstream: Any = None, seed: int = SEED
) -> dict[str, Tensor] | None:
    """Every gradient by torch's autograd through `forward`; `None` where autograd cannot follow it."""
    twin = copy.deepcopy(component)
    first = map_tensors(lambda t: t.detach().clone().requires_grad_(t.is_floating_point()), inputs[0])
    wanted = dict(differentiable(twin, (first,)))
    for tensor in wanted.values():
        tensor.requires_grad_(True)
    with torch.enable_grad():
        output, _ = forward(twin, (first, *inputs[1:]), seed)
    upstream = draw_upstream(output) if upstream is None else upstream
    pairs = [
        (leaf, grad)
        for (_, leaf), (_, grad) in zip(
            ((n, leaf) for n, leaf in leaves(output) if leaf.is_floating_point()), leaves(upstream), strict=True
        )
        if leaf.requires_grad
    ]
    if not pairs:
        return None
    outputs, grads = zip(*pairs, strict=True)
    found = torch.autograd.grad(outputs, list(wanted.values()), grads, allow_unused=True)
    return {
        name: torch.zeros_like(tensor).detach() if grad is None else grad
        for (name, tensor), grad in zip(wanted.items(), found, strict=True)
    }
