"""A process that writes files in children, which are killed or hindered: what became of the files, as JSON.

torch is imported once; each child is a fork, so that hundreds of real kills take seconds.
"""

import errno
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

import minigrad
from minigrad.errors import CheckpointError
from minigrad.files import read_tree, write_file, write_tree, writing
from minigrad.training.saving import load, save

torch.set_num_threads(1)
CALLS = ("open", "write", "fsync", "replace", "unlink", "close", "fchmod", "stat", "fstat", "listdir", "access")


def old_and_new_bytes() -> tuple[Any, Any]:
    return b"old" * 1000, b"new" * 5000


def read_bytes(path: Path) -> Any:
    return path.read_bytes()


def write_numbers(path: Path, value: Any) -> None:
    write_tree(path, {"step": value, "weight": torch.full((1000,), float(value)), "more": torch.zeros(3)}, kind="test")


def read_numbers(path: Path) -> Any:
    tree = read_tree(path, kind="test")
    assert tree["weight"].unique().tolist() == [tree["step"]]
    return tree["step"]


def save_net(path: Path, value: Any) -> None:
    net = minigrad.Linear(20, 30)
    net.weight.fill_(value)
    save(net, path, notes={"value": value})


def load_net(path: Path) -> Any:
    values = next(load(path).parameters()).unique().tolist()
    assert len(values) == 1
    return int(values[0])


# How to write a value, how to read it back, and an old and a new value.
Way = tuple[Callable[[Path, Any], None], Callable[[Path], Any], Any, Any]
WAYS: dict[str, Way] = {
    "write_file": (write_file, read_bytes, *old_and_new_bytes()),
    "write_tree": (write_numbers, read_numbers, 1, 2),
    "save": (save_net, load_net, 1, 2),
}


class Killer:
    """Counts the calls that touch the disk, and kills this process before, in the middle of, or after one of them."""

    def __init__(self, at: int, moment: str) -> None:
        self.at, self.moment, self.count = at, moment, 0

    def install(self) -> "Killer":
        for name in CALLS:
            setattr(os, name, self.counted(name, getattr(os, name)))
        writing.fcntl.flock = self.counted("flock", writing.fcntl.flock)
        return self

    def counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            mine, self.count = self.count == self.at, self.count + 1
            if mine and self.moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            if mine and self.moment == "inside" and name == "write":
                function(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return function(*arguments, **options)
            finally:
                if mine and self.moment == "after":
                    os.kill(os.getpid(), signal.SIGKILL)

        return call


def in_child(action: Callable[[], None]) -> int:
    """Run something in a fork; return what `waitpid` tells."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def number_of_calls(way: str, existing: bool) -> int:
    """How many calls one write makes."""
    write, _, old, new = WAYS[way]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        if existing:
            write(path, old)
        reading, writing_end = os.pipe()

        def count() -> None:
            killer = Killer(-1, "").install()
            write(path, new)
            os.write(writing_end, str(killer.count).encode())

        assert in_child(count) == 0
        counted = int(os.read(reading, 100))
        os.close(reading)
        os.close(writing_end)
        return counted


def verdict(path: Path, way: str, existing: bool, status: int) -> dict[str, Any]:
    """What a killed child left, and whether the next write makes order."""
    write, read, old, new = WAYS[way]
    result: dict[str, Any] = {"killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL}
    result["left over"] = len(list(path.parent.iterdir())) - path.exists()
    try:
        value = read(path) if path.exists() else None
        result["found"] = "new" if value == new else "old" if value == (old if existing else None) else "neither"
    except (CheckpointError, AssertionError) as error:
        result["found"] = f"damaged: {error}"
    write(path, new)
    result["clean"] = [file.name for file in path.parent.iterdir()] == [path.name] and read(path) == new
    return result


def kill_at_each_call(way: str) -> list[dict[str, Any]]:
    """Kill a writer before, inside and after each of its calls."""
    # A kill takes nothing from the disk that was written: only power does, and there is a model for that.
    os.fsync = lambda descriptor: None
    results = []
    write, _, old, new = WAYS[way]
    for existing in (True, False):
        for at in range(number_of_calls(way, existing)):
            for moment in ("before", "inside", "after"):
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "file"
                    if existing:
                        write(path, old)

                    def act(path: Path = path, at: int = at, moment: str = moment) -> None:
                        Killer(at, moment).install()
                        write(path, new)

                    status = in_child(act)
                    if moment == "inside" and status == 0:
                        continue  # that call was no write
                    results.append({"at": at, "moment": moment} | verdict(path, way, existing, status))
    return results


def kill_at_any_time(way: str, times: int = 20) -> list[dict[str, Any]]:
    """Kill a writer from outside while it writes again and again."""
    results = []
    write, _, old, new = WAYS[way]
    for number in range(times):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            write(path, old)
            pid = os.fork()
            if pid == 0:
                while True:
                    write(path, old)
                    write(path, new)
            time.sleep(0.001 * number)
            os.kill(pid, signal.SIGKILL)
            results.append({"at": number} | verdict(path, way, True, os.waitpid(pid, 0)[1]))
    return results


def attempt(way: str, path: Path, value: Any) -> dict[str, Any]:
    """Write, expecting a failure, and tell what was raised and what is there."""
    write, read, old, _ = WAYS[way]
    try:
        write(path, value)
        raised: dict[str, Any] = {"raised": None}
    except OSError as error:
        raised = {"raised": errno.errorcode.get(error.errno or 0), "path": error.filename == str(path)}
    names = sorted(file.name for file in path.parent.iterdir())
    return raised | {"old": read(path) == old, "names": names}


def told_by_child(action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of an action in a fork."""
    reading, writing_end = os.pipe()
    status = in_child(lambda: os.write(writing_end, json.dumps(action()).encode()) and None)
    os.close(writing_end)
    with os.fdopen(reading) as file:
        text = file.read()
    return dict(json.loads(text)) if text else {"status": status}


def limited_size(way: str) -> dict[str, Any]:
    """A file may have no more bytes than the old one: the kernel refuses the rest of the new one."""
    write, _, old, new = WAYS[way]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path, old)

        def act() -> dict[str, Any]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            return attempt(way, path, new)

        return told_by_child(act)


def read_only_folder(way: str) -> dict[str, Any]:
    """Nobody may write into the folder; whoever is root becomes nobody first, since nothing is forbidden to root."""
    write, _, old, new = WAYS[way]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path, old)
        os.chmod(path, 0o666)

        def act() -> dict[str, Any]:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            return attempt(way, path, new)

        os.chmod(folder, 0o777)
        control = told_by_child(act)
        write(path, old)
        os.chmod(path, 0o666)
        os.chmod(folder, 0o555)
        result = told_by_child(act)
        os.chmod(folder, 0o777)
        return result | {"possible in a writable folder": control["raised"] is None}


def full_disk(way: str, folder: str) -> dict[str, Any]:
    """A disk with room for the old file, and not for the new one beside it."""
    write, read, old, new = WAYS[way]
    path = Path(folder) / "file"
    write(path, old)
    room = os.statvfs(folder)
    filler = Path(folder) / "filler"
    with suppress(OSError):
        filler.write_bytes(bytes(room.f_bavail * room.f_frsize))
    result = attempt(way, path, new)
    filler.unlink()
    write(path, new)
    result["new when there is room"] = read(path) == new
    path.unlink()
    return result


if __name__ == "__main__":
    task, *arguments = sys.argv[1:]
    print(json.dumps({way: globals()[task](way, *arguments) for way in WAYS}))
