"""CSV, a table in a file."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, final

import torch
from torch import Tensor

from minigrad.core import Data, Dataset
from minigrad.datasets.parts import check_parts, row_parts, split
from minigrad.datasets.reading import path_text
from minigrad.datasets.scaling import scaled, standard
from minigrad.datasets.table import check_delimiter, find_column, read_columns, read_header
from minigrad.errors import DataError

MAX_GUESSED = 100

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


@final
class CSV(Dataset):
    r"""A table whose first line names the columns; one of them is to be told from the others.

    `x: (N, columns)` in float32, each column brought to mean 0 and variance 1 over the training part. Where
    the target is classified, `y: (N)` is its index among the target's values, sorted, and the parts have their share of
    each; in a regression `y: (N, 1)` is the target itself in float32.

    A cell of `x` is a finite number; nothing stands for a missing one. Spaces around a cell or a name do not count,
    and empty lines are passed over.

    Args:
        path: A file in UTF-8 of at most 1 GiB; a relative path is relative to the working folder.
        target: The name of the column that is to be told.
        columns: The names of those that `x` is made of, in this order; by default all others.
        task: `"classification"` or `"regression"`. By default, a target of texts or of integers is classified and
            one of other numbers is not; with more than 100 different texts or integers it
            must be said.
        validation: The fraction of the rows that is set aside to watch the training.
        test: The fraction that is set aside for the end.
        seed: Of the split.
        delimiter: What stands between cells.
        standardize: Whether the columns are brought to mean 0 and variance 1.

    Raises:
        TypeError: If `path` is no path, or `target` and `columns` are no names.
        ValueError: If the target is among the columns, `task` is neither, `delimiter` is not one character, or the
            fractions leave nothing.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "trees.csv"
        >>> _ = file.write_text("height,width,kind\n1,2,oak\n3,2,elm\n5,2,oak\n")
        >>> data = CSV(file, "kind", validation=0.0, test=0.0, standardize=False).load()
        >>> data.columns, data.classes, sorted(zip(data.train[0].tolist(), data.train[1].tolist()))
        (('height', 'width'), ('elm', 'oak'), [([1.0, 2.0], 1), ([3.0, 2.0], 0), ([5.0, 2.0], 1)])
    """

    def __init__(
        self,
        path: Path,
        target: str,
        columns: Sequence[str] | None = None,
        task: Literal["classification", "regression"] | None = None,
        validation: float = 0.1,
        test: float = 0.2,
        seed: int = 0,
        delimiter: str = ",",
        standardize: bool = True,
    ) -> None:
        self.path = path_text(path)
        if not isinstance(target, str):
            raise TypeError(f"target must be the name of a column. Received: target={target!r}")
        if columns is not None:
            _check_columns(columns, target)
        if task not in (None, "classification", "regression"):
            raise ValueError(f"task must be 'classification' or 'regression'. Received: task={task!r}")
        check_parts(validation, test, seed)
        check_delimiter(delimiter)
        self.target = target
        self.columns = None if columns is None else tuple(columns)
        self.task = task
        self.validation = validation
        self.test = test
        self.seed = seed
        self.delimiter = delimiter
        self.standardize = standardize

    def load(self) -> Data:
        """Read the file.

        Raises:
            DataError: If it cannot be read as such a table; it names the line and the column.
        """
        header = read_header(self.path, self.delimiter)
        find_column(self.path, header, self.target)
        columns = self.columns or tuple(name for name in header if name != self.target)
        if not columns:
            raise DataError(f"{self.path} must have a column besides the target. Received: {self.target!r} alone")
        rows, cells = read_columns(self.path, columns, self.target, self.delimiter)
        values = sorted(set(cells))
        if self._is_classification(values):
            y, classes = _classified(cells)
            if len(classes) < 2:
                raise DataError(
                    f"{self.path}: column {self.target!r} must have two classes at least. "
                    f"Received: {classes[0]!r} alone"
                )
            parts = row_parts(len(rows), self.validation, self.test, self.seed, y)
        else:
            classes = ()
            y = read_columns(self.path, [self.target], None, self.delimiter)[0].float()
            parts = row_parts(len(rows), self.validation, self.test, self.seed)
        shift, scale = standard(rows[parts[0]]) if self.standardize else (None, None)
        pairs = split(scaled(rows, shift, scale), y, parts)
        return Data(*pairs, columns=columns, target=self.target, classes=classes, shift=shift, scale=scale)

    def _is_classification(self, values: list[str]) -> bool:
        """Whether the target, of these different values, is a class."""
        if self.task is not None:
            return self.task == "classification"
        if not all(map(_INTEGER.fullmatch, values)) and all(map(_is_number, values)):
            return False
        if len(values) > MAX_GUESSED:
            raise DataError(
                f"{self.path}: task must be said where column {self.target!r} has more than {MAX_GUESSED} different "
                f"texts or integers. Received: {len(values):,}, task=None"
            )
        return True


def _check_columns(columns: Sequence[str], target: str) -> None:
    if isinstance(columns, str) or not all(isinstance(name, str) for name in columns):
        raise TypeError(f"columns must be the names of columns. Received: columns={columns!r}")
    if not columns or len(set(columns)) < len(columns) or target in columns:
        raise ValueError(
            f"columns must be different ones, one at least, and none of them the target {target!r}. "
            f"Received: columns={list(columns)!r}"
        )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _classified(cells: list[str]) -> tuple[Tensor, tuple[str, ...]]:
    """The index of each cell's class, and the classes in order: as numbers where all are integers (`01` is `1`)."""
    values: list[str] = sorted(set(cells))
    names = {value: value for value in values}
    if all(map(_INTEGER.fullmatch, values)):
        names = {value: str(int(value)) for value in values}
        classes = sorted(set(names.values()), key=int)
    else:
        classes = values
    index = {name: i for i, name in enumerate(classes)}
    return torch.tensor([index[names[cell]] for cell in cells]), tuple(classes)
