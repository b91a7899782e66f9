"""Cases of the built-in datasets; those that read a file are given one in a temporary folder."""

import atexit
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from minigrad.testing.case import Case

TEXT = "the quick brown fox jumps over the lazy dog\n" * 8


@cache
def _folder() -> Path:
    """A folder for this process, removed at its end."""
    folder = TemporaryDirectory(prefix="minigrad-samples-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _file(name: str, content: str) -> Path:
    file = _folder() / name
    if not file.exists():
        file.write_text(content, encoding="utf-8")
    return file


def text(cls: Any) -> list[Case]:
    """Windows side by side, and windows that overlap, in all three parts."""
    file = _file("text.txt", TEXT)
    return [
        Case(lambda: cls(file, context=8)),
        Case(lambda: cls(file, context=8, stride=3, test=0.1), name="overlapping"),
    ]


SAMPLES: dict[str, Callable[[Any], list[Case]]] = {
    "Digits": lambda cls: [Case(cls), Case(lambda: cls(validation=0.0, test=0.5, seed=1))],
    "Iris": lambda cls: [Case(cls), Case(lambda: cls(validation=0.0, test=0.5, seed=1))],
    "Moons": lambda cls: [Case(cls), Case(lambda: cls(n=21, noise=0.0, test=0.0))],
    "Spirals": lambda cls: [Case(cls), Case(lambda: cls(n=50, classes=5, seed=3))],
    "Text": text,
}
