"""GELU, the Gaussian error linear unit."""

from typing import Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Activation
from minigrad.core.checks import check_floating

_gelu_backward = torch.ops.aten.gelu_backward.default  # not by kernel(): it takes its option by keyword


@final
class GELU(Activation):
    r"""Gaussian error linear unit, applied elementwise.

    $$y = x\, \Phi(x), \qquad \frac{\partial y}{\partial x} = \Phi(x) + x\, \varphi(x)$$

    with the distribution $\Phi$ and the density $\varphi$ of the standard normal. With `approximate="tanh"`

    $$y = \tfrac{x}{2} (1 + t), \quad t = \tanh u, \quad u = \sqrt{2 / \pi}\, (x + 0.044715\, x^3), \qquad
    \frac{\partial y}{\partial x} = \tfrac{1 + t}{2}
    + \tfrac{x}{2} (1 - t^2) \sqrt{2 / \pi}\, (1 + 0.134145\, x^2)$$

    Args:
        approximate: `"none"` or `"tanh"`.

    Raises:
        ValueError: If `approximate` is neither.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> gelu = GELU()
        >>> y, cache = gelu.forward(torch.tensor([-1.0, 0.0, 2.0]))
        >>> y, gelu.backward(torch.ones(3), cache)
        (tensor([-0.1587,  0.0000,  1.9545]), tensor([-0.0833,  0.5000,  1.0852]))

    References:
        Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
    """

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate must be 'none' or 'tanh'. Received: approximate={approximate!r}")
        self.approximate = approximate

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        check_floating(self, x)
        return F.gelu(x, approximate=self.approximate), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx: (*shape)`."""
        if self.approximate == "tanh":
            # Squaring a huge x overflows in the kernel, and 0 * inf is no number; the slope is 0 or 1 long before.
            cache = cache.clamp(-100, 100)
        return _gelu_backward(grad_output, cache, approximate=self.approximate)
