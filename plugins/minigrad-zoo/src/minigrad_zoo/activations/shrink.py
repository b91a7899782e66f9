"""Hardshrink and Softshrink, which put small values to zero."""

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad import Activation, check_floating, kernel

_hardshrink_backward = kernel("hardshrink_backward")
_softshrink_backward = kernel("softshrink_backward")


@final
class Hardshrink(Activation):
    r"""Puts values within $[-\lambda, \lambda]$ to zero and keeps the others, applied elementwise.

    $$y = \begin{cases} x & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \begin{cases} 1 & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}$$

    At $\pm\lambda$, where $y$ itself jumps, the derivative is taken as 0.

    Args:
        lambd: $\lambda$.

    Raises:
        ValueError: If `lambd` is negative.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> hardshrink = Hardshrink()
        >>> y, cache = hardshrink.forward(torch.tensor([-1.0, 0.2, 0.5]))
        >>> y, hardshrink.backward(torch.ones(3), cache)
        (tensor([-1.,  0.,  0.]), tensor([1., 0., 0.]))

    References:
        Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", Biometrika 1994.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        _check_lambd(lambd)
        self.lambd = lambd
        self.kinks = (-lambd, lambd)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return torch.hardshrink(x, self.lambd), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (|x| > lambd)`, in one kernel."""
        return _hardshrink_backward(grad_output, cache, self.lambd)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case

        return [Case(cls), Case(lambda: cls(1.2))]


@final
class Softshrink(Activation):
    r"""Draws values towards zero by $\lambda$, and those within $[-\lambda, \lambda]$ to zero, applied elementwise.

    $$y = \begin{cases} x - \lambda & x > \lambda \\ x + \lambda & x < -\lambda \\ 0 & |x| \le \lambda \end{cases},
    \qquad \frac{\partial y}{\partial x} = \begin{cases} 1 & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}$$

    At the kinks $\pm\lambda$ the derivative is taken as 0.

    Args:
        lambd: $\lambda$.

    Raises:
        ValueError: If `lambd` is negative.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> softshrink = Softshrink()
        >>> y, cache = softshrink.forward(torch.tensor([-1.0, 0.2, 2.0]))
        >>> y, softshrink.backward(torch.ones(3), cache)
        (tensor([-0.5000,  0.0000,  1.5000]), tensor([1., 0., 1.]))

    References:
        Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", Biometrika 1994.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        _check_lambd(lambd)
        self.lambd = lambd
        self.kinks = (-lambd, lambd)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.softshrink(x, self.lambd), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (|x| > lambd)`, in one kernel."""
        return _softshrink_backward(grad_output, cache, self.lambd)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case

        return [Case(cls), Case(lambda: cls(1.2))]


def _check_lambd(lambd: float) -> None:
    if not lambd >= 0:
        raise ValueError(f"lambd must not be negative. Received: lambd={lambd}")
