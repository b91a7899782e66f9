"""Torch in and out: modules become layers, layers become modules, with or without autograd."""

from typing import Any

import torch

from minigrad.core import Layer, Loss
from minigrad.interop.autograd_layer import AutogradLayer
from minigrad.interop.autograd_module import AutogradModule
from minigrad.interop.conversion import FromTorch, ToTorch

__all__ = ["as_autograd", "from_autograd", "from_torch", "to_torch"]


def from_torch(module: torch.nn.Module, share: bool = False) -> Any:
    """Make the minigrad twin of a torch.nn module: the same options, weights and buffers.

    A module or a weight that stands in several places stays one. A module whose parameters are all frozen
    (`requires_grad=False`) stands in `Frozen`. Its mode, `train()` or `eval()`, does not matter: `forward` learns and
    `predict` predicts. A subclass that adds only a constructor (`class Net(nn.Sequential)`) counts as its base.

    Args:
        module: A module, a loss, or a `Sequential` of any depth.
        share: Whether both use the same memory, so that who trains the one trains the other; otherwise it is copied.

    Returns:
        A `Layer`, or for a loss a `Loss`.

    Raises:
        TypeError: If it is no torch module.
        ConversionError: If anything about it cannot be kept; it says where and what. A module that no converter knows,
            an option that the twin does not have, a hook, a lazy parameter, a layer of which only a part is frozen.

    Examples:
        >>> net = from_torch(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ELU(alpha=0.5)))
        >>> net
        Sequential(Linear(in_features=2, out_features=3), ELU(alpha=0.5))
        >>> from_torch(torch.nn.SmoothL1Loss(beta=2.0))
        SmoothL1(beta=2.0)
        >>> from_torch(torch.nn.Sequential(torch.nn.ReLU(inplace=True)))
        Traceback (most recent call last):
        minigrad.errors.ConversionError: net[0] (torch.nn.ReLU): ... Received: inplace=True
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"from_torch expects a torch.nn.Module. Received: {module!r} ({type(module).__name__})")
    return FromTorch(share).convert(module)


def to_torch(component: Layer | Loss, share: bool = False) -> torch.nn.Module:
    """Make the torch.nn twin of a layer or loss: the same options, weights and buffers.

    `Frozen` becomes `requires_grad=False`. `Residual` and `Parallel`, which torch.nn lacks, become the modules of these
    names in `minigrad.interop.modules`. `Checked`, `Recompute`, `Timed` and `Traced` compute what the layer inside
    computes, so that is what they become. A layer made by `from_autograd` becomes the module that it was made of.

    Args:
        component: The layer or loss.
        share: Whether both use the same memory, so that who trains the one trains the other; otherwise it is copied.

    Returns:
        The module, in training mode.

    Raises:
        TypeError: If it is neither a layer nor a loss.
        ConversionError: If anything about it cannot be kept; it says where and what. A layer that no converter knows,
            an option that torch does not have, a parameter that is frozen in one place and learns in another.

    Examples:
        >>> from minigrad.layers import Linear, Sequential
        >>> net = Sequential(Linear(2, 1))
        >>> module = to_torch(net)
        >>> module
        Sequential(
          (0): Linear(in_features=2, out_features=1, bias=True)
        )
        >>> torch.equal(module[0].weight, net[0].weight)
        True
    """
    if not isinstance(component, Layer | Loss):
        raise TypeError(f"to_torch expects a layer or loss. Received: {component!r} ({type(component).__name__})")
    module: torch.nn.Module = ToTorch(share).convert(component)
    return module


def as_autograd(component: Layer | Loss) -> torch.nn.Module:
    """Make a torch module of a layer or loss, in which autograd calls the written backward.

    So it can stand in a torch model and be trained there. Its parameters are torch's, in the same memory as ours, and
    its state dict is the layer's. In `train()` mode it calls `forward`; in `eval()` mode `predict`, which keeps nothing
    for a backward. There is no second derivative (`create_graph=True`), and no `vmap` or other transform
    of `torch.func`.

    Raises:
        TypeError: If it is neither a layer nor a loss.

    Examples:
        >>> from minigrad.activations import Tanh
        >>> from minigrad.layers import Linear, Sequential
        >>> module = torch.nn.Sequential(torch.nn.Linear(2, 3), as_autograd(Sequential(Tanh(), Linear(3, 1))))
        >>> module(torch.ones(4, 2)).sum().backward()
        >>> {name: tuple(p.grad.shape) for name, p in module[1].named_parameters()}
        {'1.weight': (1, 3), '1.bias': (1,)}
    """
    return AutogradModule(component)


def from_autograd(module: torch.nn.Module) -> Layer:
    """Make a layer of any torch module: its backward asks autograd.

    For modules whose backward nobody has written; no built-in uses it. Its parameters share the module's memory, so our
    optimizers train the module itself.

    Raises:
        TypeError: If it is no torch module.
        ValueError: If it is lazy and was not called yet.

    Examples:
        >>> layer = from_autograd(torch.nn.Conv1d(2, 3, kernel_size=2))
        >>> layer
        from_autograd(Conv1d(2, 3, kernel_size=(2,), stride=(1,)))
        >>> y, cache = layer.forward(torch.ones(5, 2, 4))
        >>> layer.backward(torch.ones(5, 3, 3), cache).shape
        torch.Size([5, 2, 4])
    """
    return AutogradLayer(module)
