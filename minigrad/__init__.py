"""minigrad: a mini deep-learning framework on torch tensors in which every gradient is written down.

Examples:
    >>> import torch
    >>> import minigrad
    >>> net = minigrad.Sequential(minigrad.Linear(2, 1), minigrad.Sigmoid())
    >>> net(torch.zeros(4, 2)).shape
    torch.Size([4, 1])
"""

from minigrad._version import __version__
from minigrad.activations import Sigmoid
from minigrad.core import (
    Activation,
    Layer,
    Loss,
    Optimizer,
    Parameter,
    Reduction,
    Wrapper,
    kernel,
    map_layers,
    receive_gradients,
    scalar,
)
from minigrad.core.checks import check_floating
from minigrad.errors import DtypeError, ShapeError, TargetError
from minigrad.layers import Linear, Sequential
from minigrad.losses import BCE
from minigrad.optimizers import SGD
from minigrad.registry import (
    Register,
    activation,
    build,
    components,
    describe,
    hookimpl,
    hookspec,
    layer,
    loss,
    optimizer,
    plugins,
    register_activation,
    register_layer,
    register_loss,
    register_optimizer,
)
from minigrad.training import train_step

__all__ = [
    "BCE",
    "SGD",
    "Activation",
    "DtypeError",
    "Layer",
    "Linear",
    "Loss",
    "Optimizer",
    "Parameter",
    "Reduction",
    "Register",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "TargetError",
    "Wrapper",
    "__version__",
    "activation",
    "build",
    "check_floating",
    "components",
    "describe",
    "hookimpl",
    "hookspec",
    "kernel",
    "layer",
    "loss",
    "map_layers",
    "optimizer",
    "plugins",
    "receive_gradients",
    "register_activation",
    "register_layer",
    "register_loss",
    "register_optimizer",
    "scalar",
    "train_step",
]
