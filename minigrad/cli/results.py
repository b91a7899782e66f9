"""Results as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any


def result_lines(result: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line for each part of the data, with its cost and metrics.

    Examples:
        >>> list(result_lines({"test": {"cost": 0.125, "accuracy": 0.975}}))
        ['test: cost 0.125, accuracy 0.975']
    """
    for part, values in result.items():
        yield f"{part}: {', '.join(f'{name} {number_text(value)}' for name, value in values.items())}"


def number_text(value: Any) -> str:
    """A number in few digits, anything else as it is.

    Examples:
        >>> number_text(0.123456), number_text([1, 2]), number_text(None)
        ('0.1235', '[1, 2]', '-')
    """
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
