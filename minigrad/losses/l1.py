"""L1, the absolute error, and its two relatives that are smooth at zero."""

from collections.abc import Callable
from typing import final

import torch
from torch import Tensor

from minigrad.core import Loss, Reduction, kernel, scalar
from minigrad.losses.common import REDUCTION, check_pair, upstream

_l1_loss: Callable[..., Tensor] = torch._C._nn.l1_loss
_smooth_l1_loss = kernel("smooth_l1_loss")
_smooth_l1_loss_backward = kernel("smooth_l1_loss_backward")
_huber_loss = kernel("huber_loss")
_huber_loss_backward = kernel("huber_loss_backward")


@final
class L1(Loss):
    r"""Absolute error between a prediction $p$ and a target $t$.

    $$\ell = |p - t|, \qquad \frac{\partial \ell}{\partial p} = \operatorname{sign}(p - t)$$

    summed, or averaged over the elements. At the kink $p = t$ the derivative is taken as 0.

    Args:
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ShapeError: If prediction and target differ in shape.
        DtypeError: If they are not of one floating-point dtype.

    Examples:
        >>> l1 = L1()
        >>> cost, cache = l1.forward(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))
        >>> cost, l1.backward(cache)
        (tensor(1.5000), tensor([ 0.5000, -0.5000]))
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `p: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_pair(self, prediction, target)
        return _l1_loss(prediction, target, REDUCTION[self.reduction]), (prediction, target)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dp = sign(p - t)`, reduced."""
        return _l1_backward(self, *cache, grad_cost)


@final
class SmoothL1(Loss):
    r"""Absolute error, rounded off by a parabola of width $\beta$ about zero.

    $$d = p - t, \qquad \ell = \begin{cases} d^2 / 2 \beta & |d| < \beta \\ |d| - \beta / 2 & |d| \ge \beta \end{cases},
    \qquad \frac{\partial \ell}{\partial p}
    = \begin{cases} d / \beta & |d| < \beta \\ \operatorname{sign} d & |d| \ge \beta \end{cases}$$

    summed, or averaged over the elements. With $\beta = 0$ it is `L1`; in general it is `Huber` divided by $\beta$.

    Args:
        reduction: `"mean"`, `"sum"` or `"none"`.
        beta: $\beta$.

    Raises:
        ValueError: If `beta` is negative.
        ShapeError: If prediction and target differ in shape.
        DtypeError: If they are not of one floating-point dtype.

    Examples:
        >>> smooth = SmoothL1()
        >>> cost, cache = smooth.forward(torch.tensor([0.5, 2.0]), torch.tensor([0.0, 4.0]))
        >>> cost, smooth.backward(cache)
        (tensor(0.8125), tensor([ 0.2500, -0.5000]))

    References:
        Girshick, "Fast R-CNN", ICCV 2015.
    """

    def __init__(self, reduction: Reduction = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        if not beta >= 0:
            raise ValueError(f"beta must not be negative. Received: beta={beta}")
        self.beta = beta

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `p: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_pair(self, prediction, target)
        return _smooth_l1_loss(prediction, target, REDUCTION[self.reduction], self.beta), (prediction, target)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dp: (*shape)`."""
        p, t = cache
        if self.beta == 0:  # where the kernel divides by beta
            return _l1_backward(self, p, t, grad_cost)
        grad_cost = upstream(self, grad_cost, p, p.shape)
        return _smooth_l1_loss_backward(grad_cost, p, t, REDUCTION[self.reduction], self.beta)


@final
class Huber(Loss):
    r"""Squared error near zero, absolute error beyond $\delta$.

    $$d = p - t, \qquad \ell = \begin{cases} d^2 / 2 & |d| \le \delta \\ \delta (|d| - \delta / 2) & |d| > \delta
    \end{cases}, \qquad \frac{\partial \ell}{\partial p}
    = \begin{cases} d & |d| \le \delta \\ \delta \operatorname{sign} d & |d| > \delta \end{cases}$$

    summed, or averaged over the elements.

    Args:
        reduction: `"mean"`, `"sum"` or `"none"`.
        delta: $\delta$.

    Raises:
        ValueError: If `delta` is not positive.
        ShapeError: If prediction and target differ in shape.
        DtypeError: If they are not of one floating-point dtype.

    Examples:
        >>> huber = Huber()
        >>> cost, cache = huber.forward(torch.tensor([0.5, 2.0]), torch.tensor([0.0, 4.0]))
        >>> cost, huber.backward(cache)
        (tensor(0.8125), tensor([ 0.2500, -0.5000]))

    References:
        Huber, "Robust Estimation of a Location Parameter", 1964.
    """

    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        if not delta > 0:
            raise ValueError(f"delta must be positive. Received: delta={delta}")
        self.delta = delta

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `p: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_pair(self, prediction, target)
        return _huber_loss(prediction, target, REDUCTION[self.reduction], self.delta), (prediction, target)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dp: (*shape)`, in one kernel."""
        p, t = cache
        grad_cost = upstream(self, grad_cost, p, p.shape)
        return _huber_loss_backward(grad_cost, p, t, REDUCTION[self.reduction], self.delta)


def _l1_backward(loss: Loss, p: Tensor, t: Tensor, grad_cost: Tensor | None) -> Tensor:
    grad = torch.sign(p - t)
    if grad_cost is not None:
        grad = grad * upstream(loss, grad_cost, p, p.shape)
    return grad / scalar(p.numel(), p.dtype) if loss.reduction == "mean" else grad
