"""CSVLog and JSONLLog, the history's rows in a file while they come."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, final

from minigrad.callbacks.row_log import RowLog, cell, plain


@final
class CSVLog(RowLog):
    """Writes the history into a CSV file: a header, then a line per update.

    Numbers are written in full, so that they are read back as they were; what is not finite stands there as `nan`,
    `inf` or `-inf`, a list as JSON, and where a row has no such value nothing. When a new column comes up, such as
    `val_cost` at the first validation, the file is written anew with the longer header, whole or not at all.

    The file is made when the run begins, in the place of an older one. When a run is resumed it is cut back to the
    updates that the run goes on from, so it ends with the bytes of a run that was never interrupted.

    Args:
        path: The file; a relative one lies in the run's folder.
        every: So many rows are written at once. Reading a cost waits for the device, so on an accelerator take more.

    Raises:
        ValueError: If `every` is no positive whole number.

    Examples:
        >>> CSVLog("runs/costs.csv", every=100)
        CSVLog(path='runs/costs.csv', every=100)
    """

    def __init__(self, path: Path | str = "history.csv", every: int = 1) -> None:
        super().__init__(path, every)

    def head(self) -> bytes:
        """The header."""
        return _csv([self.columns])

    def encode(self, rows: list[dict[str, Any]]) -> bytes:
        """A line per row."""
        return _csv([[cell(row.get(name)) for name in self.columns] for row in rows])

    def widen(self, content: bytes, columns: int) -> bytes:
        """The longer header, and each line with empty cells more."""
        _, *records = _records(content)
        return self.head() + b"".join(record[:-1] + b"," * columns + b"\n" for record in records)

    def decode(self, content: bytes) -> Iterator[dict[str, Any]]:
        """The rows, their values as they stand there."""
        table = csv.reader(_readable(_records(content)))
        header = next(table, [])
        for cells in table:
            if len(cells) != len(header) or "step" not in header or not cells[header.index("step")].isdigit():
                return
            yield {name: cell for name, cell in zip(header, cells, strict=True) if cell}


@final
class JSONLLog(RowLog):
    """Writes the history into a file of JSON lines, one object per update.

    Every line is JSON to the letter. JSON has no numbers that are not finite; they are written as the texts `"NaN"`,
    `"Infinity"` and `"-Infinity"`, which `float` understands, and `read_jsonl` turns back.

    The file is made when the run begins, in the place of an older one. When a run is resumed it is cut back to the
    updates that the run goes on from, so it ends with the bytes of a run that was never interrupted.

    Args:
        path: The file; a relative one lies in the run's folder.
        every: So many rows are written at once. Reading a cost waits for the device, so on an accelerator take more.

    Raises:
        ValueError: If `every` is no positive whole number.

    Examples:
        >>> JSONLLog(every=100)
        JSONLLog(every=100)
    """

    def __init__(self, path: Path | str = "history.jsonl", every: int = 1) -> None:
        super().__init__(path, every)

    def encode(self, rows: list[dict[str, Any]]) -> bytes:
        """A line per row, its values in the order in which the columns first came up."""
        ordered = ({name: plain(row[name]) for name in self.columns if name in row} for row in rows)
        return "".join(json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n" for row in ordered).encode()

    def decode(self, content: bytes) -> Iterator[dict[str, Any]]:
        """The rows, their values as they stand there."""
        for line in _readable(content.split(b"\n")[:-1]):
            try:
                row = json.loads(line)
            except ValueError:
                return
            if not isinstance(row, dict) or not isinstance(row.get("step"), int):
                return
            yield row


def read_jsonl(path: Path | str) -> list[dict[str, Any]]:
    r"""The rows in a file that `JSONLLog` wrote; a last line that was cut off does not count.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "history.jsonl")
        >>> _ = path.write_text('{"step": 0, "cost": "NaN"}\n{"step": 1, "co')
        >>> read_jsonl(path)
        [{'step': 0, 'cost': nan}]
    """
    texts = {"NaN", "Infinity", "-Infinity"}
    return [
        {name: float(value) if isinstance(value, str) and value in texts else value for name, value in row.items()}
        for row in JSONLLog().decode(Path(path).read_bytes())
    ]


def _readable(lines: Iterable[bytes]) -> Iterator[str]:
    """The lines up to the first that is no text."""
    for line in lines:
        try:
            yield line.decode()
        except UnicodeDecodeError:
            return


def _records(content: bytes) -> Iterator[bytes]:
    """The lines of a table that are complete; a text in quotes may go over several."""
    record = b""
    for line in content.split(b"\n")[:-1]:
        record += line + b"\n"
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""


def _csv(lines: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()
