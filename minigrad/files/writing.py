"""The one way to write a file: whole and durable, or not at all."""

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which refuses to remove a file that somebody has open: as good as a lock
    fcntl = None  # type: ignore[assignment]

Part = bytes | bytearray | memoryview

# Some file systems (and no local one) cannot sync a folder; there is nothing more to be done for it then.
_UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
CHUNK = 1 << 24


def write_file(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a file so that its path leads to the old content or to the new, whatever happens in between.

    The content goes into a temporary file beside the target, `.NAME.PID-RANDOM.tmp`, is forced to the disk, and only
    then takes the target's name; last, the folder is forced to the disk, too. So a killed process, a full disk or a
    power failure leaves the old file or the new one, never half of one. What a killed writer left behind is removed by
    the next write to the same path.

    A link is followed, and the file that it names is replaced; a file's permissions stay. Hard links part: the other
    names keep the old content.

    Args:
        path: Where to write; the folder must exist.
        content: Bytes, or text, which is encoded as UTF-8 with its line ends as they are.

    Raises:
        OSError: If the file cannot be written; it names the path, and what stood there is still there.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_file(folder / "log.txt", "done")
        >>> [file.name for file in folder.iterdir()], (folder / "log.txt").read_text()
        (['log.txt'], 'done')
    """
    write_parts(path, [content.encode() if isinstance(content, str) else content])


def write_parts(path: str | os.PathLike[str], parts: Iterable[Part]) -> None:
    """Write a file from several pieces, as `write_file` does.

    Raises:
        OSError: If the file cannot be written; it names the path, and what stood there is still there.
    """
    try:
        target = Path(os.path.realpath(path))
        existing = _existing(target)
        _remove_left_over(target)
        _replace(target, existing, parts)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _existing(target: Path) -> os.stat_result | None:
    """What stands at `target`, if it is something that may be replaced."""
    try:
        existing = os.stat(target)
    except FileNotFoundError:
        if target.parent.is_dir():
            return None
        raise FileNotFoundError(errno.ENOENT, "The folder to write into does not exist") from None
    if stat.S_ISDIR(existing.st_mode):
        raise IsADirectoryError(errno.EISDIR, "A folder has this name")
    if not stat.S_ISREG(existing.st_mode):
        raise OSError(errno.EINVAL, "Only a regular file can be replaced, not a device or a pipe")
    if not os.access(target, os.W_OK):
        # Its folder would allow the replacement, but whoever protected the file meant it.
        raise PermissionError(errno.EACCES, "The file is write-protected")
    return existing


def _replace(target: Path, existing: os.stat_result | None, parts: Iterable[Part]) -> None:
    descriptor, temporary = _open_temporary(target, 0o666 if existing is None else existing.st_mode & 0o777)
    is_open = True
    try:
        if existing is not None:
            _take_over_rights(descriptor, existing)
        for part in parts:
            _write_all(descriptor, part)
        os.fsync(descriptor)
        if fcntl is None:  # Windows renames no open file; elsewhere the lock is kept until the file has its name
            os.close(descriptor)
            is_open = False
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        if is_open:
            os.close(descriptor)
    _sync_folder(target.parent)


def _write_all(descriptor: int, part: Part) -> None:
    rest = memoryview(part).cast("B") if memoryview(part).nbytes else memoryview(b"")
    while rest:
        # A write may be cut short, by a signal or a disk that is nearly full: the rest is tried again.
        rest = rest[os.write(descriptor, rest[:CHUNK]) :]


def _take_over_rights(descriptor: int, existing: os.stat_result) -> None:
    """Give the new file the owner and the permissions of the one that it replaces."""
    if not hasattr(os, "fchown"):
        return
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (existing.st_uid, existing.st_gid):
        with suppress(PermissionError):  # only root can give a file away
            os.fchown(descriptor, existing.st_uid, existing.st_gid)
    os.fchmod(descriptor, existing.st_mode & 0o777)


def _sync_folder(folder: Path) -> None:
    """Force a new name in a folder to the disk."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


# Temporary files. A writer holds a lock on its own: where a lock can be had, the writer is gone.


def _open_temporary(target: Path, mode: int) -> tuple[int, str]:
    while True:
        temporary = str(target.parent / f".{_stem(target)}.{os.getpid()}-{secrets.token_hex(6)}.tmp")
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, mode)
        _lock(descriptor)
        if os.path.exists(temporary):
            return descriptor, temporary
        os.close(descriptor)  # somebody took it for a left-over before it was locked


def _remove_left_over(target: Path) -> None:
    """Remove the temporary files of this target whose writers are gone; a failure to do so is no failure to write."""
    pattern = re.compile(rf"\.{re.escape(_stem(target))}\.(\d+)-[0-9a-f]{{12}}\.tmp")
    with suppress(OSError):
        for name in os.listdir(target.parent):
            if match := pattern.fullmatch(name):
                with suppress(OSError):
                    _remove_if_left(str(target.parent / name), int(match[1]))


def _remove_if_left(temporary: str, pid: int) -> None:
    if fcntl is None:
        if pid != os.getpid():  # another thread's is not open for a moment, when it is renamed
            os.unlink(temporary)
        return
    descriptor = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(temporary)
    except BlockingIOError:
        pass
    except OSError:
        # A file system without locks; the process may also have died on another machine, where nobody can tell.
        if not _is_running(pid):
            os.unlink(temporary)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _stem(target: Path) -> str:
    """The target's name, or a digest of one so long that nothing could be added to it."""
    encoded = os.fsencode(target.name)
    return target.name if len(encoded) <= 200 else hashlib.sha256(encoded).hexdigest()
