"""Rehearsal: a small training run, event by event as `fit` tells them, for callbacks to be watched in."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minigrad.activations import Tanh
from minigrad.core import Callback, Layer, Run, map_layers
from minigrad.layers import Dropout, Linear, Sequential
from minigrad.losses import CrossEntropy
from minigrad.metrics import Accuracy
from minigrad.optimizers import SGD
from minigrad.schedules import ExponentialLR

STEPS, EPOCH = 12, 4
BATCH = 3


class Rehearsal:
    """A net that learns to classify, with a dropout, a schedule and a validation after each of its three passes.

    Attributes:
        run: What the callback is told about.
        weights: The net's parameters after each update, and at the end.
    """

    def __init__(self, callback: Callback | None, folder: Path, seed: int = 0) -> None:
        torch.manual_seed(seed)
        net = Sequential(Linear(4, 6), Tanh(), Dropout(0.2), Linear(6, 3))
        self.x, self.y = torch.randn(BATCH * EPOCH, 4), torch.arange(BATCH * EPOCH) % 3
        self.callback = callback
        optimizer = SGD(net.parameters(), lr=0.5, momentum=0.5)
        self.run = Run(
            net,
            CrossEntropy(),
            optimizer,
            ExponentialLR(optimizer, 0.9),
            total_steps=STEPS,
            total_epochs=STEPS // EPOCH,
            metrics={"accuracy": Accuracy()},
            validates=True,
            folder=folder,
            save=_save,
        )
        self.weights: list[list[Tensor]] = []
        self.net = net if callback is None else _wrapped(net, callback.wrap)

    def whole(self) -> "Rehearsal":
        """From the first event to the last."""
        self.start()
        self.advance(STEPS)
        self.end()
        return self

    def start(self) -> None:
        """The run begins."""
        self.tell("on_fit_start")

    def advance(self, to: int) -> None:
        """Update until so many updates were made, or somebody stops the run."""
        while self.run.step < to and not self.run.stopped:
            self._step()

    def end(self) -> None:
        """The run ends."""
        self.tell("on_fit_end")

    def tell(self, event: str) -> None:
        """Tell the callback of an event."""
        if self.callback is not None:
            getattr(self.callback, event)(self.run)

    def _step(self) -> None:
        run, place = self.run, self.run.step % EPOCH
        if place == 0:
            self.tell("on_epoch_start")
        x, y = (part[place * BATCH : (place + 1) * BATCH] for part in (self.x, self.y))
        prediction, cache = self.net.forward(x)
        cost, loss_cache = run.loss.forward(prediction, y)
        self.net.backward_parameters(run.loss.backward(loss_cache), cache)
        self.tell("on_before_update")
        run.optimizer.step()
        run.optimizer.zero_grad()
        run.rows.append({"step": run.step, "epoch": run.epoch, "cost": cost})
        run.step += 1
        if place == EPOCH - 1:
            self._validate()
        self.tell("on_step_end")
        assert run.schedule is not None
        run.schedule.step()
        if place == EPOCH - 1:
            self.tell("on_epoch_end")
            run.epoch += 1
        self.weights.append([parameter.clone() for parameter in run.net.parameters()])

    def _validate(self) -> None:
        prediction = self.run.net.predict(self.x)
        values: dict[str, Any] = {"val_cost": self.run.loss(prediction, self.y).item()}
        values |= {f"val_{name}": metric(prediction, self.y) for name, metric in self.run.metrics.items()}
        self.run.rows[-1].update(values)
        self.tell("on_validation_end")

    def save(self) -> bytes:
        """Everything that decides how the run goes on, read without running anything."""
        run = self.run
        assert run.schedule is not None
        for row in run.rows:
            row["cost"] = float(row["cost"])
        state = {
            "net": run.net.state_dict(),
            "optimizer": run.optimizer.state_dict(),
            "schedule": run.schedule.state_dict(),
            "run": (run.step, run.epoch, run.rows),
            "random": torch.get_rng_state(),
            "callback": {} if self.callback is None else self.callback.state_dict(),
        }
        file = io.BytesIO()
        torch.save(state, file)
        return file.getvalue()

    def load(self, content: bytes) -> None:
        """Go on from what `save` gave."""
        state = torch.load(io.BytesIO(content), weights_only=True)
        run = self.run
        assert run.schedule is not None
        run.net.load_state_dict(state["net"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.schedule.load_state_dict(state["schedule"])
        run.step, run.epoch, rows = state["run"]
        run.rows[:] = rows
        torch.set_rng_state(state["random"])
        if self.callback is not None:
            self.callback.load_state_dict(state["callback"])

    def rows(self) -> list[dict[str, Any]]:
        """The history, as far as two runs can be compared by it: NaN is equal to NaN."""
        return [{name: repr(_number(value)) for name, value in row.items()} for row in self.run.rows]


def _save(path: Path) -> None:
    path.write_bytes(b"the state of the run")


def _number(value: Any) -> Any:
    return value.tolist() if isinstance(value, Tensor) else value


def _wrapped(net: Layer, wrap: Callable[[Layer, str], Layer]) -> Layer:
    names = {id(layer): name for name, layer in net.named_layers()}
    return map_layers(net, lambda layer: wrap(layer, names[id(layer)]))
