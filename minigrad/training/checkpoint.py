"""Checkpoint: where and when the whole state of a run is written, and how it is taken up again."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from minigrad.callbacks.watch import check_mode
from minigrad.core import Callback, Component, Layer, Metric, Mode, Optimizer, Run
from minigrad.core.checks import check_count
from minigrad.errors import CheckpointError, ConfigError, MinigradError
from minigrad.files import read_tree, write_file, write_tree
from minigrad.files.locking import held
from minigrad.training.data import Batches
from minigrad.training.history import from_columns
from minigrad.training.randomness import packed, random_states, set_random_states, unpacked

KIND = "checkpoint"


class Checkpoint:
    """Writes the state of a run into a folder: `checkpoint.safetensors` is always the newest.

    A file holds all that decides how a run goes on: parameters and buffers, the optimizer's and the schedule's state,
    the order of the data and the place in it, every random generator, the history, and what callbacks and metrics
    remember. A run that is killed and resumed therefore ends with the same bits as one that was not.

    Args:
        folder: Made if it is not there.
        every: Updates between two files; `None` writes one at the end of each pass over the data. One is written when
            the run begins, and one when it ends.
        keep: How many of the newest are kept; with more than one, `checkpoint-<step>.safetensors` stand beside it.
        best: A column of the history, such as `"val_cost"`; whenever it reaches a new best, `best.safetensors` is
            written.
        mode: Whether the smaller (`"min"`) or the larger (`"max"`) value is better; `None` takes what the metric of
            that name says, and `"min"` for a cost.

    Raises:
        ValueError: If `every` or `keep` is no positive whole number, or `mode` is unknown.
        ConfigError: If `folder` is no path.

    Examples:
        >>> Checkpoint("runs/digits", every=100, keep=3, best="val_cost")
        Checkpoint('runs/digits', every=100, keep=3, best='val_cost', mode=None)
    """

    def __init__(
        self,
        folder: Path | str,
        every: int | None = None,
        keep: int = 1,
        best: str | None = None,
        mode: Mode | None = None,
    ) -> None:
        check_count(every=every, keep=keep)
        check_mode(mode)
        if not isinstance(folder, str | os.PathLike):
            raise ConfigError(f"A checkpoint is given as a folder or a Checkpoint. Received: {folder!r}")
        self.folder = Path(folder)
        self.every = every
        self.keep = keep
        self.best = best
        self.mode = mode

    @property
    def newest(self) -> Path:
        """The file that a run goes on from."""
        return self.folder / "checkpoint.safetensors"

    @property
    def best_file(self) -> Path:
        """The file of the best value so far."""
        return self.folder / "best.safetensors"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep every other run out of it.

        Raises:
            CheckpointError: If it cannot be made, or another run is going on in it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"{self.folder}: the folder cannot be made. Received: {error.strerror}") from error
        with ExitStack() as stack:
            try:
                stack.enter_context(held(self.folder, nested=True))
            except BlockingIOError:
                raise CheckpointError(f"{self.folder}: another run is going on in this folder") from None
            yield

    def kept(self) -> list[Path]:
        """The numbered files, the oldest first."""
        steps = {path: path.stem.removeprefix("checkpoint-") for path in self.folder.glob("checkpoint-*.safetensors")}
        return sorted((path for path, step in steps.items() if step.isdecimal()), key=lambda path: int(steps[path]))

    def write(self, state: Mapping[str, Any], step: int) -> Path:
        """Write the newest file, and forget those that are too old."""
        write_tree(self.newest, dict(state), kind=KIND)
        self.number(step)
        return self.newest

    def number(self, step: int) -> None:
        """Keep the newest file under its number, and forget those that are too old.

        Whoever goes on from a file does so, too: the run may have been killed between writing and this.
        """
        if self.keep == 1:
            return
        # The same bytes under a second name, where the file system knows how; it is whole from the first moment.
        path = self.folder / f"checkpoint-{step:09d}.safetensors"
        path.unlink(missing_ok=True)
        try:
            os.link(self.newest, path)
        except OSError:
            write_file(path, self.newest.read_bytes())
        for old in self.kept()[: -self.keep]:
            old.unlink(missing_ok=True)

    def __repr__(self) -> str:
        return (
            f"Checkpoint({str(self.folder)!r}, every={self.every}, keep={self.keep}, best={self.best!r}, "
            f"mode={self.mode!r})"
        )


def state_of(
    run: Run,
    batches: Batches,
    callbacks: Sequence[Callback],
    metrics: Sequence[Metric],
    settings: Mapping[str, Any],
    best: float | None,
    history: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that decides how a run goes on."""
    return {
        "step": run.step,
        "epoch": run.epoch,
        "best": best,
        "settings": dict(settings),
        "net": dict(run.net.state_dict()),
        "optimizer": run.optimizer.state_dict(),
        "schedule": None if run.schedule is None else run.schedule.state_dict(),
        "data": batches.state_dict(),
        "random": packed(random_states()),
        "history": dict(history),
        "callbacks": _remembered(callbacks),
        "metrics": [{"name": type(m).__name__, "state": m.state_dict()} for m in metrics],
    }


def restore(
    path: Path,
    run: Run,
    batches: Batches,
    callbacks: Sequence[Callback],
    metrics: Sequence[Metric],
    settings: Mapping[str, Any],
) -> float | None:
    """Put everything where `state_of` found it, and return the best value so far.

    Raises:
        CheckpointError: If the file is damaged, or is that of another run: it says in what they differ.
    """
    state = read_tree(path, kind=KIND)
    try:
        names = {"metrics": [type(metric).__name__ for metric in metrics]}
        _expect_equal(path, {"metrics": [part["name"] for part in state["metrics"]]}, names)
        _expect_equal(path, *_without_moved(state, settings, run.optimizer))
        _expect_dtypes(path, state["net"], run.net)
        remembering = _pairs(path, state["callbacks"], callbacks)
        run.net.load_state_dict(state["net"])
        # The schedule sets rates; what somebody has changed since stands in the optimizer's state, which comes second.
        if run.schedule is not None:
            run.schedule.load_state_dict(state["schedule"])
        run.optimizer.load_state_dict(state["optimizer"])
        batches.load_state_dict(state["data"])
        for callback, remembered in remembering:
            callback.load_state_dict(remembered)
        for metric, saved in zip(metrics, state["metrics"], strict=True):
            metric.load_state_dict(saved["state"])
        run.step, run.epoch, run.rows[:] = state["step"], state["epoch"], from_columns(state["history"])
        set_random_states(unpacked(state["random"]))
        best: float | None = state["best"]
    except CheckpointError:
        raise
    except Exception as error:  # whatever takes over a state of another net, version or plugin may raise any
        told = error if isinstance(error, MinigradError) else f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{path} is the checkpoint of another run: {told}") from error
    return best


def description(run: Run) -> dict[str, Any]:
    """What learns, from what and how, before the first update: each argument under its path, `net.layers.0.p`, say."""
    groups = run.optimizer.groups
    parts = {"net": run.net, "loss": run.loss, "optimizer": groups[0] if len(groups) == 1 else groups}
    return dict(_leaves({**parts, "schedule": run.schedule, "metric": run.metrics, "validates": run.validates}, ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Component):
        yield path, type(value).__name__
        try:
            value = value.config()
        except AttributeError:  # somebody's class that does not keep its arguments
            return
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _leaves(item, f"{path}.{i}")
    else:  # tensors, functions and the like are compared by their sort alone
        yield path, value if type(value) in (str, int, float, bool, type(None)) else type(value).__name__


def _without_moved(
    state: Mapping[str, Any], settings: Mapping[str, Any], optimizer: Optimizer
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings to compare: of an optimizer that has come as far as the file, or further, not its arguments."""
    saved, ours = dict(state["settings"]), dict(settings)
    now = [group.config() for group in optimizer.groups]
    used = any(parameter_state for group in optimizer.groups for parameter_state in group.states)
    if used or now == [group["config"] for group in state["optimizer"]["groups"]]:
        for table in (saved, ours):
            for name in [name for name in table if name.startswith("optimizer.")]:
                del table[name]
    return saved, ours


def _remembered(callbacks: Sequence[Callback]) -> list[dict[str, Any]]:
    """What callbacks remember; those that remember nothing may come and go between runs."""
    states = [(type(callback).__name__, callback.state_dict()) for callback in callbacks]
    return [{"name": name, "state": state} for name, state in states if state]


def _pairs(
    path: Path, saved: Sequence[Mapping[str, Any]], callbacks: Sequence[Callback]
) -> list[tuple[Callback, dict[str, Any]]]:
    """Each callback that remembers something, and what; the second of a class is given what the second remembered."""
    left = list(callbacks)
    found = []
    for part in saved:
        callback = next((c for c in left if type(c).__name__ == part["name"]), None)
        if callback is None:
            raise CheckpointError(
                f"{path} holds what a {part['name']} remembers, so the run goes on with one. "
                f"Received: callbacks={[type(c).__name__ for c in callbacks]}"
            )
        left.remove(callback)
        found.append((callback, part["state"]))
    return found


def _expect_equal(path: Path, saved: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    for name in {**ours, **saved}:
        if saved.get(name) != ours.get(name):
            raise CheckpointError(
                f"A run is resumed as it was begun; {path} was written with {name}={saved.get(name)!r}. "
                f"Received: {name}={ours.get(name)!r}"
            )


def _expect_dtypes(path: Path, saved: Mapping[str, Tensor], net: Layer) -> None:
    for name, tensor in net.state_dict().items():
        if name in saved and saved[name].dtype != tensor.dtype:
            raise CheckpointError(
                f"Weights are resumed in their own dtype; in {path} {name} is {saved[name].dtype}. "
                f"Received: a net in {tensor.dtype}"
            )
