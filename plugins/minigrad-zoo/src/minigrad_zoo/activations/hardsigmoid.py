"""Hardsigmoid, a sigmoid made of straight lines."""

from typing import final

import torch.nn.functional as F
from torch import Tensor

from minigrad import Activation, check_floating, kernel

_hardtanh_backward = kernel("hardtanh_backward")


@final
class Hardsigmoid(Activation):
    r"""Piecewise linear approximation of the logistic function, applied elementwise.

    $$y = \begin{cases} 0 & x \le -3 \\ x / 6 + 1 / 2 & -3 < x < 3 \\ 1 & x \ge 3 \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \begin{cases} 1 / 6 & -3 < x < 3 \\ 0 & \text{otherwise} \end{cases}$$

    At the kinks $\pm 3$ the derivative is taken as 0.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> hardsigmoid = Hardsigmoid()
        >>> y, cache = hardsigmoid.forward(torch.tensor([-3.0, 0.0, 9.0]))
        >>> y, hardsigmoid.backward(torch.ones(3), cache)
        (tensor([0.0000, 0.5000, 1.0000]), tensor([0.0000, 0.1667, 0.0000]))

    References:
        Courbariaux et al., "BinaryConnect: Training Deep Neural Networks with Binary Weights during Propagations",
        NIPS 2015; with the slope of Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """

    kinks = (-3.0, 3.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.hardsigmoid(x), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (|x| < 3) / 6`."""
        # torch's own kernel knows 1/6 to float32 only, even in float64.
        return _hardtanh_backward(grad_output, cache, -3.0, 3.0) / 6
