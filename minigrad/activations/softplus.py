"""Softplus, a smooth ReLU."""

from typing import final

import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_softplus_backward = kernel("softplus_backward")


@final
class Softplus(Activation):
    r"""Smooth ReLU, applied elementwise.

    $$y = \tfrac{1}{\beta} \log(1 + e^{\beta x}), \qquad \frac{\partial y}{\partial x} = \sigma(\beta x)$$

    Where $\beta x$ exceeds the threshold, both are replaced by their limits, $y = x$ and 1. At the threshold itself, a
    kink (of $2 \cdot 10^{-9}$ by default), the derivative still is $\sigma(\beta x)$.

    Args:
        beta: Sharpness $\beta$ of the bend at zero; `y` tends to ReLU as it grows.
        threshold: Where the straight part begins.

    Raises:
        ValueError: If `beta` is not positive.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> softplus = Softplus()
        >>> y, cache = softplus.forward(torch.zeros(1))
        >>> y, softplus.backward(torch.ones(1), cache)
        (tensor([0.6931]), tensor([0.5000]))

    References:
        Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", NIPS 2000.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        if not beta > 0:
            raise ValueError(f"beta must be positive. Received: beta={beta}")
        self.beta = beta
        self.threshold = threshold
        self.kinks = (threshold / beta,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.softplus(x, self.beta, self.threshold), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * sigmoid(beta * x)`, in one kernel."""
        return _softplus_backward(grad_output, cache, self.beta, self.threshold)
