"""MultiMargin, the hinge for many classes."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Loss, Reduction, ShapeError, check_floating
from minigrad_zoo.checks import check_weight, indices, out_of_range
from minigrad_zoo.reductions import reduced, shares


@final
class MultiMargin(Loss):
    r"""Draws the score of the right class $t$ above every other one by a margin $m$.

    $$\ell = \frac{w_t}{C} \sum_{i \ne t} \max(0, z_i)^p, \quad z_i = m - x_t + x_i, \qquad
    \frac{\partial \ell}{\partial x_i} = \frac{w_t}{C}\, p \max(0, z_i)^{p - 1}\ [z_i > 0], \quad
    \frac{\partial \ell}{\partial x_t} = - \sum_{i \ne t} \frac{\partial \ell}{\partial x_i}$$

    for $C$ classes. At a kink $z_i = 0$ the derivative is taken as 0.

    Args:
        p: The power, 1 or 2.
        margin: $m$.
        weight: $w$, one for each class.
        reduction: `"mean"` (over the samples), `"sum"` or `"none"`.

    Raises:
        ValueError: If `p` is neither 1 nor 2.
        ShapeError: If there is not one target for each sample, or not one weight for each class.
        DtypeError: If the prediction is not floating-point, or the target is not torch.int64.
        TargetError: If a target is not in [0, C).

    Examples:
        >>> margin = MultiMargin()
        >>> cost, cache = margin.forward(torch.tensor([[0.0, 0.5, 2.0]]), torch.tensor([2]))
        >>> cost, margin.backward(cache)
        (tensor(0.), tensor([[0., 0., 0.]]))
        >>> cost, cache = margin.forward(torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([2]))
        >>> cost, margin.backward(cache)
        (tensor(0.1667), tensor([[ 0.0000,  0.3333, -0.3333]]))

    References:
        Crammer and Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines", JMLR 2001.
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"p must be 1 or 2. Received: p={p}")
        self.p = p
        self.margin = margin
        self.weight = weight

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (N, C)` and `t: (N)`, or `(C)` and `()`, to the cost: `()`, or that of `t` unreduced."""
        check_floating(self, prediction)
        self._check_shapes(prediction, indices(self, target))
        x, t = prediction, target.unsqueeze(-1)
        try:
            z = self.margin - x.gather(-1, t) + x
        except (IndexError, RuntimeError) as error:
            raise out_of_range(self, target, x.shape[-1]) or error from None
        is_target = torch.arange(x.shape[-1], device=x.device) == t
        hinge = z.clamp(min=0).masked_fill(is_target, 0)
        slope = (hinge > 0).to(x.dtype) if self.p == 1 else 2 * hinge
        slope = slope - slope.sum(-1, keepdim=True) * is_target
        costs = (hinge if self.p == 1 else hinge * hinge).mean(-1)
        if self.weight is not None:
            weight = self.weight[target]
            costs, slope = costs * weight, slope * weight.unsqueeze(-1)
        return reduced(self, costs), slope

    def backward(self, cache: Tensor, grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache, which is $C$ times the slope of each sample's cost, to `dL/dx`, of the shape of `x`."""
        share = shares(self, grad_cost, cache.select(-1, 0)) / cache.shape[-1]
        return cache * share.unsqueeze(-1)

    def _check_shapes(self, x: Tensor, target: Tensor) -> None:
        if x.dim() not in (1, 2) or target.shape != x.shape[:-1] or x.shape[-1] == 0:
            raise ShapeError(
                f"MultiMargin expects a prediction (N, C) and a target (N), or (C) and (), with a class at least. "
                f"Received: prediction {tuple(x.shape)}, target {tuple(target.shape)}"
            )
        check_weight(self, self.weight, x)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x, classes, weight = draw(5, 3), torch.tensor([0, 2, 1, 1, 2]), torch.tensor([0.5, 2.0, 1.0])
        wrong = ((x, classes[:3]), (x, classes + 1), (x, classes - 1), (x, classes.float()), (x.long(), classes))
        return [
            Case(cls, (x, classes), wrong=wrong),
            Case(lambda: cls(p=2, margin=0.5), (x, classes)),
            Case(lambda: cls(weight=weight), (x, classes), "weighted", wrong=((draw(5, 4), classes),)),
        ]
