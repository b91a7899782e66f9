"""What a wrong gradient may be: the mistakes that authors make, each as a tensor to compare with."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Loss
from minigrad.testing.compare import Clue
from minigrad.testing.judges import differentiable, numeric_gradient
from minigrad.testing.passes import forward
from minigrad.testing.trees import flat, leaves, map_tensors


def sizes_of(inputs: tuple[Any, ...], output: Any) -> dict[str, int]:
    """The numbers that a gradient is most often multiplied or divided by, by what they are."""
    sizes: dict[str, int] = {}
    first = next((leaf for _, leaf in leaves(inputs[0])), None)
    if first is not None and first.dim():
        sizes["the batch size"] = first.shape[0]
        sizes["the number of elements"] = first.numel()
        sizes["the size of the last axis"] = first.shape[-1]
    for _, leaf in leaves(output):
        sizes["the number of output elements"] = leaf.numel()
        if leaf.dim():
            sizes["the size of the output's last axis"] = leaf.shape[-1]
    return sizes


def clues_for(
    component: Layer | Loss, inputs: tuple[Any, ...], name: str, upstream: Any, matrix: Tensor
) -> tuple[Clue, ...]:
    """Suspicions about the gradient of one tensor, tried only once it is found wrong.

    Args:
        component: What is checked.
        inputs: Its arguments, in float64.
        name: The tensor whose gradient is wrong.
        upstream: The upstream gradient.
        matrix: The right Jacobian, `(input entries, output entries)`.
    """
    shape = dict(_shapes(component, inputs))[name]
    weights = flat(upstream)
    ones = torch.ones_like(weights)

    def by_differences(arguments: tuple[Any, ...], grad: Any) -> Tensor | None:
        return numeric_gradient(component, arguments, grad).get(name)

    def upstream_itself() -> Tensor | None:
        return weights.reshape(shape) if weights.numel() == shape.numel() else None

    def diagonal() -> Tensor | None:
        return (matrix.diagonal() * weights).reshape(shape) if matrix.shape[0] == matrix.shape[1] else None

    def at_the_output() -> Tensor | None:
        output = forward(component, inputs)[0]
        alike = isinstance(output, Tensor) and isinstance(inputs[0], Tensor) and output.shape == inputs[0].shape
        return by_differences((output.clone(), *inputs[1:]), upstream) if alike else None

    def other_axis() -> Tensor | None:
        if not name.startswith(("x", "prediction")) or len(shape) < 2:
            return None
        turned = by_differences(map_tensors(_turn, inputs), map_tensors(_turn, upstream))
        return None if turned is None else _turn(turned)

    def wrong_sum() -> Tensor | None:
        alike = isinstance(upstream, Tensor) and upstream.dim() == 2 and len(shape) == 1
        return upstream.sum(-1) if alike else None

    clues: tuple[Clue, ...] = (
        ("it equals the upstream gradient: the inner derivative (sigma') is missing", upstream_itself),
        ("it ignores the upstream gradient", lambda: (matrix @ ones).reshape(shape)),
        ("the upstream gradient is multiplied in twice", lambda: (matrix @ weights.square()).reshape(shape)),
        ("only the diagonal of the Jacobian is used: each output depends on more than its own input", diagonal),
        ("it is summed over the wrong axis", wrong_sum),
        ("it is taken along the wrong axis", other_axis),
        ("the derivative is taken at the output y instead of the input x", at_the_output),
    )
    return tuple((suspicion, _or_none(candidate)) for suspicion, candidate in clues)


def _or_none(candidate: Callable[[], Tensor | None]) -> Callable[[], Tensor | None]:
    def guarded() -> Tensor | None:
        try:
            return candidate()
        except Exception:  # the component refuses such an input: the suspicion is void
            return None

    return guarded


def _shapes(component: Layer | Loss, inputs: tuple[Any, ...]) -> list[tuple[str, torch.Size]]:
    return [(name, tensor.shape) for name, tensor in differentiable(component, inputs)]


def _turn(tensor: Tensor) -> Tensor:
    return tensor.mT.contiguous() if tensor.dim() >= 2 else tensor
