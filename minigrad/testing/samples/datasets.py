"""Cases of the built-in datasets; those that read a file are given one in a temporary folder."""

import atexit
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy

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


def _arrays(name: str, **arrays: Any) -> Path:
    file = _folder() / name
    if not file.exists():
        numpy.savez(file, **arrays)
    return file


def text(cls: Any) -> list[Case]:
    """Windows side by side, and windows that overlap, in all three parts."""
    file = _file("text.txt", TEXT)
    return [
        Case(lambda: cls(file, context=8)),
        Case(lambda: cls(file, context=8, stride=3, test=0.1), name="overlapping"),
    ]


def csv(cls: Any) -> list[Case]:
    """Classes by text and by number, a regression, other columns, another delimiter, as it is."""
    rows = [(i, 0.5 * i, "red" if i % 3 else "blue", i % 2) for i in range(30)]
    plain = _file("table.csv", "a,b,colour,odd\n" + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in rows))
    semicolons = _file("semicolons.csv", "a;b\n" + "".join(f"{a};{b}\n" for a, b, _, _ in rows))
    return [
        Case(lambda: cls(plain, "colour")),
        Case(lambda: cls(plain, "odd", columns=["b"], test=0.0), name="integers"),
        Case(lambda: cls(semicolons, "b", task="regression", delimiter=";", standardize=False), name="regression"),
    ]


def npz(cls: Any) -> list[Case]:
    """Classes, numbers, and sequences of indices."""
    return [
        Case(lambda: cls(_arrays("classes.npz", x=numpy.eye(20), y=numpy.arange(20) % 4))),
        Case(lambda: cls(_arrays("numbers.npz", a=numpy.ones((20, 2, 3)), b=numpy.ones(20)), x="a", y="b")),
        Case(lambda: cls(_arrays("indices.npz", x=numpy.arange(60).reshape(20, 3), y=numpy.ones((20, 3), int)))),
    ]


SAMPLES: dict[str, Callable[[Any], list[Case]]] = {
    "CSV": csv,
    "Digits": lambda cls: [Case(cls), Case(lambda: cls(validation=0.0, test=0.5, seed=1))],
    "Iris": lambda cls: [Case(cls), Case(lambda: cls(validation=0.0, test=0.5, seed=1))],
    "Moons": lambda cls: [Case(cls), Case(lambda: cls(n=21, noise=0.0, test=0.0))],
    "NPZ": npz,
    "Spirals": lambda cls: [Case(cls), Case(lambda: cls(n=50, classes=5, seed=3))],
    "Text": text,
}
