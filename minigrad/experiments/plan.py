"""An experiment that was read and found sound, before anything is written."""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Data, Pair, constructor_arguments
from minigrad.core.checks import check_device
from minigrad.errors import ConfigError, MinigradError
from minigrad.experiments.faults import Faults, shortened
from minigrad.experiments.parts import DTYPES, Parts, make_parts, move_tensors
from minigrad.experiments.schema import Experiment, experiment_of
from minigrad.experiments.toml import check_values, read_toml, set_values
from minigrad.registry import current_registry
from minigrad.registry.hints import hints_of, members
from minigrad.registry.kinds import KINDS

# The folder of a run in which the data files stand that it learned from.
DATA = "data"


@dataclass(frozen=True)
class Plan:
    """A sound experiment.

    Attributes:
        experiment: As it was written.
        tables: The file that gives the same run again, complete with every default.
        files: The data files, by where they stand in the run's folder.
    """

    experiment: Experiment
    tables: dict[str, Any]
    files: dict[str, Path]


def read_plan(path: Path, settings: Sequence[str] = (), device: str | None = None) -> Plan:
    """Read an experiment and see that every part of it can be built; nothing is written.

    Args:
        path: The TOML file.
        settings: Values that go before those of the file, as `optimizer.lr=0.1`.
        device: Goes before `train.device`.

    Raises:
        ConfigError: If something is wrong; all that is, is listed.
    """
    tables = read_toml(path)
    faults = Faults(str(path))
    check_values(tables, faults)
    faults.check()  # what comes after does not expect such values
    set_values(tables, settings, faults)
    if device is not None:
        set_values(tables, [f"train.device={device!r}"], faults)
    check_values(tables, faults)
    faults.check()
    experiment = experiment_of(tables, path, faults)
    _check_device(experiment, faults)
    with torch.random.fork_rng(devices=[]):
        parts = make_parts(experiment, faults, only_check=True)
    faults.check()
    assert parts is not None
    return Plan(experiment, *_complete(experiment, parts))


def _check_device(experiment: Experiment, faults: Faults) -> None:
    device, dtype = experiment.train["device"], experiment.train["dtype"]
    if any(line.startswith("train.device") for line in faults.lines):
        return
    try:
        check_device(device, DTYPES[dtype])
    except ConfigError as error:
        faults.add("train.device", str(error))


def _complete(experiment: Experiment, parts: Parts) -> tuple[dict[str, Any], dict[str, Path]]:
    """The tables of the same experiment with nothing left to a default, and its data files."""
    files: dict[str, Path] = {}
    with_paths = parts.descriptions | {"data": _with_paths(parts)}
    described = {key: _plain(value, files) for key, value in with_paths.items()}
    net = described["net"]
    if net["name"] == "minigrad:sequential" and set(net) == {"name", "layers"}:
        net = net["layers"]
    tables: dict[str, Any] = {"seed": experiment.seed, "net": net, "loss": described["loss"]}
    tables |= {key: described[key] for key in ("metrics", "callbacks") if described[key]}
    tables |= {"data": described["data"], "optimizer": described["optimizer"]}
    if "schedule" in described:
        tables["schedule"] = described["schedule"] | {"every": experiment.schedule_every}
    for section in ("train", "checkpoint"):
        tables[section] = {key: value for key, value in getattr(experiment, section).items() if value is not None}
    tables["train"].setdefault("threads", torch.get_num_threads())
    return tables, files


def _with_paths(parts: Parts) -> dict[str, Any]:
    """The description of the dataset, its files as paths, in whatever form it keeps them."""
    hints = hints_of(type(parts.dataset))
    paths = {name for name, hint in hints.items() if Path in members(hint)}
    return {
        key: Path(value) if key in paths and value is not None else value
        for key, value in parts.descriptions["data"].items()
    }


def _plain(value: Any, files: dict[str, Path]) -> Any:
    """A description as TOML can hold it: what is left out has its default, which TOML may have no word for."""
    if isinstance(value, Mapping):
        plain = {key: _plain(item, files) for key, item in value.items() if not _is_default(value, key, item)}
        return {key: item for key, item in plain.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item, files) for item in value]
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, Path):
        return _filed(value, files) if value.is_absolute() else value.as_posix()
    return value


def _is_default(spec: Mapping[str, Any], key: str, value: Any) -> bool:
    """Whether a value that no file can say is its argument's default."""
    if not isinstance(value, float) or math.isfinite(value) or "name" not in spec:
        return False
    cls = current_registry().find(spec["name"], KINDS)[0].cls
    return any(argument.name == key and argument.default == value for argument in constructor_arguments(cls))  # type: ignore[arg-type]


def _filed(path: Path, files: dict[str, Path]) -> str:
    """Where a data file stands in the run's folder: under its own name, numbered if that is taken."""
    for name, other in files.items():
        if other == path:
            return name
    name, number = f"{DATA}/{path.name}", 2
    while name in files:
        name, number = f"{DATA}/{path.stem}-{number}{path.suffix}", number + 1
    files[name] = path
    return name


def parts_of(plan: Plan) -> Parts:
    """The parts, with the net's weights drawn from the experiment's seed and moved to its device.

    Raises:
        ConfigError: If they cannot be made after all, for want of memory.
    """
    faults = Faults(str(plan.experiment.path))
    torch.manual_seed(plan.experiment.seed)
    parts = make_parts(plan.experiment, faults)
    faults.check()
    assert parts is not None
    device, dtype = torch.device(plan.experiment.train["device"]), DTYPES[plan.experiment.train["dtype"]]
    parts.net.to(device)
    move_tensors(parts.loss, device, dtype)
    return parts


def load_data(plan: Plan, parts: Parts) -> Data:
    """The examples, in the dtype of the net.

    Raises:
        ConfigError: If they cannot be made, or the machine cannot hold them.
        MissingExtraError: If a package is needed that is not installed.
    """
    try:
        data = parts.dataset.load()
    except ImportError:
        raise
    except (MinigradError, ValueError, OSError) as error:
        raise ConfigError(f"{plan.experiment.path}: data: {_told(error)}") from error
    except (MemoryError, RuntimeError, OverflowError) as error:
        raise ConfigError(f"{plan.experiment.path}: data: the examples cannot be made: {_told(error)}") from error
    dtype = DTYPES[plan.experiment.train["dtype"]]

    def cast(pair: Any) -> Any:
        return None if pair is None else tuple(t.to(dtype) if t.is_floating_point() else t for t in pair)

    return replace(data, train=cast(data.train), validation=cast(data.validation), test=cast(data.test))


def rehearse(plan: Plan, parts: Parts, data: Data) -> None:
    """See that net, loss and metrics take the data, on a few rows of each part; nothing is learned or drawn.

    Raises:
        ConfigError: If one of them does not, or a column is watched that these data do not give.
    """
    _check_watched(plan, parts, data)
    for pair in (data.train, data.validation, data.test):
        if pair is not None:
            _rehearse_part(plan, parts, pair)


def _check_watched(plan: Plan, parts: Parts, data: Data) -> None:
    watched = {"checkpoint.best": plan.experiment.checkpoint["best"]}
    watched |= {
        f"callbacks[{i}].monitor": getattr(callback, "monitor", None) for i, callback in enumerate(parts.callbacks)
    }
    for path, column in watched.items():
        if data.validation is None and str(column).startswith("val_"):
            raise ConfigError(
                f"{plan.experiment.path}: {path}: {column} is measured on a validation part. Received: data without one"
            )


def _rehearse_part(plan: Plan, parts: Parts, pair: Pair) -> None:
    rows = _telling_rows(pair)
    x, y = (part[rows].to(plan.experiment.train["device"]) for part in pair)
    stage = "net"
    try:
        with torch.random.fork_rng(devices=[]):
            prediction = parts.net(x)
            stage = "loss"
            cost, cache = parts.loss.forward(prediction, y)
            if cost.numel() != 1:
                raise ValueError(f"a training needs one cost. Received: a cost of shape {tuple(cost.shape)}")
            parts.loss.backward(cache)
            stage = "metrics"
            for metric in parts.metrics:
                deepcopy(metric).update(prediction, y)
    except (MinigradError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        shapes = f"x of shape {tuple(pair[0].shape)}, y of shape {tuple(pair[1].shape)}"
        text = f"{plan.experiment.path}: {stage}: the data do not fit, {shapes}: {_told(error)}"
        raise ConfigError(text) from error
    except MemoryError as error:
        raise ConfigError(f"{plan.experiment.path}: {stage}: the machine's memory does not suffice") from error


def _telling_rows(pair: Pair) -> list[int]:
    """The first two rows, and those with the largest class or index, which may be too large for the net or the loss."""
    rows = {0, min(1, len(pair[0]) - 1)}
    for part in pair:
        if not part.is_floating_point() and part.numel():
            rows.add(int(part.amax(tuple(range(1, part.dim()))).argmax() if part.dim() > 1 else part.argmax()))
    return sorted(rows)


def _told(error: BaseException) -> str:
    """What an error says, with where it was."""
    notes = getattr(error, "__notes__", [])
    return shortened(" ".join([str(error) or type(error).__name__, *notes]), 1000)
