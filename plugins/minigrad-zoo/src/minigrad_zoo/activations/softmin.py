"""Softmin and Softmax2d, relatives of the softmax."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Activation, ShapeError, check_floating, kernel

_softmax_backward = kernel("_softmax_backward_data")


@final
class Softmin(Activation):
    r"""The softmax of $-x$ along one dimension: the smallest score gets the largest share.

    $$y_i = \frac{e^{-x_i}}{\sum_j e^{-x_j}}, \qquad \frac{\partial L}{\partial x_i}
    = -y_i \Bigl( \frac{\partial L}{\partial y_i} - \sum_j \frac{\partial L}{\partial y_j}\, y_j \Bigr)$$

    Args:
        dim: The dimension that sums to 1; the last, unless told otherwise. (torch's default, None, guesses one from the
            number of dimensions and warns; here None is an error.)

    Raises:
        TypeError: If `dim` is not an integer.
        ShapeError: If `x` has no dimension `dim`.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> softmin = Softmin()
        >>> y, cache = softmin.forward(torch.tensor([[0.0, 0.0]]))
        >>> y, softmin.backward(torch.tensor([[1.0, 0.0]]), cache)
        (tensor([[0.5000, 0.5000]]), tensor([[-0.2500,  0.2500]]))
    """

    def __init__(self, dim: int = -1) -> None:
        if not isinstance(dim, int) or isinstance(dim, bool):
            raise TypeError(
                f"Softmin expects dim, the dimension that it normalises, as an integer. Received: dim={dim!r}"
            )
        self.dim = dim

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        try:
            y = torch.softmax(-x, self.dim)
        except IndexError:
            raise ShapeError(
                f"Softmin expects an x with dimension dim={self.dim}. Received: shape {tuple(x.shape)}"
            ) from None
        return y, y

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = -y * (dL/dy - sum(dL/dy * y))`."""
        return -_softmax_backward(grad_output, cache, self.dim, cache.dtype)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        return [Case(cls, wrong=("text",)), Case(lambda: cls(1), draw(3, 4, 2), "three axes", wrong=(draw(3),))]


@final
class Softmax2d(Activation):
    r"""Softmax over the channels, for each place of an image.

    $$y_{cij} = \frac{e^{x_{cij}}}{\sum_k e^{x_{kij}}}, \qquad \frac{\partial L}{\partial x_{cij}}
    = y_{cij} \Bigl( \frac{\partial L}{\partial y_{cij}} - \sum_k \frac{\partial L}{\partial y_{kij}}\, y_{kij} \Bigr)$$

    Raises:
        ShapeError: If `x` has neither three dimensions nor four.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> softmax = Softmax2d()
        >>> y, cache = softmax.forward(torch.zeros(4, 1, 1))
        >>> y.flatten(), softmax.backward(torch.ones(4, 1, 1), cache).flatten()
        (tensor([0.2500, 0.2500, 0.2500, 0.2500]), tensor([0., 0., 0., 0.]))
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (N, C, H, W)` or `(C, H, W)` to `y` of the same shape."""
        check_floating(self, x)
        if x.dim() not in (3, 4):
            raise ShapeError(f"Softmax2d expects (N, C, H, W) or (C, H, W). Received: shape {tuple(x.shape)}")
        y = torch.softmax(x, -3)
        return y, y

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy` to `dL/dx = y * (dL/dy - sum(dL/dy * y))`, in one kernel."""
        return _softmax_backward(grad_output, cache, -3, cache.dtype)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        image = Case(cls, draw(3, 2, 2), "one image", batch_dim=None)
        return [Case(cls, draw(2, 3, 2, 2), wrong=(draw(3, 2), draw(2, 3, 2, 2).long())), image]
