"""CELU, an ELU without a kink."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Activation, check_floating, kernel

_elu_backward = kernel("elu_backward")


@final
class CELU(Activation):
    r"""Continuously differentiable exponential linear unit, applied elementwise.

    $$y = \begin{cases} x & x > 0 \\ \alpha (e^{x / \alpha} - 1) & x \le 0 \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \begin{cases} 1 & x > 0 \\ e^{x / \alpha} & x \le 0 \end{cases}$$

    Both slopes at 0 are 1, whatever $\alpha$ is: there is no kink.

    Args:
        alpha: $\alpha$; `y` tends to $-\alpha$ far on the negative side.

    Raises:
        ValueError: If `alpha` is 0.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> celu = CELU(alpha=2.0)
        >>> y, cache = celu.forward(torch.tensor([-2.0, 0.0, 2.0]))
        >>> y, celu.backward(torch.ones(3), cache)
        (tensor([-1.2642,  0.0000,  2.0000]), tensor([0.3679, 1.0000, 1.0000]))

    References:
        Barron, "Continuously Differentiable Exponential Linear Units", 2017.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        if alpha == 0:
            raise ValueError(f"alpha must not be 0. Received: alpha={alpha}")
        self.alpha = alpha

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return torch.celu(x, self.alpha), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * (1 where x > 0, else exp(x / alpha))`, in one kernel."""
        return _elu_backward(grad_output, self.alpha, 1.0, 1 / self.alpha, False, cache)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case

        wrong = (torch.tensor([1, 2]), "text")
        return [Case(cls, wrong=wrong), Case(lambda: cls(0.3))]
