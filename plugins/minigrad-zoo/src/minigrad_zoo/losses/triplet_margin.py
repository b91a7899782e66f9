"""TripletMargin, for an anchor, a thing like it and a thing unlike it; by a norm or by any distance."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Layer, Loss, Reduction, TargetError
from minigrad_zoo.checks import check_same_shape, unpacked
from minigrad_zoo.layers import PairwiseDistance
from minigrad_zoo.reductions import reduced, shares

_Triplet = tuple[Tensor, Tensor, Tensor]


@final
class TripletMargin(Loss):
    r"""Draws an anchor $a$ nearer to a positive example $p$ than to a negative one $n$, by a margin $m$.

    $$\ell = \max(0, z), \quad z = m + d(a, p) - d(a, n), \qquad
    \frac{\partial \ell}{\partial a} = [z \ge 0] \Bigl( \frac{\partial d(a, p)}{\partial a}
    - \frac{\partial d(a, n)}{\partial a} \Bigr), \quad
    \frac{\partial \ell}{\partial p} = [z \ge 0] \frac{\partial d(a, p)}{\partial p}, \quad
    \frac{\partial \ell}{\partial n} = -[z \ge 0] \frac{\partial d(a, n)}{\partial n}$$

    with the distance $d(x_1, x_2) = \lVert x_1 - x_2 + \epsilon \rVert_p$ of `PairwiseDistance`. With `swap`, the
    negative counts by its distance to the nearer of the other two: $\min(d(a, n), d(p, n))$ takes the place of
    $d(a, n)$, and where both are equal, each takes half of the gradient. At the kink $z = 0$ the gradient is taken as
    on the side of $z > 0$.

    The prediction is a tuple $(a, p, n)$; there is no target.

    Args:
        margin: $m$, greater than 0.
        p: The norm.
        eps: $\epsilon$.
        swap: Whether the negative's nearer distance counts.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ValueError: If `margin` or `p` is not positive.
        ShapeError: If the three are not of one shape, with at least one dimension.
        DtypeError: If they are no tuple of floating-point tensors.
        TargetError: If there is a target.

    Examples:
        >>> triplet = TripletMargin(eps=0.0)
        >>> a, p, n = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 2.0]])
        >>> cost, cache = triplet.forward((a, p, n))
        >>> cost, triplet.backward(cache)
        (tensor(4.), (tensor([[-0.6000,  0.2000]]), tensor([[0.6000, 0.8000]]), tensor([[ 0., -1.]])))

    References:
        Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015. Balntas et al.,
        "Learning Local Feature Descriptors with Triplets and Shallow Convolutional Neural Networks", BMVC 2016
        (`swap`).
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        _check_margin(margin)
        PairwiseDistance(p, eps)  # says what is wrong with them
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, prediction: _Triplet, target: None = None) -> tuple[Tensor, Any]:
        """Map `(a, p, n)`, each `(*, D)`, to the cost: `()`, or `(*)` unreduced."""
        return _forward(self, PairwiseDistance(self.p, self.eps), prediction, target)

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> _Triplet:
        """Map the cache to `(dL/da, dL/dp, dL/dn)`, each `(*, D)`."""
        return _backward(self, PairwiseDistance(self.p, self.eps), cache, grad_cost)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        triplet = (draw(5, 3), draw(5, 3, seed=1), draw(5, 3, seed=2))
        wrong = ((triplet, triplet[0]), (triplet[:2], None), (triplet[0], None), ((*triplet[:2], draw(5, 2)), None))
        return [
            Case(cls, (triplet, None), wrong=wrong),
            Case(lambda: cls(margin=2.0, p=3.0, eps=0.01), (triplet, None)),
            Case(lambda: cls(swap=True), (triplet, None)),
        ]


@final
class TripletMarginWithDistance(Loss):
    r"""`TripletMargin` with a distance of your own.

    $$\ell = \max(0, z), \quad z = m + d(a, p) - d(a, n), \qquad
    \frac{\partial \ell}{\partial d(a, p)} = [z \ge 0] = -\frac{\partial \ell}{\partial d(a, n)}$$

    which the distance's own backward carries on to $a$, $p$ and $n$. The distance is a layer that maps a tuple
    `(x1, x2)` to one number for each pair. If it has parameters, the loss's backward fills their gradients: give them
    to the optimizer as well. `swap` and kinks are as in `TripletMargin`.

    Args:
        distance_function: The layer; `PairwiseDistance()` by default.
        margin: $m$, greater than 0.
        swap: Whether the negative counts by its distance to the nearer of the other two.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ValueError: If `margin` is not positive.
        TypeError: If the distance is no layer.
        ShapeError: If the three are not of one shape.
        DtypeError: If they are no tuple of floating-point tensors.
        TargetError: If there is a target.

    Examples:
        >>> triplet = TripletMarginWithDistance(distance_function=PairwiseDistance(p=1.0, eps=0.0))
        >>> cost, cache = triplet.forward((torch.zeros(1, 2), torch.ones(1, 2), -torch.ones(1, 2)))
        >>> cost, triplet.backward(cache)
        (tensor(1.), (tensor([[-2., -2.]]), tensor([[1., 1.]]), tensor([[1., 1.]])))
    """

    def __init__(
        self,
        *,
        distance_function: Layer | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        _check_margin(margin)
        if distance_function is not None and not isinstance(distance_function, Layer):
            raise TypeError(
                f"distance_function must be a Layer, which knows its backward. "
                f"Received: distance_function={distance_function!r}"
            )
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, prediction: _Triplet, target: None = None) -> tuple[Tensor, Any]:
        """Map `(a, p, n)`, of one shape, to the cost: `()`, or one for each distance unreduced."""
        return _forward(self, self.distance_function or PairwiseDistance(), prediction, target)

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> _Triplet:
        """Map the cache to `(dL/da, dL/dp, dL/dn)`."""
        return _backward(self, self.distance_function or PairwiseDistance(), cache, grad_cost)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        triplet = (draw(5, 3), draw(5, 3, seed=1), draw(5, 3, seed=2))
        city = PairwiseDistance(p=1.0)
        return [
            Case(cls, (triplet, None), wrong=((triplet, triplet[0]), (triplet[0], None))),
            Case(lambda: cls(distance_function=city, margin=2.0, swap=True), (triplet, None), "in blocks"),
        ]


_Either = TripletMargin | TripletMarginWithDistance


def _check_margin(margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"margin must be positive. Received: margin={margin}")


def _forward(loss: _Either, distance: Layer, prediction: _Triplet, target: None) -> tuple[Tensor, Any]:
    if target is not None:
        raise TargetError(
            f"{type(loss).__name__} takes no target: the prediction is (anchor, positive, negative). "
            f"Received: a target of type {type(target).__name__}"
        )
    a, p, n = unpacked(loss, prediction, "anchor", "positive", "negative")
    check_same_shape(loss, anchor=a, positive=p, negative=n)
    near, near_cache = distance.forward((a, p))
    far, far_cache = distance.forward((a, n))
    other, other_cache = distance.forward((p, n)) if loss.swap else (None, None)
    z = loss.margin + near - (far if other is None else torch.minimum(far, other))
    return reduced(loss, z.clamp(min=0)), (z, far, other, near_cache, far_cache, other_cache)


def _backward(loss: _Either, distance: Layer, cache: Any, grad_cost: Tensor | None) -> _Triplet:
    z, far, other, near_cache, far_cache, other_cache = cache
    grad = (z >= 0) * shares(loss, grad_cost, z)
    grad_a, grad_p = distance.backward(grad, near_cache)
    if other is None:
        grad_a_far, grad_n = distance.backward(-grad, far_cache)
        return grad_a + grad_a_far, grad_p, grad_n
    of_far = (far < other).to(far.dtype).where(far != other, 0.5)
    grad_a_far, grad_n_far = distance.backward(-grad * of_far, far_cache)
    grad_p_other, grad_n_other = distance.backward(-grad * (1 - of_far), other_cache)
    return grad_a + grad_a_far, grad_p + grad_p_other, grad_n_far + grad_n_other
