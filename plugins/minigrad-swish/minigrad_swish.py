"""Swish, a plugin for minigrad."""

from typing import Any

import torch
from torch import Tensor

import minigrad


class Swish(minigrad.Activation):
    r"""A smooth gate, applied elementwise.

    $$y = x\, \sigma(x), \qquad \frac{\partial y}{\partial x} = \sigma(x) \bigl( 1 + x (1 - \sigma(x)) \bigr)$$

    Examples:
        >>> y, cache = Swish().forward(torch.tensor([0.0, 1.0]))
        >>> y, Swish().backward(torch.ones(2), cache)
        (tensor([0.0000, 0.7311]), tensor([0.5000, 0.9277]))
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        s = torch.sigmoid(x)
        return x * s, (x, s)

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx: (*shape)`."""
        x, s = cache
        return grad_output * s * (1 + x * (1 - s))


@minigrad.hookimpl
def minigrad_register_activations(register: minigrad.Register) -> None:
    """Register what this plugin adds."""
    register(Swish)
