"""ELU and SELU, rectifiers that saturate on the negative side."""

from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_elu_backward = kernel("elu_backward")

# The fixed point of the paper: activations keep mean 0 and variance 1 from layer to layer.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@final
class ELU(Activation):
    r"""Exponential linear unit, applied elementwise.

    $$y = \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \begin{cases} 1 & x > 0 \\ \alpha e^x & x \le 0 \end{cases}$$

    Unless $\alpha = 1$ it has a kink at $x = 0$, where the derivative is taken as $\alpha$.

    Args:
        alpha: $\alpha$; `y` tends to $-\alpha$ far on the negative side.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> elu = ELU()
        >>> y, cache = elu.forward(torch.tensor([-1.0, 2.0]))
        >>> y, elu.backward(torch.ones(2), cache)
        (tensor([-0.6321,  2.0000]), tensor([0.3679, 1.0000]))

    References:
        Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units (ELUs)", ICLR 2016.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha
        self.kinks = () if alpha == 1 else (0.0,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.elu(x, self.alpha), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (1 where x > 0, else alpha * exp(x))`, in one kernel."""
        return _elu_backward(grad_output, self.alpha, 1.0, 1.0, False, cache)


@final
class SELU(Activation):
    r"""Scaled exponential linear unit, applied elementwise.

    $$y = \lambda \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \lambda \begin{cases} 1 & x > 0 \\ \alpha e^x & x \le 0 \end{cases}$$

    with $\alpha = 1.67326\ldots$ and $\lambda = 1.05070\ldots$, for which activations of mean 0 and variance 1 stay so
    from layer to layer. At the kink $x = 0$ the derivative is taken as $\lambda \alpha$.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> selu = SELU()
        >>> y, cache = selu.forward(torch.tensor([-1.0, 2.0]))
        >>> y, selu.backward(torch.ones(2), cache)
        (tensor([-1.1113,  2.1014]), tensor([0.6468, 1.0507]))

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", NIPS 2017.
    """

    kinks = (0.0,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return torch.selu(x), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * scale * (1 where x > 0, else alpha * exp(x))`, in one kernel."""
        return _elu_backward(grad_output, _SELU_ALPHA, _SELU_SCALE, 1.0, False, cache)
