"""New rows of a table: read from CSV as the run's own rows were, and judged by its net."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer
from minigrad.datasets.scaling import scaled
from minigrad.datasets.table import read_columns, read_header
from minigrad.errors import DataError
from minigrad.experiments.folder import RunFolder
from minigrad.experiments.toml import read_toml
from minigrad.losses import BCE, NLL, BCEWithLogits, CrossEntropy
from minigrad.registry import build
from minigrad.registry.naming import nearest

_ROWS = 1024  # predicted at once


@dataclass(frozen=True)
class Predictions:
    """What a net says of new rows.

    Attributes:
        columns: `prediction` and, where there are classes, `p(<class>)` for each of them.
        rows: A value per column; the prediction is a class or a number.
    """

    columns: list[str]
    rows: list[list[Any]]

    def as_csv(self) -> str:
        """A header and a line per row."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()

    def as_dict(self) -> dict[str, Any]:
        """The rows as objects, for JSON, which knows no number that is not finite: it is `None`."""
        rows = [[None if isinstance(v, float) and not math.isfinite(v) else v for v in row] for row in self.rows]
        return {"predictions": [dict(zip(self.columns, row, strict=True)) for row in rows]}


def predict_table(folder: RunFolder, file: Path) -> Predictions:
    """Let the run's net judge the rows of a CSV file.

    Args:
        folder: A run that learned from rows of a table.
        file: With a header that names the run's columns, in any order; the target's column may be there, too.

    Raises:
        ConfigError: If the run has not come to its end.
        DataError: If the rows are not such as the run learned from.
    """
    notes = folder.notes
    if notes["vocabulary"] or len(notes["shape"]) != 1:
        raise DataError(f"{folder.path}: rows of a table are judged by a net that learned from such. Received: {file}")
    columns = notes["columns"] or [f"x{i + 1}" for i in range(notes["shape"][0])]
    delimiter = read_toml(folder.experiment)["data"].get("delimiter", ",")
    rows = read_rows(file, columns, notes["target"], delimiter)
    net = folder.net()
    shift, scale = (None if notes[name] is None else torch.tensor(notes[name]).double() for name in ("shift", "scale"))
    x = scaled(rows, shift, scale).to(_dtype(net))
    outputs = torch.cat([net(x[i : i + _ROWS]) for i in range(0, len(x), _ROWS)]).double()
    return shown(outputs, notes)


def read_rows(file: Path, columns: Sequence[str], target: str = "", delimiter: str = ",") -> Tensor:
    """The numbers of a CSV file, its columns in the order of `columns`, in float64.

    Raises:
        DataError: If a column is missing or unknown, or something is no finite number.
    """
    header = read_header(str(file), delimiter)
    strange = [name for name in header if name not in columns and name != target]
    faults = [f"a column is unknown.{nearest(name, columns)} Received: {name!r}" for name in strange]
    missing = [name for name in columns if name not in header]
    if missing:
        named = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        faults.append(f"columns are missing: {named}. Received: {', '.join(header[:8])}")
    if len(faults) == 1:
        raise DataError(f"{file}: {faults[0]}")
    if faults:
        more = [f"... and {len(faults) - 12} more"] if len(faults) > 12 else []
        raise DataError(f"{file} has {len(faults)} faults:" + "".join(f"\n  {line}" for line in faults[:12] + more))
    return read_columns(str(file), columns, delimiter=delimiter)[0]


def _dtype(net: Layer) -> torch.dtype:
    return next((p.dtype for p in net.parameters() if p.is_floating_point()), torch.float32)


def shown(outputs: Tensor, notes: dict[str, Any]) -> Predictions:
    """A net's outputs as people read them: what they mean depends on the loss that it was trained by."""
    classes = notes["classes"]
    loss = build(notes["loss"])
    if isinstance(loss, BCEWithLogits):
        outputs = outputs.sigmoid()
    if classes and outputs.dim() == 2 and outputs.shape[1] == len(classes):
        probabilities = _probabilities(outputs, loss)
        labels = [classes[i] for i in outputs.argmax(1).tolist()]
        if probabilities is None:
            return Predictions(["prediction"], [[label] for label in labels])
        rows = [[label, *row] for label, row in zip(labels, _rounded(probabilities), strict=True)]
        return Predictions(["prediction", *(f"p({name})" for name in classes)], rows)
    if isinstance(loss, BCE | BCEWithLogits) and outputs.flatten(1).shape[1] == 1:
        return _two_classes(outputs.flatten(), classes)
    flat = outputs.flatten(1) if outputs.dim() > 1 else outputs[:, None]
    width = flat.shape[1]
    names = ["prediction"] if width == 1 else [f"prediction {i + 1}" for i in range(width)]
    return Predictions(names, _rounded(flat))


def _probabilities(outputs: Tensor, loss: object) -> Tensor | None:
    if isinstance(loss, CrossEntropy):
        return outputs.softmax(1)
    if isinstance(loss, NLL):
        return outputs.exp()
    return outputs if isinstance(loss, BCE | BCEWithLogits) else None


def _two_classes(probability: Tensor, classes: Sequence[str]) -> Predictions:
    """One probability, that of the second class."""
    names = list(classes) if len(classes) == 2 else ["0", "1"]
    pairs = torch.stack([1 - probability, probability], 1)
    rows = [[names[int(p >= 0.5)], *row] for p, row in zip(probability.tolist(), _rounded(pairs), strict=True)]
    return Predictions(["prediction", *(f"p({name})" for name in names)], rows)


def _rounded(numbers: Tensor) -> list[list[float]]:
    return [_round(row) for row in numbers.tolist()]


def _round(row: Iterable[float]) -> list[float]:
    # float32 has seven digits; more would only look like knowledge.
    return [float(f"{value:.7g}") for value in row]
