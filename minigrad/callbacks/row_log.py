"""RowLog, what a file of the history's rows needs: to be begun, cut back, appended to and closed."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Any

from torch import Tensor

from minigrad.core import Callback, Run
from minigrad.core.checks import check_count
from minigrad.files import write_file


class RowLog(Callback, ABC):
    """A file of rows that is complete up to the last update but one while the run goes on, and in the end complete.

    A row is written when the next update is made, because until then callbacks and validations may add to it. So where
    the log stands in the list of callbacks makes no difference.

    An author writes `encode`, which gives the lines of some rows, and `decode`, which reads them again.

    Args:
        path: The file; a relative one lies in the run's folder.
        every: So many rows are written at once.
    """

    def __init__(self, path: Path | str, every: int) -> None:
        check_count(every=every)
        self.path = path
        self.every = every
        self.columns: list[str] = []  # in the order in which they first came up
        self._file: FileIO | None = None
        self._written = 0  # how many of the run's rows

    @abstractmethod
    def encode(self, rows: list[dict[str, Any]]) -> bytes:
        """The lines of some rows, whose columns stand in `self.columns`."""

    @abstractmethod
    def decode(self, content: bytes) -> Iterable[dict[str, Any]]:
        """The rows in a file, up to the first line that is not whole; their values may stay as they stand there."""

    def head(self) -> bytes:
        """What stands before all rows."""
        return b""

    def widen(self, content: bytes, columns: int) -> bytes:
        """The content of the file after so many new columns have come up."""
        return content

    def on_fit_start(self, run: Run) -> None:
        """Begin the file, or cut it back to the rows of the updates that the run goes on from."""
        self._close()
        self._path = run.folder / self.path
        self._path.parent.mkdir(parents=True, exist_ok=True)
        first = run.rows[0]["step"] if run.rows else run.step
        rows = [*self._earlier(first), *run.rows]
        self.columns = list(dict.fromkeys(name for row in rows for name in row))
        self._begin((self.head() if rows else b"") + self.encode(rows))
        self._written = len(run.rows)

    def on_step_end(self, run: Run) -> None:
        """Write the rows that are complete, if there are enough."""
        if len(run.rows) - 1 - self._written >= self.every:
            self._append(run.rows[self._written : -1])

    def on_fit_end(self, run: Run) -> None:
        """Write the last rows and close the file."""
        try:
            if self._file is not None:
                self._append(run.rows[self._written :])
        finally:
            self._close()

    def _earlier(self, first: int) -> list[dict[str, Any]]:
        """Rows of updates before those that the run remembers, from the file itself."""
        if first == 0 or not self._path.exists():
            return []
        return [row for row in self.decode(self._path.read_bytes()) if int(row["step"]) < first]

    def _begin(self, content: bytes) -> None:
        write_file(self._path, content)
        self._file = self._path.open("ab", buffering=0)

    def _append(self, rows: list[dict[str, Any]]) -> None:
        assert self._file is not None
        if not rows:
            return
        new = list(dict.fromkeys(name for row in rows for name in row if name not in self.columns))
        if new:
            self.columns += new
            self._close()
            content = self._path.read_bytes()
            changed = self.widen(content, len(new)) if content else self.head()
            if changed != content:
                write_file(self._path, changed)
            self._file = self._path.open("ab", buffering=0)
        try:
            _write_all(self._file, self.encode(rows))
        except OSError:
            self._close()  # a line may be torn: nothing must follow it
            raise
        self._written += len(rows)

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


def _write_all(file: FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        # A write may be cut short, by a signal or a disk that is nearly full: the rest is tried again.
        rest = rest[file.write(rest) or 0 :]


def plain(value: Any) -> Any:
    """A value of a row as JSON can say it: tensors as numbers or lists, and what is not finite as a text.

    Examples:
        >>> plain([1.5, float("nan"), -float("inf"), torch.tensor(2)])
        [1.5, 'NaN', '-Infinity', 2]
    """
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def cell(value: Any) -> Any:
    """A value of a row as it stands between commas.

    Examples:
        >>> [cell(value) for value in (0.5, "text", torch.tensor(2), [1.5, float("nan")])]
        [0.5, 'text', 2, '[1.5, "NaN"]']
    """
    if isinstance(value, Tensor):
        value = value.tolist()
    return json.dumps(plain(value)) if isinstance(value, list | tuple | dict) else value
