"""Callback: what happens beside the training, and the run that it is told about."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from minigrad.core.component import Component
from minigrad.core.layer import Layer
from minigrad.core.loss import Loss
from minigrad.core.metric import Metric
from minigrad.core.optimizer import Optimizer
from minigrad.core.schedule import Schedule


class Run:
    """One training run as its callbacks see it: what is trained, and how far it is.

    Attributes:
        net: Learns; as the caller gave it, without any wrapper that a callback put around its layers.
        loss: What is minimised.
        optimizer: Holds the net's parameters.
        schedule: Sets the learning rate, or `None`.
        step: Updates made so far, those of earlier runs that were resumed included.
        epoch: The pass over the data that is under way, from 0.
        total_steps: How many updates there will be, or `None` if nobody knows.
        total_epochs: How many passes there will be, or `None`.
        rows: The history so far, one dict per update: `step` and `epoch`, from 0, `cost`, and where a validation or an
            epoch ended, its metrics. The newest costs may still be tensors; `row()` reads its own.
        metrics: What is measured, under the names of their columns.
        validates: Whether there are data to validate on; `None` if nobody knows.
        folder: Where files go that are named without a folder; the working folder unless a checkpoint folder is set.
        stopped: Why the run ends early; empty as long as it does not.
        checkpoint: The file that was written last, or `None`.
    """

    def __init__(
        self,
        net: Layer,
        loss: Loss,
        optimizer: Optimizer,
        schedule: Schedule | None = None,
        *,
        total_steps: int | None = None,
        total_epochs: int | None = None,
        metrics: Mapping[str, Metric] | None = None,
        validates: bool | None = None,
        folder: Path | None = None,
        save: Callable[[Path], None] | None = None,
    ) -> None:
        self.net = net
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.step = 0
        self.epoch = 0
        self.total_steps = total_steps
        self.total_epochs = total_epochs
        self.rows: list[dict[str, Any]] = []
        self.metrics = dict(metrics or {})
        self.validates = validates
        self.folder = Path() if folder is None else folder
        self.stopped = ""
        self.checkpoint: Path | None = None
        self._save = save

    def row(self) -> dict[str, Any]:
        """The newest row of the history, its cost read; empty before the first update.

        Reading a cost waits for the device, so ask when you need it and not at each step.
        """
        if not self.rows:
            return {}
        row = self.rows[-1]
        if isinstance(row["cost"], Tensor):
            row["cost"] = row["cost"].item()
        return row

    def lr(self) -> float | list[float]:
        """The learning rate as it stands; a list if there are several parameter groups."""
        rates = [group.lr for group in self.optimizer.groups]  # type: ignore[attr-defined]
        return rates[0] if len(rates) == 1 else rates

    def stop(self, reason: str) -> None:
        """End the run after this step, in order: `on_fit_end` is still called, and a last checkpoint written."""
        self.stopped = self.stopped or reason

    def save(self, path: Path | str) -> None:
        """Write the whole state of the run, from which it can go on, into a file.

        Raises:
            RuntimeError: If this run cannot be saved: it was not made by `fit`.
        """
        if self._save is None:
            raise RuntimeError("A run is saved by the fit that made it. Received: a run that was made by hand")
        self._save(Path(path))


class Callback(Component):
    """Is told about a run; an author overrides the events that matter, and `fit` calls no others.

    `fit` looks once, at its start, which events a callback overrides, and binds them; the others cost nothing. An
    exception in an event ends the run, and bears the callback's name.

    The constructor stores its arguments under their own names and touches no file: work begins at `on_fit_start`. What
    it remembers from step to step it gives by `state_dict`, so that a resumed run goes on as if it had never stopped.

    Examples:
        >>> class StopBelow(Callback):
        ...     def __init__(self, cost=0.1):
        ...         self.cost = cost
        ...
        ...     def on_step_end(self, run):
        ...         if run.row()["cost"] < self.cost:
        ...             run.stop(f"the cost fell below {self.cost}")
        >>> StopBelow(0.5)
        StopBelow(cost=0.5)
    """

    def on_fit_start(self, run: Run) -> None:
        """The run begins, or goes on: whatever was resumed is in place."""

    def on_epoch_start(self, run: Run) -> None:
        """A pass over the data begins."""

    def on_before_update(self, run: Run) -> None:
        """The gradients are complete, before they are clipped and used."""

    def on_step_end(self, run: Run) -> None:
        """The parameters were updated, and `run.rows` has a new row."""

    def on_validation_end(self, run: Run) -> None:
        """The validation's values, `val_cost` and the metrics, stand in the newest row."""

    def on_epoch_end(self, run: Run) -> None:
        """A pass over the data is complete, its validation included."""

    def on_checkpoint(self, run: Run) -> None:
        """The file `run.checkpoint` was written."""

    def on_exception(self, run: Run, error: BaseException) -> None:
        """Something was raised in the run, which ends it; `on_fit_end` follows, and then `error` goes on its way."""

    def on_fit_end(self, run: Run) -> None:
        """The run ends: it is complete, or was stopped, or failed. Files are closed here."""

    def wrap(self, layer: Layer, name: str) -> Layer:
        """The layer that learns in place of one of the net's that computes something itself; here, that layer.

        Override it to see what passes through a layer. The net outside stays as it is; parameters are shared.
        """
        return layer

    def state_dict(self) -> dict[str, Any]:
        """What a resumed callback needs: numbers, texts, tensors, lists and dicts of such."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; called before `on_fit_start`."""


Mode = Literal["min", "max"]
Mode.__doc__ = "Whether a watched value is better the smaller or the larger it is."
