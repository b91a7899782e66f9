"""Embedding, a table of vectors."""

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Layer, Parameter, kernel
from minigrad.core.checks import check_count
from minigrad.errors import DtypeError

_embedding_backward = kernel("embedding_dense_backward")


@final
class Embedding(Layer):
    r"""Looks up a vector for each index.

    $$y_i = W_{x_i}, \qquad \frac{\partial L}{\partial W_k} = \sum_{i:\, x_i = k} \frac{\partial L}{\partial y_i}$$

    The parameter is `weight: (num_embeddings, embedding_dim)`, drawn from $N(0, 1)$ with the random numbers that
    `torch.nn.Embedding` draws. An index has no gradient: `backward` returns None.

    Args:
        num_embeddings: How many vectors there are.
        embedding_dim: The size of each.
        padding_idx: The index of a vector that begins at zero and is not trained; counted from the end if negative.
        scale_grad_by_freq: Whether a vector's gradient is divided by how often it was looked up in the batch.
        device: Where the parameter is made.
        dtype: Of the parameter.

    Raises:
        ValueError: If a size is no positive whole number, or `padding_idx` is out of range.
        DtypeError: If `x` does not hold indices, that is, integers of 32 or 64 bits.
        IndexError: If an index is out of range (told on the CPU only).

    Examples:
        >>> embedding = Embedding(3, 2)
        >>> y, cache = embedding.forward(torch.tensor([0, 2, 2]))
        >>> y.shape, embedding.backward(torch.ones(3, 2), cache)
        (torch.Size([3, 2]), None)
        >>> embedding.weight.grad
        tensor([[1., 1.],
                [0., 0.],
                [2., 2.]])

    References:
        Bengio et al., "A Neural Probabilistic Language Model", JMLR 2003.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        scale_grad_by_freq: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_count(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"padding_idx must be an index below num_embeddings={num_embeddings}. "
                    f"Received: padding_idx={padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.scale_grad_by_freq = scale_grad_by_freq
        self.weight = Parameter(torch.empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        torch.nn.init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight[self.padding_idx].fill_(0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map the indices `x: (*shape)` to `y: (*shape, embedding_dim)`."""
        try:
            return F.embedding(x, self.weight), x
        except (RuntimeError, TypeError, IndexError) as error:
            raise self._explain(x) or error from None

    def backward(self, grad_output: Tensor, cache: Tensor) -> None:
        """Accumulate `dL/dW`; there is no `dL/dx`."""
        padding_idx = -1 if self.padding_idx is None else self.padding_idx
        grad = _embedding_backward(grad_output, cache, self.num_embeddings, padding_idx, self.scale_grad_by_freq)
        self.weight.accumulate(grad, cache.numel())

    def _explain(self, x: Any) -> Exception | None:
        if not isinstance(x, Tensor) or x.dtype not in (torch.int32, torch.int64):
            received = x.dtype if isinstance(x, Tensor) else type(x).__name__
            return DtypeError(f"Embedding expects indices, a tensor of int64 or int32. Received: {received}")
        if x.numel() and not 0 <= int(x.min()) <= int(x.max()) < self.num_embeddings:
            return IndexError(
                f"Embedding expects indices from 0 to num_embeddings - 1 = {self.num_embeddings - 1}. "
                f"Received: from {int(x.min())} to {int(x.max())}"
            )
        return None
