"""RMSNorm, each sample brought to mean square 1."""

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from minigrad.core import Layer, Parameter, kernel
from minigrad.core.checks import check_floating
from minigrad.layers.layer_norm import norm_fault

_rms_norm = kernel("_fused_rms_norm")


@final
class RMSNorm(Layer):
    r"""Divides by the root of the mean square over the last dimensions, then scales.

    $$n = x\, r, \quad r = \frac{1}{\sqrt{\overline{x^2} + \epsilon}}, \quad y = n\, w, \qquad
    \frac{\partial L}{\partial x} = r \bigl( g - n\, \overline{g n} \bigr), \quad g = \frac{\partial L}{\partial y}\, w,
    \qquad \frac{\partial L}{\partial w} = \sum \frac{\partial L}{\partial y}\, n$$

    where the bars are means over the normalised dimensions and the sum goes over the rest. The parameter is
    `weight: normalized_shape`, ones at first.

    Args:
        normalized_shape: The sizes of the last dimensions; a single one may be given as a number.
        eps: $\epsilon$; None takes the rounding unit of the dtype in which is computed.
        elementwise_affine: Whether there is a weight.
        device: Where the parameter is made.
        dtype: Of the parameter.

    Raises:
        ValueError: If `normalized_shape` is empty or has a size that is not positive.
        ShapeError: If the last dimensions of `x` are not `normalized_shape`.
        DtypeError: If `x` is not of the parameter's dtype.

    Examples:
        >>> norm = RMSNorm(2)
        >>> y, cache = norm.forward(torch.tensor([[1.0, 7.0]]))
        >>> y, norm.backward(torch.tensor([[1.0, 0.0]]), cache)
        (tensor([[0.2000, 1.4000]]), tensor([[ 0.1960, -0.0280]]))
        >>> norm.weight.grad
        tensor([0.2000, 0.0000])

    References:
        Zhang and Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
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
        self.weight = Parameter(torch.empty(shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to ones."""
        if self.weight is not None:
            self.weight.fill_(1)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `x: (*, *normalized_shape)` to `y` of the same shape."""
        check_floating(self, x)
        # The kernel looks at neither shape nor dtype.
        if fault := norm_fault(self, self.normalized_shape, self.weight, x):
            raise fault
        y, r = _rms_norm(x, self.normalized_shape, self.weight, self.eps)
        return y, (x, r)

    def backward(self, grad_output: Tensor, cache: tuple[Tensor, Tensor]) -> Tensor:
        """Map `dL/dy` to `dL/dx`, both of the shape of `x`."""
        x, r = cache
        n = x * r
        self._accumulate(grad_output, n)
        g = grad_output if self.weight is None else grad_output * self.weight
        over = tuple(range(-len(self.normalized_shape), 0))
        return (r * (g - n * (g * n).mean(over, keepdim=True))).to(x.dtype)

    def backward_parameters(self, grad_output: Tensor, cache: tuple[Tensor, Tensor]) -> None:
        """Accumulate `dL/dw` alone."""
        x, r = cache
        if self.weight is not None:
            self._accumulate(grad_output, x * r)

    def _accumulate(self, grad_output: Tensor, n: Tensor) -> None:
        if self.weight is not None:
            rows = n.numel() // math.prod(self.normalized_shape)
            grad_weight = (grad_output * n).reshape(-1, *self.normalized_shape).sum(0)
            self.weight.accumulate(grad_weight.to(self.weight.dtype), rows)
