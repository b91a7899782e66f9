"""AlphaDropout and FeatureAlphaDropout, for nets of SELUs."""

import math
from typing import Any, final

import torch
from torch import Tensor

from minigrad import Layer, ShapeError, check_floating

# What SELU tends to far on the negative side, less its sign: scale times alpha.
_ALPHA = 1.7580993408473766


@final
class AlphaDropout(Layer):
    r"""Dropout that keeps mean 0 and variance 1, as a SELU does, while learning; predicting leaves elements alone.

    $$y = a \bigl( m\, x - (1 - m)\, \alpha \bigr) + a \alpha p, \qquad \frac{\partial y}{\partial x} = a\, m, \qquad
    a = \frac{1}{\sqrt{(1 - p) (1 + p\, \alpha^2)}}, \qquad
    m = \begin{cases} 0 & \text{with probability } p \\ 1 & \text{otherwise} \end{cases}$$

    so what is dropped becomes what SELU gives far on the negative side, $-\alpha = -1.7581$; all is then scaled and
    shifted. `predict` is the identity. The mask is drawn with the random numbers that `torch.nn.AlphaDropout` draws.
    With $p = 1$ everything becomes 0.

    Args:
        p: The probability that an element is dropped.

    Raises:
        ValueError: If `p` is not in [0, 1].
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> _ = torch.manual_seed(0)
        >>> dropout = AlphaDropout()
        >>> y, cache = dropout.forward(torch.ones(4))
        >>> y, dropout.backward(torch.ones(4), cache)
        (tensor([-0.7792, -0.7792,  1.6656, -0.7792]), tensor([0.0000, 0.0000, 0.8864, 0.0000]))

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", NIPS 2017.
    """

    def __init__(self, p: float = 0.5) -> None:
        _check_p(p)
        self.p = p

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`; the cache is $a m$."""
        check_floating(self, x)
        return _dropped(x, torch.empty_like(x), self.p)

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * a * m`."""
        return grad_output * cache

    def predict(self, x: Tensor) -> Tensor:
        """Hand `x` on as it is."""
        check_floating(self, x)
        return x

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        return [
            Case(cls, draw(5, 4), predict_differs=True, wrong=("text",)),
            Case(lambda: cls(0.0)),
            Case(lambda: cls(1.0), predict_differs=True),
        ]


@final
class FeatureAlphaDropout(Layer):
    r"""`AlphaDropout` of whole channels.

    $$y_{nc} = a \bigl( m_{nc}\, x_{nc} - (1 - m_{nc})\, \alpha \bigr) + a \alpha p, \qquad
    \frac{\partial y_{nc}}{\partial x_{nc}} = a\, m_{nc}$$

    with $a$, $\alpha$ and $m$ as there, and one $m$ for each sample $n$ and channel $c$.

    Args:
        p: The probability that a channel is dropped.

    Raises:
        ValueError: If `p` is not in [0, 1].
        ShapeError: If `x` has fewer than two dimensions.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> _ = torch.manual_seed(0)
        >>> dropout = FeatureAlphaDropout()
        >>> y, cache = dropout.forward(torch.ones(1, 3, 2))
        >>> dropout.backward(torch.ones(1, 3, 2), cache)
        tensor([[[0.0000, 0.0000],
                 [0.0000, 0.0000],
                 [0.8864, 0.8864]]])

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", NIPS 2017.
    """

    def __init__(self, p: float = 0.5) -> None:
        _check_p(p)
        self.p = p

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (N, C, *)` to `y` of the same shape; the cache is $a m$, `(N, C, 1, ...)`."""
        self._check(x)
        return _dropped(x, x.new_empty(x.shape[:2] + (1,) * (x.dim() - 2)), self.p)

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (N, C, *)` to `dL/dx = dL/dy * a * m`."""
        return grad_output * cache

    def predict(self, x: Tensor) -> Tensor:
        """Hand `x` on as it is."""
        self._check(x)
        return x

    def _check(self, x: Tensor) -> None:
        check_floating(self, x)
        if x.dim() < 2:
            raise ShapeError(f"FeatureAlphaDropout expects (N, C, *). Received: shape {tuple(x.shape)}")

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x = draw(5, 4, 2)
        return [
            Case(cls, x, predict_differs=True, wrong=(draw(3),)),
            Case(lambda: cls(0.0), x),
            Case(lambda: cls(1.0), x, predict_differs=True),
        ]


def _check_p(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1]. Received: p={p}")


def _dropped(x: Tensor, mask: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """`y` and $a m$; what is in `mask` does not matter, its shape does."""
    if p in (0, 1):  # no choice, and no random numbers
        keep = torch.full_like(mask, 1 - p)
        return x * keep, keep
    m = mask.bernoulli_(1 - p)
    a = 1 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    shift = (m - 1) * (_ALPHA * a) + _ALPHA * a * p
    am = m * a
    return x * am + shift, am
