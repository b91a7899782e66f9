"""What a run's folder tells: how good its net is, where it comes from, and how it compares with others."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, get_args

import torch

from minigrad.errors import ConfigError, MinigradError
from minigrad.experiments.folder import RunFolder
from minigrad.experiments.plan import load_data, parts_of, read_plan
from minigrad.experiments.toml import read_toml
from minigrad.experiments.training import judged, parts_of_data
from minigrad.explain import Summary, summary
from minigrad.registry.naming import nearest

Part = Literal["train", "validation", "test"]
_BARS = "▁▂▃▄▅▆▇█"
_LARGEST = sys.float_info.max


def evaluate_run(folder: RunFolder, part: str = "test", device: str | None = None) -> dict[str, Any]:
    """The cost and the metrics of the run's net on one part of its data.

    Raises:
        ConfigError: If the run has not come to its end, or its data have no such part.
    """
    if part not in get_args(Part):
        raise ConfigError(
            f"--on must be {', '.join(get_args(Part))}.{nearest(part, get_args(Part))} Received: {part!r}"
        )
    folder.check_complete()
    plan = read_plan(folder.experiment, device=device)
    with torch.random.fork_rng(devices=[]):
        parts = parts_of(plan)
        data = parts_of_data(load_data(plan, parts))
    if part not in data:
        raise ConfigError(f"{folder.path}: the data have {', '.join(data)} only. Received: --on {part}")
    parts.net = folder.net().to(plan.experiment.train["device"])
    return {"on": part, "rows": len(data[part][0]), **judged(plan, parts, data[part])}


def look(folder: RunFolder) -> dict[str, Any]:
    """Everything about a run but its rows and its net, for people and for programs.

    Raises:
        ConfigError: If there is no run.
    """
    folder.check()
    record, rows = folder.record(), folder.rows()
    facts = {key: record.get(key) for key in ("stopped", "error", "sessions", "provenance")}
    return {
        "folder": str(folder.path),
        "status": folder.status(),
        **{key: value for key, value in facts.items() if value},
        "steps": len(rows),
        "epochs": rows[-1]["epoch"] + 1 if rows else 0,
        "result": record.get("result", {}),
        "settings": read_toml(folder.experiment),
    }


def net_summary(folder: RunFolder) -> Summary | None:
    """The table of the run's layers, if it has come to its end."""
    if not folder.model.is_file():
        return None
    notes = folder.notes
    shape = (1, *notes["shape"])
    example = torch.zeros(shape, dtype=torch.int64 if notes["vocabulary"] else torch.float32)
    net = folder.net()
    with suppress(StopIteration):
        example = example if notes["vocabulary"] else example.to(next(net.parameters()).dtype)
    try:
        return summary(net, example)
    except (MinigradError, RuntimeError, TypeError, ValueError):  # a net with inputs of another sort
        return None


def curves(rows: Sequence[Mapping[str, Any]], width: int) -> dict[str, tuple[str, float, float]]:
    """Each column of numbers as a line of bars, with its first and its last value.

    A bar stands for the mean of the values that fall to it; what is not finite is left out.

    Examples:
        >>> curves([{"step": 0, "cost": 2.0}, {"step": 1, "cost": 1.0}, {"step": 2, "cost": 0.0}], width=3)
        {'cost': ('█▅▁', 2.0, 0.0)}
    """
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in ("step", "epoch") and isinstance(value, int | float) and abs(value) <= _LARGEST:
                columns.setdefault(name, []).append(float(value))
    return {name: (_bars(values, width), values[0], values[-1]) for name, values in columns.items()}


def _bars(values: Sequence[float], width: int) -> str:
    cells = min(width, len(values))
    means = []
    for i in range(cells):
        part = values[i * len(values) // cells : (i + 1) * len(values) // cells]
        means.append(sum(value / 2 / len(part) for value in part))
    # Halves: the span of whole values may be too large for a float.
    low, high = min(means), max(means)
    span = high - low
    if not span > 0:
        return _BARS[0] * cells
    return "".join(_BARS[min(len(_BARS) - 1, int((mean - low) / span * (len(_BARS) - 1) + 0.5))] for mean in means)


def compare(folders: Sequence[RunFolder]) -> dict[str, Any]:
    """Where runs differ, and what came out of each.

    Returns:
        `folders`, and `settings` and `results`: for each name that a run has, the values of all of them.

    Raises:
        ConfigError: If there are not two runs at least, or one is none.
    """
    if len(folders) < 2:
        raise ConfigError(f"compare puts two runs or more beside each other. Received: {len(folders)}")
    for folder in folders:
        folder.check()
    settings = [_flat(read_toml(folder.experiment)) for folder in folders]
    records = [folder.record() for folder in folders]
    results = [
        {"status": folder.status(), "steps": record.get("steps"), **_flat(record.get("result", {}))}
        for folder, record in zip(folders, records, strict=True)
    ]
    names = list(dict.fromkeys(name for one in settings for name in one))
    differing = [name for name in names if len({repr(one.get(name)) for one in settings}) > 1]
    measured = list(dict.fromkeys(name for one in results for name in one))
    return {
        "folders": [str(folder.path) for folder in folders],
        "settings": {name: [one.get(name) for one in settings] for name in differing},
        "results": {name: [one.get(name) for one in results] for name in measured},
    }


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            name: leaf for key, item in value.items() for name, leaf in _flat(item, f"{path}.{key}".lstrip(".")).items()
        }
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return {name: leaf for i, item in enumerate(value) for name, leaf in _flat(item, f"{path}[{i}]").items()}
    return {path: value}
