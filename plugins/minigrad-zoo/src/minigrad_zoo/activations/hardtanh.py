"""Hardtanh and ReLU6, straight lines cut off at both ends."""

from typing import Any, final

import torch.nn.functional as F
from torch import Tensor

from minigrad import Activation, check_floating, kernel

_hardtanh_backward = kernel("hardtanh_backward")


@final
class Hardtanh(Activation):
    r"""The identity cut off at $m$ and $M$, applied elementwise.

    $$y = \min(\max(x, m), M), \qquad \frac{\partial y}{\partial x} = [m < x < M]$$

    At the kinks $m$ and $M$ the derivative is taken as 0.

    Args:
        min_val: $m$, the least output.
        max_val: $M$, the greatest output.

    Raises:
        ValueError: If `max_val` is not greater than `min_val`.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> hardtanh = Hardtanh()
        >>> y, cache = hardtanh.forward(torch.tensor([-2.0, 0.5, 1.0]))
        >>> y, hardtanh.backward(torch.ones(3), cache)
        (tensor([-1.0000,  0.5000,  1.0000]), tensor([0., 1., 0.]))

    References:
        Collobert, "Large Scale Machine Learning", 2004.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        if not max_val > min_val:
            raise ValueError(f"max_val must be greater than min_val. Received: min_val={min_val}, max_val={max_val}")
        self.min_val = min_val
        self.max_val = max_val
        self.kinks = (min_val, max_val)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.hardtanh(x, self.min_val, self.max_val), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (min_val < x < max_val)`, in one kernel."""
        return _hardtanh_backward(grad_output, cache, self.min_val, self.max_val)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case

        return [Case(cls), Case(lambda: cls(-0.3, 2.0))]


@final
class ReLU6(Activation):
    r"""Rectifier cut off at 6, applied elementwise.

    $$y = \min(\max(x, 0), 6), \qquad \frac{\partial y}{\partial x} = [0 < x < 6]$$

    At the kinks 0 and 6 the derivative is taken as 0.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> relu6 = ReLU6()
        >>> y, cache = relu6.forward(torch.tensor([-1.0, 2.0, 7.0]))
        >>> y, relu6.backward(torch.ones(3), cache)
        (tensor([0., 2., 6.]), tensor([0., 1., 0.]))

    References:
        Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010.
    """

    kinks = (0.0, 6.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.relu6(x), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (0 < x < 6)`, in one kernel."""
        return _hardtanh_backward(grad_output, cache, 0.0, 6.0)
