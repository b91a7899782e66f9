"""Sigmoid, the logistic function."""

from typing import final

import torch
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_sigmoid_backward = kernel("sigmoid_backward")


@final
class Sigmoid(Activation):
    r"""Logistic function, applied elementwise.

    $$y = \sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \frac{\partial y}{\partial x} = y (1 - y)$$

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> sigmoid = Sigmoid()
        >>> y, cache = sigmoid.forward(torch.zeros(1))
        >>> y, sigmoid.backward(torch.ones(1), cache)
        (tensor([0.5000]), tensor([0.2500]))

    References:
        Verhulst, "Recherches mathématiques sur la loi d'accroissement de la population", 1845.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        try:
            y = torch.sigmoid(x)
        except TypeError:
            check_floating(self, x)
            raise
        if not x.is_floating_point():  # integers became floats without a word
            check_floating(self, x)
        return y, y

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * y * (1 - y)`, in one kernel."""
        return _sigmoid_backward(grad_output, cache)
