"""The folder of a run: its files, who may write into it, and what it tells afterwards."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from minigrad.callbacks import read_jsonl
from minigrad.core import Layer
from minigrad.errors import ConfigError
from minigrad.files import write_file
from minigrad.files.locking import HAS_LOCKS, held
from minigrad.training.saving import load, read_notes

RUNS = Path("runs")
_NUMBER = re.compile(r"-(\d+)$")
_RECORD = {"status": str, "stopped": str, "error": str, "steps": int, "epochs": int}
_RECORD |= {"sessions": list, "result": dict, "provenance": dict}
_NOTES = ("columns", "target", "classes", "shift", "scale", "vocabulary", "shape", "loss")


@dataclass(frozen=True)
class RunFolder:
    """A folder that an experiment was trained into."""

    path: Path

    @property
    def experiment(self) -> Path:
        """The experiment as it was run, complete with defaults."""
        return self.path / "experiment.toml"

    @property
    def history(self) -> Path:
        """A row for each update."""
        return self.path / "history.jsonl"

    @property
    def checkpoint(self) -> Path:
        """The newest state, to go on from."""
        return self.path / "checkpoint.safetensors"

    @property
    def model(self) -> Path:
        """The final weights."""
        return self.path / "model.safetensors"

    @property
    def log(self) -> Path:
        """What happened when."""
        return self.path / "log.txt"

    @property
    def record_file(self) -> Path:
        """Where the run stands, and where it comes from."""
        return self.path / "run.json"

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.experiment.is_file()

    @property
    def is_free(self) -> bool:
        """Whether there is nothing here yet."""
        return not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir()))

    def record(self) -> dict[str, Any]:
        """Where the run stands; empty before it has begun.

        Raises:
            ConfigError: If that cannot be read.
        """
        try:
            record = json.loads(self.record_file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.record_file} cannot be read. Received: {error}") from None
        if not isinstance(record, dict):
            raise ConfigError(f"{self.record_file} must hold an object. Received: {record!r}")
        for name, kind in _RECORD.items():
            if name in record and not isinstance(record[name], kind):
                raise ConfigError(
                    f"{self.record_file}: {name} must be a {kind.__name__}. Received: {record[name]!r:.100}"
                )
        return record

    def status(self) -> str:
        """In a word: `"running"`, `"interrupted"`, `"complete"`, ... or, if the run was killed, `"broken off"`."""
        status = str(self.record().get("status", "begun"))
        if status != "running" or not HAS_LOCKS:
            return status
        try:
            with locked(self):
                return "broken off"
        except ConfigError:
            return status

    def write_record(self, record: dict[str, Any]) -> None:
        """Write down where the run stands."""
        write_file(self.record_file, json.dumps(record, indent=2, allow_nan=False) + "\n")

    def rows(self) -> list[dict[str, Any]]:
        """The history so far.

        Raises:
            ConfigError: If it is damaged.
        """
        try:
            rows = read_jsonl(self.history)
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{self.history} cannot be read. Received: {error}") from None
        for row in rows:
            if not isinstance(row.get("step"), int) or not isinstance(row.get("epoch"), int):
                raise ConfigError(f"{self.history}: a row has a step and an epoch. Received: {row!r:.100}")
        return rows

    @cached_property
    def notes(self) -> dict[str, Any]:
        """What is known about the model: how rows are read and shown, where it comes from, how good it is."""
        self.check_complete()
        notes = read_notes(self.model)
        if missing := [name for name in _NOTES if name not in notes]:
            raise ConfigError(
                f"{self.model}: a run's model says how rows are read. Received: one without {', '.join(missing)}"
            )
        return notes

    def net(self) -> Layer:
        """The trained net."""
        self.check_complete()
        return load(self.model)

    def check(self) -> None:
        """Require a run.

        Raises:
            ConfigError: If there is none.
        """
        if not self.exists:
            what = (
                "a folder without one" if self.path.is_dir() else "a file" if self.path.exists() else "no such folder"
            )
            raise ConfigError(f"{self.path}: a run's folder holds experiment.toml. Received: {what}")

    def check_complete(self) -> None:
        """Require a run that has come to its end.

        Raises:
            ConfigError: If it has not.
        """
        self.check()
        if not self.model.is_file():
            raise ConfigError(
                f"{self.path}: the run has not come to its end: minigrad train {self.experiment} --out {self.path} "
                f"--resume goes on with it. Received: no model.safetensors"
            )


def name_of(experiment: Path) -> str:
    """What the runs of an experiment are called: as its file or, for the file of a run, as that run.

    Examples:
        >>> name_of(Path("digits.toml")), name_of(Path("runs/digits-2/experiment.toml"))
        ('digits', 'digits')
    """
    if experiment.name == "experiment.toml":
        return _NUMBER.sub("", experiment.resolve().parent.name) or "run"
    return experiment.stem or "run"


def new_folder(name: str, base: Path = RUNS) -> RunFolder:
    """The first of `name`, `name-2`, `name-3`, ... that does not exist; made, so that nobody else takes it.

    Raises:
        ConfigError: If it cannot be made.
    """
    make(RunFolder(base))
    number = 1
    while True:
        folder = RunFolder(base / (name if number == 1 else f"{name}-{number}"))
        # The file system decides which of two processes gets a name: only one of them can make the folder.
        if not os.path.lexists(folder.path) and make(folder):
            return folder
        number += 1


def newest_run(name: str, base: Path = RUNS) -> RunFolder | None:
    """The run of an experiment that was begun last."""
    runs = []
    for path in base.glob("*"):
        number = _NUMBER.search(path.name)
        if path.name == name or (number and path.name == f"{name}-{number[1]}"):
            runs.append((int(number[1]) if number and path.name != name else 1, path))
    found = [RunFolder(path) for _, path in sorted(runs) if RunFolder(path).exists]
    return found[-1] if found else None


def make(folder: RunFolder) -> bool:
    """Make the folder; whether it was not there before.

    Raises:
        ConfigError: If it cannot be made.
    """
    try:
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        folder.path.mkdir()
    except FileExistsError as error:
        if folder.path.is_dir():
            return False
        raise ConfigError(f"{folder.path}: the folder cannot be made. Received: {error.strerror}") from None
    except OSError as error:
        raise ConfigError(f"{folder.path}: the folder cannot be made. Received: {error.strerror}") from None
    return True


@contextmanager
def locked(folder: RunFolder) -> Iterator[None]:
    """Keep every other process from training into the folder; the lock ends with the process, however it ends.

    Raises:
        ConfigError: If another process holds it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held(folder.path))
        except BlockingIOError:
            raise ConfigError(f"{folder.path}: another process is training into this folder") from None
        yield
