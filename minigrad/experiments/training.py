"""An experiment trained into a folder."""

import filecmp
import math
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from minigrad.core import Data
from minigrad.errors import ConfigError, MinigradError
from minigrad.experiments.faults import shortened
from minigrad.experiments.folder import RUNS, RunFolder, locked, make, name_of, new_folder, newest_run
from minigrad.experiments.journal import Journal, check_cost, is_pause
from minigrad.experiments.parts import Parts
from minigrad.experiments.plan import DATA, Plan, load_data, parts_of, read_plan, rehearse
from minigrad.experiments.provenance import now, provenance
from minigrad.experiments.toml import toml_text
from minigrad.files import read_tree, write_file
from minigrad.registry import build
from minigrad.training import Checkpoint, History, evaluate, fit
from minigrad.training.checkpoint import KIND as CHECKPOINT
from minigrad.training.saving import save

_LENGTHS = ("train.epochs", "train.steps")
_HEADING = "The experiment as it was run, with every default. To run it again: minigrad train experiment.toml"


class TrainingError(MinigradError, RuntimeError):
    """A training that began has failed; the text says where its folder is."""


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes:
        folder: The run's folder.
        status: `"complete"`, `"stopped"` (by a callback) or `"interrupted"` (by Ctrl-C).
        stopped: Why it ended early, or nothing.
        steps: Updates made, those of earlier sessions included.
        epochs: Passes over the data, the last one perhaps incomplete.
        result: By part of the data (`"train"`, `"validation"`, `"test"`), the cost and the metrics of the final net.
        was_done: Whether nothing was left to do.
    """

    folder: RunFolder
    status: str
    stopped: str = ""
    steps: int = 0
    epochs: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    was_done: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        values = {name: getattr(self, name) for name in ("status", "stopped", "steps", "epochs", "result", "was_done")}
        return {"folder": str(self.folder.path), **values}


def train(
    file: Path,
    *,
    settings: Sequence[str] = (),
    out: Path | None = None,
    resume: bool = False,
    device: str | None = None,
    progress: bool = True,
) -> Outcome:
    """Train an experiment into a folder.

    Args:
        file: The experiment.
        settings: Values that go before those of the file, as `optimizer.lr=0.1`.
        out: The folder; by default the first of `runs/<name>`, `runs/<name>-2`, ... that is free.
        resume: Whether to go on with the run in `out` or, without one, with the experiment's newest run.
        device: Goes before `train.device`.
        progress: Whether to show on standard error how far the run is.

    Raises:
        ConfigError: If the experiment or the folder is not what it must be; nothing has been written then.
        TrainingError: If the training fails.
    """
    plan = read_plan(file, settings, device)
    folder = _folder(plan, out, resume)
    resumed, is_longer = folder is not None and folder.exists, False
    with ExitStack() as stack:
        if folder is not None and resumed:
            stack.enter_context(locked(folder))
            plan, is_longer = _plan_to_go_on_by(plan, folder)
            if (done := _done(folder, is_longer)) is not None:
                return done
        stack.enter_context(_random_and_threads(plan))
        parts = parts_of(plan)
        data = load_data(plan, parts)
        rehearse(plan, parts, data)
        if folder is None or not resumed:
            folder = _begun(plan, folder, stack)
        elif is_longer:
            _lengthen(plan, folder)
        return _trained(plan, parts, data, folder, progress)


def _folder(plan: Plan, out: Path | None, resume: bool) -> RunFolder | None:
    """The folder that is asked for; `None` for the next free one."""
    if out is None:
        name = name_of(plan.experiment.path)
        found = newest_run(name) if resume else None
        if resume and found is None:
            raise ConfigError(f"--resume goes on with a run of {name}. Received: none in {RUNS}; leave --resume out")
        return found
    folder = RunFolder(out)
    if resume and folder.exists:
        return folder
    _check_free(folder)
    return folder


def _check_free(folder: RunFolder) -> None:
    if not folder.is_free:
        hint = "--resume goes on with the run that it holds" if folder.exists else "choose another one"
        raise ConfigError(f"--out must be a new or an empty folder; {hint}. Received: {folder.path}")


def _plan_to_go_on_by(plan: Plan, folder: RunFolder) -> tuple[Plan, bool]:
    """The plan that the folder's run was begun by, which the file must describe still; or that plan for more passes or
    updates, and whether it is.
    """
    begun = read_plan(folder.experiment)
    ours, theirs = _flat(plan.tables), _flat(begun.tables)
    if plan.experiment.train["threads"] is None:
        ours["train.threads"] = theirs["train.threads"]
    differing = [name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name)]
    longer = [name for name in _LENGTHS if name in ours and name in theirs and ours[name] > theirs[name]]
    if differing := [name for name in differing if name not in longer]:
        listed = "".join(f"\n  {name}: {theirs.get(name)!r} then, {ours.get(name)!r} now" for name in differing[:20])
        raise ConfigError(f"A run is resumed as it was begun; {folder.path} was begun otherwise:{listed}", differing)
    for name, file in plan.files.items():
        if not filecmp.cmp(file, folder.path / name, shallow=False):
            raise ConfigError(f"A run is resumed with the data that it was begun with. Received: {file}, which differs")
    if longer:
        begun = read_plan(folder.experiment, [f"{name}={ours[name]}" for name in longer])
    return begun, bool(longer)


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every value of nested tables, by its path."""
    if isinstance(value, Mapping):
        items = [(f"{path}.{key}".lstrip("."), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{i}]", item) for i, item in enumerate(value)]
    else:
        return {path: value}
    return {name: leaf for key, item in items for name, leaf in _flat(item, key).items()}


def _done(folder: RunFolder, is_longer: bool) -> Outcome | None:
    """How the run ended, if it did; one that a callback stopped would have been stopped in a longer run, too."""
    record = folder.record()
    ends = ("stopped",) if is_longer else ("complete", "stopped")
    if record.get("status") not in ends or not folder.model.is_file():
        return None
    if is_pause(record.get("stopped", "")):
        return None
    names = ("status", "stopped", "steps", "epochs", "result")
    return Outcome(folder, **{name: record[name] for name in names if name in record}, was_done=True)


@contextmanager
def _random_and_threads(plan: Plan) -> Iterator[None]:
    """Set the number of threads and every random generator, and leave all of them as they were found."""
    seed, threads = plan.experiment.seed, torch.get_num_threads()
    python, numbers = random.getstate(), numpy.random.get_state()
    torch.set_num_threads(plan.tables["train"]["threads"])
    try:
        with torch.random.fork_rng(devices=[]):
            # A component of somebody else's may draw from these; torch's own is seeded where the weights are drawn.
            random.seed(seed)
            numpy.random.seed(seed % 2**32)
            yield
    finally:
        torch.set_num_threads(threads)
        random.setstate(python)
        numpy.random.set_state(numbers)


def _begun(plan: Plan, folder: RunFolder | None, stack: ExitStack) -> RunFolder:
    """The folder with all that a run begins with; the experiment is written last, and makes it one."""
    if folder is None:
        folder = new_folder(name_of(plan.experiment.path))
    make(folder)
    stack.enter_context(locked(folder))
    _check_free(folder)  # again: another process may have begun and ended a run since
    try:
        for name, file in plan.files.items():
            target = folder.path / name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, target)
        write_file(folder.experiment, toml_text(plan.tables, _HEADING))
    except OSError as error:
        raise ConfigError(f"{folder.path}: the folder cannot be written to. Received: {error.strerror}") from error
    return folder


def _lengthen(plan: Plan, folder: RunFolder) -> None:
    """Make the folder that of a longer run; without final weights it is one that goes on, whatever comes between."""
    if folder.checkpoint.exists():
        read_tree(folder.checkpoint, kind=CHECKPOINT)  # from one that is damaged no run goes on: its weights must stay
    try:
        folder.model.unlink(missing_ok=True)
        write_file(folder.experiment, toml_text(plan.tables, _HEADING))
    except OSError as error:
        raise ConfigError(f"{folder.path}: the folder cannot be written to. Received: {error.strerror}") from error


def _trained(plan: Plan, parts: Parts, data: Data, folder: RunFolder, progress: bool) -> Outcome:
    record = folder.record()
    record.setdefault("provenance", provenance(plan.tables))
    record.setdefault("sessions", []).append({"started": now(), "ended": None})
    journal = Journal(folder.log)
    try:
        folder.write_record(record | {"status": "running"})
        history = _fitted(plan, parts, data, folder, journal, progress)
        outcome = _finished(plan, parts, data, folder, history, record["provenance"])
        _close(record, outcome.status, folder, {key: v for key, v in outcome.as_dict().items() if key != "folder"})
    except (
        MinigradError,
        ArithmeticError,
        LookupError,
        MemoryError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as e:
        text = " ".join([shortened(e, 1000) or type(e).__name__, *getattr(e, "__notes__", [])])
        with suppress(OSError):  # it may have failed because the disk is full
            _close(record, "failed", folder, {"error": f"{type(e).__name__}: {text}"})
        raise TrainingError(f"{folder.path}: the training has failed: {text}") from e
    return outcome


def _close(record: dict[str, Any], status: str, folder: RunFolder, more: Mapping[str, Any]) -> None:
    record["sessions"][-1]["ended"] = now()
    folder.write_record(record | dict(more) | {"status": status})


def _fitted(plan: Plan, parts: Parts, data: Data, folder: RunFolder, journal: Journal, progress: bool) -> History:
    train, every = plan.experiment.train, plan.experiment.schedule_every
    log = build({"name": "minigrad:jsonl_log", "kind": "callback", "path": folder.history.name})
    return fit(
        parts.net,
        parts.loss,
        parts.optimizer,
        data.train,
        **{name: train[name] for name in ("epochs", "steps", "batch_size", "shuffle", "accumulate", "clip")},
        validation=data.validation,
        validate_every=train["validate_every"],
        metrics=parts.metrics,
        callbacks=[*parts.callbacks, log, journal],
        schedule=parts.schedule,
        schedule_every="epoch" if every == "epoch" else "step",
        seed=plan.experiment.seed,
        device=train["device"],
        checkpoint=Checkpoint(folder.path, **plan.experiment.checkpoint),
        resume=True,
        progress=progress,
    )


def _finished(
    plan: Plan, parts: Parts, data: Data, folder: RunFolder, history: History, origin: Mapping[str, Any]
) -> Outcome:
    """What came out; a run that was not interrupted has its final weights written."""
    rows = history.rows
    check_cost(rows[-1] if rows else {})
    status = {"": "complete", "interrupted": "interrupted"}.get(history.stopped, "stopped")
    epochs = rows[-1]["epoch"] + 1 if rows else 0
    outcome = Outcome(folder, status, history.stopped, len(rows), epochs)
    if status == "interrupted":
        return outcome
    result = {part: judged(plan, parts, pair) for part, pair in parts_of_data(data).items()}
    notes = {**_reading(plan, data), "result": result, "provenance": dict(origin)}
    save(parts.net.to("cpu"), folder.model, notes=notes)
    return replace(outcome, result=result)


def parts_of_data(data: Data) -> dict[str, Any]:
    """The parts that there are, by name."""
    named = {"train": data.train, "validation": data.validation, "test": data.test}
    return {name: pair for name, pair in named.items() if pair is not None}


def judged(plan: Plan, parts: Parts, pair: Any) -> dict[str, Any]:
    """The cost and the metrics of the net on one part of the data, as JSON can hold them."""
    values = evaluate(
        parts.net,
        parts.loss,
        pair,
        metrics=[deepcopy(metric) for metric in parts.metrics],
        device=plan.experiment.train["device"],
    )
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _reading(plan: Plan, data: Data) -> dict[str, Any]:
    """What is needed to read new rows and to show what the net makes of them."""
    return {
        "columns": list(data.columns),
        "target": data.target,
        "classes": list(data.classes),
        "shift": None if data.shift is None else data.shift.tolist(),
        "scale": None if data.scale is None else data.scale.tolist(),
        "vocabulary": data.vocabulary,
        "shape": list(data.train[0].shape[1:]),
        "loss": plan.tables["loss"],
    }


def data_folder(folder: RunFolder) -> Path:
    """Where a run keeps the data files that it learned from."""
    return folder.path / DATA
