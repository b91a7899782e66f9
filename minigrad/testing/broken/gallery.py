"""The gallery: a broken component, how it is made and fed, and the law meant to catch it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from minigrad.testing.case import Case

_C = TypeVar("_C", bound=type)


@dataclass(frozen=True)
class Broken:
    """One planted bug.

    Attributes:
        case: How the component is made and fed.
        law: The law meant to catch it.
        diagnosis: What the failure must say about it; empty where no mistake can be recognised.
        name: The class.
    """

    case: Case
    law: str
    diagnosis: str
    name: str


GALLERY: list[Broken] = []


def caught_by(
    law: str, diagnosis: str = "", *, make: Callable[[Any], Any] | None = None, inputs: Any = None, **options: Any
) -> Callable[[_C], _C]:
    """Hang a broken class into the gallery."""

    def hang(cls: _C) -> _C:
        made: Callable[[], Any] = cls if make is None else lambda: make(cls)
        GALLERY.append(Broken(Case(made, inputs, **options), law, diagnosis, cls.__name__))
        return cls

    return hang
