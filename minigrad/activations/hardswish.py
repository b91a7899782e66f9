"""Hardswish, SiLU made of straight lines and one parabola."""

from typing import final

import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_hardswish_backward = kernel("hardswish_backward")


@final
class Hardswish(Activation):
    r"""Piecewise approximation of SiLU, applied elementwise.

    $$y = \begin{cases} 0 & x \le -3 \\ x (x + 3) / 6 & -3 < x < 3 \\ x & x \ge 3 \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \begin{cases} 0 & x \le -3 \\ x / 3 + 1 / 2 & -3 < x < 3 \\ 1 & x \ge 3
    \end{cases}$$

    The derivative jumps by half at both ends of the parabola; at the kink $x = -3$ it is taken as 0, at $x = 3$ as 1.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> hardswish = Hardswish()
        >>> y, cache = hardswish.forward(torch.tensor([-1.0, 0.0, 3.0]))
        >>> y, hardswish.backward(torch.ones(3), cache)
        (tensor([-0.3333,  0.0000,  3.0000]), tensor([0.1667, 0.5000, 1.0000]))

    References:
        Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """

    kinks = (-3.0, 3.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.hardswish(x), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx: (*shape)`, in one kernel."""
        return _hardswish_backward(grad_output, cache)
