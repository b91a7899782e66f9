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
from minigrad.core import Activation, Layer, Loss, Optimizer, Parameter, Wrapper, map_layers, receive_gradients
from minigrad.layers import Linear, Sequential
from minigrad.losses import BCE
from minigrad.optimizers import SGD
from minigrad.training import train_step

__all__ = [
    "BCE",
    "SGD",
    "Activation",
    "Layer",
    "Linear",
    "Loss",
    "Optimizer",
    "Parameter",
    "Sequential",
    "Sigmoid",
    "Wrapper",
    "__version__",
    "map_layers",
    "receive_gradients",
    "train_step",
]
