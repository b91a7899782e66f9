"""Mish, a smooth activation that gates itself."""

from typing import final

import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_mish_backward = kernel("mish_backward")


@final
class Mish(Activation):
    r"""Self-gated activation, applied elementwise.

    $$y = x\, t, \quad t = \tanh(\log(1 + e^x)), \qquad \frac{\partial y}{\partial x} = t + x (1 - t^2)\, \sigma(x)$$

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> mish = Mish()
        >>> y, cache = mish.forward(torch.tensor([-1.0, 0.0, 2.0]))
        >>> y, mish.backward(torch.ones(3), cache)
        (tensor([-0.3034,  0.0000,  1.9440]), tensor([0.0592, 0.6000, 1.0693]))

    References:
        Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", BMVC 2020.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.mish(x), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (t + x * (1 - t^2) * sigmoid(x))`, in one kernel."""
        return _mish_backward(grad_output, cache)
