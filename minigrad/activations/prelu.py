"""PReLU, a rectifier that learns its negative slope."""

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation, Parameter, kernel
from minigrad.core.checks import check_count, check_floating
from minigrad.errors import DtypeError, ShapeError

_prelu_backward = kernel("_prelu_kernel_backward")


@final
class PReLU(Activation):
    r"""Rectifier whose slope $a$ on the negative side is learned, applied elementwise.

    $$y = \begin{cases} x & x > 0 \\ a x & x \le 0 \end{cases}, \qquad
    \frac{\partial y}{\partial x} = \begin{cases} 1 & x > 0 \\ a & x \le 0 \end{cases}, \qquad
    \frac{\partial L}{\partial a} = \sum_{x \le 0} \frac{\partial L}{\partial y}\, x$$

    There is one slope for all, or one for each channel, which is dimension 1 of `x`; the parameter is
    `weight: (num_parameters)`. At the kink $x = 0$ the derivative is taken as $a$.

    Args:
        num_parameters: 1, or the number of channels.
        init: The slope to begin with.
        device: Where the parameter is made.
        dtype: Of the parameter.

    Raises:
        ValueError: If `num_parameters` is no positive whole number.
        ShapeError: If there are several slopes and dimension 1 of `x` is not `num_parameters`.
        DtypeError: If `x` is not of the parameter's dtype.

    Examples:
        >>> prelu = PReLU()
        >>> y, cache = prelu.forward(torch.tensor([[-2.0, 3.0]]))
        >>> prelu.backward(torch.ones(1, 2), cache)
        tensor([[0.2500, 1.0000]])
        >>> prelu.weight.grad
        tensor([-2.])

    References:
        He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """

    kinks = (0.0,)

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_count(num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(torch.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every slope to `init`."""
        self.weight.fill_(self.init)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (N, C, *)`, or any shape with a single slope, to `y` of the same shape."""
        check_floating(self, x)
        try:
            return F.prelu(x, self.weight), x
        except RuntimeError as error:
            raise self._explain(x) or error from None

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy` to `dL/dx`, both of the shape of `x`."""
        others = [d for d in range(cache.dim()) if d != 1 or self.num_parameters == 1]
        slope = self.weight.view([-1 if d not in others else 1 for d in range(cache.dim())])
        grad_input, grad_weight = _prelu_backward(grad_output, cache, slope)
        self.weight.accumulate(grad_weight.sum(others).view(-1), cache.numel() // self.num_parameters)
        return grad_input

    def _explain(self, x: Any) -> Exception | None:
        if x.dtype != self.weight.dtype:
            return DtypeError(f"PReLU expects {self.weight.dtype}, as its weight is. Received: {x.dtype}")
        if self.num_parameters > 1 and (x.dim() < 2 or x.shape[1] != self.num_parameters):
            return ShapeError(
                f"PReLU expects (N, num_parameters={self.num_parameters}, ...). Received: shape {tuple(x.shape)}"
            )
        return None
