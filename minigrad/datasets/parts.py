"""The parts of a dataset: how many rows each has, and which rows they are."""

from typing import Any

import torch
from torch import Tensor

from minigrad.core import Pair
from minigrad.errors import DataError

MAX_ROWS = 10_000_000

Parts = tuple[Pair, Pair | None, Pair | None]


def check_integer(low: int, high: int, **named: Any) -> None:
    """Require integers from `low` to `high`.

    Raises:
        ValueError: If one is none, or lies outside.

    Examples:
        >>> check_integer(1, 9, n=10)
        Traceback (most recent call last):
        ValueError: n must be an integer from 1 to 9. Received: n=10
    """
    for name, value in named.items():
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{name} must be an integer from {low} to {high}. Received: {name}={value!r}")


def check_parts(validation: float, test: float, seed: int = 0) -> None:
    """Require two fractions that leave something to learn from, and a seed.

    Raises:
        ValueError: If a fraction is not in [0, 1), both add up to 1 or more, or the seed is no integer of 63 bits.

    Examples:
        >>> check_parts(0.5, 0.5)
        Traceback (most recent call last):
        ValueError: validation and test must leave something to learn from. Received: validation=0.5, test=0.5
    """
    for name, fraction in (("validation", validation), ("test", test)):
        if not isinstance(fraction, int | float) or not 0 <= fraction < 1:
            raise ValueError(f"{name} must be a fraction in [0, 1). Received: {name}={fraction!r}")
    if validation + test >= 1:
        raise ValueError(
            f"validation and test must leave something to learn from. Received: validation={validation}, test={test}"
        )
    check_integer(0, 2**63 - 1, seed=seed)


def part_sizes(rows: int, validation: float, test: float) -> tuple[int, int, int]:
    """How many of so many rows belong to train, validation and test; halves are rounded up.

    Raises:
        DataError: If a part that is asked for would be empty, or there are more than ten million rows.

    Examples:
        >>> part_sizes(150, 0.1, 0.25)
        (97, 15, 38)
        >>> part_sizes(4, 0.1, 0)
        Traceback (most recent call last):
        minigrad.errors.DataError: validation=0.1 of 4 rows must be one at least. Received: none
    """
    if rows > MAX_ROWS:
        raise DataError(f"A dataset has at most {MAX_ROWS:,} rows. Received: {rows:,}")
    sizes = [int(fraction * rows + 0.5) for fraction in (validation, test)]
    for name, fraction, size in zip(("validation", "test"), (validation, test), sizes, strict=True):
        if fraction > 0 and size == 0:
            raise DataError(f"{name}={fraction} of {rows} rows must be one at least. Received: none")
    if rows - sum(sizes) < 1:
        raise DataError(
            f"validation={validation} and test={test} of {rows} rows must leave one to learn from. Received: none"
        )
    return rows - sum(sizes), sizes[0], sizes[1]


def row_parts(rows: int, validation: float, test: float, seed: int, classes: Tensor | None = None) -> list[Tensor]:
    """Which rows belong to train, validation and test, each part in an order drawn by `seed`.

    Where each row has a class, every part has its share of each, to one row: the rows of a class are put at even
    distances between 0 and 1, and the parts are cut from the line on which all classes lie together.

    Args:
        rows: How many there are.
        validation: The fraction for the validation.
        test: The fraction for the test.
        seed: Of the draw.
        classes: The class of each row: `(rows)`.

    Raises:
        DataError: If a part that is asked for would be empty.

    Examples:
        >>> classes = torch.tensor([0] * 40 + [1] * 20)
        >>> [classes[part].bincount().tolist() for part in row_parts(60, 0.1, 0.2, 0, classes)]
        [[28, 14], [4, 2], [8, 4]]
    """
    _, validating, testing = part_sizes(rows, validation, test)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    if classes is not None:
        order = order[_places(classes[order]).argsort(stable=True)]
    test_rows, validation_rows, train_rows = order.tensor_split([testing, testing + validating])
    return [train_rows, validation_rows, test_rows]


def _places(classes: Tensor) -> Tensor:
    """Where each row stands among those of its class, between 0 and 1."""
    _, kind, sizes = torch.unique(classes, return_inverse=True, return_counts=True)
    by_class = kind.argsort(stable=True)
    first = sizes.cumsum(0) - sizes
    rank = torch.empty_like(kind)
    rank[by_class] = torch.arange(len(kind)) - first[kind[by_class]]
    return (rank + 0.5) / sizes[kind].double()


def split(x: Tensor, y: Tensor, parts: list[Tensor]) -> Parts:
    """The pairs of the parts; `None` for an empty one."""
    train, validation, test = ((x[rows], y[rows]) for rows in parts)
    return train, validation if len(validation[0]) else None, test if len(test[0]) else None
