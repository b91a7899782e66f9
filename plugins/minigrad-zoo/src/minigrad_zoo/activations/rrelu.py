"""RReLU, a rectifier whose negative slope is drawn anew for each element."""

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad import Activation, check_floating, kernel
from minigrad_zoo.checks import in_transform

_rrelu_with_noise = kernel("rrelu_with_noise")


@final
class RReLU(Activation):
    r"""Rectifier with a random slope on the negative side while learning, applied elementwise.

    $$y = a\, x, \qquad \frac{\partial y}{\partial x} = a, \qquad
    a = \begin{cases} 1 & x > 0 \\ \text{drawn from } U(l, u) & x \le 0 \end{cases}$$

    `predict` takes the mean slope $(l + u) / 2$ instead. The slopes are drawn with the random numbers that
    `torch.nn.RReLU` draws; they are the cache. At the kink $x = 0$ the derivative is the drawn slope.

    Args:
        lower: $l$, the least slope.
        upper: $u$, the greatest slope.

    Raises:
        ValueError: If `lower` is greater than `upper`.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> _ = torch.manual_seed(0)
        >>> rrelu = RReLU()
        >>> y, cache = rrelu.forward(torch.tensor([-1.0, -1.0, 2.0]))
        >>> y, rrelu.backward(torch.ones(3), cache)
        (tensor([-0.3271, -0.2725,  2.0000]), tensor([0.3271, 0.2725, 1.0000]))
        >>> rrelu.predict(torch.tensor([-1.0, -1.0, 2.0]))
        tensor([-0.2292, -0.2292,  2.0000])

    References:
        Xu et al., "Empirical Evaluation of Rectified Activations in Convolutional Network", 2015.
    """

    kinks = (0.0,)

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        if not lower <= upper:
            raise ValueError(f"lower must not be greater than upper. Received: lower={lower}, upper={upper}")
        self.lower = lower
        self.upper = upper

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`, with slopes drawn for this pass."""
        check_floating(self, x)
        if in_transform(x):
            slopes = self._drawn(x)
            return x * slopes, slopes
        slopes = torch.empty_like(x, memory_format=torch.contiguous_format)  # as the kernel fills it
        return _rrelu_with_noise(x, slopes, self.lower, self.upper, True), slopes

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx = dL/dy * a`."""
        return grad_output * cache

    def predict(self, x: Tensor) -> Tensor:
        """Map `x: (*shape)` to `y: (*shape)` with the mean slope."""
        check_floating(self, x)
        return F.leaky_relu(x, (self.lower + self.upper) / 2)

    def _drawn(self, x: Tensor) -> Tensor:
        """The slopes that the kernel would draw, which torch.func.vmap cannot call."""
        negative = (x <= 0).flatten()
        numbers = torch.empty(x.numel(), dtype=torch.float64, device=x.device).uniform_(self.lower, self.upper)
        # The kernel takes the next number for each x <= 0 only.
        drawn = numbers[(negative.cumsum(0) - 1).clamp(min=0)].to(x.dtype)
        return torch.where(negative, drawn, 1).view(x.shape)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case

        return [Case(cls, predict_differs=True), Case(lambda: cls(0.5, 0.5))]
