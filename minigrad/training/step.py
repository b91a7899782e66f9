"""One training step."""

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Loss, Optimizer, as_tensors

_NoOverrides = torch._C.DisableTorchFunctionSubclass


def train_step(net: Layer, loss: Loss, optimizer: Optimizer, x: Any, y: Any) -> Tensor:
    """Learn from one batch and return its cost: forward, loss, backward, update. numpy arrays will do for tensors.

    The gradient of `x` is not computed. Gradients are cleared after the update, so nothing is left over.

    Examples:
        >>> import torch
        >>> from minigrad.activations import Sigmoid
        >>> from minigrad.layers import Linear, Sequential
        >>> from minigrad.losses import BCE
        >>> from minigrad.optimizers import SGD
        >>> _ = torch.manual_seed(0)
        >>> net = Sequential(Linear(2, 1), Sigmoid())
        >>> optimizer = SGD(net.parameters(), lr=1.0)
        >>> x, y = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[0.0], [1.0]])
        >>> first, *_, last = [train_step(net, BCE(), optimizer, x, y).item() for _ in range(100)]
        >>> first > 0.5, last < 0.1
        (True, True)
    """
    if type(x) is not Tensor or type(y) is not Tensor:
        x, y = as_tensors((x, y), net)
    # A Parameter is a subclass that overrides nothing; told so once, torch need not look at each call. A caller's own
    # subclass of Tensor may override something and is left alone.
    with _NoOverrides() if type(x) is Tensor and type(y) is Tensor else nullcontext():
        prediction, cache = net.forward(x)
        cost, loss_cache = loss.forward(prediction, y)
        net.backward_parameters(loss.backward(loss_cache), cache)
        optimizer.step()
        optimizer.zero_grad()
        return cost
