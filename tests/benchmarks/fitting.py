"""What a step of `fit` costs: beside the bare step, beside a loop in torch, and beside Keras on torch."""

import importlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

import minigrad
from minigrad.xor import four_rows, xor_net
from tests.benchmarks.measure import Ratio, compare

# How many steps one call takes, so that its beginning and its end count for little.
STEPS = 500


@dataclass(frozen=True)
class Task:
    """Something to be learned, by plain SGD.

    Attributes:
        name: What it is.
        net: A net as it is at the beginning, the same each time.
        loss: The name of the loss, in minigrad.
        x: The inputs.
        y: The targets.
        batch_size: Rows per step.
        lr: The learning rate.
    """

    name: str
    net: Callable[[], minigrad.Sequential]
    loss: str
    x: Tensor
    y: Tensor
    batch_size: int
    lr: float

    def batches(self, steps: int, shuffle: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows by index, going round the data; all of them as they are, if a batch holds all."""
        rows, size = len(self.x), self.batch_size
        for step in range(steps):
            if size == rows:
                yield self.x, self.y
                continue
            at = step * size % rows
            if at == 0:
                order = torch.randperm(rows) if shuffle else torch.arange(rows)
            chosen = order[at : at + size]
            yield self.x[chosen], self.y[chosen]


class Trainer:
    """One way to train: `run` goes on by some steps, `weights` are the net's now, under minigrad's names."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def run(self, steps: int, shuffle: bool = True) -> None:
        """Train on."""
        raise NotImplementedError

    def weights(self) -> dict[str, Tensor]:
        """What has been learned so far."""
        raise NotImplementedError


class Bare(Trainer):
    """A loop around minigrad's train_step; its costs are kept, as fit keeps them."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.net = task.net()
        self.loss: Any = minigrad.loss(task.loss)()
        self.optimizer = minigrad.SGD(self.net.parameters(), lr=task.lr)

    def run(self, steps: int, shuffle: bool = True) -> None:
        """Train on."""
        for x, y in self.task.batches(steps, shuffle):
            minigrad.train_step(self.net, self.loss, self.optimizer, x, y)

    def weights(self) -> dict[str, Tensor]:
        """The state dict."""
        return self.net.state_dict()


class Fit(Bare):
    """minigrad.fit, with nothing logged."""

    def run(self, steps: int, shuffle: bool = True) -> None:
        """Train on."""
        task = self.task
        size = None if task.batch_size == len(task.x) else task.batch_size
        minigrad.fit(
            self.net,
            self.loss,
            self.optimizer,
            (task.x, task.y),
            steps=steps,
            batch_size=size,
            shuffle=shuffle,
            progress=False,
        )


class Torch(Trainer):
    """The loop that people write in torch."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.net = minigrad.to_torch(task.net())
        self.loss = minigrad.to_torch(minigrad.loss(task.loss)())
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=task.lr)

    def run(self, steps: int, shuffle: bool = True) -> None:
        """Train on."""
        for x, y in self.task.batches(steps, shuffle):
            self.optimizer.zero_grad()
            self.loss(self.net(x), y).backward()
            self.optimizer.step()

    def weights(self) -> dict[str, Tensor]:
        """The state dict."""
        return self.net.state_dict()


class Keras(Trainer):
    """A Keras model and its fit, on torch."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        keras = keras_on_torch()
        net, layers = task.net(), []
        for layer, after in zip(net, [*[*net][1:], None], strict=True):
            if isinstance(layer, minigrad.Linear):
                # None is the identity; the other activations have the same names.
                activation = None if after is None else type(after).__name__.lower()
                layers.append(keras.layers.Dense(layer.out_features, activation))
        self.model = keras.Sequential([keras.Input(task.x.shape[1:]), *layers])
        losses = {"bce": "BinaryCrossentropy", "cross_entropy": "SparseCategoricalCrossentropy"}
        loss = getattr(keras.losses, losses[task.loss])(from_logits=task.loss == "cross_entropy")
        self.model.compile(keras.optimizers.SGD(task.lr), loss)
        self.names = list(net.state_dict())
        for variable, value in zip(self.model.variables, net.state_dict().values(), strict=False):
            variable.assign(value.T if value.dim() == 2 else value)

    def run(self, steps: int, shuffle: bool = True) -> None:
        """Train on, in one epoch: the data come as often as it takes, since an epoch of Keras's is not cheap."""
        task = self.task
        rows = torch.arange(steps * task.batch_size) % len(task.x)
        size = task.batch_size
        self.model.fit(task.x[rows], task.y[rows], batch_size=size, epochs=1, shuffle=shuffle, verbose=0)

    def weights(self) -> dict[str, Tensor]:
        """The state dict, with kernels turned to torch's layout."""
        values = [variable.value.detach() for variable in self.model.trainable_variables]
        turned = (value.T if value.dim() == 2 else value for value in values)
        return dict(zip(self.names, turned, strict=True))


def keras_on_torch() -> Any:
    """Keras with its torch backend; it reads that from the environment once, and writes to a folder of its own.

    Raises:
        ImportError: If it is not installed.
    """
    with tempfile.TemporaryDirectory() as home:
        before = {name: os.environ.get(name) for name in ("KERAS_BACKEND", "KERAS_HOME")}
        os.environ.update(KERAS_BACKEND="torch", KERAS_HOME=home)
        try:
            keras = importlib.import_module("keras")
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value
    if keras.config.backend() != "torch":
        raise ImportError(f"keras was imported before, on {keras.config.backend()}")
    return keras


def tasks() -> list[Task]:
    """XOR, all of it in each step, and a net of the size that reads digits."""

    def digits() -> minigrad.Sequential:
        torch.manual_seed(0)
        return minigrad.Sequential(minigrad.Linear(64, 128), minigrad.ReLU(), minigrad.Linear(128, 10))

    random = torch.Generator().manual_seed(0)
    x, y = torch.rand(1600, 64, generator=random), torch.randint(10, (1600,), generator=random)
    return [
        Task("XOR, batch 4", xor_net, "bce", *four_rows(), batch_size=4, lr=1.0),
        Task("64-128-10, batch 64", digits, "cross_entropy", x, y, batch_size=64, lr=0.1),
    ]


def fits(repeats: int, seconds: float, steps: int = STEPS) -> Iterator[tuple[str, Ratio | None]]:
    """Each task and rival with the times of one step, `fit`'s first; `None` if the rival is not installed."""
    for task in tasks():
        for name, make in (("bare step", Bare), ("torch loop", Torch), ("Keras", Keras)):
            rows = f"{task.name}: {name}"
            try:
                ours, theirs = Fit(task), make(task)
            except ImportError:
                yield rows, None
                continue
            # A step of Keras's takes so long that fewer will do.
            count = max(1, steps // 5) if make is Keras else steps
            whole = compare(partial(ours.run, count), partial(theirs.run, count), repeats, seconds)
            per_step = Ratio(whole.ours / count, whole.theirs / count, whole.ratio, whole.low, whole.high, repeats)
            yield f"{rows} {version('keras')}" if make is Keras else rows, per_step
