"""SelfAttention, each place of a sequence looks at the others."""

import math
from typing import Any, NamedTuple, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Layer, Parameter, kernel
from minigrad.core.checks import check_count
from minigrad.errors import DtypeError, ShapeError
from minigrad.layers.linear import Linear

_softmax_backward = kernel("_softmax_backward_data")


class _Cache(NamedTuple):
    x: Tensor
    q: Tensor  # divided by sqrt(d) already
    k: Tensor
    v: Tensor
    p: Tensor
    mask: Tensor | None
    joined: Any


@final
class SelfAttention(Layer):
    r"""Multi-head self-attention: each place takes a mean of all places, weighted by how well they match it.

    $x$ is projected to queries, keys and values, $[Q, K, V] = x W_{\text{in}}^\top + b_{\text{in}}$, and these are cut
    into heads of $d$ = `embed_dim / num_heads` numbers. For each head

    $$P = \operatorname{softmax}(S), \quad S = \frac{Q K^\top}{\sqrt d}, \quad O = P V$$

    and the heads' $O$, side by side, are projected to $y = O W_{\text{out}}^\top + b_{\text{out}}$. Backwards, with
    $\circ$ for the product of elements and the sum along each row:

    $$\frac{\partial L}{\partial V} = P^\top \frac{\partial L}{\partial O}, \quad
    \frac{\partial L}{\partial P} = \frac{\partial L}{\partial O} V^\top, \quad
    \frac{\partial L}{\partial S} = P \circ \Bigl( \frac{\partial L}{\partial P}
    - \sum P \circ \frac{\partial L}{\partial P} \Bigr), \quad
    \frac{\partial L}{\partial Q} = \frac{\partial L}{\partial S} \frac{K}{\sqrt d}, \quad
    \frac{\partial L}{\partial K} = \Bigl(\frac{\partial L}{\partial S}\Bigr)^\top \frac{Q}{\sqrt d}$$

    A causal layer sets $S_{ij} = -\infty$ for $j > i$: no place looks at a later one. The parameters are those of
    `torch.nn.MultiheadAttention`, drawn with the same random numbers: `in_proj_weight: (3 embed_dim, embed_dim)` from
    Xavier's uniform distribution, `in_proj_bias`, and those of the `Linear` `out_proj`; the biases are zero at first.

    Args:
        embed_dim: Size of the last dimension of `x`.
        num_heads: Into how many heads it is cut.
        dropout: The probability that an element of $P$ is set to zero while learning (the others are scaled up).
        bias: Whether both projections have a bias.
        causal: Whether the places after a place are hidden from it.
        device: Where the parameters are made.
        dtype: Of the parameters.

    Raises:
        ValueError: If a size is no positive whole number, `num_heads` does not divide `embed_dim`, or `dropout` is not
            in [0, 1].
        ShapeError: If `x` is not `(*, L, embed_dim)`.
        DtypeError: If `x` is not of the parameters' dtype.

    Examples:
        >>> attention = SelfAttention(4, num_heads=2, causal=True)
        >>> y, cache = attention.forward(torch.randn(5, 3, 4))
        >>> attention.backward(torch.ones(5, 3, 4), cache).shape
        torch.Size([5, 3, 4])
        >>> list(attention.state_dict())
        ['in_proj_weight', 'in_proj_bias', 'out_proj.weight', 'out_proj.bias']

    References:
        Vaswani et al., "Attention Is All You Need", NIPS 2017.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        causal: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_count(embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ValueError(f"num_heads must divide embed_dim={embed_dim}. Received: num_heads={num_heads}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout must be in [0, 1]. Received: dropout={dropout}")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.bias = bias
        self.causal = causal
        self.in_proj_weight = Parameter(torch.empty(3 * embed_dim, embed_dim, device=device, dtype=dtype))
        empty = torch.empty(3 * embed_dim, device=device, dtype=dtype) if bias else None
        self.in_proj_bias = None if empty is None else Parameter(empty, role="bias")
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        self._reset_in_proj()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.out_proj.reset_parameters()
        self._reset_in_proj()

    def _reset_in_proj(self) -> None:
        torch.nn.init.xavier_uniform_(self.in_proj_weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            self.in_proj_bias.fill_(0)
            self.out_proj.bias.fill_(0)

    def forward(self, x: Tensor) -> tuple[Tensor, _Cache]:
        """Map `x: (*, L, embed_dim)` to `y: (*, L, embed_dim)`."""
        return self._attend(x, self.dropout)

    def predict(self, x: Tensor) -> Tensor:
        """Map `x` to `y` without dropout."""
        return self._attend(x, 0.0)[0]

    def _attend(self, x: Tensor, dropout: float) -> tuple[Tensor, _Cache]:
        q, k, v = self._cut(self._project(x), 3)
        q = q / math.sqrt(q.shape[-1])
        s = q.matmul(k.mT)
        if self.causal:
            # Added, for it takes a quarter of the time of masked_fill.
            s = s + torch.full(s.shape[-2:], -math.inf, dtype=s.dtype, device=s.device).triu(1)
        p = torch.softmax(s, -1)
        mask = torch.dropout(torch.ones_like(p), dropout, True) if dropout > 0 else None
        o = (p if mask is None else p * mask).matmul(v)
        y, joined = self.out_proj.forward(o.transpose(-3, -2).flatten(-2))
        return y, _Cache(x, q, k, v, p, mask, joined)

    def backward(self, grad_output: Tensor, cache: _Cache) -> Tensor:
        """Map `dL/dy` to `dL/dx`, both `(*, L, embed_dim)`."""
        return self._backward_projected(grad_output, cache).matmul(self.in_proj_weight)

    def backward_parameters(self, grad_output: Tensor, cache: _Cache) -> None:
        """Accumulate the parameters' gradients alone."""
        self._backward_projected(grad_output, cache)

    def _backward_projected(self, grad_output: Tensor, cache: _Cache) -> Tensor:
        """`dL/d[Q, K, V]`; every parameter's gradient is accumulated on the way."""
        x, q, k, v, p, mask, joined = cache
        (grad_o,) = self._cut(self.out_proj.backward(grad_output, joined), 1)
        grad_v = (p if mask is None else p * mask).mT.matmul(grad_o)
        grad_p = grad_o.matmul(v.mT)
        grad_s = _softmax_backward(grad_p if mask is None else grad_p * mask, p, -1, p.dtype)
        grad_q = grad_s.matmul(k) / math.sqrt(q.shape[-1])
        grad_k = grad_s.mT.matmul(q)
        grad = torch.stack([part.transpose(-3, -2) for part in (grad_q, grad_k, grad_v)], -3).flatten(-3)
        flat = grad.flatten(0, -2)
        self.in_proj_weight.accumulate(flat.mT.mm(x.flatten(0, -2)), flat.shape[0])
        if self.in_proj_bias is not None:
            self.in_proj_bias.accumulate(flat.sum(0), flat.shape[0])
        return grad

    def _cut(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """`(*, L, parts * embed_dim)` as that many `(*, num_heads, L, d)`."""
        split = torch.unflatten(x, -1, (parts, self.num_heads, self.embed_dim // self.num_heads))
        return tuple(part.transpose(-3, -2) for part in split.unbind(-3))

    def _project(self, x: Any) -> Tensor:
        if isinstance(x, Tensor) and x.dim() < 2:
            raise self._misshapen(x)
        try:
            return F.linear(x, self.in_proj_weight, self.in_proj_bias)
        except (RuntimeError, TypeError) as error:
            if not isinstance(x, Tensor):
                raise DtypeError(f"SelfAttention expects a tensor. Received: {type(x).__name__}") from None
            if x.shape[-1] != self.embed_dim:
                raise self._misshapen(x) from None
            if x.dtype != (dtype := self.in_proj_weight.dtype):
                raise DtypeError(f"SelfAttention expects {dtype}, as its weights are. Received: {x.dtype}") from None
            raise error

    def _misshapen(self, x: Tensor) -> ShapeError:
        return ShapeError(
            f"SelfAttention expects (..., L, embed_dim={self.embed_dim}). Received: shape {tuple(x.shape)}"
        )
