"""Laws for callbacks: they look on, remember what they need, and keep to their place."""

import contextlib
import copy
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from minigrad.core import Callback
from minigrad.testing.law import demand, law
from minigrad.testing.rehearsal import STEPS, Rehearsal
from minigrad.testing.trial import Trial


@contextlib.contextmanager
def somewhere() -> Iterator[tuple[Path, Path]]:
    """The folder of a run, and another, empty one, in which the law works."""
    with tempfile.TemporaryDirectory() as run, tempfile.TemporaryDirectory() as work, contextlib.chdir(work):
        yield Path(run), Path(work)


def files(folder: Path) -> list[str]:
    """Whatever lies in a folder, at any depth."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@law(Callback)
def constructor_touches_no_file(trial: Trial) -> None:
    """A callback is made, shown and copied without a file being made: work begins with the run."""
    with somewhere() as (_, work):
        callback = trial.made()
        repr(copy.deepcopy(callback).config())
        demand(not files(work), "A callback's constructor touches no file.", ", ".join(files(work)))


@law(Callback)
def keeps_to_the_runs_folder(trial: Trial) -> None:
    """Files that are named without a folder lie in `run.folder`."""
    with somewhere() as (folder, work):
        Rehearsal(trial.made(), folder).whole()
        demand(not files(work), "Relative paths begin in run.folder.", f"{', '.join(files(work))} outside of it")


@law(Callback)
def leaves_the_training_alone(trial: Trial) -> None:
    """As long as the run goes on, costs and weights are those of a run without the callback, bit for bit."""
    with somewhere() as (folder, _):
        watched, alone = Rehearsal(trial.made(), folder).whole(), Rehearsal(None, folder).whole()
        names = [list(net.state_dict()) for net in (watched.net, alone.net)]
    demand(names[0] == names[1], "Wrapping a layer keeps the names in the state dict.", ", ".join(names[0]))
    for step, (ours, theirs) in enumerate(zip(watched.weights, alone.weights, strict=False)):
        costs = [run.run.rows[step]["cost"] for run in (watched, alone)]
        same = float(costs[0]) == float(costs[1]) and all(map(torch.equal, ours, theirs))
        rule = f"Step {step} gives the cost and the weights that it gives without the callback."
        demand(same, rule, f"cost {float(costs[0]):.9g}, without it {float(costs[1]):.9g}")


@law(Callback)
def callback_resumes(trial: Trial) -> None:
    """A callback that takes over another one's state dict, saved and read again, goes on as that one does."""
    with somewhere() as (folder, work):
        whole = Rehearsal(trial.made(), folder).whole()
        for kill in range(1, STEPS):
            if kill >= whole.run.step:
                break  # it was stopped by then, and a stopped run that is resumed goes on
            first = Rehearsal(trial.made(), work / str(kill))
            first.run.folder.mkdir()
            first.start()
            first.advance(kill)
            state = first.save()
            first.advance(kill + 1)  # what is done after the save is lost
            first.end()
            second = Rehearsal(trial.made(), first.run.folder, seed=1)
            second.x, second.y = whole.x, whole.y
            second.load(state)
            second.start()
            second.advance(STEPS)
            second.end()
            _expect_same(f"Killed and resumed after {kill} updates, a run gives", second, whole)


@law(Callback)
def begins_anew(trial: Trial) -> None:
    """A callback that was in one run and is given to another begins anew."""
    with somewhere() as (folder, _):
        callback = trial.made()
        first = Rehearsal(callback, folder).whole()
        _expect_same("A second run with the same callback gives", Rehearsal(callback, folder).whole(), first)


@law(Callback)
def callback_copies(trial: Trial) -> None:
    """A deep copy of a callback, and one that was pickled where it can be, does the same."""
    with somewhere() as (folder, _):
        callback = trial.made()
        copies: dict[str, Any] = {"deep": copy.deepcopy(callback)}
        if "<locals>" not in type(callback).__qualname__:
            copies["pickled"] = pickle.loads(pickle.dumps(callback))
        whole = Rehearsal(callback, folder).whole()
        for how, twin in copies.items():
            demand(repr(twin) == repr(callback), f"A {how} copy shows the same repr.", f"{twin!r} from {callback!r}")
            _expect_same(f"A {how} copy gives", Rehearsal(twin, folder).whole(), whole)


def _expect_same(what: str, received: Rehearsal, expected: Rehearsal) -> None:
    for ours, theirs in zip(received.rows(), expected.rows(), strict=False):
        demand(ours == theirs, f"{what} the row {theirs}.", str(ours))
    ends = [f"{len(r.run.rows)} updates, stopped={r.run.stopped!r}" for r in (received, expected)]
    demand(ends[0] == ends[1], f"{what} {ends[1]}.", ends[0])
    same = all(map(torch.equal, received.run.net.parameters(), expected.run.net.parameters()))
    demand(same, f"{what} the same weights in the end.", "others")
