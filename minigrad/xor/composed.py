"""Both pipelines of XOR from one minigrad `Sequential`: they differ in who divides by N, and in one epsilon."""

from collections.abc import Iterator

import torch
from torch import Tensor

from minigrad.activations import Sigmoid
from minigrad.layers import Linear, Sequential
from minigrad.losses import BCE
from minigrad.optimizers import SGD
from minigrad.training import train_step

Step = tuple[Tensor, dict[str, Tensor]]


def xor_net(hidden: int = 2, *, seed: int = 777, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Sequential:
    """Two linear layers around ONE sigmoid object; the global random state is left alone.

    Examples:
        >>> net = xor_net()
        >>> len(net), net[0], net[1] is net[3]
        (4, Linear(in_features=2, out_features=2), True)
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        linear1, linear2 = Linear(2, hidden, dtype=dtype), Linear(hidden, 1, dtype=dtype)
    sigmoid = Sigmoid()
    return Sequential(linear1, sigmoid, linear2, sigmoid).to(device)


def as_torch(net: Sequential, x: Tensor, y: Tensor, *, lr: float = 1.0) -> Iterator[Step]:
    """The torch.nn pipeline: the cost is a mean over the rows, and so are all gradients.

    Yields:
        The cost of a step, and the weights after its update, by name. The same tensors come each time.
    """
    loss = BCE()
    optimizer = SGD(net.parameters(), lr=lr)
    weights: dict[str, Tensor] = dict(net.named_parameters())
    while True:
        yield train_step(net, loss, optimizer, x, y), weights


def as_handwritten(net: Sequential, x: Tensor, y: Tensor, *, lr: float = 1.0) -> Iterator[Step]:
    """The hand-written pipeline: weights follow the summed cost, biases its mean; the cost is printed as a mean.

    Yields:
        The cost of a step, and the weights after its update, by name. The same tensors come each time.
    """
    loss = BCE(reduction="sum", eps=1e-7)
    optimizer = SGD(net.parameters(), lr=lr, bias_update="mean")
    weights: dict[str, Tensor] = dict(net.named_parameters())
    while True:
        yield train_step(net, loss, optimizer, x, y) / len(x), weights
