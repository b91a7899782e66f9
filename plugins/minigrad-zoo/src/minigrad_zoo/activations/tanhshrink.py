"""Tanhshrink, what the hyperbolic tangent leaves."""

from typing import final

import torch
from torch import Tensor

from minigrad import Activation, check_floating


@final
class Tanhshrink(Activation):
    r"""What is left of $x$ when its hyperbolic tangent is taken away, applied elementwise.

    $$y = x - \tanh x, \qquad \frac{\partial y}{\partial x} = \tanh^2 x$$

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> tanhshrink = Tanhshrink()
        >>> y, cache = tanhshrink.forward(torch.tensor([-1.0, 0.0, 2.0]))
        >>> y, tanhshrink.backward(torch.ones(3), cache)
        (tensor([-0.2384,  0.0000,  1.0360]), tensor([0.5800, 0.0000, 0.9293]))
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        t = torch.tanh(x)
        return x - t, t

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * tanh(x)^2`."""
        return grad_output * cache * cache
