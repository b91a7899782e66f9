"""One at a time in a folder."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows knows no such lock
    fcntl = None  # type: ignore[assignment]

HAS_LOCKS = fcntl is not None
# The folders that this process holds, by device and number: for which thread, and by which descriptor.
_held: dict[tuple[int, int], tuple[int, int]] = {}


@contextmanager
def held(folder: str | os.PathLike[str], *, nested: bool = False) -> Iterator[None]:
    """Keep everybody else who asks out of a folder; the lock ends with the process, however it ends.

    Where there are no locks, on Windows and some network drives, nobody is kept out.

    Args:
        folder: It must exist.
        nested: Whether this may stand within another block of the same thread, which holds the folder already.

    Raises:
        BlockingIOError: If somebody else holds it.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, held(folder), held(folder, nested=True):
        ...     with held(folder):
        ...         pass
        Traceback (most recent call last):
        BlockingIOError: ...
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    place = (os.fstat(descriptor).st_dev, os.fstat(descriptor).st_ino)
    if nested and _held.get(place, (0, 0))[0] == threading.get_ident():
        os.close(descriptor)
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        pass  # a file system without locks
    _held[place] = (threading.get_ident(), descriptor)
    try:
        yield
    finally:
        if _held.pop(place, None):
            os.close(descriptor)


def _let_go() -> None:
    # A forked worker of a data loader would hold the folder a while longer than the run that was killed.
    for _, descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
