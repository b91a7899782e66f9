"""PairwiseDistance, how far two tensors are apart, row by row."""

import math
from typing import Any, final

import torch
from torch import Tensor

from minigrad import Layer, ShapeError
from minigrad_zoo.checks import check_same_shape, unpacked


@final
class PairwiseDistance(Layer):
    r"""The $p$-norm of the difference of two vectors.

    $$y = \lVert d \rVert_p, \quad d = x_1 - x_2 + \epsilon, \qquad
    \frac{\partial y}{\partial x_{1 i}} = \operatorname{sign}(d_i) \Bigl( \frac{|d_i|}{y} \Bigr)^{p - 1}
    = -\frac{\partial y}{\partial x_{2 i}}$$

    For $p = \infty$ the derivative is shared out evenly among the entries of the greatest $|d_i|$. Where $d_i = 0$ it
    is taken as 0. What goes in is a tuple `(x1, x2)`, and so is its gradient.

    Args:
        p: $p$, greater than 0; also `math.inf`.
        eps: $\epsilon$, which keeps equal vectors away from the kink at $d = 0$.
        keepdim: Whether `y` keeps the last dimension, as 1.

    Raises:
        ValueError: If `p` is not positive.
        ShapeError: If both tensors are not of one shape, with at least one dimension.
        DtypeError: If they are no tuple of floating-point tensors.

    Examples:
        >>> distance = PairwiseDistance(eps=0.0)
        >>> y, cache = distance.forward((torch.tensor([3.0, 4.0]), torch.zeros(2)))
        >>> y, distance.backward(torch.tensor(1.0), cache)
        (tensor(5.), (tensor([0.6000, 0.8000]), tensor([-0.6000, -0.8000])))
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        if not p > 0:
            raise ValueError(f"p must be positive. Received: p={p}")
        self.p = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `x1: (*, D)` and `x2: (*, D)` to `y: (*)`, or `(*, 1)`."""
        x1, x2 = unpacked(self, x, "x1", "x2")
        check_same_shape(self, x1=x1, x2=x2)
        if x1.dim() == 0:
            raise ShapeError("PairwiseDistance expects x1 and x2 (*, D). Received: shape ()")
        d = x1 - x2 + self.eps
        norm = torch.linalg.vector_norm(d, self.p, -1, keepdim=True)
        return norm if self.keepdim else norm.squeeze(-1), (d, norm)

    def backward(self, grad_output: Tensor, cache: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Map `dL/dy: (*)`, or `(*, 1)`, to `(dL/dx1, dL/dx2)`, both `(*, D)`."""
        d, norm = cache
        if self.p == math.inf:
            greatest = (d.abs() == norm).to(d.dtype)
            slope = d.sign() * greatest / greatest.sum(-1, keepdim=True)
        else:
            slope = (d.sign() * (d.abs() / norm) ** (self.p - 1)).where(d != 0, 0)
        grad = (grad_output if self.keepdim else grad_output.unsqueeze(-1)) * slope
        return grad, -grad

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        pair = (draw(5, 3), draw(5, 3, seed=1))
        wrong = (((pair[0], pair[1][:4]),), pair[0], ((draw(1)[0], draw(1)[0]),))
        powers = [Case(lambda p=p: cls(p), (pair,)) for p in (1.0, 1.5, 3.0, math.inf)]
        return [Case(cls, (pair,), wrong=wrong), *powers, Case(lambda: cls(keepdim=True), (pair,))]
