"""MSE, the mean squared error."""

from typing import final

from torch import Tensor

from minigrad.core import Loss, Reduction, kernel
from minigrad.losses.common import REDUCTION, check_pair, upstream

_mse_loss = kernel("mse_loss")
_mse_loss_backward = kernel("mse_loss_backward")


@final
class MSE(Loss):
    r"""Squared error between a prediction $p$ and a target $t$.

    $$\ell = (p - t)^2, \qquad \frac{\partial \ell}{\partial p} = 2 (p - t)$$

    summed, or averaged over the elements.

    Args:
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ShapeError: If prediction and target differ in shape.
        DtypeError: If they are not of one floating-point dtype.

    Examples:
        >>> import torch
        >>> mse = MSE()
        >>> cost, cache = mse.forward(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))
        >>> cost, mse.backward(cache)
        (tensor(2.5000), tensor([ 1., -2.]))

    References:
        Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes", 1805.
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `p: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_pair(self, prediction, target)
        return _mse_loss(prediction, target, REDUCTION[self.reduction]), (prediction, target)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dp = 2 (p - t)`, reduced, in one kernel."""
        p, t = cache
        return _mse_loss_backward(upstream(self, grad_cost, p, p.shape), p, t, REDUCTION[self.reduction])
