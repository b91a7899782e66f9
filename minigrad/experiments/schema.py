"""What an experiment file may say: its sections and keys, their rules and their defaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from minigrad.experiments.faults import Faults
from minigrad.registry.fitting import UnfitError, fitted
from minigrad.registry.naming import nearest

_DEVICE = re.compile(r"[a-z]{1,32}(:\d{1,4})?")


@dataclass(frozen=True)
class Key:
    """One key: the annotation that its value must fit, its default, and the range of a number."""

    hint: Any
    default: Any = None
    least: float | None = None
    most: float | None = None
    above: float | None = None

    def fault(self, value: Any) -> str:
        """What the value must be and is not, or nothing."""
        try:
            fitted(value, self.hint)
        except UnfitError as error:
            return f"must be {error}"
        if self.least is not None and value < self.least:
            return f"must be at least {self.least}"
        if self.above is not None and not value > self.above:
            return f"must be more than {self.above}"
        if self.most is not None and value > self.most:
            return f"must be at most {self.most:,}"
        return ""


_COUNT = {"least": 1, "most": 10**9}
TRAIN = {
    "epochs": Key(int, least=1, most=10**7),
    "steps": Key(int, **_COUNT),
    "batch_size": Key(int, **_COUNT),
    "shuffle": Key(bool, True),
    "accumulate": Key(int, 1, least=1, most=10**6),
    "clip": Key(float, above=0),
    "validate_every": Key(int, **_COUNT),
    "device": Key(str, "cpu"),
    "dtype": Key(Literal["float32", "float64"], "float32"),
    "threads": Key(int, least=1, most=1024),
}
CHECKPOINT = {
    "every": Key(int, **_COUNT),
    "keep": Key(int, 1, least=1, most=10**4),
    "best": Key(str),
    "mode": Key(Literal["min", "max"]),
}
EVERY = Key(Literal["step", "epoch"], "step")
SEED = Key(int, 0, least=0, most=2**63 - 1)
# Each section, and whether it must be there.
SECTIONS = {
    "seed": False,
    "data": True,
    "net": True,
    "loss": True,
    "optimizer": True,
    "schedule": False,
    "metrics": False,
    "train": True,
    "callbacks": False,
    "checkpoint": False,
}


@dataclass(frozen=True)
class Experiment:
    """An experiment as it was written, with the defaults of everything that is no component.

    Attributes:
        path: The file.
        seed: What weights and the order of the data are drawn from.
        specs: The configurations of the components: `data`, `net`, `loss`, `optimizer` and perhaps `schedule`.
        metrics: Configurations of metrics.
        callbacks: Configurations of callbacks.
        train: How it is trained, by the keys of `[train]`.
        checkpoint: When checkpoints are written, by the keys of `[checkpoint]`.
        schedule_every: Whether the schedule goes on with each `"step"` or each `"epoch"`.
    """

    path: Path
    seed: int = 0
    specs: dict[str, Any] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    callbacks: list[Any] = field(default_factory=list)
    train: dict[str, Any] = field(default_factory=dict)
    checkpoint: dict[str, Any] = field(default_factory=dict)
    schedule_every: str = "step"

    @property
    def folder(self) -> Path:
        """Where its data files are."""
        return self.path.parent


def experiment_of(tables: Mapping[str, Any], path: Path, faults: Faults) -> Experiment:
    """The experiment that a file's tables describe; what is wrong with them is noted."""
    for key in tables:
        if key not in SECTIONS:
            text = f"an experiment has {', '.join(SECTIONS)}.{nearest(key, SECTIONS)} Received: {key}={tables[key]!r}"
            faults.add(key, text)
    for name, needed in SECTIONS.items():
        if needed and name not in tables and not any(f"{name!r}" in nearest(key, SECTIONS) for key in tables):
            faults.add(name, f"an experiment needs {name}. Received: {', '.join(tables) or 'an empty file'}")
    specs = {name: tables[name] for name in ("data", "net", "loss", "optimizer", "schedule") if name in tables}
    every = EVERY.default
    if isinstance(schedule := specs.get("schedule"), dict):
        specs["schedule"] = {key: value for key, value in schedule.items() if key != "every"}
        every = _value("schedule.every", EVERY, schedule.get("every"), faults)
    train = _section("train", TRAIN, tables.get("train", {}), faults)
    if "train" in tables and isinstance(tables["train"], dict):
        _check_length(tables["train"], faults)
    if isinstance(device := train["device"], str) and not _DEVICE.fullmatch(device):
        faults.add("train.device", f"device must be one of torch's, such as 'cpu' or 'cuda:0'. Received: {device=}")
    return Experiment(
        path=path,
        seed=_value("seed", SEED, tables.get("seed"), faults),
        specs=specs,
        metrics=_list("metrics", tables.get("metrics", []), faults),
        callbacks=_list("callbacks", tables.get("callbacks", []), faults),
        train=train,
        checkpoint=_section("checkpoint", CHECKPOINT, tables.get("checkpoint", {}), faults),
        schedule_every=every,
    )


def _check_length(train: Mapping[str, Any], faults: Faults) -> None:
    both = {name: train[name] for name in ("epochs", "steps") if name in train}
    misspelt = any(nearest(key, TRAIN) in (" Did you mean 'epochs'?", " Did you mean 'steps'?") for key in train)
    if len(both) == 2 or (not both and not misspelt):
        shown = ", ".join(f"{name}={value!r}" for name, value in both.items()) or "neither"
        faults.add("train", f"a training takes either epochs or steps. Received: {shown}")


def _section(name: str, keys: Mapping[str, Key], given: Any, faults: Faults) -> dict[str, Any]:
    if not isinstance(given, dict):
        faults.add(name, f"[{name}] is a table. Received: {name}={given!r}")
        given = {}
    for key, value in given.items():
        if key not in keys:
            text = f"[{name}] takes {', '.join(keys)}.{nearest(key, keys)} Received: {key}={value!r}"
            faults.add(f"{name}.{key}", text)
    return {key: _value(f"{name}.{key}", rule, given.get(key), faults) for key, rule in keys.items()}


def _value(path: str, rule: Key, value: Any, faults: Faults) -> Any:
    if value is None:
        return rule.default
    name = path.rpartition(".")[2]
    if text := rule.fault(value):
        faults.add(path, f"{name} {text}. Received: {name}={value!r}")
        return rule.default
    return fitted(value, rule.hint)


def _list(name: str, given: Any, faults: Faults) -> list[Any]:
    if isinstance(given, str | dict):  # a single one needs no brackets
        return [given]
    if not isinstance(given, list):
        faults.add(name, f"{name} is a list of names and tables. Received: {name}={given!r}")
        return []
    return given
