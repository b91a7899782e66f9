"""Watch and Watcher, which look at one column of the history: has it a new best value?"""

import difflib
import math
from abc import ABC, abstractmethod
from typing import Any

from minigrad.core import Callback, Mode, Run
from minigrad.errors import ConfigError


def check_mode(mode: Any) -> None:
    """Require a mode, or `None`.

    Raises:
        ValueError: If it is neither.
    """
    if mode not in (None, "min", "max"):
        raise ValueError(f"mode must be 'min' or 'max'. Received: mode={mode!r}")


class Watch:
    """The best value so far of one column, and up to which step it was looked at.

    Args:
        owner: The callback, for messages.
        monitor: The column.
        mode: Whether smaller or larger is better; `None` asks the run: costs are to fall, and a metric knows.
        min_delta: By how much a value must be better than the best to be better at all.
        argument: What the owner calls the column, for messages.
    """

    def __init__(
        self, owner: str, monitor: str, mode: Mode | None, min_delta: float = 0.0, argument: str = "monitor"
    ) -> None:
        self.owner = owner
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        self.argument = argument
        self.forget()

    def forget(self) -> None:
        """Know of no value."""
        self.best: float | None = None
        self.seen = -1  # the step of the newest value

    def begin(self, run: Run) -> None:
        """Find out which way is better, and refuse a column that cannot be.

        Raises:
            ConfigError: If the run will have no such column, or nobody says which way is better.
        """
        known = columns(run)
        hopeless = self.monitor.startswith("val_") and run.validates is False
        if self.monitor not in known and (self.mode is None or hopeless):
            raise self._unknown(known, "; for another one, mode must be given")
        metric = run.metrics.get(self.monitor.removeprefix("val_"))
        if self.mode is None and metric is not None:
            if metric.higher_is_better is None:
                raise ConfigError(
                    f"{self.owner} watches a single number. Received: {self.argument}={self.monitor!r}, of {metric!r}"
                )
            self._sign = -1 if metric.higher_is_better else 1
        else:
            self._sign = -1 if self.mode == "max" else 1

    def news(self, run: Run) -> float | None:
        """The column's value in the newest row, the first time it is there."""
        newest = run.rows[-1]
        if self.monitor not in newest or newest["step"] <= self.seen:
            return None
        value = run.row()[self.monitor]
        if not isinstance(value, int | float):
            raise ConfigError(f"{self.owner} watches a single number. Received: {self.monitor} = {value!r}")
        self.seen = newest["step"]
        return float(value)

    def is_better(self, value: float) -> bool:
        """Whether a value is the best so far, which is then remembered; a NaN never is."""
        if math.isnan(value):
            return False
        better = self.best is None or self._sign * value < self._sign * self.best - self.min_delta
        if better:
            self.best = value
        return better

    def expect_seen(self, run: Run) -> None:
        """Refuse a column that should have come up by now.

        Raises:
            ConfigError: If it has not.
        """
        if self.seen < 0:
            raise self._unknown([name for name in run.row() if name not in ("step", "epoch")])

    def _unknown(self, known: list[str], rule: str = "") -> ConfigError:
        near = difflib.get_close_matches(self.monitor, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return ConfigError(
            f"{self.owner} watches a column of the history: {', '.join(known)}{rule}.{hint} "
            f"Received: {self.argument}={self.monitor!r}"
        )


class Watcher(Callback, ABC):
    """A callback that acts on each new value of one column: an author writes `look`, and calls `__init__` last."""

    monitor: str
    mode: Mode | None

    def __init__(self, min_delta: float = 0.0) -> None:
        check_mode(self.mode)
        self._watch = Watch(type(self).__name__, self.monitor, self.mode, min_delta)
        self.forget()

    @abstractmethod
    def look(self, run: Run, value: float) -> None:
        """The column has a new value."""

    def forget(self) -> None:
        """Know of no value: a new run begins."""
        self._watch.forget()

    def on_fit_start(self, run: Run) -> None:
        """Begin to look, or go on."""
        if run.step == 0:
            self.forget()
        self._watch.begin(run)

    def on_step_end(self, run: Run) -> None:
        """Look at what an update brings."""
        self._news(run)

    def on_validation_end(self, run: Run) -> None:
        """Look at what a validation brings."""
        self._news(run)
        if self.monitor.startswith("val_"):
            self._watch.expect_seen(run)

    def on_epoch_end(self, run: Run) -> None:
        """Look at what a pass brings."""
        self._news(run)
        if not self.monitor.startswith("val_"):
            self._watch.expect_seen(run)

    def _news(self, run: Run) -> None:
        value = self._watch.news(run)
        if value is not None:
            self.look(run, value)

    def state_dict(self) -> dict[str, Any]:
        """The best value, and up to which step was looked."""
        return {"best": self._watch.best, "seen": self._watch.seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self._watch.best, self._watch.seen = state_dict["best"], state_dict["seen"]


def columns(run: Run) -> list[str]:
    """The columns that a run will have, as far as it knows itself; callbacks may add more."""
    plain = ["cost"] if run.validates else ["cost", *run.metrics]
    validated = [] if run.validates is False else [f"val_{name}" for name in ("cost", *run.metrics)]
    return plain + validated
