"""Bilinear, a map of two vectors that is linear in each."""

import math
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad import DtypeError, Layer, Parameter, ShapeError
from minigrad_zoo.checks import unpacked

_Pair = tuple[Tensor, Tensor]


@final
class Bilinear(Layer):
    r"""Bilinear map of the last dimensions of two tensors.

    $$y_k = x_1^\top W_k\, x_2 + b_k, \qquad
    \frac{\partial L}{\partial x_1} = S x_2, \quad \frac{\partial L}{\partial x_2} = S^\top x_1, \quad
    S = \sum_k \frac{\partial L}{\partial y_k} W_k,$$

    $$\frac{\partial L}{\partial W_k} = \sum_{\text{rows}} \frac{\partial L}{\partial y_k}\, x_1 x_2^\top, \qquad
    \frac{\partial L}{\partial b} = \sum_{\text{rows}} \frac{\partial L}{\partial y}$$

    The parameters are `weight: (out_features, in1_features, in2_features)` and `bias: (out_features)`, both drawn from
    $U(-1/\sqrt{\text{in}_1}, 1/\sqrt{\text{in}_1})$ with the random numbers that `torch.nn.Bilinear` draws. What goes
    in is a tuple `(x1, x2)`, and so is its gradient.

    Args:
        in1_features: Size of the last dimension of `x1`.
        in2_features: Size of the last dimension of `x2`.
        out_features: Size of the last dimension of `y`.
        bias: Whether $b$ is added.
        device: Where the parameters are made.
        dtype: Of the parameters.

    Raises:
        ValueError: If a size is not positive.
        ShapeError: If `x1` or `x2` does not fit, or they differ in the other dimensions.
        DtypeError: If `x1` or `x2` is not of the parameters' dtype, or they are no pair.

    Examples:
        >>> bilinear = Bilinear(2, 3, 1)
        >>> y, cache = bilinear.forward((torch.ones(4, 2), torch.ones(4, 3)))
        >>> grad_x1, grad_x2 = bilinear.backward(torch.ones(4, 1), cache)
        >>> y.shape, grad_x1.shape, grad_x2.shape
        (torch.Size([4, 1]), torch.Size([4, 2]), torch.Size([4, 3]))
        >>> bilinear.weight.grad
        tensor([[[4., 4., 4.],
                 [4., 4., 4.]]])
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        sizes = {"in1_features": in1_features, "in2_features": in2_features, "out_features": out_features}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be positive. Received: {name}={size}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(torch.empty(out_features, in1_features, in2_features, device=device, dtype=dtype))
        self.bias = Parameter(torch.empty(out_features, device=device, dtype=dtype), role="bias") if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.in1_features)
        torch.nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            torch.nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: _Pair) -> tuple[Tensor, _Pair]:
        """Map `x1: (*, in1_features)` and `x2: (*, in2_features)` to `y: (*, out_features)`."""
        x1, x2 = unpacked(self, x, "x1", "x2")
        try:
            return F.bilinear(x1, x2, self.weight, self.bias), (x1, x2)
        except RuntimeError as error:
            raise self._explain(x1, x2) or error from None

    def backward(self, grad_output: Tensor, cache: _Pair) -> _Pair:
        """Map `dL/dy: (*, out_features)` to `dL/dx1: (*, in1_features)` and `dL/dx2: (*, in2_features)`."""
        self.backward_parameters(grad_output, cache)
        x1, x2 = cache
        s = grad_output.matmul(self.weight.flatten(1)).view(*x1.shape, self.in2_features)
        return s.matmul(x2.unsqueeze(-1)).squeeze(-1), x1.unsqueeze(-2).matmul(s).squeeze(-2)

    def backward_parameters(self, grad_output: Tensor, cache: _Pair) -> None:
        """Accumulate `dL/dW` and `dL/db` alone."""
        grad = grad_output.reshape(-1, self.out_features)
        x1, x2 = cache[0].reshape(-1, self.in1_features), cache[1].reshape(-1, self.in2_features)
        products = (x1.unsqueeze(-1) * x2.unsqueeze(-2)).flatten(1)  # x1 x2^T, as a row for each row
        self.weight.accumulate(grad.t().mm(products).view_as(self.weight), grad.size(0))
        if self.bias is not None:
            self.bias.accumulate(grad.sum(0), grad.size(0))

    def _explain(self, x1: Tensor, x2: Tensor) -> Exception | None:
        # Asked only once torch has refused x1 and x2, so that a good call costs nothing.
        sizes = self.in1_features, self.in2_features
        shapes = tuple(x1.shape), tuple(x2.shape)
        if min(x1.dim(), x2.dim()) == 0 or (shapes[0][-1], shapes[1][-1]) != sizes or shapes[0][:-1] != shapes[1][:-1]:
            return ShapeError(
                f"Bilinear expects x1 (*, in1_features={sizes[0]}) and x2 (*, in2_features={sizes[1]}), alike in *. "
                f"Received: x1 {shapes[0]}, x2 {shapes[1]}"
            )
        if not x1.dtype == x2.dtype == self.weight.dtype:
            return DtypeError(
                f"Bilinear expects {self.weight.dtype}, as its weight is. Received: x1 {x1.dtype}, x2 {x2.dtype}"
            )
        return None

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x1, x2 = draw(5, 2), draw(5, 3, seed=1)
        wrong = (((x2, x1),), ((x1, x2[:4]),), ((x1.double(), x2),), ((x1, x2, x1),), x1)
        return [
            Case(lambda: cls(2, 3, 4), ((x1, x2),), wrong=wrong),
            Case(lambda: cls(2, 3, 4, bias=False), ((x1, x2),), "no bias"),
            Case(lambda: cls(2, 3, 2), ((draw(3, 2, 2), draw(3, 2, 3)),), "three axes"),
        ]
