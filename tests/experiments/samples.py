"""A sound experiment that takes no time, and ways to spoil it."""

import copy
from pathlib import Path
from typing import Any

import tomli_w

LINEAR = {"name": "linear", "in_features": 2, "out_features": 3}
SOUND: dict[str, Any] = {
    "seed": 1,
    "net": [LINEAR, "relu", {"name": "linear", "in_features": 3, "out_features": 2}],
    "loss": "cross_entropy",
    "metrics": ["accuracy"],
    "data": {"name": "moons", "n": 60},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "schedule": {"name": "step", "step_size": 2, "every": "epoch"},
    "train": {"epochs": 3, "batch_size": 16, "threads": 1},
    "callbacks": ["learning_rate_log"],
    "checkpoint": {"keep": 1},
}
LEAVE_OUT = object()


def spoiled(changes: dict[str, Any]) -> str:
    """The sound experiment with values changed, by their paths, as TOML."""
    tables = copy.deepcopy(SOUND)
    for path, value in changes.items():
        here: Any = tables
        *before, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in before:
            here = here.setdefault(step, {}) if isinstance(here, dict) else here[step]
        if value is LEAVE_OUT:
            del here[last]
        elif isinstance(here, list) and last == len(here):
            here.append(value)
        else:
            here[last] = value
    return tomli_w.dumps(tables)


def write(folder: Path, changes: dict[str, Any] | None = None, name: str = "sound.toml") -> Path:
    """Write the experiment into a folder."""
    file = folder / name
    file.write_text(spoiled(changes or {}))
    return file


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    found = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if not p.is_dir()}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in found.items()}
