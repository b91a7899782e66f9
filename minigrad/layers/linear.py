"""Linear, the affine map."""

import math
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Layer, Parameter
from minigrad.core.checks import check_count
from minigrad.errors import DtypeError, ShapeError


@final
class Linear(Layer):
    r"""Affine map of the last dimension.

    $$y = x W^\top + b, \qquad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} W, \quad
    \frac{\partial L}{\partial W} = \Bigl(\frac{\partial L}{\partial y}\Bigr)^\top x, \quad
    \frac{\partial L}{\partial b} = \sum_{\text{rows}} \frac{\partial L}{\partial y}$$

    The parameters are `weight: (out_features, in_features)` and `bias: (out_features)`, both drawn from
    $U(-1/\sqrt{\text{in}}, 1/\sqrt{\text{in}})$ with the random numbers that `torch.nn.Linear` draws.

    Args:
        in_features: Size of the last dimension of `x`.
        out_features: Size of the last dimension of `y`.
        bias: Whether $b$ is added.
        device: Where the parameters are made.
        dtype: Of the parameters.

    Raises:
        ValueError: If a size is no positive whole number.
        ShapeError: If the last dimension of `x` is not `in_features`.
        DtypeError: If `x` is not of the parameters' dtype.

    Examples:
        >>> _ = torch.manual_seed(777)
        >>> linear = Linear(2, 1)
        >>> y, cache = linear.forward(torch.ones(4, 2))
        >>> linear.backward(torch.ones(4, 1), cache).shape
        torch.Size([4, 2])
        >>> linear.weight.grad, linear.bias.grad, linear.bias.rows
        (tensor([[4., 4.]]), tensor([4.]), 4)

    References:
        He et al., "Delving Deep into Rectifiers", ICCV 2015 (the initialisation, with a = sqrt 5).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_count(in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(torch.empty(out_features, in_features, device=device, dtype=dtype))
        self.bias = Parameter(torch.empty(out_features, device=device, dtype=dtype), role="bias") if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        torch.nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            torch.nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*, in_features)` to `y: (*, out_features)`."""
        try:
            return F.linear(x, self.weight, self.bias), x
        except (RuntimeError, TypeError) as error:
            raise self._explain(x) or error from None

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*, out_features)` to `dL/dx: (*, in_features)`."""
        self.backward_parameters(grad_output, cache)
        return grad_output.mm(self.weight) if grad_output.dim() == 2 else grad_output.matmul(self.weight)

    def backward_parameters(self, grad_output: Tensor, cache: Tensor) -> None:
        """Accumulate `dL/dW` and `dL/db` alone."""
        if grad_output.dim() != 2:
            grad_output, cache = grad_output.reshape(-1, self.out_features), cache.reshape(-1, self.in_features)
        rows = grad_output.shape[0]
        self.weight.accumulate(grad_output.mT.mm(cache), rows)
        if self.bias is not None:
            self.bias.accumulate(grad_output.sum(0), rows)

    def _explain(self, x: Any) -> Exception | None:
        # Asked only once torch has refused x, so that a good call costs nothing.
        if not isinstance(x, Tensor):
            return DtypeError(f"Linear expects a tensor. Received: {type(x).__name__}")
        if x.dim() == 0 or x.shape[-1] != self.in_features:
            return ShapeError(f"Linear expects (..., in_features={self.in_features}). Received: shape {tuple(x.shape)}")
        if x.dtype != self.weight.dtype:
            return DtypeError(f"Linear expects {self.weight.dtype}, as its weight is. Received: {x.dtype}")
        return None
