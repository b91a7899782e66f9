"""Dropout1d, Dropout2d and Dropout3d, which drop whole channels."""

from typing import Any, ClassVar, final

import torch
from torch import Tensor

from minigrad import Layer, ShapeError, check_floating


class ChannelDropout(Layer):
    """What the three have in common; they differ in the shapes that they take.

    Args:
        p: The probability that a channel is set to zero.

    Raises:
        ValueError: If `p` is not in [0, 1].
    """

    shapes: ClassVar[dict[int, str]]  # by the number of dimensions; where `N` is missing, `x` is a single sample

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p must be in [0, 1]. Received: p={p}")
        self.p = p

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (N, C, *)` to `y` of the same shape; the cache is the mask, `(N, C, 1, ...)`."""
        self._check(x)
        channels = 2 if "N" in self.shapes[x.dim()] else 1
        sizes = x.shape[:channels] + (1,) * (x.dim() - channels)
        # Of ones, torch's dropout leaves the mask itself.
        mask = torch.feature_dropout(x.new_ones(sizes), self.p, True)
        return x * mask, mask

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy` to `dL/dx = dL/dy * m`, of the same shape."""
        return grad_output * cache

    def predict(self, x: Tensor) -> Tensor:
        """Hand `x` on as it is."""
        self._check(x)
        return x

    def _check(self, x: Any) -> None:
        check_floating(self, x)
        if x.dim() not in self.shapes:
            expected = " or ".join(self.shapes.values())
            raise ShapeError(f"{type(self).__name__} expects {expected}. Received: shape {tuple(x.shape)}")

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        whole, *single = cls.shapes
        x = draw(*range(2, 2 + whole))
        cases = [Case(cls, x, predict_differs=True, wrong=("text", draw(3))), Case(lambda: cls(0.0), x)]
        return cases + [Case(cls, x[0], "one sample", batch_dim=None, predict_differs=True) for _ in single]


@final
class Dropout1d(ChannelDropout):
    r"""Sets whole channels to zero at random while learning; predicting leaves them alone.

    $$y_{nc} = x_{nc}\, m_{nc}, \qquad \frac{\partial y_{nc}}{\partial x_{nc}} = m_{nc}, \qquad
    m_{nc} = \begin{cases} 0 & \text{with probability } p \\ 1 / (1 - p) & \text{otherwise} \end{cases}$$

    for each sample $n$ and each channel $c$, a sequence in `x: (N, C, L)` or `(C, L)`. The mask is drawn with the
    random numbers that `torch.nn.Dropout1d` draws; `predict` is the identity.

    Args:
        p: The probability that a channel is set to zero.

    Raises:
        ValueError: If `p` is not in [0, 1].
        ShapeError: If `x` is not (N, C, L) or (C, L).
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> _ = torch.manual_seed(0)
        >>> dropout = Dropout1d()
        >>> y, cache = dropout.forward(torch.ones(3, 2))
        >>> y, torch.equal(dropout.backward(torch.ones(3, 2), cache), y)
        (tensor([[0., 0.],
                [0., 0.],
                [2., 2.]]), True)

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", CVPR 2015.
    """

    shapes: ClassVar[dict[int, str]] = {3: "(N, C, L)", 2: "(C, L)"}


@final
class Dropout2d(ChannelDropout):
    r"""Sets whole channels to zero at random while learning; predicting leaves them alone.

    $$y_{nc} = x_{nc}\, m_{nc}, \qquad \frac{\partial y_{nc}}{\partial x_{nc}} = m_{nc}, \qquad
    m_{nc} = \begin{cases} 0 & \text{with probability } p \\ 1 / (1 - p) & \text{otherwise} \end{cases}$$

    for each sample $n$ and each channel $c$, an image in `x: (N, C, H, W)`. The mask is drawn with the random numbers
    that `torch.nn.Dropout2d` draws; `predict` is the identity. (torch takes three dimensions for `(N, C, L)` and warns
    that it will take them for `(C, H, W)`; here they are an error, and `Dropout1d` takes the former.)

    Args:
        p: The probability that a channel is set to zero.

    Raises:
        ValueError: If `p` is not in [0, 1].
        ShapeError: If `x` is not (N, C, H, W).
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> _ = torch.manual_seed(0)
        >>> dropout = Dropout2d()
        >>> y, cache = dropout.forward(torch.ones(1, 3, 1, 2))
        >>> y[0, :, 0], torch.equal(dropout.backward(torch.ones(1, 3, 1, 2), cache), y)
        (tensor([[0., 0.],
                [0., 0.],
                [2., 2.]]), True)

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", CVPR 2015.
    """

    shapes: ClassVar[dict[int, str]] = {4: "(N, C, H, W)"}


@final
class Dropout3d(ChannelDropout):
    r"""Sets whole channels to zero at random while learning; predicting leaves them alone.

    $$y_{nc} = x_{nc}\, m_{nc}, \qquad \frac{\partial y_{nc}}{\partial x_{nc}} = m_{nc}, \qquad
    m_{nc} = \begin{cases} 0 & \text{with probability } p \\ 1 / (1 - p) & \text{otherwise} \end{cases}$$

    for each sample $n$ and each channel $c$, a volume in `x: (N, C, D, H, W)` or `(C, D, H, W)`. The mask is drawn with
    the random numbers that `torch.nn.Dropout3d` draws; `predict` is the identity.

    Args:
        p: The probability that a channel is set to zero.

    Raises:
        ValueError: If `p` is not in [0, 1].
        ShapeError: If `x` is not (N, C, D, H, W) or (C, D, H, W).
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> _ = torch.manual_seed(0)
        >>> dropout = Dropout3d()
        >>> y, cache = dropout.forward(torch.ones(3, 1, 1, 2))
        >>> y[:, 0, 0], torch.equal(dropout.backward(torch.ones(3, 1, 1, 2), cache), y)
        (tensor([[0., 0.],
                [0., 0.],
                [2., 2.]]), True)

    References:
        Tompson et al., "Efficient Object Localization Using Convolutional Networks", CVPR 2015.
    """

    shapes: ClassVar[dict[int, str]] = {5: "(N, C, D, H, W)", 4: "(C, D, H, W)"}
