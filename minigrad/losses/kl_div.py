"""KLDiv, the Kullback-Leibler divergence."""

from typing import Literal, final

import torch
from torch import Tensor

from minigrad.core import Loss, scalar
from minigrad.losses.common import check_pair, upstream


@final
class KLDiv(Loss):
    r"""Kullback-Leibler divergence of a prediction from a target distribution $t$.

    The prediction $x$ holds logarithms of probabilities, as `LogSoftmax` returns them.

    $$\ell = t\, (\log t - x), \qquad \frac{\partial \ell}{\partial x} = -t$$

    elementwise, with $0 \log 0 = 0$. The divergence itself is the sum over a distribution, so `"batchmean"` (the sum
    divided by the size of the first dimension) is what the textbooks mean; `"mean"` divides by the number of elements.

    Args:
        reduction: `"mean"`, `"batchmean"`, `"sum"` or `"none"`.
        log_target: Whether the target holds logarithms of probabilities too; $t$ is then their exponential.

    Raises:
        ShapeError: If prediction and target differ in shape.
        DtypeError: If they are not of one floating-point dtype.

    Examples:
        >>> kl_div = KLDiv(reduction="batchmean")
        >>> cost, cache = kl_div.forward(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[1.0, 0.0]]))
        >>> cost, kl_div.backward(cache)
        (tensor(0.6931), tensor([[-1., -0.]]))

    References:
        Kullback and Leibler, "On Information and Sufficiency", 1951.
    """

    def __init__(
        self, reduction: Literal["mean", "batchmean", "sum", "none"] = "mean", log_target: bool = False
    ) -> None:
        if reduction not in ("mean", "batchmean", "sum", "none"):
            raise ValueError(
                f"reduction must be 'mean', 'batchmean', 'sum' or 'none'. Received: reduction={reduction!r}"
            )
        super().__init__("sum" if reduction == "batchmean" else reduction)
        self.reduction = reduction  # type: ignore[assignment]  # one more than other losses have
        self._batchmean = reduction == "batchmean"
        self.log_target = log_target

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `x: (*shape)` and the target `(*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_pair(self, prediction, target)
        t, x = target, prediction
        costs = t.exp() * (t - x) if self.log_target else torch.xlogy(t, t) - t * x
        if self._batchmean:
            return costs.sum() / _batch_size(x), (x, t)
        if self.reduction == "mean":
            return costs.mean(), (x, t)
        return costs.sum() if self.reduction == "sum" else costs, (x, t)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx = -t`, reduced."""
        x, target = cache
        t = target.exp() if self.log_target else target
        grad = upstream(self, grad_cost, x, x.shape)
        if self._batchmean or self.reduction == "mean":
            grad = grad / scalar(_batch_size(x) if self._batchmean else x.numel(), x.dtype)
        return -t * grad


def _batch_size(x: Tensor) -> int:
    return len(x) if x.dim() else 1
