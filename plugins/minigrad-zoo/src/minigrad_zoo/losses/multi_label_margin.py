"""MultiLabelMargin, the hinge for samples that belong to several classes."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Loss, Reduction, ShapeError, check_floating
from minigrad_zoo.checks import can_look_at, indices, out_of_range
from minigrad_zoo.reductions import reduced, shares


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

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (N, C)` and `t: (N, C)`, or both `(C)`, to the cost: `()`, or `(N)` unreduced."""
        check_floating(self, prediction)
        indices(self, target)
        if prediction.dim() not in (1, 2) or target.shape != prediction.shape or target.shape[-1] == 0:
            raise ShapeError(
                f"MultiLabelMargin expects prediction and target to be both (N, C) or both (C), with a class at least. "
                f"Received: prediction {tuple(prediction.shape)}, target {tuple(target.shape)}"
            )
        if can_look_at(target) and (error := out_of_range(self, target, target.shape[-1], least=-1)):
            raise error
        costs, slope = _costs(prediction, target)
        return reduced(self, costs), slope

    def backward(self, cache: Tensor, grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache, which is $C$ times the slope of each sample's cost, to `dL/dx`, of the shape of `x`."""
        share = shares(self, grad_cost, cache.select(-1, 0)) / cache.shape[-1]
        return cache * share.unsqueeze(-1)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x, classes = draw(3, 4), torch.tensor([[3, 0, -1, 1], [-1, 0, 0, 0], [2, 1, 0, 3]])
        wrong = ((x, classes[:, :2]), (x, classes + 1), (x, classes - 1), (x, x), (classes, classes), ("text", classes))
        return [
            Case(cls, (x, classes), wrong=wrong),
        ]


def _costs(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The cost of each sample, and C times its slope."""
    listed = (target >= 0).cumprod(-1)  # 1 up to the first -1, and 0 from there on
    if can_look_at(target) and target.numel():
        longest = int(listed.sum(-1).max())  # no pass over what no list reaches
        target, listed = target[..., :longest], listed[..., :longest]
    labels, listed = target.clamp(min=0), listed.to(x.dtype)
    is_label = torch.zeros_like(x).scatter_add(-1, labels, listed) > 0
    z = 1 - x.gather(-1, labels).unsqueeze(-1) + x.unsqueeze(-2)  # of each label and each class
    counts = listed.unsqueeze(-1) * ~is_label.unsqueeze(-2)
    active = (z > 0) * counts
    slope = active.sum(-2).scatter_add(-1, labels, -active.sum(-1))
    return (z.clamp(min=0) * counts).sum((-2, -1)) / x.shape[-1], slope
