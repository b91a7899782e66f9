"""What an annotation says about an argument: which kinds of component may stand there, alone or in a sequence."""

import collections.abc
import inspect
import types
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from minigrad.core import Component
from minigrad.registry.kinds import KINDS, Kind

_SEQUENCES = (list, tuple, collections.abc.Sequence, collections.abc.Collection, collections.abc.Iterable)
_MAPPINGS = (dict, collections.abc.Mapping)


@cache
def hints_of(cls: type) -> dict[str, Any]:
    """The annotations of a constructor's arguments; those that cannot be read are left out."""
    try:
        return get_type_hints(cls.__init__)  # type: ignore[misc]
    except Exception:  # names that exist for the type checker alone
        return {}


def members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the one hint itself.

    Examples:
        >>> members(int | None), members(int)
        ((<class 'int'>, <class 'NoneType'>), (<class 'int'>,))
    """
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def kinds_of(hint: Any) -> tuple[Kind, ...]:
    """The kinds of component that may stand there by name.

    Examples:
        >>> from minigrad.core import Layer
        >>> [kind.name for kind in kinds_of(Layer | None)], kinds_of(float)
        (['layer', 'activation'], ())
    """
    classes = [member for member in members(hint) if isinstance(member, type) and issubclass(member, Component)]
    return tuple(kind for kind in KINDS if any(issubclass(kind.base, cls) for cls in classes)) or tuple(
        kind for kind in KINDS if any(issubclass(cls, kind.base) for cls in classes)
    )


def is_open(hint: Any) -> bool:
    """Whether it says nothing."""
    return any(member in (Any, object, inspect.Parameter.empty) for member in members(hint))


def takes_text(hint: Any) -> bool:
    """Whether a string is meant as it stands, not as the name of a component."""
    return any(member is str or get_origin(member) is Literal for member in members(hint))


def item_hint(hint: Any) -> Any:
    """The hint of a sequence's items, `None` where no sequence is meant."""
    return _parameter(hint, _SEQUENCES, 0)


def value_hint(hint: Any) -> Any:
    """The hint of a mapping's values, `None` where no mapping is meant."""
    return _parameter(hint, _MAPPINGS, -1)


def _parameter(hint: Any, origins: tuple[Any, ...], index: int) -> Any:
    for member in members(hint):
        if is_open(member) or member in origins:
            return Any
        if get_origin(member) in origins:
            return get_args(member)[index]
    return None
