"""ReLU, the rectifier."""

from typing import final

import torch
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_threshold_backward = kernel("threshold_backward")


@final
class ReLU(Activation):
    r"""Rectifier, applied elementwise.

    $$y = \max(x, 0), \qquad \frac{\partial y}{\partial x} = [x > 0]$$

    At the kink $x = 0$ the derivative is taken as 0. The cache is $y$, which tells as much as $x$ does ($y > 0$ exactly
    where $x > 0$) and which the next layer usually keeps as well.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> relu = ReLU()
        >>> y, cache = relu.forward(torch.tensor([-1.0, 0.0, 2.0]))
        >>> y, relu.backward(torch.ones(3), cache)
        (tensor([0., 0., 2.]), tensor([0., 0., 1.]))

    References:
        Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", ICML 2010.
    """

    kinks = (0.0,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        y = torch.relu(x)
        return y, y

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (y > 0)`, in one kernel."""
        return _threshold_backward(grad_output, cache, 0)
