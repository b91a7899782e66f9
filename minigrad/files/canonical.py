"""JSON with one spelling for each value: what is read must be, byte for byte, what would be written."""

import json
from typing import Any

from minigrad.errors import CheckpointError

# Deeper than any net, and far from Python's own limit.
MAX_DEPTH = 200


def write_json(value: Any) -> str:
    r"""The one spelling of a JSON value: no spaces, ASCII, keys in their order.

    Raises:
        ValueError: If it holds a NaN, an infinity or an integer of thousands of digits.

    Examples:
        >>> write_json({"b": [1, 2.0, None], "a": "é"})
        '{"b":[1,2.0,null],"a":"\\u00e9"}'
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def read_json(text: str, what: str) -> Any:
    """The value of a JSON text in its one spelling.

    Args:
        text: The text.
        what: What it is, for messages.

    Raises:
        CheckpointError: If it is no JSON, repeats a key, is nested too deeply, or is not in its one spelling.

    Examples:
        >>> read_json('{"a":[1,2]}', "the tree")
        {'a': [1, 2]}
        >>> read_json('{"a":1,"a":2}', "the tree")
        Traceback (most recent call last):
        ...
        minigrad.errors.CheckpointError: the tree has the key 'a' twice
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            raise CheckpointError(f"{what} has the key {next(k for k in keys if keys.count(k) > 1)!r} twice")
        return made

    try:
        value = json.loads(text, object_pairs_hook=unique)
        spelling = write_json(value)
    except RecursionError:
        raise CheckpointError(f"{what} is nested too deeply") from None
    except CheckpointError:
        raise
    except ValueError as error:  # no JSON, NaN, or a number of thousands of digits
        raise CheckpointError(f"{what} cannot be read: {error}") from None
    if spelling != text:
        raise CheckpointError(f"{what} is not spelt as minigrad spells it")
    return value
