"""LogSigmoid, the logarithm of the logistic function."""

from typing import final

from torch import Tensor

from minigrad.core import Activation, kernel
from minigrad.core.checks import check_floating

_log_sigmoid_forward = kernel("log_sigmoid_forward")
_log_sigmoid_backward = kernel("log_sigmoid_backward")


@final
class LogSigmoid(Activation):
    r"""Logarithm of the logistic function, applied elementwise.

    $$y = \log \sigma(x) = \min(x, 0) - \log(1 + e^{-|x|}), \qquad \frac{\partial y}{\partial x} = \sigma(-x)$$

    The second form of $y$ is the one that is computed: its exponential cannot overflow. The kernel hands out
    $e^{-|x|}$, so that the backward need not compute it again.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> log_sigmoid = LogSigmoid()
        >>> y, cache = log_sigmoid.forward(torch.tensor([-1000.0, 0.0]))
        >>> y, log_sigmoid.backward(torch.ones(2), cache)
        (tensor([-1.0000e+03, -6.9315e-01]), tensor([1.0000, 0.5000]))
    """

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        y, exp = _log_sigmoid_forward(x)
        return y, (x, exp)

    def backward(self, grad_output: Tensor, cache: tuple[Tensor, Tensor]) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * sigmoid(-x)`, in one kernel."""
        x, exp = cache
        return _log_sigmoid_backward(grad_output, x, exp)
