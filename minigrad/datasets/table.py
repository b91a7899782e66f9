"""Tables in CSV files: read row by row, and every fault told by its line and column."""

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import torch
from torch import Tensor

from minigrad.datasets.parts import MAX_ROWS
from minigrad.datasets.reading import checked_file, undecodable, unreadable
from minigrad.errors import DataError

_LARGEST = torch.finfo(torch.float32).max


def check_delimiter(delimiter: str) -> None:
    """Require one character that can stand between cells.

    Raises:
        ValueError: If it is none, or means something else.
    """
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise ValueError(
            f"delimiter must be one character, neither a quote nor a line's end. Received: delimiter={delimiter!r}"
        )


def read_header(path: str, delimiter: str = ",") -> tuple[str, ...]:
    """What the columns of a table are called, by its first line; spaces around a name do not count.

    Raises:
        DataError: If the file cannot be read, has no first line, or a name is empty or stands twice.
    """
    for _, row in _rows(path, delimiter):
        names = tuple(name.strip() for name in row)
        for i, name in enumerate(names, 1):
            if not name:
                raise DataError(f"{path}, line 1: each column must have a name. Received: none for column {i}")
            if name in names[: i - 1]:
                raise DataError(f"{path}, line 1: each column must have a name of its own. Received: {name!r} twice")
        return names
    raise DataError(f"{path} must have a line of column names. Received: empty lines")


def read_columns(
    path: str, columns: Sequence[str], text: str | None = None, delimiter: str = ","
) -> tuple[Tensor, list[str]]:
    """The numbers of some columns of a table, and the cells of another one as they stand.

    Args:
        path: A CSV file in UTF-8 whose first line names the columns.
        columns: Those that hold numbers; the others are not looked at.
        text: A column of which the cells are wanted, without spaces around them.
        delimiter: What stands between cells.

    Returns:
        The numbers in float64: `(rows, columns)`; and the cells of `text`, or nothing.

    Raises:
        DataError: If the file is missing, too large, not UTF-8, no table with those columns, or has no rows; if a row
            has too few or too many cells; or if a cell is empty or, where numbers must be, not a number of float32.
    """
    header = read_header(path, delimiter)
    places = [find_column(path, header, name) for name in columns]
    text_place = None if text is None else find_column(path, header, text)
    numbers, texts = array("d"), []
    known: dict[str, str] = {}  # the cells of a class share one string
    rows = _rows(path, delimiter)
    next(rows)
    count = 0
    for count, (line, row) in enumerate(rows, 1):
        if count > MAX_ROWS:
            raise DataError(f"{path} must have at most {MAX_ROWS:,} rows. Received: more")
        if len(row) != len(header):
            raise DataError(
                f"{path}, line {line}: a row must have {len(header)} cells, one for each column. Received: {len(row)}"
            )
        for place in places:
            numbers.append(_number(row[place], path, line, header[place]))
        if text_place is not None:
            cell = row[text_place].strip()
            if not cell:
                raise _fault(path, line, header[text_place], "a cell must not be empty", cell)
            texts.append(known.setdefault(cell, cell))
    if not count:
        raise DataError(f"{path} must have rows below the line of column names. Received: none")
    return torch.tensor(numbers, dtype=torch.float64).reshape(count, len(places)), texts


def find_column(path: str, header: Sequence[str], name: str) -> int:
    """Where in the header a column stands.

    Raises:
        DataError: If it does not; the nearest name is told.
    """
    if name in header:
        return header.index(name)
    near = get_close_matches(name, header, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(header[:10]) + (", ..." if len(header) > 10 else "")
    raise DataError(f"{path} must have a column {name!r}.{hint} Received: columns {shown}")


def _rows(path: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its (last) line; empty lines are passed over."""
    file = checked_file(path)
    line = 0
    try:
        # What begins a file for Windows, a byte order mark, is no part of the first name.
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            for row in reader:
                line = reader.line_num
                if row:
                    yield line, row
    except csv.Error as error:
        raise DataError(f"{path}, line {line + 1}: a row must be well-formed CSV. Received: {error}") from error
    except UnicodeDecodeError as error:
        raise undecodable(path, error) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _number(cell: str, path: str, line: int, column: str) -> float:
    try:
        value = math.nan if "_" in cell else float(cell)
    except ValueError:
        value = math.nan
    if not abs(value) <= _LARGEST:  # nor is NaN
        raise _fault(path, line, column, "a cell must be a finite number, of float32", cell)
    return value


def _fault(path: str, line: int, column: str, rule: str, cell: str) -> DataError:
    shown = repr(cell if len(cell) <= 40 else cell[:37] + "...") if cell.strip() else "an empty cell"
    return DataError(f"{path}, line {line}, column {column!r}: {rule}. Received: {shown}")
