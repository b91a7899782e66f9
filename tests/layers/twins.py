"""A layer beside its torch twin."""

from typing import Any

import torch
from torch import Tensor, nn

from minigrad.core import Layer


def assert_twins(ours: Layer, twin: nn.Module, x: Tensor, exact: bool = True, rtol: float = 1e-7) -> None:
    """Require that both passes and all gradients are torch's: bit for bit, or up to rounding."""
    twin.load_state_dict(ours.state_dict())
    wants_grad = x.is_floating_point()
    x_of_torch = x.clone().requires_grad_(wants_grad)
    y_of_torch = twin(x_of_torch)
    grad = torch.randn_like(y_of_torch)
    y_of_torch.backward(grad)
    y, cache = ours.forward(x)
    grad_input = ours.backward(grad, cache)

    def same(a: Any, b: Any, exact: bool = exact) -> None:
        torch.testing.assert_close(a, b, rtol=0 if exact else rtol, atol=0 if exact else rtol)

    same(y, y_of_torch.detach(), exact=True)
    same(grad_input, x_of_torch.grad)
    parameters = dict(ours.named_parameters())
    assert list(parameters) == [name for name, _ in twin.named_parameters()]
    for name, parameter in twin.named_parameters():
        same(parameters[name].grad, parameter.grad)

    _, cache = ours.forward(x)
    full = {name: parameter.grad.clone() for name, parameter in parameters.items()}
    ours.zero_grad()
    assert ours.backward_parameters(grad, cache) is None
    for name, parameter in parameters.items():
        same(parameter.grad, full[name], exact=True)
