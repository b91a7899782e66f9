"""Transpose, two dimensions exchanged."""

from typing import final

from torch import Tensor

from minigrad.core import Layer
from minigrad.errors import DtypeError, ShapeError


@final
class Transpose(Layer):
    r"""Exchanges two dimensions.

    $$y_{\ldots j \ldots i \ldots} = x_{\ldots i \ldots j \ldots}, \qquad
    \frac{\partial L}{\partial x} = \Bigl(\frac{\partial L}{\partial y}\Bigr)^\top$$

    Nothing is copied. A net that scores `C` classes at each place of a sequence ends with `Transpose(1, 2)`: it gives
    `(N, L, C)`, and `CrossEntropy` wants the classes in dimension 1.

    Args:
        dim0: One dimension; counted from the end if negative.
        dim1: The other one.

    Raises:
        TypeError: If a dimension is not an integer.
        ShapeError: If `x` has not these dimensions.
        DtypeError: If `x` is no tensor.

    Examples:
        >>> import torch
        >>> transpose = Transpose(1, 2)
        >>> y, cache = transpose.forward(torch.zeros(5, 2, 3))
        >>> y.shape, transpose.backward(torch.ones(5, 3, 2), cache).shape
        (torch.Size([5, 3, 2]), torch.Size([5, 2, 3]))
    """

    def __init__(self, dim0: int, dim1: int) -> None:
        for name, dim in (("dim0", dim0), ("dim1", dim1)):
            if not isinstance(dim, int) or isinstance(dim, bool):
                raise TypeError(f"{name} must be an integer. Received: {name}={dim!r}")
        self.dim0 = dim0
        self.dim1 = dim1

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Map `x: (*, A, *, B, *)` to `y: (*, B, *, A, *)`."""
        try:
            return x.transpose(self.dim0, self.dim1), None
        except AttributeError:
            raise DtypeError(f"Transpose expects a tensor. Received: {type(x).__name__}") from None
        except IndexError:
            raise ShapeError(
                f"Transpose expects an x with dimensions dim0={self.dim0} and dim1={self.dim1}. "
                f"Received: shape {tuple(x.shape)}"
            ) from None

    def backward(self, grad_output: Tensor | None, cache: None) -> Tensor | None:
        """Exchange the same two dimensions of `dL/dy`; indices have no gradient, it stays None."""
        return None if grad_output is None else grad_output.transpose(self.dim0, self.dim1)
