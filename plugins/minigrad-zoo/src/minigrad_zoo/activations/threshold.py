"""Threshold, a rectifier with a step of your choice."""

from typing import Any, final

import torch.nn.functional as F
from torch import Tensor

from minigrad import Activation, check_floating, kernel

_threshold_backward = kernel("threshold_backward")


@final
class Threshold(Activation):
    r"""Keeps what exceeds a threshold $\theta$ and puts the rest to $v$, applied elementwise.

    $$y = \begin{cases} x & x > \theta \\ v & x \le \theta \end{cases}, \qquad
    \frac{\partial y}{\partial x} = [x > \theta]$$

    At $x = \theta$ the derivative is taken as 0.

    Args:
        threshold: $\theta$.
        value: $v$.

    Raises:
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> threshold = Threshold(0.5, -1.0)
        >>> y, cache = threshold.forward(torch.tensor([0.0, 0.5, 2.0]))
        >>> y, threshold.backward(torch.ones(3), cache)
        (tensor([-1., -1.,  2.]), tensor([0., 0., 1.]))
    """

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold = threshold
        self.value = value
        self.kinks = (threshold,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.threshold(x, self.threshold, self.value), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (x > threshold)`, in one kernel."""
        return _threshold_backward(grad_output, cache, self.threshold)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case

        return [Case(lambda: cls(0.5, -1.0)), Case(lambda: cls(-0.2, 3.0))]
