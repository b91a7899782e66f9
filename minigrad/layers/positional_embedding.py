"""PositionalEmbedding, tells a sequence's places apart."""

import math
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Layer, Parameter
from minigrad.core.checks import check_count, check_floating
from minigrad.errors import DtypeError, ShapeError


@final
class PositionalEmbedding(Layer):
    r"""Adds a learned vector for each place of a sequence.

    $$y_{nl} = x_{nl} + P_l, \qquad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}, \qquad
    \frac{\partial L}{\partial P_l} = \sum_n \frac{\partial L}{\partial y_{nl}}$$

    Without it attention could not tell one order of a sequence from another. The parameter is
    `weight: (max_length, embed_dim)`, drawn from $N(0, 0.02^2)$; a shorter sequence uses, and trains, its first rows.

    Args:
        max_length: The longest sequence that can be taken.
        embed_dim: Size of the last dimension of `x`.
        device: Where the parameter is made.
        dtype: Of the parameter.

    Raises:
        ValueError: If a size is no positive whole number.
        ShapeError: If `x` is not `(*, L, embed_dim)` with `L` at most `max_length`.
        DtypeError: If `x` is not of the parameter's dtype.

    Examples:
        >>> embedding = PositionalEmbedding(3, 2)
        >>> y, cache = embedding.forward(torch.zeros(5, 2, 2))
        >>> torch.equal(y[4], embedding.weight[:2])
        True
        >>> grad_input = embedding.backward(torch.ones(5, 2, 2), cache)
        >>> embedding.weight.grad
        tensor([[5., 5.],
                [5., 5.],
                [0., 0.]])

    References:
        Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018.
    """

    def __init__(
        self,
        max_length: int,
        embed_dim: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_count(max_length=max_length, embed_dim=embed_dim)
        self.max_length = max_length
        self.embed_dim = embed_dim
        self.weight = Parameter(torch.empty(max_length, embed_dim, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        torch.nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Map `x: (*, L, embed_dim)` to `y: (*, L, embed_dim)`."""
        self._check(x)
        return x + self.weight[: x.shape[-2]], None

    def backward(self, grad_output: Tensor, cache: None) -> Tensor:
        """Hand `dL/dy` on as `dL/dx`."""
        self.backward_parameters(grad_output, cache)
        return grad_output

    def backward_parameters(self, grad_output: Tensor, cache: None) -> None:
        """Accumulate `dL/dP` alone; the rows that were not used get zeros."""
        *batch, length, _ = grad_output.shape
        rows = math.prod(batch)
        grad = grad_output.reshape(rows, length, self.embed_dim).sum(0)
        self.weight.accumulate(F.pad(grad, (0, 0, 0, self.max_length - length)), rows)

    def _check(self, x: Any) -> None:
        check_floating(self, x)
        if x.dim() < 2 or x.shape[-1] != self.embed_dim or x.shape[-2] > self.max_length:
            raise ShapeError(
                f"PositionalEmbedding expects (..., L, embed_dim={self.embed_dim}) with L up to "
                f"max_length={self.max_length}. Received: shape {tuple(x.shape)}"
            )
        if x.dtype != self.weight.dtype:
            raise DtypeError(f"PositionalEmbedding expects {self.weight.dtype}, as its weight is. Received: {x.dtype}")
