"""Softsign, a sigmoid with long tails."""

from typing import final

from torch import Tensor

from minigrad import Activation, check_floating


@final
class Softsign(Activation):
    r"""Sigmoid that approaches $\pm 1$ slowly, applied elementwise.

    $$y = \frac{x}{1 + |x|}, \qquad \frac{\partial y}{\partial x} = \frac{1}{(1 + |x|)^2}$$

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> softsign = Softsign()
        >>> y, cache = softsign.forward(torch.tensor([-1.0, 0.0, 3.0]))
        >>> y, softsign.backward(torch.ones(3), cache)
        (tensor([-0.5000,  0.0000,  0.7500]), tensor([0.2500, 1.0000, 0.0625]))

    References:
        Bergstra et al., "Quadratic Polynomials Learn Better Image Features", 2009.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        scale = 1 + x.abs()
        return x / scale, scale

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy / (1 + |x|)^2`."""
        # Divided twice: the square of a huge number is infinite.
        return grad_output / cache / cache
