"""Dropout, learning with random gaps."""

from typing import final

import torch
from torch import Tensor

from minigrad.core import Layer
from minigrad.core.checks import check_floating


@final
class Dropout(Layer):
    r"""Sets elements to zero at random while learning; predicting leaves them alone.

    $$y = x\, m, \qquad \frac{\partial y}{\partial x} = m, \qquad
    m = \begin{cases} 0 & \text{with probability } p \\ 1 / (1 - p) & \text{otherwise} \end{cases}$$

    so the mean of $y$ is $x$, and `predict` is the identity. The mask is drawn with the random numbers that
    `torch.nn.Dropout` draws; it is the cache.

    Args:
        p: The probability that an element is set to zero.

    Raises:
        ValueError: If `p` is not in [0, 1].
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> dropout = Dropout()
        >>> y, cache = dropout.forward(torch.ones(100))
        >>> y.unique(), torch.equal(dropout.backward(torch.ones(100), cache), y)
        (tensor([0., 2.]), True)
        >>> dropout.predict(torch.ones(3))
        tensor([1., 1., 1.])

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 2014.
    """

    def __init__(self, p: float = 0.5) -> None:
        if not hasattr(p, "__float__") or not 0 <= p <= 1:
            raise ValueError(f"p must be in [0, 1]. Received: p={p!r}")
        self.p = p

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        # Of ones, torch's dropout leaves the mask itself: the same numbers as for x, on every device.
        mask = torch.dropout(torch.ones_like(x), self.p, True)
        return x * mask, mask

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * m`."""
        return grad_output * cache

    def predict(self, x: Tensor) -> Tensor:
        """Hand `x` on as it is."""
        check_floating(self, x)
        return x
