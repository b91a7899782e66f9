"""Flatten and Unflatten, the same numbers under another shape."""

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from minigrad.core import Layer
from minigrad.errors import DtypeError, ShapeError


@final
class Flatten(Layer):
    r"""Joins neighbouring dimensions into one.

    $$y = \operatorname{flatten}(x), \qquad
    \frac{\partial L}{\partial x} = \operatorname{unflatten}\Bigl(\frac{\partial L}{\partial y}\Bigr)$$

    Nothing is copied where torch can look at the same memory under another shape.

    Args:
        start_dim: The first dimension that is joined; 1 leaves the batch alone.
        end_dim: The last one.

    Raises:
        ShapeError: If `x` has not these dimensions, or they come in the wrong order.
        DtypeError: If `x` is no tensor.

    Examples:
        >>> flatten = Flatten()
        >>> y, cache = flatten.forward(torch.zeros(5, 2, 3))
        >>> y.shape, flatten.backward(torch.ones(5, 6), cache).shape
        (torch.Size([5, 6]), torch.Size([5, 2, 3]))
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Tensor) -> tuple[Tensor, torch.Size]:
        """Map `x: (*, S, ..., E, *)` to `y: (*, S * ... * E, *)`."""
        try:
            return x.flatten(self.start_dim, self.end_dim), x.shape
        except AttributeError:
            raise DtypeError(f"Flatten expects a tensor. Received: {type(x).__name__}") from None
        except (RuntimeError, IndexError):
            raise ShapeError(
                f"Flatten expects an x with dimensions start_dim={self.start_dim} to end_dim={self.end_dim}. "
                f"Received: shape {tuple(x.shape)}"
            ) from None

    def backward(self, grad_output: Tensor | None, cache: torch.Size) -> Tensor | None:
        """Map `dL/dy` to `dL/dx`, of the shape of `x`; indices have no gradient, it stays None."""
        return None if grad_output is None else grad_output.reshape(cache)


@final
class Unflatten(Layer):
    r"""Splits one dimension into several.

    $$y = \operatorname{unflatten}(x), \qquad
    \frac{\partial L}{\partial x} = \operatorname{flatten}\Bigl(\frac{\partial L}{\partial y}\Bigr)$$

    Args:
        dim: The dimension that is split.
        unflattened_size: The sizes into which it is split; one of them may be -1, for whatever is left.

    Raises:
        TypeError: If `dim` is not an integer, or `unflattened_size` not several of them.
        ShapeError: If `x` has not this dimension, or it cannot be split so.
        DtypeError: If `x` is no tensor.

    Examples:
        >>> unflatten = Unflatten(1, (2, 3))
        >>> y, cache = unflatten.forward(torch.zeros(5, 6))
        >>> y.shape, unflatten.backward(torch.ones(5, 2, 3), cache).shape
        (torch.Size([5, 2, 3]), torch.Size([5, 6]))
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        if not isinstance(dim, int):
            raise TypeError(f"dim must be an integer. Received: dim={dim!r}")
        if not isinstance(unflattened_size, Sequence) or not all(isinstance(size, int) for size in unflattened_size):
            raise TypeError(f"unflattened_size must be integers. Received: unflattened_size={unflattened_size!r}")
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Tensor) -> tuple[Tensor, torch.Size]:
        """Map `x: (*, D, *)` to `y: (*, *unflattened_size, *)`."""
        try:
            return torch.unflatten(x, self.dim, self.unflattened_size), x.shape
        except TypeError:
            raise DtypeError(f"Unflatten expects a tensor. Received: {type(x).__name__}") from None
        except (RuntimeError, IndexError):
            whole = "?" if -1 in self.unflattened_size else math.prod(self.unflattened_size)
            raise ShapeError(
                f"Unflatten expects dimension dim={self.dim} of x to be of size {whole}, which is split into "
                f"{self.unflattened_size}. Received: shape {tuple(x.shape)}"
            ) from None

    def backward(self, grad_output: Tensor | None, cache: torch.Size) -> Tensor | None:
        """Map `dL/dy` to `dL/dx`, of the shape of `x`; indices have no gradient, it stays None."""
        return None if grad_output is None else grad_output.reshape(cache)
