"""One training step, forward, loss, backward and update: minigrad beside torch.nn and torch.optim."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

import minigrad
from minigrad.xor import as_handwritten, four_rows, handwritten_pipeline, xor_net

Step = Callable[[], Tensor]


@dataclass(frozen=True)
class Case:
    """Two steps that do the same work.

    Attributes:
        name: What is trained.
        ours: A step of minigrad, which gives its cost.
        theirs: A step of the other.
        target: What the ratio should not exceed; `None` where it is only reported.
    """

    name: str
    ours: Step
    theirs: Step
    target: float | None = None

    def check(self, steps: int = 3) -> None:
        """Make sure that both do the same work: their costs agree step by step."""
        for _ in range(steps):
            torch.testing.assert_close(self.ours(), self.theirs(), rtol=1e-4, atol=1e-6)


def cases() -> Iterator[Case]:
    """XOR, and nets that are wider, deeper, or fed one row at a time."""
    yield xor()
    yield xor_beside_the_script()
    yield chain("MLP 784-256-10, batch 128, BCE", [784, 256, 10], 128, "BCE")
    yield chain("MLP 784-256-10, batch 128, MSE", [784, 256, 10], 128, "MSE")
    yield chain("MLP 784-256-10, batch 1, BCE", [784, 256, 10], 1, "BCE")
    yield chain("deep: 16 x 32, batch 16, BCE", [32] * 16 + [1], 16, "BCE")
    yield chain("wide: 1024-1024-1024, batch 256, BCE", [1024, 1024, 1024], 256, "BCE")


def xor() -> Case:
    """The step that the project promises: at most a quarter of torch's time."""
    x, y = four_rows()
    net = xor_net()
    theirs = torch_step(torch_twin(net), torch.nn.BCELoss(), x, y, lr=1.0)
    return Case("XOR 2-2-1, batch 4, BCE", minigrad_step(net, minigrad.BCE(), x, y, lr=1.0), theirs, target=0.25)


def xor_beside_the_script() -> Case:
    """The same net by the notes' rules, beside the script that spells them out."""
    x, y = four_rows()
    pipeline, script = as_handwritten(xor_net(), x, y), handwritten_pipeline(x, y)
    return Case("XOR, beside the hand-written script", lambda: next(pipeline)[0], lambda: next(script)[0])


def chain(name: str, sizes: list[int], batch: int, loss: str) -> Case:
    """Linear layers with a sigmoid after each, on made data."""
    torch.manual_seed(0)
    layers: list[minigrad.Layer] = []
    for features, outputs in pairwise(sizes):
        layers += [minigrad.Linear(features, outputs), minigrad.Sigmoid()]
    net = minigrad.Sequential(*layers)
    x, y = torch.rand(batch, sizes[0]), torch.rand(batch, sizes[-1]).round()
    theirs = torch_step(torch_twin(net), getattr(torch.nn, f"{loss}Loss")(), x, y, lr=0.01)
    return Case(name, minigrad_step(net, getattr(minigrad, loss)(), x, y, lr=0.01), theirs, target=1.05)


def minigrad_step(net: minigrad.Layer, loss: minigrad.Loss, x: Tensor, y: Tensor, lr: float) -> Step:
    """A step as a user of minigrad takes it."""
    optimizer = minigrad.SGD(net.parameters(), lr=lr)
    return lambda: minigrad.train_step(net, loss, optimizer, x, y)


def torch_step(net: torch.nn.Module, loss: torch.nn.Module, x: Tensor, y: Tensor, lr: float) -> Step:
    """A step as a user of torch takes it."""
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)

    def step() -> Tensor:
        optimizer.zero_grad()
        cost = loss(net(x), y)
        cost.backward()
        optimizer.step()
        return cost.detach()

    return step


def torch_twin(net: minigrad.Sequential) -> torch.nn.Sequential:
    """The same layers with the same weights, in torch."""
    modules: list[torch.nn.Module] = []
    for layer in net:
        if isinstance(layer, minigrad.Linear):
            modules.append(torch.nn.Linear(layer.in_features, layer.out_features))
        else:
            modules.append(torch.nn.Sigmoid())
    twin = torch.nn.Sequential(*modules)
    twin.load_state_dict(net.state_dict())
    return twin
