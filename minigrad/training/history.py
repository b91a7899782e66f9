"""History: what a training run reported."""

import csv
import io
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from minigrad.callbacks.row_log import cell
from minigrad.core import require
from minigrad.files import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History:
    """The rows that `fit` recorded, one dict per update: `step` and `epoch`, from 0, `cost`, and what was measured.

    Args:
        rows: The rows.
        stopped: Why the run ended early; empty if it did not.

    Examples:
        >>> rows = [{"step": 0, "epoch": 0, "cost": 0.7}, {"step": 1, "epoch": 1, "cost": 0.5, "val_cost": 0.6}]
        >>> history = History(rows)
        >>> history
        History(steps=2, epochs=2, cost=0.7 to 0.5, val_cost=0.6)
        >>> history.costs, history["val_cost"]
        ([0.7, 0.5], [0.6])
        >>> history.to_dict()
        {'step': [0, 1], 'epoch': [0, 1], 'cost': [0.7, 0.5], 'val_cost': [None, 0.6]}
    """

    def __init__(self, rows: list[dict[str, Any]], stopped: str = "") -> None:
        self.rows = rows
        self.stopped = stopped

    @property
    def costs(self) -> list[float]:
        """The cost of each step."""
        return [row["cost"] for row in self.rows]

    @property
    def columns(self) -> list[str]:
        """The names in the rows, in the order in which they first came up."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, name: str) -> list[Any]:
        """The values of one column, from the rows that have it.

        Raises:
            KeyError: If no row has it.
        """
        values = [row[name] for row in self.rows if name in row]
        if not values:
            raise KeyError(f"The history has {', '.join(self.columns) or 'no column'}. Received: {name!r}")
        return values

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns, by name; `None` where a row has no such value."""
        return {name: [row.get(name) for row in self.rows] for name in self.columns}

    def to_csv(self, path: Path | str) -> None:
        """Write the rows into a file with a header; nothing stands where a row has no such value."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: cell(value) for name, value in row.items()} for row in self.rows)
        write_file(path, text.getvalue())

    def to_frame(self) -> Any:
        """The rows as a pandas frame, with `step` as its index.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        frame = require("pandas", "data").DataFrame(self.rows)
        return frame.set_index("step") if self.rows else frame

    def plot(self, path: Path | str | None = None) -> "Figure":
        """Draw the cost, and whatever else was measured, over the updates; with `path`, into a file, by its suffix.

        Raises:
            MissingExtraError: If matplotlib is not installed.
        """
        require("matplotlib", "plot")
        from matplotlib.figure import Figure  # pyplot would open windows and keep the figure

        groups: dict[str, list[str]] = {"cost": []}
        for name in self._numbers():
            if name not in ("step", "epoch"):
                groups.setdefault(name.removeprefix("val_").split("/")[0], []).append(name)
        width = min(len(groups), 3)
        height = -(-len(groups) // width)
        figure = Figure(figsize=(1.5 + 4 * width, 0.5 + 3 * height), layout="constrained")
        for axes, (title, names) in zip(
            figure.subplots(height, width, squeeze=False).flat, groups.items(), strict=False
        ):
            for name in names:
                points = [(row["step"] + 1, row[name]) for row in self.rows if name in row]
                axes.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 30 else "")
            axes.set(title=names[0] if len(names) == 1 else title, xlabel="updates")
            axes.grid(alpha=0.3)
            if len(names) > 1:
                axes.legend(fontsize="small")
        for axes in figure.axes[len(groups) :]:
            axes.remove()
        if path is not None:
            drawn = io.BytesIO()
            figure.savefig(drawn, format=Path(path).suffix.lstrip(".") or "png")
            write_file(path, drawn.getvalue())
        return figure

    def _numbers(self) -> list[str]:
        return [n for n in self.columns if all(isinstance(row[n], int | float) for row in self.rows if n in row)]

    def __len__(self) -> int:
        """How many steps were taken."""
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows in turn."""
        return iter(self.rows)

    def __repr__(self) -> str:
        if not self.rows:
            return f"History(steps=0{self._why()})"
        parts = [f"steps={len(self)}", f"epochs={self.rows[-1]['epoch'] + 1}"]
        parts.append(f"cost={self.rows[0]['cost']:.4g} to {self.rows[-1]['cost']:.4g}")
        measured = [name for name in self._numbers() if name not in ("step", "epoch", "cost") and "/" not in name]
        parts += [f"{name}={self[name][-1]:.4g}" for name in measured]
        return f"History({', '.join(parts)}{self._why()})"

    def _why(self) -> str:
        return f", stopped={self.stopped!r}" if self.stopped else ""

    def _repr_html_(self) -> str:
        """The picture, if it can be drawn, above the text."""
        try:
            figure = self.plot()
        except ImportError:
            return f"<code>{escape(repr(self))}</code>"
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
        svg = drawn.getvalue()
        return f"<figure>{svg[svg.index('<svg') :]}<figcaption><code>{escape(repr(self))}</code></figcaption></figure>"


def settle(rows: Iterable[dict[str, Any]]) -> None:
    """Turn the costs that are tensors still into numbers, all at once: reading a number waits for the device."""
    waiting = [row for row in rows if isinstance(row["cost"], Tensor)]
    if waiting:
        for row, cost in zip(waiting, torch.stack([row["cost"] for row in waiting]).tolist(), strict=True):
            row["cost"] = cost


_DTYPES: dict[type, torch.dtype] = {int: torch.int64, float: torch.float64}


class Packing:
    """The rows of a growing history as columns, for a file; what was packed before is not looked at again.

    Examples:
        >>> packing, rows = Packing(), [{"step": 0, "cost": 0.5}]
        >>> from_columns(packing.pack(rows)) == rows
        True
    """

    def __init__(self) -> None:
        self._length = 0
        self._columns: dict[str, _Column] = {}

    def pack(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """All rows; each but the newest is taken to stay as it is."""
        for i in range(self._length, len(rows)):
            for name, value in rows[i].items():
                self._columns.setdefault(name, _Column()).push(i, value)
        packed = {name: column.packed(len(rows)) for name, column in self._columns.items()}
        self._length = max(len(rows) - 1, 0)
        for name, column in list(self._columns.items()):
            column.drop_from(self._length)
            if not column.at:
                del self._columns[name]
        return {"length": len(rows), "columns": packed}


class _Column:
    """The values of one column, and the rows that they stand in."""

    def __init__(self) -> None:
        self.at: list[int] = []
        self.values: list[Any] = []
        self.kinds: set[type] = set()

    def push(self, i: int, value: Any) -> None:
        self.at.append(i)
        self.values.append(value)
        self.kinds.add(type(value))

    def drop_from(self, length: int) -> None:
        while self.at and self.at[-1] >= length:
            self.at.pop()
            self.values.pop()

    def packed(self, length: int) -> dict[str, Any]:
        dtype = _DTYPES.get(next(iter(self.kinds))) if len(self.kinds) == 1 else None
        values = list(self.values) if dtype is None else torch.tensor(self.values, dtype=dtype)
        return {"values": values} if len(self.at) == length else {"values": values, "rows": torch.tensor(self.at)}


def from_columns(packed: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that `Packing` packed."""
    rows: list[dict[str, Any]] = [{} for _ in range(packed["length"])]
    for name, column in packed["columns"].items():
        values = column["values"]
        values = values.tolist() if isinstance(values, Tensor) else values
        at = column["rows"].tolist() if "rows" in column else range(len(rows))
        for i, value in zip(at, values, strict=True):
            rows[i][name] = value
    return rows
