"""What several losses do alike: check a pair, number a reduction, take over an upstream gradient."""

from typing import Any

import torch
from torch import Tensor

from minigrad.core import Loss, scalar
from minigrad.errors import DtypeError, ShapeError

# As the kernels number them.
REDUCTION = {"none": 0, "mean": 1, "sum": 2}


def check_pair(loss: Loss, prediction: Any, target: Any) -> None:
    """Require a prediction and a target of one shape and one floating-point dtype.

    Torch would stretch the smaller one, or promote the narrower, without a word.

    Raises:
        DtypeError: If one is no tensor, the prediction is not of a floating-point dtype, or the target of another.
        ShapeError: If the shapes differ.
    """
    check_prediction(loss, prediction, target)
    name = type(loss).__name__
    if prediction.shape != target.shape:
        raise ShapeError(
            f"{name} expects prediction and target of one shape. "
            f"Received: prediction {tuple(prediction.shape)}, target {tuple(target.shape)}"
        )
    if prediction.dtype != target.dtype:
        raise DtypeError(
            f"{name} expects a target of the prediction's dtype, {prediction.dtype}. Received: {target.dtype}"
        )


def check_prediction(loss: Loss, prediction: Any, target: Any) -> None:
    """Require two tensors, the prediction of a floating-point dtype.

    Raises:
        DtypeError: If they are not.
    """
    if not (isinstance(prediction, Tensor) and isinstance(target, Tensor)):
        raise DtypeError(
            f"{type(loss).__name__} expects two tensors. "
            f"Received: prediction {type(prediction).__name__}, target {type(target).__name__}"
        )
    if not prediction.is_floating_point():
        raise DtypeError(f"{type(loss).__name__} expects a floating-point prediction. Received: {prediction.dtype}")


def upstream(loss: Loss, grad_cost: Tensor | None, like: Tensor, shape: torch.Size) -> Tensor:
    """The gradient that reaches the cost, one unless told otherwise; `shape` is that of the costs unreduced.

    Raises:
        ShapeError: If `grad_cost` has not the shape of the cost.
    """
    if grad_cost is None:
        return scalar(1, like.dtype) if like.is_cpu else like.new_ones(())
    expected = shape if loss.reduction == "none" else ()
    if grad_cost.shape != expected:
        raise ShapeError(
            f"{type(loss).__name__} expects a grad_cost of the shape of its cost, {tuple(expected)}. "
            f"Received: {tuple(grad_cost.shape)}"
        )
    return grad_cost


def check_weights(loss: Loss, **weights: Any) -> None:
    """Require tensors, or `None` where nothing is weighed.

    Raises:
        TypeError: If one is something else, such as a list, or a reduction that was meant for the next argument.
    """
    for name, weight in weights.items():
        if weight is not None and not isinstance(weight, Tensor):
            raise TypeError(f"{type(loss).__name__} expects a tensor as its {name}. Received: {name}={weight!r}")


def weight_fault(loss: str, name: str, weight: Tensor | None, prediction: Tensor) -> ShapeError | None:
    """What is wrong with the shape of a weight for each element, if anything: it must broadcast to the prediction's."""
    if weight is None:
        return None
    shape, to = weight.shape, prediction.shape
    sizes = zip(reversed(shape), reversed(to), strict=False)
    if len(shape) <= len(to) and all(size in (1, other) for size, other in sizes):
        return None
    return ShapeError(
        f"{loss} expects a {name} that broadcasts to the prediction's shape, {tuple(to)}. Received: {tuple(shape)}"
    )
