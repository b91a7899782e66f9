"""Which tensors there are in a value, and whether their numbers are finite."""

import cmath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor


def tensors(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """Every tensor in a value (also in tuples, lists, dicts and dataclasses), under a name that leads to it.

    Examples:
        >>> [name for name, _ in tensors((torch.zeros(1), {"a": torch.zeros(1)}), "x")]
        ['x[0]', "x[1]['a']"]
    """
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from tensors(item, f"{name}[{i}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from tensors(item, f"{name}[{key!r}]")
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors(getattr(value, field.name), f"{name}.{field.name}")


def is_finite(tensor: Tensor) -> bool:
    """Whether there is neither a NaN nor an infinity.

    Examples:
        >>> is_finite(torch.tensor([1e38, 3e38])), is_finite(torch.tensor([torch.inf, -torch.inf]))
        (True, False)
    """
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    # What is not finite stays so in a sum, which takes one pass and no memory. Finite numbers may overflow in it, and
    # only then is each looked at.
    return cmath.isfinite(tensor.sum().item()) or bool(tensor.isfinite().all())


def first_not_finite(named: Iterable[tuple[str, Tensor]]) -> str:
    """Where the first NaN or infinity stands, in words; empty if there is none.

    Examples:
        >>> first_not_finite([("x", torch.zeros(1)), ("y", torch.tensor([0.0, torch.nan]))])
        'y, at (1,) nan, not finite in 1 of 2 elements'
    """
    for name, tensor in named:
        if not is_finite(tensor):
            bad = ~tensor.isfinite()
            at = first_index(bad)
            return f"{name}, at {at} {tensor[at].item():g}, not finite in {int(bad.sum())} of {tensor.numel()} elements"
    return ""


def first_index(mask: Tensor) -> tuple[int, ...]:
    """Where a mask is true first.

    Examples:
        >>> first_index(torch.tensor([[False, False], [True, True]]))
        (1, 0)
    """
    return tuple(torch.nonzero(mask)[0].tolist())
