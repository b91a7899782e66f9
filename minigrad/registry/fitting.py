"""Values that were read from a file, held against the annotation of the argument that they are for."""

import collections.abc
import inspect
import math
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import torch
from torch import Tensor

from minigrad.core import Component
from minigrad.registry.hints import is_open, members

_LARGEST = 2**63 - 1  # what a TOML file and torch hold
_ABSTRACT = {
    collections.abc.Sequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
    collections.abc.Mapping: dict,
}


class UnfitError(Exception):
    """A value that does not fit; the text is the rule."""


def fitted(value: Any, hint: Any, file: Callable[[str], Path] = Path) -> Any:
    """`value` as the annotation `hint` wants it: lists become tuples or tensors, texts become paths.

    Nothing is guessed: `True` is no integer, `"3"` is no number, and a number that is not finite is none.

    Args:
        value: What stands in the file; components in it are built already.
        hint: An annotation.
        file: Makes a path of a text.

    Raises:
        UnfitError: If it does not fit; the text says what would.

    Examples:
        >>> fitted([0.9, 1], tuple[float, float]), fitted("mean", Literal["mean", "sum"])
        ((0.9, 1.0), 'mean')
        >>> fitted(True, int | None)
        Traceback (most recent call last):
        minigrad.registry.fitting.UnfitError: an integer
    """
    if is_open(hint) or isinstance(hint, TypeVar):
        return _any(value)
    rules = []
    if Path in members(hint) and type(value) is str:
        return file(value)  # where a path may stand, no text passes unseen
    for member in members(hint):
        if member is type(None):
            if value is None:
                return None
            continue
        try:
            return _one(value, member, file)
        except UnfitError as error:
            rules.append(str(error))
    raise UnfitError(" or ".join(dict.fromkeys(rules)) or "left out")


def hint_of_default(default: Any) -> Any:
    """What a default says of an argument that has no annotation.

    Examples:
        >>> hint_of_default(4.0), hint_of_default(None)
        (<class 'float'>, typing.Any)
    """
    if type(default) is int:  # `lr=1` may well mean 1.0
        return int | float
    return type(default) if type(default) in (bool, float, str) else Any


def _any(value: Any) -> Any:
    if type(value) in (int, float):
        return _number(value)
    if type(value) in (list, tuple):
        return type(value)(_any(item) for item in value)
    if type(value) is dict:
        return {key: _any(item) for key, item in value.items()}
    return value


def _one(value: Any, hint: Any, file: Callable[[str], Path]) -> Any:
    """The value, if it fits an annotation that is no union."""
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        return fitted(value, arguments[0], file)
    if origin is Literal:
        if any(type(value) is type(choice) and value == choice for choice in arguments):
            return value
        raise UnfitError(f"one of {', '.join(map(repr, arguments))}")
    if origin in _SIMPLE:
        return _SIMPLE[origin](value)
    if origin is Path:
        return file(_text(value))
    if isinstance(origin, type) and issubclass(origin, Component):
        return _component(value, origin)
    kind = _ABSTRACT.get(origin, origin)
    if kind is dict:
        return _table(value, arguments, file)
    if kind in (list, tuple, set, frozenset):
        return _items(value, kind, arguments, file)
    if isinstance(value, str | int | float | list | dict):
        raise UnfitError(f"left out: {_shown(hint)} cannot stand in a file")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise UnfitError("true or false")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise UnfitError("an integer")
    if abs(value) > _LARGEST:
        raise UnfitError("an integer of at most 64 bits")
    return value


def _number(value: Any) -> Any:
    if type(value) not in (int, float):
        raise UnfitError("a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise UnfitError("a finite number")
    return _integer(value) if isinstance(value, int) else value


def _float(value: Any) -> float:
    return float(_number(value))


def _text(value: Any) -> str:
    if type(value) is not str:
        raise UnfitError("a text")
    return value


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, list) or not value:
        raise UnfitError("a list of numbers")
    _each(value, _number)
    try:
        tensor = torch.tensor(value)
    except (ValueError, TypeError, RuntimeError, OverflowError):
        raise UnfitError("a list of numbers, its rows of one length") from None
    return tensor if tensor.dtype is torch.bool else tensor.to(torch.get_default_dtype())


def _each(value: Any, check: Callable[[Any], Any]) -> None:
    for item in value:
        if isinstance(item, list):
            _each(item, check)
        else:
            check(item)


_SIMPLE: dict[Any, Callable[[Any], Any]] = {
    bool: _boolean,
    int: _integer,
    float: _float,
    str: _text,
    Tensor: _tensor,
}


def _component(value: Any, base: type[Component]) -> Component:
    if not isinstance(value, base):
        raise UnfitError(f"a {base.__name__.lower()}")
    return value


def _table(value: Any, arguments: tuple[Any, ...], file: Callable[[str], Path]) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise UnfitError("a table")
    return {key: fitted(item, arguments[1] if arguments else Any, file) for key, item in value.items()}


def _items(value: Any, kind: type, arguments: tuple[Any, ...], file: Callable[[str], Path]) -> Any:
    if not isinstance(value, list | tuple):
        raise UnfitError("a list")
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise UnfitError(f"a list of {len(arguments)}")
        hints = list(arguments)
    else:
        hints = [arguments[0] if arguments else Any] * len(value)
    try:
        return kind([fitted(item, hint, file) for item, hint in zip(value, hints, strict=True)])
    except UnfitError as error:
        raise UnfitError(f"a list of {error}" if not str(error).startswith("a list of") else str(error)) from None


def _shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not isinstance(hint, types.GenericAlias) else str(hint)


def annotation(parameter: inspect.Parameter | None, hints: dict[str, Any]) -> Any:
    """What an argument says that it is: by its annotation or, without one, by its default."""
    if parameter is None:
        return Any
    if parameter.name in hints:
        return hints[parameter.name]
    return hint_of_default(parameter.default)
