"""BCEWithLogits, the binary cross-entropy of scores."""

from typing import final

import torch
from torch import Tensor

from minigrad.core import Loss, Reduction, scalar
from minigrad.losses.common import REDUCTION, check_pair, check_weights, upstream, weight_fault


@final
class BCEWithLogits(Loss):
    r"""Binary cross-entropy between scores $x$ and targets $t$ in $[0, 1]$.

    $$\ell = -w \bigl( q\, t \log \sigma(x) + (1 - t) \log(1 - \sigma(x)) \bigr), \qquad
    \frac{\partial \ell}{\partial x} = w \bigl( (1 + q t - t)\, \sigma(x) - q t \bigr)$$

    summed, or averaged over the elements. It is `BCE` after a sigmoid, computed so that neither overflows; without
    weights the gradient is simply $\sigma(x) - t$.

    Args:
        weight: A weight $w$ for each element, of a shape that broadcasts to the prediction's.
        reduction: `"mean"`, `"sum"` or `"none"`.
        pos_weight: A weight $q$ of the positive part, of a shape that broadcasts to the prediction's: above 1 it
            favours recall, below 1 precision.

    Raises:
        TypeError: If a weight is not a tensor.
        ShapeError: If prediction and target differ in shape, or a weight does not broadcast to it.
        DtypeError: If they are not of one floating-point dtype.

    Examples:
        >>> bce = BCEWithLogits()
        >>> cost, cache = bce.forward(torch.zeros(2), torch.tensor([0.0, 1.0]))
        >>> cost, bce.backward(cache)
        (tensor(0.6931), tensor([ 0.2500, -0.2500]))
    """

    def __init__(
        self, weight: Tensor | None = None, reduction: Reduction = "mean", pos_weight: Tensor | None = None
    ) -> None:
        super().__init__(reduction)
        check_weights(self, weight=weight, pos_weight=pos_weight)
        self.weight = weight
        self.pos_weight = pos_weight

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `x: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_pair(self, prediction, target)
        try:
            cost = torch.binary_cross_entropy_with_logits(
                prediction, target, self.weight, self.pos_weight, REDUCTION[self.reduction]
            )
        except RuntimeError as error:
            raise self._explain(prediction) or error from None
        return cost, (prediction, target)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx: (*shape)`."""
        x, t = cache
        if self.pos_weight is None:
            grad = torch.sigmoid(x) - t
        else:
            q_t = self.pos_weight * t
            grad = (1 + q_t - t) * torch.sigmoid(x) - q_t
        if grad_cost is not None:
            grad = grad * upstream(self, grad_cost, x, x.shape)
        if self.weight is not None:
            grad = grad * self.weight
        return grad / scalar(x.numel(), x.dtype) if self.reduction == "mean" else grad

    def _explain(self, prediction: Tensor) -> Exception | None:
        return weight_fault("BCEWithLogits", "weight", self.weight, prediction) or weight_fault(
            "BCEWithLogits", "pos_weight", self.pos_weight, prediction
        )
