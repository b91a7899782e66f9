"""Tanh, the hyperbolic tangent."""

from typing import final

import torch
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_tanh_backward = kernel("tanh_backward")


@final
class Tanh(Activation):
    r"""Hyperbolic tangent, applied elementwise.

    $$y = \tanh x = \frac{e^x - e^{-x}}{e^x + e^{-x}}, \qquad \frac{\partial y}{\partial x} = 1 - y^2$$

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> tanh = Tanh()
        >>> y, cache = tanh.forward(torch.zeros(1))
        >>> y, tanh.backward(torch.ones(1), cache)
        (tensor([0.]), tensor([1.]))

    References:
        LeCun et al., "Efficient BackProp", 1998 (why a function that is symmetric about zero learns faster).
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        y = torch.tanh(x)
        return y, y

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (1 - y^2)`, in one kernel."""
        return _tanh_backward(grad_output, cache)
