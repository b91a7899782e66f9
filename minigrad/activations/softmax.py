"""Softmax and LogSoftmax, scores turned into a distribution."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating
from minigrad.errors import ShapeError

_softmax_backward = kernel("_softmax_backward_data")
_log_softmax_backward = kernel("_log_softmax_backward_data")


@final
class Softmax(Activation):
    r"""Exponentials, normalised to sum to 1 along one dimension.

    $$y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}, \qquad \frac{\partial L}{\partial x_i}
    = y_i \Bigl( \frac{\partial L}{\partial y_i} - \sum_j \frac{\partial L}{\partial y_j}\, y_j \Bigr)$$

    The largest score is taken off before the exponentials, which changes nothing but that they cannot overflow.

    Args:
        dim: The dimension that sums to 1; the last, unless told otherwise. (torch's default, None, guesses one from the
            number of dimensions and warns; here None is an error.)

    Raises:
        TypeError: If `dim` is not an integer.
        ShapeError: If `x` has no dimension `dim`.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> softmax = Softmax()
        >>> y, cache = softmax.forward(torch.zeros(1, 4))
        >>> y, softmax.backward(torch.tensor([[1.0, 0.0, 0.0, 0.0]]), cache)
        (tensor([[0.2500, 0.2500, 0.2500, 0.2500]]), tensor([[ 0.1875, -0.0625, -0.0625, -0.0625]]))

    References:
        Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990.
    """

    def __init__(self, dim: int = -1) -> None:
        _check_dim(self, dim)
        self.dim = dim

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        try:
            y = torch.softmax(x, self.dim)
        except IndexError:
            raise _no_such_dim(self, self.dim, x) from None
        return y, y

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = y * (dL/dy - sum(dL/dy * y))`, in one kernel."""
        return _softmax_backward(grad_output, cache, self.dim, cache.dtype)


@final
class LogSoftmax(Activation):
    r"""Logarithm of the softmax along one dimension.

    $$y_i = x_i - \log \sum_j e^{x_j}, \qquad \frac{\partial L}{\partial x_i}
    = \frac{\partial L}{\partial y_i} - e^{y_i} \sum_j \frac{\partial L}{\partial y_j}$$

    Args:
        dim: The dimension whose exponentials sum to 1; the last, unless told otherwise. (torch's default, None, guesses
            one from the number of dimensions and warns; here None is an error.)

    Raises:
        TypeError: If `dim` is not an integer.
        ShapeError: If `x` has no dimension `dim`.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> log_softmax = LogSoftmax()
        >>> y, cache = log_softmax.forward(torch.zeros(1, 4))
        >>> y, log_softmax.backward(torch.tensor([[1.0, 0.0, 0.0, 0.0]]), cache)
        (tensor([[-1.3863, -1.3863, -1.3863, -1.3863]]), tensor([[ 0.7500, -0.2500, -0.2500, -0.2500]]))
    """

    def __init__(self, dim: int = -1) -> None:
        _check_dim(self, dim)
        self.dim = dim

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        try:
            y = torch.log_softmax(x, self.dim)
        except IndexError:
            raise _no_such_dim(self, self.dim, x) from None
        return y, y

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy - exp(y) * sum(dL/dy)`, in one kernel."""
        return _log_softmax_backward(grad_output, cache, self.dim, cache.dtype)


def _check_dim(component: object, dim: Any) -> None:
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise TypeError(
            f"{type(component).__name__} expects dim, the dimension that it normalises, as an integer. "
            f"Received: dim={dim!r}"
        )


def _no_such_dim(component: object, dim: int, x: Tensor) -> ShapeError:
    return ShapeError(f"{type(component).__name__} expects an x with dimension dim={dim}. Received: {tuple(x.shape)}")
