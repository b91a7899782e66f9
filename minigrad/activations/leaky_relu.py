"""LeakyReLU, a rectifier that lets a little of the negative side through."""

from typing import final

import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_leaky_relu_backward = kernel("leaky_relu_backward")


@final
class LeakyReLU(Activation):
    r"""Rectifier with slope $\alpha$ on the negative side, applied elementwise.

    $$y = \begin{cases} x & x > 0 \\ \alpha x & x \le 0 \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \begin{cases} 1 & x > 0 \\ \alpha & x \le 0 \end{cases}$$

    At the kink $x = 0$ the derivative is taken as $\alpha$.

    Args:
        negative_slope: $\alpha$.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> leaky = LeakyReLU(0.1)
        >>> y, cache = leaky.forward(torch.tensor([-1.0, 0.0, 2.0]))
        >>> y, leaky.backward(torch.ones(3), cache)
        (tensor([-0.1000,  0.0000,  2.0000]), tensor([0.1000, 0.1000, 1.0000]))

    References:
        Maas et al., "Rectifier Nonlinearities Improve Neural Network Acoustic Models", ICML 2013.
    """

    kinks = (0.0,)

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        y = F.leaky_relu(x, self.negative_slope)
        # The backward asks only where x > 0. With a slope >= 0 that is where y > 0, and the next layer keeps y anyway.
        return y, y if self.negative_slope >= 0 else x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (1 where x > 0, else negative_slope)`, in one kernel."""
        return _leaky_relu_backward(grad_output, cache, self.negative_slope, False)
