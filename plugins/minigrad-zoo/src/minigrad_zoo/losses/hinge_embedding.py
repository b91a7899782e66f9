"""HingeEmbedding, for distances between things that are alike or not."""

from typing import Any, final

from torch import Tensor

from minigrad import Loss, Reduction, check_floating
from minigrad_zoo.checks import check_same_shape, check_signs, numbers
from minigrad_zoo.reductions import reduced, shares


@final
class HingeEmbedding(Loss):
    r"""Draws distances $x$ between things that are alike ($t = 1$) down, and others ($t = -1$) beyond a margin $m$.

    $$\ell = \begin{cases} x & t = 1 \\ \max(0, m - x) & t = -1 \end{cases}, \qquad
    \frac{\partial \ell}{\partial x} =
    \begin{cases} 1 & t = 1 \\ -1 & t = -1, x \le m \\ 0 & t = -1, x > m \end{cases}$$

    At the kink $x = m$ of the second case the derivative is taken as -1.

    Args:
        margin: $m$.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ShapeError: If prediction and target differ in shape.
        DtypeError: If the prediction is not floating-point, or the target is not of numbers.
        TargetError: If a target is neither 1 nor -1; looked at on the CPU only.

    Examples:
        >>> hinge = HingeEmbedding()
        >>> cost, cache = hinge.forward(torch.tensor([0.5, 0.5, 2.0]), torch.tensor([1.0, -1.0, -1.0]))
        >>> cost, hinge.backward(cache)
        (tensor(0.3333), tensor([ 0.3333, -0.3333,  0.0000]))

    References:
        Hadsell et al., "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006.
    """

    def __init__(self, margin: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_floating(self, prediction)
        target = numbers(self, target, prediction)
        check_same_shape(self, prediction=prediction, target=target)
        check_signs(self, target)
        gap = self.margin - prediction
        costs = prediction.where(target == 1, gap.clamp(min=0))
        return reduced(self, costs), target.where((target == 1) | (gap >= 0), 0)

    def backward(self, cache: Tensor, grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache, which is the slope, to `dL/dx: (*shape)`."""
        return cache * shares(self, grad_cost, cache)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x, signs = draw(5, 3, kinks=(1.0, 0.3)), draw(5, 3, seed=1).sign()
        wrong = ((x, signs[:, :1]), (x, 0 * signs), (x, signs.double()), (signs.long(), signs), ("text", signs))
        return [Case(cls, (x, signs), wrong=wrong), Case(lambda: cls(margin=0.3), (x, signs.long()), "integer targets")]
