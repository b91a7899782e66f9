"""A file is written whole or not at all, as far as one process can see."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from minigrad.files import write_file, writing


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\r\n", "é\r\n", "x" * 100_000], ids=["empty", "bytes", "text", "long"]
)
def test_what_is_written_is_there(content: bytes | str, tmp_path: Path):
    for _ in range(2):  # a new file, and one that is replaced
        write_file(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(tmp_path) == ["file"]


def test_a_path_may_be_relative_and_a_string(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_file("file", "x")
    assert names(tmp_path) == ["file"]


def test_a_long_or_odd_name_will_do(tmp_path: Path):
    odd = ["n" * 255, "é" * 127, "a b\n*[x]", ".hidden", "-"]
    for name in odd * 2:
        write_file(tmp_path / name, name)
    assert names(tmp_path) == sorted(odd)


def test_writes_that_are_cut_short_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write = os.write
    monkeypatch.setattr(writing.os, "write", lambda descriptor, part: write(descriptor, bytes(part[:7])))
    write_file(tmp_path / "file", bytes(range(100)))
    assert (tmp_path / "file").read_bytes() == bytes(range(100))


# What a user expects of links and permissions.


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "real").write_text("old")
    (tmp_path / "link").symlink_to(Path("runs") / "real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "runs" / "real").read_text() == "new"
    assert names(tmp_path / "runs") == ["real"]


def test_a_link_to_nothing_makes_its_file(tmp_path: Path):
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_permissions_stay(mode: int, tmp_path: Path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(mode)
    write_file(tmp_path / "file", "new")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_new_file_has_the_usual_permissions(tmp_path: Path):
    (tmp_path / "usual").touch()
    write_file(tmp_path / "file", "new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_private_file_is_private_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o600)
    modes = []
    write = os.write

    def spy(descriptor: int, part: Any) -> int:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return write(descriptor, part)

    monkeypatch.setattr(writing.os, "write", spy)
    write_file(tmp_path / "file", "secret")
    assert modes == [0o600]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_stays(tmp_path: Path):
    (tmp_path / "file").write_text("old")
    os.chown(tmp_path / "file", 12345, 54321)
    write_file(tmp_path / "file", "new")
    made = (tmp_path / "file").stat()
    assert (made.st_uid, made.st_gid) == (12345, 54321)


# What cannot be written.


def refused(path: Path) -> OSError:
    """The error of a write that must fail; its file name must be the path."""
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        write_file(path, "new")
    assert caught.value.filename == str(path)
    return caught.value


def test_a_missing_folder_is_told(tmp_path: Path):
    error = refused(tmp_path / "missing" / "file")
    assert isinstance(error, FileNotFoundError)
    assert "The folder to write into does not exist" in str(error)


def test_a_folder_is_no_file(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    assert isinstance(refused(tmp_path / "folder"), IsADirectoryError)
    assert names(tmp_path) == ["folder"]


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "file").touch()
    assert isinstance(refused(tmp_path / "file" / "x"), NotADirectoryError)


def test_a_pipe_is_left_alone(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").errno == errno.EINVAL
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_links_in_a_circle_are_told(tmp_path: Path):
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    assert refused(tmp_path / "one").errno == errno.ELOOP


def test_a_protected_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Root may write to any file, so the question is answered here as a user would hear it.
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o444)
    monkeypatch.setattr(
        writing.os, "access", lambda path, mode: not mode & os.W_OK or Path(path).stat().st_mode & 0o200
    )
    assert isinstance(refused(tmp_path / "file"), PermissionError)
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


# What was left over.


def left_over(folder: Path, target: str, pid: int = 1) -> Path:
    path = folder / f".{target}.{pid}-{'0' * 12}.tmp"
    path.write_text("half")
    return path


def test_what_a_dead_writer_left_is_removed(tmp_path: Path):
    # The number is that of a living process: numbers are given out again, a lock is not.
    left_over(tmp_path, "file", pid=os.getpid())
    others = [left_over(tmp_path, "file.bak"), left_over(tmp_path, "other"), tmp_path / ".file.x-y.tmp"]
    others[-1].touch()
    write_file(tmp_path / "file", "new")
    assert names(tmp_path) == sorted(["file", *(path.name for path in others)])


def test_what_a_living_writer_writes_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    replace, inner = os.replace, []

    def write_meanwhile(source: str, target: Any) -> None:
        if not inner:
            inner.append(names(tmp_path))
            write_file(tmp_path / "file", "meanwhile")
            assert names(tmp_path) == sorted([*inner[0], "file"])
        replace(source, target)

    monkeypatch.setattr(writing.os, "replace", write_meanwhile)
    write_file(tmp_path / "file", "last")
    assert (tmp_path / "file").read_text() == "last"
    assert names(tmp_path) == ["file"]


def test_without_locks_the_writer_is_asked_for_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(writing.fcntl, "flock", no_locks)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left_over(tmp_path, "file", pid=dead.pid)
    alive = left_over(tmp_path, "file", pid=os.getpid())
    write_file(tmp_path / "file", "new")
    assert names(tmp_path) == sorted(["file", alive.name])


def test_without_locks_at_all_another_thread_keeps_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writing, "fcntl", None)
    left_over(tmp_path, "file", pid=1)
    ours = left_over(tmp_path, "file", pid=os.getpid())
    write_file(tmp_path / "file", "new")
    assert names(tmp_path) == sorted(["file", ours.name])


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path: Path):
    contents = [bytes([i]) * 50_000 for i in range(8)]

    def work(content: bytes) -> None:
        for _ in range(10):
            write_file(tmp_path / "file", content)

    threads = [threading.Thread(target=work, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_bytes() in contents
    assert names(tmp_path) == ["file"]
