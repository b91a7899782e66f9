"""NLL, the negative log-likelihood of classes."""

import math
from typing import final

import torch
from torch import Tensor

from minigrad.core import Loss, Reduction, kernel
from minigrad.errors import DtypeError, ShapeError, TargetError
from minigrad.losses.common import REDUCTION, check_prediction, check_weights, upstream

_nll_loss = kernel("nll_loss_forward")
_nll_loss_backward = kernel("nll_loss_backward")
_nll_loss_2d = kernel("nll_loss2d_forward")
_nll_loss_2d_backward = kernel("nll_loss2d_backward")


@final
class NLL(Loss):
    r"""Negative log-likelihood of the class $t$ under logarithms $x$ of probabilities, as `LogSoftmax` returns them.

    $$\ell = -w_t\, x_t, \qquad \frac{\partial \ell}{\partial x_c} = -w_t\, [c = t]$$

    summed, or averaged: `"mean"` divides by the sum of the weights $w_t$ of the samples that count.

    Args:
        weight: A weight for each class: `(C)`.
        ignore_index: Samples of this class do not count; it need not be a class.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        TypeError: If `weight` is not a tensor.
        ShapeError: If the target is not of the prediction's shape without its classes, or `weight` is not `(C)`.
        DtypeError: If the target is not of int64, or prediction and weight are not of one floating-point dtype.
        TargetError: If a target is no class (told on the CPU only).

    Examples:
        >>> nll = NLL()
        >>> cost, cache = nll.forward(torch.tensor([[0.5, 0.5], [0.2, 0.8]]).log(), torch.tensor([0, 1]))
        >>> cost, nll.backward(cache)
        (tensor(0.4581), tensor([[-0.5000,  0.0000],
                [ 0.0000, -0.5000]]))
    """

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        check_weights(self, weight=weight)
        self.weight = weight
        self.ignore_index = ignore_index

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Map `x: (N, C, *)` and `t: (N, *)`, or `(C)` and `()`, to the cost: `()`, or the shape of `t` unreduced."""
        check_prediction(self, prediction, target)
        check_classes(self, prediction, target, self.weight)
        cost, total = nll_forward(self, prediction, target, self.weight, self.ignore_index)
        return cost, (prediction, target, total)

    def backward(self, cache: tuple[Tensor, Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx`, of the shape of `x`."""
        x, t, total = cache
        return nll_backward(self, grad_cost, x, t, self.weight, self.ignore_index, total)

    def counts(self, target: Tensor) -> Tensor:
        """The weight of each sample's class; zero if it is ignored."""
        return class_counts(target, self.weight, self.ignore_index)


def class_counts(target: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor:
    """The weight of each index's class; zero where it is ignored. One that is no class is told by `forward`."""
    counted = target != ignore_index
    return counted.float() if weight is None else weight[target.clamp(0, len(weight) - 1)] * counted


def class_dim(prediction: Tensor) -> int:
    """The dimension of the classes: 1, or 0 for a single sample."""
    return 0 if prediction.dim() == 1 else 1


def check_classes(loss: Loss, prediction: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """Require one class index for each sample, and one weight for each class.

    Raises:
        ShapeError: If their numbers are others.
        DtypeError: If the indices are not of int64, or the weight is not of the prediction's dtype.
    """
    name = type(loss).__name__
    expected = prediction.shape[:1] + prediction.shape[2:] if prediction.dim() > 1 else ()
    if prediction.dim() == 0 or target.shape != expected:
        raise ShapeError(
            f"{name} expects a prediction of shape (N, C, ...) and class indices of shape (N, ...). "
            f"Received: prediction {tuple(prediction.shape)}, target {tuple(target.shape)}"
        )
    if target.dtype != torch.int64:
        raise DtypeError(f"{name} expects class indices of torch.int64. Received: {target.dtype}")
    check_weight(loss, prediction, weight)


def check_weight(loss: Loss, prediction: Tensor, weight: Tensor | None) -> None:
    """Require classes, and one weight for each, of the prediction's dtype.

    Raises:
        ShapeError: If there is no class, or there are more or fewer weights.
        DtypeError: If they are of another dtype.
    """
    classes = prediction.shape[class_dim(prediction)]
    if classes == 0:
        raise ShapeError(f"{type(loss).__name__} expects a class at least. Received: {tuple(prediction.shape)}")
    if weight is None:
        return
    if weight.shape != (classes,):
        raise ShapeError(
            f"{type(loss).__name__} expects a weight for each of the {classes} classes. "
            f"Received: weight {tuple(weight.shape)}"
        )
    if weight.dtype != prediction.dtype:
        raise DtypeError(
            f"{type(loss).__name__} expects a weight of the prediction's dtype, {prediction.dtype}. "
            f"Received: {weight.dtype}"
        )


def nll_forward(loss: Loss, x: Tensor, t: Tensor, weight: Tensor | None, ignore_index: int) -> tuple[Tensor, Tensor]:
    """The cost, and the sum of the weights of the samples that count."""
    try:
        if x.dim() <= 2:
            cost, total = _nll_loss(x, t, weight, REDUCTION[loss.reduction], ignore_index)
            return cost, total
        cost, total = _nll_loss_2d(*_as_images(x, t), weight, REDUCTION[loss.reduction], ignore_index)
        return cost.reshape(t.shape) if loss.reduction == "none" else cost, total
    except IndexError as error:
        raise _explain(loss, x, t, ignore_index) or error from None


def nll_backward(
    loss: Loss,
    grad_cost: Tensor | None,
    x: Tensor,
    t: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    total: Tensor,
) -> Tensor:
    """The gradient of that cost."""
    grad = upstream(loss, grad_cost, x, t.shape)
    if loss.reduction == "none":
        grad = grad.expand(t.shape)
    if x.dim() <= 2:
        return _nll_loss_backward(grad, x, t, weight, REDUCTION[loss.reduction], ignore_index, total)
    images, targets = _as_images(x, t)
    if loss.reduction == "none":
        grad = grad.reshape(targets.shape)
    grad = _nll_loss_2d_backward(grad, images, targets, weight, REDUCTION[loss.reduction], ignore_index, total)
    return grad.reshape(x.shape)


def _as_images(x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    # The kernel takes (N, C, H, W), without gaps: whatever follows the classes becomes one row.
    width = math.prod(x.shape[2:])
    return x.reshape(x.shape[0], x.shape[1], 1, width).contiguous(), t.reshape(x.shape[0], 1, width)


def _explain(loss: Loss, x: Tensor, t: Tensor, ignore_index: int) -> Exception | None:
    classes = x.shape[class_dim(x)]
    wrong = t[((t < 0) | (t >= classes)) & (t != ignore_index)]
    if wrong.numel() == 0:
        return None
    return TargetError(
        f"{type(loss).__name__} expects class indices from 0 to {classes - 1}, or ignore_index={ignore_index}. "
        f"Received: {int(wrong[0])}"
    )
