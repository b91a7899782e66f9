"""CosineEmbedding, for the angle between things that are alike or not."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Loss, Reduction, ShapeError
from minigrad_zoo.checks import check_same_shape, check_signs, numbers, unpacked
from minigrad_zoo.reductions import reduced, shares

_EPS = 1e-12  # added to the squares of both lengths, so that a zero vector has a cosine: 0


@final
class CosineEmbedding(Loss):
    r"""Turns vectors towards each other if they are alike ($t = 1$), and else ($t = -1$) apart by a margin.

    $$\ell = \begin{cases} 1 - c & t = 1 \\ \max(0, c - m) & t = -1 \end{cases}, \qquad
    c = \frac{x_1^\top x_2}{\lVert x_1 \rVert \lVert x_2 \rVert}, \qquad
    \frac{\partial c}{\partial x_1} = \frac{1}{\lVert x_1 \rVert}
    \Bigl( \frac{x_2}{\lVert x_2 \rVert} - c\, \frac{x_1}{\lVert x_1 \rVert} \Bigr)$$

    and likewise for $x_2$, with $\lVert x \rVert = \sqrt{x^\top x + 10^{-12}}$. The prediction is a tuple $(x_1, x_2)$.
    At the kink $c = m$ of the second case the gradient is taken as on the side of $c > m$.

    Args:
        margin: $m$.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ShapeError: If the vectors differ in shape, or there is not one target for each pair.
        DtypeError: If the vectors are no tuple of floating-point tensors, or the target is not of numbers.
        TargetError: If a target is neither 1 nor -1; looked at on the CPU only.

    Examples:
        >>> cosine = CosineEmbedding()
        >>> x1, x2 = torch.tensor([[2.0, 0.0]]), torch.tensor([[3.0, 4.0]])
        >>> cost, cache = cosine.forward((x1, x2), torch.tensor([1.0]))
        >>> cost, cosine.backward(cache)
        (tensor(0.4000), (tensor([[-0.0000, -0.4000]]), tensor([[-0.1280,  0.0960]])))

    References:
        Chopra et al., "Learning a Similarity Metric Discriminatively, with Application to Face Verification",
        CVPR 2005.
    """

    def __init__(self, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, prediction: tuple[Tensor, Tensor], target: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map `(x1: (N, D), x2: (N, D))` and `t: (N)`, or all without `N`, to the cost: `()`, or `(N)` unreduced."""
        x1, x2 = unpacked(self, prediction, "x1", "x2")
        target = numbers(self, target, x1)
        self._check_shapes(x1, x2, target)
        check_signs(self, target)
        length1, length2 = (_length(x) for x in (x1, x2))
        # Divided one by one: the product of two great lengths may be infinite.
        unit1, unit2 = x1 / length1.unsqueeze(-1), x2 / length2.unsqueeze(-1)
        cosine = (unit1 * unit2).sum(-1)
        gap = cosine - self.margin
        costs = (1 - cosine).where(target == 1, gap.clamp(min=0))
        slope = (-target).where((target == 1) | (gap >= 0), 0)
        return reduced(self, costs), (unit1, unit2, length1, length2, cosine, slope)

    def backward(self, cache: tuple[Tensor, ...], grad_cost: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map the cache to `(dL/dx1, dL/dx2)`, both of the shape of the vectors."""
        unit1, unit2, length1, length2, cosine, slope = cache
        grad = slope * shares(self, grad_cost, slope)
        cosine = cosine.unsqueeze(-1)
        grad_x1 = (grad / length1).unsqueeze(-1) * (unit2 - cosine * unit1)
        grad_x2 = (grad / length2).unsqueeze(-1) * (unit1 - cosine * unit2)
        return grad_x1, grad_x2

    def _check_shapes(self, x1: Tensor, x2: Tensor, target: Tensor) -> None:
        check_same_shape(self, x1=x1, x2=x2)
        if x1.dim() not in (1, 2) or target.shape != x1.shape[:-1]:
            raise ShapeError(
                f"CosineEmbedding expects vectors (N, D) and a target (N), or (D) and (). "
                f"Received: vectors {tuple(x1.shape)}, target {tuple(target.shape)}"
            )

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x, signs = (draw(6, 3), draw(6, 3, seed=1)), torch.tensor([1.0, -1.0, -1.0, 1.0, -1.0, -1.0])
        wrong = ((x, x[0].sign()), (x, 0 * signs), (x[0], signs), ((x[0], x[1][:2]), signs), ((x[0], "text"), signs))
        return [
            Case(cls, (x, signs), wrong=wrong),
            Case(lambda: cls(margin=0.2), (x, signs.long()), "integer targets"),
        ]


def _length(x: Tensor) -> Tensor:
    return ((x * x).sum(-1) + _EPS).sqrt()
