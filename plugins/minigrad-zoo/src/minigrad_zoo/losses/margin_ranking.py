"""MarginRanking, for two scores of which one should be the greater."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Loss, Reduction
from minigrad_zoo.checks import check_same_shape, check_signs, numbers, unpacked
from minigrad_zoo.reductions import reduced, shares


@final
class MarginRanking(Loss):
    r"""Draws $x_1$ above $x_2$ by a margin $m$ where $t = 1$, and below it where $t = -1$.

    $$\ell = \max(0, z), \quad z = m - t (x_1 - x_2), \qquad
    \frac{\partial \ell}{\partial x_1} = -t\, [z \ge 0] = -\frac{\partial \ell}{\partial x_2}$$

    The prediction is a tuple $(x_1, x_2)$. A pair with $t = 0$ is not ranked: it costs $m$, whatever the scores are. At
    the kink $z = 0$ the derivative is taken as on the side of $z > 0$.

    Args:
        margin: $m$.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ShapeError: If both scores and the target are not of one shape.
        DtypeError: If the scores are no tuple of floating-point tensors, or the target is not of numbers.
        TargetError: If a target is not 1, 0 or -1; looked at on the CPU only.

    Examples:
        >>> ranking = MarginRanking(margin=1.0)
        >>> x1, x2 = torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0])
        >>> cost, cache = ranking.forward((x1, x2), torch.tensor([1.0, 1.0]))
        >>> cost, ranking.backward(cache)
        (tensor(0.2500), (tensor([-0.5000, -0.0000]), tensor([0.5000, 0.0000])))

    References:
        Herbrich et al., "Support Vector Learning for Ordinal Regression", ICANN 1999.
    """

    def __init__(self, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, prediction: tuple[Tensor, Tensor], target: Tensor) -> tuple[Tensor, Tensor]:
        """Map `(x1: (*shape), x2: (*shape))` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        x1, x2 = unpacked(self, prediction, "x1", "x2")
        target = numbers(self, target, x1)
        check_same_shape(self, x1=x1, x2=x2, target=target)
        check_signs(self, target, zero=True)
        z = self.margin - target * (x1 - x2)
        return reduced(self, z.clamp(min=0)), target.where(z >= 0, 0)

    def backward(self, cache: Tensor, grad_cost: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map the cache, which is `t` where it counts, to `(dL/dx1, dL/dx2)`, both `(*shape)`."""
        grad_x2 = cache * shares(self, grad_cost, cache)
        return -grad_x2, grad_x2

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x, signs = (draw(5, 3), draw(5, 3, seed=1)), draw(5, 3, seed=2).sign()
        ternary = torch.arange(15).view(5, 3) % 3 - 1
        wrong = ((x, signs[:, :1]), (x, 2 * signs), (x[0], signs), ((x[0], x[1][:2]), signs), ((ternary,) * 2, signs))
        return [Case(cls, (x, signs), wrong=wrong), Case(lambda: cls(margin=0.5), (x, ternary), "some not ranked")]
