"""Batches: whatever holds examples, as a stream of (x, y)."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from minigrad.errors import ShapeError


def batches(data: Any, batch_size: int | None = None, generator: torch.Generator | None = None) -> Iterator[Any]:
    """One pass over `data`, as (x, y) batches.

    Args:
        data: A pair of tensors or arrays with one row per example, or an iterable of (x, y) batches (a DataLoader).
        batch_size: Rows per batch of a pair; `None` gives all rows at once, in their order.
        generator: Draws the order of the rows of a pair for this pass; `None` keeps their order.

    Raises:
        ShapeError: If x and y of a pair have different numbers of rows.
        TypeError: If `data` is neither.
        ValueError: If `batch_size` is not positive, or is given for data that is in batches already.

    Examples:
        >>> x, y = torch.arange(3.0).reshape(3, 1), torch.arange(3)
        >>> [b.tolist() for _, b in batches((x, y), batch_size=2)]
        [[0, 1], [2]]
    """
    if not is_pair(data):
        if batch_size is not None:
            raise ValueError(
                f"batch_size cuts a pair of tensors; these data come in batches. Received: batch_size={batch_size}"
            )
        if not isinstance(data, Iterable):
            raise TypeError(f"data must be a pair (x, y) or an iterable of such. Received: {type(data).__name__}")
        return iter(data)
    x, y = (torch.as_tensor(part) for part in data)
    if len(x) != len(y):
        raise ShapeError(f"x and y must have one row per example. Received: {len(x)} rows in x, {len(y)} in y")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be positive. Received: batch_size={batch_size}")
    return _cut(x, y, batch_size, generator)


def is_pair(data: Any) -> bool:
    """Whether `data` is a pair (x, y) of tensors or arrays."""
    return isinstance(data, tuple | list) and len(data) == 2 and all(hasattr(part, "shape") for part in data)


def _cut(
    x: Tensor, y: Tensor, batch_size: int | None, generator: torch.Generator | None
) -> Iterator[tuple[Tensor, Tensor]]:
    if batch_size is None:
        yield x, y
        return
    order = None if generator is None else torch.randperm(len(x), generator=generator).to(x.device)
    for start in range(0, len(x), batch_size):
        rows = slice(start, start + batch_size) if order is None else order[start : start + batch_size]
        yield x[rows], y[rows]
