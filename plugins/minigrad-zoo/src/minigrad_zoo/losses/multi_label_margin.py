"""MultiLabelMargin, the hinge for samples that belong to several classes."""

from typing import Any, final

from torch import Tensor

from minigrad import Loss, Reduction, ShapeError, check_floating, kernel, scalar
from minigrad_zoo.checks import indices, out_of_range

_NUMBERS = {"none": 0, "mean": 1, "sum": 2}  # as the kernels number the reductions
_multilabel_margin_loss_forward = kernel("multilabel_margin_loss_forward")
_multilabel_margin_loss_backward = kernel("multilabel_margin_loss_backward")


@final
class MultiLabelMargin(Loss):
    r"""Draws the scores of a sample's own classes $T$ above all others by a margin of 1.

    $$\ell = \frac1C \sum_{t \in T} \sum_{i \notin T} \max(0, z_{ti}), \quad z_{ti} = 1 - x_t + x_i, \qquad
    \frac{\partial \ell}{\partial x_t} = -\frac1C \sum_{i \notin T} [z_{ti} > 0], \quad
    \frac{\partial \ell}{\partial x_i} = \frac1C \sum_{t \in T} [z_{ti} > 0]$$

    for $C$ classes. The target lists the indices of $T$, as long as the prediction: the first -1 ends the list, and
    what follows it is ignored. At a kink $z_{ti} = 0$ the derivative is taken as 0.

    Args:
        reduction: `"mean"` (over the samples), `"sum"` or `"none"`.

    Raises:
        ShapeError: If prediction and target differ in shape, or are neither (N, C) nor (C).
        DtypeError: If the prediction is not floating-point, or the target is not torch.int64.
        TargetError: If a target is not in [-1, C).

    Examples:
        >>> margin = MultiLabelMargin()
        >>> cost, cache = margin.forward(torch.tensor([0.1, 0.2, 0.4, 0.8]), torch.tensor([3, 0, -1, 1]))
        >>> cost, margin.backward(cache)
        (tensor(0.8500), tensor([-0.5000,  0.5000,  0.5000, -0.5000]))
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Map `x: (N, C)` and `t: (N, C)`, or both `(C)`, to the cost: `()`, or `(N)` unreduced."""
        check_floating(self, prediction)
        indices(self, target)
        if prediction.dim() not in (1, 2) or target.shape != prediction.shape:
            raise ShapeError(
                f"MultiLabelMargin expects prediction and target to be both (N, C) or both (C). "
                f"Received: prediction {tuple(prediction.shape)}, target {tuple(target.shape)}"
            )
        try:
            cost, is_target = _multilabel_margin_loss_forward(prediction, target, _NUMBERS[self.reduction])
        except RuntimeError as error:
            raise out_of_range(self, target, prediction.shape[-1], least=-1) or error from None
        return cost, (prediction, target, is_target)

    def backward(self, cache: tuple[Tensor, Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx`, of the shape of `x`, in one kernel."""
        prediction, target, is_target = cache
        if grad_cost is None:
            grad_cost = scalar(1, prediction.dtype).expand(target.shape[:-1] if self.reduction == "none" else ())
        return _multilabel_margin_loss_backward(grad_cost, prediction, target, _NUMBERS[self.reduction], is_target)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        return []
