"""Trees of values as JSON, without loss: tuples, bytes, NaN and keys that are no strings come back as they were."""

import base64
import binascii
import math
import struct
from collections.abc import Callable
from typing import Any

from torch import Tensor

from minigrad.errors import CheckpointError
from minigrad.files.canonical import MAX_DEPTH

# What JSON has no word for is a dict with one of these keys alone; a user's own key that begins so goes into "$dict".
_TUPLE, _DICT, _BYTES, _FLOAT, _TENSOR = "$tuple", "$dict", "$bytes", "$float", "$tensor"
_KEYS = (str, int, float, bool, type(None), tuple)


def encode_tree(value: Any, name_tensor: Callable[[Tensor, str], str], place: str = "", depth: int = 0) -> Any:
    """The JSON value that stands for a tree.

    Types are taken at their word: a subclass, such as numpy's float, would come back as something else, so it is
    refused.

    Args:
        value: Dicts, lists and tuples of strings, numbers, booleans, None, bytes and tensors.
        name_tensor: Called with each tensor and its place; returns the name that refers to it.
        place: Where `value` stands, for messages.
        depth: How far down.

    Raises:
        TypeError: If something else stands in the tree; it names the place.
        ValueError: If the tree is too deep, or an integer has more than a thousand digits.

    Examples:
        >>> encode_tree({"betas": (0.9, 0.99), "best": float("inf"), "state": {0: None}}, lambda tensor, place: place)
        {'betas': {'$tuple': [0.9, 0.99]}, 'best': {'$float': '7ff0000000000000'}, 'state': {'$dict': [[0, None]]}}
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"A tree has at most {MAX_DEPTH} levels. Received: more, at {place[:100]}...")

    def inner(item: Any, step: str) -> Any:
        return encode_tree(item, name_tensor, place + step if place else step.lstrip("."), depth + 1)

    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int and value.bit_length() < 3000:
        return value
    if kind is float:
        return value if math.isfinite(value) else {_FLOAT: struct.pack(">d", value).hex()}
    if kind is bytes:
        return {_BYTES: base64.b64encode(value).decode()}
    if kind is list:
        return [inner(item, f"[{i}]") for i, item in enumerate(value)]
    if kind is tuple:
        return {_TUPLE: [inner(item, f"[{i}]") for i, item in enumerate(value)]}
    if kind is dict and all(type(key) is str and not key.startswith("$") for key in value):
        return {key: inner(item, f".{key}") for key, item in value.items()}
    if kind is dict and all(type(key) in _KEYS for key in value):
        return {_DICT: [[inner(key, f".{key}"), inner(item, f".{key}")] for key, item in value.items()]}
    if isinstance(value, Tensor):
        return {_TENSOR: name_tensor(value, place)}
    if kind is int:
        raise ValueError(f"An integer has less than 3000 bits. Received: {value.bit_length()} bits at {place}")
    what = f"keys {[key for key in value if type(key) not in _KEYS]!r:.200}" if kind is dict else f"{value!r:.200}"
    raise TypeError(
        "A file holds dicts, lists, tuples, str, int, float, bool, None, bytes and tensors. "
        f"Received: {what} ({kind.__module__}.{kind.__qualname__}) at {place or 'the root'}"
    )


def decode_tree(value: Any, take_tensor: Callable[[str], Tensor], depth: int = 0) -> Any:
    """The tree that a JSON value stands for.

    Args:
        value: What `encode_tree` made.
        take_tensor: Called with the name of each tensor; returns it.
        depth: How far down.

    Raises:
        CheckpointError: If the value is none that `encode_tree` makes.

    Examples:
        >>> decode_tree({"betas": {"$tuple": [0.9, 0.99]}}, lambda name: torch.zeros(1))
        {'betas': (0.9, 0.99)}
    """
    if depth > MAX_DEPTH:
        raise CheckpointError(f"its tree has more than {MAX_DEPTH} levels")

    def inner(item: Any) -> Any:
        return decode_tree(item, take_tensor, depth + 1)

    if isinstance(value, list):
        return [inner(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not any(key.startswith("$") for key in value):
        return {key: inner(item) for key, item in value.items()}
    match value:
        case {"$tuple": list(items)} if len(value) == 1:
            return tuple(inner(item) for item in items)
        case {"$bytes": str(text)} if len(value) == 1:
            return _decode_bytes(text)
        case {"$float": str(text)} if len(value) == 1:
            return _decode_float(text)
        case {"$tensor": str(name)} if len(value) == 1:
            return take_tensor(name)
        case {"$dict": list(pairs)} if len(value) == 1:
            return _decode_dict([inner(pair) for pair in pairs])
    raise CheckpointError(f"its tree has an unknown element: {value!r:.200}")


def _decode_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise CheckpointError(f"its tree has bytes that are not in base64: {text!r:.100}") from None


def _decode_float(text: str) -> float:
    try:
        number: float = struct.unpack(">d", bytes.fromhex(text))[0]
    except (ValueError, struct.error):
        raise CheckpointError(f"its tree has a number that is not 16 hexadecimal digits: {text!r:.100}") from None
    return number


def _decode_dict(pairs: list[Any]) -> dict[Any, Any]:
    if not all(type(pair) is list and len(pair) == 2 and _is_key(pair[0]) for pair in pairs):
        raise CheckpointError("its tree has a dict that is not made of pairs")
    made = dict(pairs)
    if len(made) < len(pairs):
        raise CheckpointError("its tree has a dict with a key twice")
    return made


def _is_key(value: Any) -> bool:
    return type(value) in _KEYS and (type(value) is not tuple or all(map(_is_key, value)))
