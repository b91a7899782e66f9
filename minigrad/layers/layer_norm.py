"""LayerNorm, each sample brought to mean 0 and variance 1."""

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from minigrad.core import Layer, Parameter, kernel
from minigrad.core.checks import check_floating
from minigrad.errors import DtypeError, ShapeError

_layer_norm = kernel("native_layer_norm")
_layer_norm_backward = kernel("native_layer_norm_backward")

Cache = tuple[Tensor, Tensor, Tensor]


@final
class LayerNorm(Layer):
    r"""Normalises over the last dimensions, then scales and shifts.

    $$n = (x - \mu)\, r, \quad r = \frac{1}{\sqrt{\sigma^2 + \epsilon}}, \quad y = n\, w + b, \qquad
    \frac{\partial L}{\partial x} = r \bigl( g - \overline{g} - n\, \overline{g n} \bigr),
    \quad g = \frac{\partial L}{\partial y}\, w$$

    where $\mu$, $\sigma^2$ and the bars are means over the normalised dimensions ($\sigma^2$ with divisor $n$, not
    $n - 1$), and, summed over the rest,

    $$\frac{\partial L}{\partial w} = \sum \frac{\partial L}{\partial y}\, n, \qquad
    \frac{\partial L}{\partial b} = \sum \frac{\partial L}{\partial y}$$

    The parameters are `weight: normalized_shape`, ones at first, and `bias: normalized_shape`, zeros at first.

    Args:
        normalized_shape: The sizes of the last dimensions; a single one may be given as a number.
        eps: $\epsilon$.
        elementwise_affine: Whether there is a weight, and a bias.
        bias: Whether there is a bias, if there is a weight.
        device: Where the parameters are made.
        dtype: Of the parameters.

    Raises:
        ValueError: If `normalized_shape` is empty or has a size that is not positive.
        ShapeError: If the last dimensions of `x` are not `normalized_shape`.
        DtypeError: If `x` is not of the parameters' dtype.

    Examples:
        >>> norm = LayerNorm(2)
        >>> y, cache = norm.forward(torch.tensor([[1.0, 3.0]]))
        >>> y, norm.backward(torch.tensor([[1.0, 0.0]]), cache).abs().max() < 1e-4
        (tensor([[-1.0000,  1.0000]]), tensor(True))
        >>> norm.weight.grad, norm.bias.grad
        (tensor([-1.0000,  0.0000]), tensor([1., 0.]))

    References:
        Ba et al., "Layer Normalization", 2016.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not shape or min(shape) < 1:
            raise ValueError(
                f"normalized_shape must be one or several positive sizes. Received: normalized_shape={normalized_shape}"
            )
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        empty = torch.empty(shape, device=device, dtype=dtype)
        self.weight = Parameter(empty) if elementwise_affine else None
        self.bias = Parameter(torch.empty_like(empty), role="bias") if elementwise_affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros."""
        if self.weight is not None:
            self.weight.fill_(1)
        if self.bias is not None:
            self.bias.fill_(0)

    def forward(self, x: Tensor) -> tuple[Tensor, Cache]:
        """Map `x: (*, *normalized_shape)` to `y` of the same shape."""
        check_floating(self, x)
        try:
            y, mean, rstd = _layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        except RuntimeError as error:
            raise norm_fault(self, self.normalized_shape, self.weight, x) or error from None
        return y, (x, mean, rstd)

    def backward(self, grad_output: Tensor, cache: Cache) -> Tensor:
        """Map `dL/dy` to `dL/dx`, both of the shape of `x`, in one kernel."""
        return self._backward(grad_output, cache, with_input=True)

    def backward_parameters(self, grad_output: Tensor, cache: Cache) -> None:
        """Accumulate `dL/dw` and `dL/db` alone."""
        self._backward(grad_output, cache, with_input=False)

    def _backward(self, grad_output: Tensor, cache: Cache, with_input: bool) -> Tensor:
        x, mean, rstd = cache
        wanted = [with_input, self.weight is not None, self.bias is not None]
        grad_input, grad_weight, grad_bias = _layer_norm_backward(
            grad_output, x, self.normalized_shape, mean, rstd, self.weight, self.bias, wanted
        )
        rows = x.numel() // math.prod(self.normalized_shape)
        if self.weight is not None:
            self.weight.accumulate(grad_weight, rows)
        if self.bias is not None:
            self.bias.accumulate(grad_bias, rows)
        return grad_input


def norm_fault(component: object, shape: tuple[int, ...], weight: Tensor | None, x: Tensor) -> Exception | None:
    """What is wrong with the shape or the dtype of `x`, if anything."""
    name = type(component).__name__
    if x.shape[-len(shape) :] != shape:
        sizes = ", ".join(map(str, shape))
        return ShapeError(f"{name} expects (..., {sizes}), its normalized_shape. Received: shape {tuple(x.shape)}")
    if weight is not None and x.dtype != weight.dtype:
        return DtypeError(f"{name} expects {weight.dtype}, as its weight is. Received: {x.dtype}")
    return None
