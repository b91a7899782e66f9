"""Laws for datasets: the same examples each time, in parts that are alike, and described so that they can be read."""

import inspect
import random
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import tomli_w
import torch
from torch import Tensor

from minigrad.core import Data, Dataset
from minigrad.errors import DataError
from minigrad.registry.fitting import annotation, fitted
from minigrad.registry.hints import hints_of, members
from minigrad.testing.law import LawBroken, Reason, demand, law
from minigrad.testing.laws.basics import plain
from minigrad.testing.trees import describe
from minigrad.testing.trial import Trial


def parts_of(data: Data) -> Iterator[tuple[str, Any]]:
    """The parts that there are, by name."""
    named = (("train", data.train), ("validation", data.validation), ("test", data.test))
    return ((name, part) for name, part in named if part is not None)


def tensors_of(data: Data) -> dict[str, Tensor]:
    """Every tensor that was loaded, by name."""
    found = {f"{part} {name}": t for part, pair in parts_of(data) for name, t in zip("xy", pair, strict=True)}
    return found | {name: t for name in ("shift", "scale") if (t := getattr(data, name)) is not None}


@law(Dataset)
def loads_examples(trial: Trial) -> None:
    """`load` gives a `Data` of pairs of tensors, with a row for each of one or more examples, and all finite."""
    data = trial.made().load()
    demand(isinstance(data, Data), "load must return a minigrad.Data.", describe(data))
    for name, part in parts_of(data):
        pair = isinstance(part, tuple) and len(part) == 2 and all(isinstance(t, Tensor) and t.dim() for t in part)
        demand(pair, f"{name} must be a pair of tensors (x, y).", describe(part))
        x, y = part
        demand(len(x) == len(y) > 0, f"{name} must have a row of x and y for each example.", describe(part))
        for tensor in part:
            demand(bool(tensor.isfinite().all()), f"{name} must hold finite numbers.", "NaN or an infinity")


@law(Dataset)
def same_examples_each_time(trial: Trial) -> None:
    """The same configuration gives the same data, bit for bit, however often it is asked and whatever else is drawn."""
    dataset = trial.made()
    first = dataset.load()
    with _reseeded():
        others = [dataset.load(), trial.made().load()]
    for again in others:
        one, two = ({name: _content(t) for name, t in tensors_of(data).items()} for data in (first, again))
        different = [name for name in one | two if one.get(name) != two.get(name)]
        demand(not different, "The same configuration gives the same data.", f"other {', '.join(different)}")
        for name in ("columns", "target", "classes", "vocabulary"):
            ours, theirs = getattr(first, name), getattr(again, name)
            demand(ours == theirs, f"The same configuration gives the same {name}.", f"{theirs}, before {ours}")


def _content(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.dtype, tensor.shape, tensor.contiguous().numpy().tobytes()


@contextmanager
def _reseeded() -> Iterator[None]:
    """With all shared generators at another place than before, and afterwards where they were."""
    states = torch.get_rng_state(), random.getstate(), numpy.random.get_state()
    try:
        torch.manual_seed(1)
        random.seed(1)
        numpy.random.seed(1)
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        numpy.random.set_state(states[2])


@law(Dataset)
def leaves_the_generators_alone(trial: Trial) -> None:
    """Loading draws from a generator of its own: those that all share stand as they stood."""
    dataset = trial.made()
    states = _states()
    dataset.load()
    moved = [name for name, state in _states().items() if state != states[name]]
    demand(not moved, "load leaves the random generators that all share as they are.", f"moved: {', '.join(moved)}")


def _states() -> dict[str, Any]:
    return {
        "torch's": torch.get_rng_state().tolist(),
        "Python's": random.getstate(),
        "numpy's": str(numpy.random.get_state(legacy=False)),
    }


@law(Dataset)
def loads_afresh(trial: Trial) -> None:
    """What is done to the loaded tensors does not show in what is loaded next."""
    dataset = trial.made()
    one, two = (tensors_of(dataset.load()) for _ in range(2))
    places = {tensor.untyped_storage().data_ptr() for tensor in one.values()}
    shared = [name for name, tensor in two.items() if tensor.untyped_storage().data_ptr() in places]
    demand(not shared, "Each load gives tensors of its own.", f"shared by two loads: {', '.join(shared)}")


@law(Dataset)
def parts_are_alike(trial: Trial) -> None:
    """The rows of all parts have one shape and one dtype."""
    data = trial.made().load()
    for name, pair in parts_of(data):
        for letter, ours, theirs in zip("xy", data.train, pair, strict=True):
            rule = f"A row of {letter} is {ours.dtype} of shape {tuple(ours.shape[1:])}, as in train."
            alike = (ours.shape[1:], ours.dtype) == (theirs.shape[1:], theirs.dtype)
            demand(alike, rule, f"{theirs.dtype} of shape {tuple(theirs.shape[1:])} in {name}")


@law(Dataset)
def classes_cover_the_targets(trial: Trial) -> None:
    """Targets of int64 are indices of `classes`, which all have names of their own; other targets are floats."""
    data = trial.made().load()
    demand(len(set(data.classes)) == len(data.classes), "Each class has a name of its own.", str(data.classes))
    if not data.classes:
        rule = "Targets without classes are floating-point numbers."
        demand(data.train[1].is_floating_point(), rule, str(data.train[1].dtype))
        return
    for name, (_, y) in parts_of(data):
        demand(y.dtype == torch.int64, "Targets with classes are their indices, in int64.", f"{y.dtype} in {name}")
        low, high = int(y.min()), int(y.max())
        rule = f"Targets are indices of the {len(data.classes)} classes."
        demand(low >= 0 and high < len(data.classes), rule, f"from {low} to {high} in {name}")


@law(Dataset)
def inputs_are_described(trial: Trial) -> None:
    """Each column of `x` has a name, a shift and a scale, if any has; each index in `x` a character, if any has."""
    data = trial.made().load()
    scaling = [None if t is None else tuple(t.shape) for t in (data.shift, data.scale)]
    for name, (x, _) in parts_of(data):
        if data.columns:
            rule = f"x has the columns {', '.join(data.columns)}, each of its own name."
            named = tuple(x.shape[1:]) == (len(set(data.columns)),) == (len(data.columns),)
            demand(named, rule, f"shape {tuple(x.shape)} in {name}")
        if data.vocabulary:
            covered = x.dtype == torch.int64 and int(x.min()) >= 0 and int(x.max()) < len(data.vocabulary)
            once = len(set(data.vocabulary)) == len(data.vocabulary)
            rule = f"x holds indices of the {len(data.vocabulary)} characters, each of which stands there once."
            demand(covered and once, rule, f"{describe(x)} in {name}, {data.vocabulary!r}")
    columns = (len(data.columns),)
    demand(scaling in ([None, None], [columns, columns]), "shift and scale have a number per column.", str(scaling))
    if data.scale is not None and data.shift is not None:
        sound = bool((data.scale > 0).all() and data.scale.isfinite().all() and data.shift.isfinite().all())
        demand(sound, "Shifts are finite, and scales positive, too.", f"{data.shift}, {data.scale}")


@law(Dataset)
def stands_in_a_file(trial: Trial) -> None:
    """The configuration comes back from a TOML file as it was."""
    dataset = trial.made()
    config = {name: value for name, value in dataset.config().items() if value is not None}
    try:
        text = tomli_w.dumps(config)
    except TypeError as error:
        rule = "Arguments are stored as a TOML file holds them: a path as a str."
        raise LawBroken(rule, f"{config}, of which {error}") from error
    cls: Any = type(dataset)
    hints, parameters = hints_of(cls), inspect.signature(cls).parameters
    read = {name: fitted(value, annotation(parameters[name], hints)) for name, value in tomllib.loads(text).items()}
    twin = cls(**read)
    ours, theirs = plain(dataset.config()), plain(twin.config())
    demand(
        ours == theirs, "A dataset read from a file has the configuration that was written.", f"{theirs}, not {ours}"
    )


def paths_of(cls: type) -> list[str]:
    """The constructor's arguments that are files."""
    return [name for name, hint in hints_of(cls).items() if Path in members(hint)]


def _without_file(trial: Trial) -> Reason:
    return None if paths_of(type(trial.made())) else "it reads no file"


@law(Dataset, unless=_without_file)
def reads_on_load(trial: Trial) -> None:
    """A missing file is no fault of the constructor, which touches none; `load` tells it with a `DataError`."""
    dataset = trial.made()
    cls: Any = type(dataset)
    for name in paths_of(cls):
        with tempfile.TemporaryDirectory() as folder:
            missing = Path(folder) / "missing"
            try:
                made = cls(**(dataset.config() | {name: missing}))
            except Exception as error:
                rule = "The constructor touches no file."
                raise LawBroken(rule, f"{type(error).__name__}: {error}, for {name}={missing}") from error
            try:
                made.load()
            except DataError as error:
                demand(str(missing) in str(error), "The error names the missing file.", repr(str(error)))
            except Exception as error:
                rule = "A missing file is told with a DataError."
                raise LawBroken(rule, f"{type(error).__name__}: {error}") from error
            else:
                demand(False, "A missing file is told with a DataError.", "no error")
