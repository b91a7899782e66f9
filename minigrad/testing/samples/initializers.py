"""Cases of the built-in initializers; those that are not listed are made without arguments."""

from collections.abc import Callable
from typing import Any

from minigrad.testing.case import Case

SAMPLES: dict[str, Callable[[Any], list[Case]]] = {
    "Constant": lambda cls: [Case(lambda: cls(0.3))],
    "Normal": lambda cls: [Case(cls), Case(lambda: cls(mean=1.0, std=0.1))],
    "TruncNormal": lambda cls: [Case(cls), Case(lambda: cls(std=0.5, a=-0.1, b=0.2))],
    "Uniform": lambda cls: [Case(cls), Case(lambda: cls(a=-2.0, b=-1.0))],
}
