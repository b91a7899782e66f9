"""Files that hold data: found to be files of a bearable size, and read."""

import os
import stat
from pathlib import Path

from minigrad.errors import DataError

MAX_BYTES = 2**30


def path_text(path: object) -> str:
    """A path as a text, which is how it stands in a configuration.

    Raises:
        TypeError: If it is none.
        ValueError: If it is empty.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(text := os.fspath(path), str):
        raise TypeError(f"path must be a path. Received: path={path!r}")
    if not text:
        raise ValueError("path must name a file. Received: path=''")
    return text


def checked_file(path: str, most: int = MAX_BYTES) -> Path:
    """The path of a file that is there, has something in it, and is not too large.

    Raises:
        DataError: If it is not so.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise DataError(f"{path} must be a file. Received: {'a folder' if stat.S_ISDIR(found.st_mode) else 'none'}")
    if found.st_size > most:
        raise DataError(f"{path} must have at most {most:,} bytes. Received: {found.st_size:,} bytes")
    if found.st_size == 0:
        raise DataError(f"{path} must hold data. Received: an empty file")
    return Path(path)


def unreadable(path: str, error: Exception) -> DataError:
    """What to say of a file that the system does not give."""
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(f"{path} must be a file that can be read. Received: {reason}")


def undecodable(path: str, error: UnicodeDecodeError) -> DataError:
    """What to say of a file that is not UTF-8."""
    return DataError(f"{path} must be a text in UTF-8. Received: byte {error.object[error.start]:#04x}")
