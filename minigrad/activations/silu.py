"""SiLU, the sigmoid linear unit."""

from typing import final

import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_silu_backward = kernel("silu_backward")


@final
class SiLU(Activation):
    r"""Sigmoid linear unit, also called swish, applied elementwise.

    $$y = x\, \sigma(x), \qquad \frac{\partial y}{\partial x} = \sigma(x) \bigl(1 + x (1 - \sigma(x))\bigr)$$

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> silu = SiLU()
        >>> y, cache = silu.forward(torch.tensor([-1.0, 0.0, 2.0]))
        >>> y, silu.backward(torch.ones(3), cache)
        (tensor([-0.2689,  0.0000,  1.7616]), tensor([0.0723, 0.5000, 1.0908]))

    References:
        Elfwing et al., "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in Reinforcement
        Learning", 2017. Ramachandran et al., "Searching for Activation Functions", 2017.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.silu(x), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * sigmoid(x) * (1 + x * (1 - sigmoid(x)))`, in one kernel."""
        return _silu_backward(grad_output, cache)
