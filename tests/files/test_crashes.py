"""Killed writers, full disks and folders that nobody may write into: the old file or the new one is whole."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minigrad.files import write_file, writing

ROOT = Path(__file__).resolve().parents[2]
WAYS = ["write_file", "write_tree", "save"]


def told(task: str, *arguments: str, before: tuple[str, ...] = ()) -> Any:
    """What a fresh process tells of a task."""
    command = [*before, sys.executable, "-m", "tests.files.crashes", task, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_writer_is_killed_at_each_of_its_calls():
    for way, results in told("kill_at_each_call").items():
        assert len(results) >= 40, way
        assert all(result["killed"] for result in results), way
        assert [result for result in results if result["found"] not in ("old", "new")] == [], way
        assert [result for result in results if not result["clean"]] == [], way
        # The kills were where they matter: some left a temporary file, some came before the rename, some after it.
        assert {result["left over"] for result in results} == {0, 1}
        assert {result["found"] for result in results} == {"old", "new"}
        assert {result["moment"] for result in results} == {"before", "inside", "after"}


def test_a_writer_is_killed_at_any_time():
    for way, results in told("kill_at_any_time").items():
        assert len(results) == 20
        assert [result for result in results if not (result["killed"] and result["clean"])] == [], way
        assert {result["found"] for result in results} <= {"old", "new"}, way


def test_a_file_that_may_not_grow_is_left_as_it_was():
    expected = {"raised": "EFBIG", "path": True, "old": True, "names": ["file"]}
    assert told("limited_size") == dict.fromkeys(WAYS, expected)


def test_a_read_only_folder_is_left_as_it_was():
    expected = {"raised": "EACCES", "path": True, "old": True, "names": ["file"], "possible in a writable folder": True}
    assert told("read_only_folder") == dict.fromkeys(WAYS, expected)


def mount(options: str, command: str) -> tuple[str, ...]:
    """Run a command with a file system of its own, in a namespace that nobody else sees."""
    return ("unshare", "--mount", "--map-root-user", "sh", "-c", f'mount -t tmpfs {options} && exec "$@"', command)


def may_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*mount(f"tmpfs {folder}", "sh"), "true"], capture_output=True, check=False).returncode == 0


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if not may_mount(folder):
        pytest.skip("no small disk can be mounted here; the other tests of this file stand in")
    expected = {
        "raised": "ENOSPC",
        "path": True,
        "old": True,
        "names": ["file", "filler"],
        "new when there is room": True,
    }
    results = told("full_disk", str(folder), before=mount(f"-o size=64k tmpfs {folder}", "sh"))
    assert results == dict.fromkeys(WAYS, expected)


@pytest.mark.parametrize("name", ["open", "write", "fsync", "replace", "fchmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES])
def test_whatever_call_fails_the_old_file_stays(
    name: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "file"
    write_file(path, "old")
    real = getattr(os, name)

    def fail(*arguments: Any, **options: Any) -> Any:
        if name == "write":  # a disk that is full in the middle of a write
            real(arguments[0], bytes(arguments[1])[:2])
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(writing.os, name, fail)
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            write_file(path, "new content")
    assert (caught.value.errno, caught.value.filename) == (number, str(path))
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, SystemExit])
def test_whatever_interrupts_the_old_file_stays(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "file"
    write_file(path, "old")

    def interrupt(descriptor: int) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(writing.os, "fsync", interrupt)
        with pytest.raises(error):
            write_file(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_synced_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # The new file has its name by then, and nobody knows for how long: that is a failed save.
    fsync, calls = os.fsync, []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(writing.os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_file(tmp_path / "file", "new")


def test_a_file_system_that_cannot_sync_folders_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fsync, calls = os.fsync, []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr(writing.os, "fsync", fail)
    write_file(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
