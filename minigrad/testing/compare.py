"""Comparing two tensors, and saying in words how they differ."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from minigrad.testing.trees import describe, leaves

Clue = tuple[str, Callable[[], Tensor | None]]
"""A suspicion, and what the received tensor would be if it were true."""


def far(received: Tensor, expected: Tensor, atol: float, rtol: float) -> Tensor:
    """Where two tensors of one shape differ by more than `atol + rtol * |expected|`, or only one is NaN."""
    received, expected = received.detach().double(), expected.detach().double()
    close = expected.isfinite() & ((received - expected).abs() <= atol + rtol * expected.abs())
    return ~(close | (received == expected) | (received.isnan() & expected.isnan()))


def same(received: Tensor | None, expected: Tensor | None, atol: float = 1e-12, rtol: float = 1e-9) -> bool:
    """Whether two tensors are equal up to rounding."""
    if received is None or expected is None:
        return received is expected
    return received.shape == expected.shape and not bool(far(received, expected, atol, rtol).any())


def worst(received: Tensor, expected: Tensor, atol: float, rtol: float) -> str:
    """The entry that differs most, with both values, and how many others differ too."""
    wrong = far(received, expected, atol, rtol)
    error = (received.detach().double() - expected.detach().double()).abs()
    error = torch.where(wrong, error.nan_to_num(nan=float("inf")), -1.0)
    flat = int(error.reshape(-1).argmax())
    index = [int(i) for i in torch.unravel_index(torch.tensor(flat), error.shape)]
    values = f"{received.reshape(-1)[flat].item():.8g}, expected {expected.reshape(-1)[flat].item():.8g}"
    return f"{values} at {index} ({int(wrong.sum())} of {wrong.numel()} entries differ)"


def first_difference(received: Any, expected: Any, atol: float = 1e-12, rtol: float = 1e-9) -> str | None:
    """Where two structures of tensors first differ, in words; `None` if they are equal up to rounding."""
    ours, theirs = dict(leaves(received)), dict(leaves(expected))
    for name in [*theirs, *ours]:
        if name not in ours or name not in theirs:
            return f"{readable(name)} {describe(ours.get(name))}, expected {describe(theirs.get(name))}".strip()
        tensor, other, name = ours[name], theirs[name], readable(name)
        if tensor.shape != other.shape or tensor.dtype != other.dtype:
            return f"{name} {describe(tensor)}, expected {describe(other)}".strip()
        if not same(tensor, other, atol, rtol):
            return f"{name} {worst(tensor, other, atol, rtol)}".strip()
    return None


def readable(name: str) -> str:
    """The path of a tensor as a person would say it: `['output'][0]` is `output[0]`, and `[0]` is `0`."""
    return re.sub(r"^\[\'?([^\]]*?)\'?\]", r"\1", name)


def diagnose(
    received: Tensor,
    expected: Tensor,
    *,
    sizes: Mapping[str, int] | None = None,
    clues: tuple[Clue, ...] = (),
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> str:
    """The mistake that explains how a gradient differs from the right one, or `""`.

    Args:
        received: The gradient that was returned.
        expected: The right one.
        sizes: Numbers that a gradient may have been multiplied or divided by, by what they are.
        clues: Suspicions to be tried one after the other.
        atol: Absolute tolerance.
        rtol: Relative tolerance.

    Examples:
        >>> diagnose(torch.tensor([8.0, -4.0]), torch.tensor([2.0, -1.0]), sizes={"the batch size": 4})
        'off by exactly a factor of 4 (the batch size): too large'
        >>> diagnose(torch.tensor([-2.0, 1.0]), torch.tensor([2.0, -1.0]))
        'the sign is flipped'
    """
    if received.shape != expected.shape:
        return _shapes(received, expected, sizes or {})
    received, expected = received.detach().double(), expected.detach().double()
    if received.isnan().any():
        return "NaN"

    def fits(candidate: Tensor | None) -> bool:
        return candidate is not None and candidate.shape == received.shape and same(received, candidate, atol, rtol)

    if not received.any():
        return "it is zero everywhere"
    if answer := _factor(received, expected, sizes or {}, fits):
        return answer
    if expected.dim() >= 2 and fits(expected.transpose(-1, -2)):
        return "it is transposed"
    for suspicion, candidate in clues:
        if fits(candidate()):
            return suspicion
    return _general_factor(received, expected, fits)


def _shapes(received: Tensor, expected: Tensor, sizes: Mapping[str, int]) -> str:
    if received.dim() >= 2 and received.shape == expected.shape[::-1]:
        return "it is transposed"
    if received.dim() == expected.dim() == 1 and received.numel() in sizes.values():
        return "it is summed over the wrong axis"
    if received.numel() == 1 or received.dim() < expected.dim():
        return "it is summed over an axis that must be kept"
    return "an axis is not summed that must be" if received.dim() > expected.dim() else ""


def _factor(received: Tensor, expected: Tensor, sizes: Mapping[str, int], fits: Callable[[Tensor | None], bool]) -> str:
    if fits(-expected):
        return "the sign is flipped"
    for name, size in sizes.items():
        for sign, also in ((1, ""), (-1, ", and the sign is flipped")):
            if size > 1 and fits(sign * expected * size):
                return f"off by exactly a factor of {size} ({name}): too large{also}"
            if size > 1 and fits(sign * expected / size):
                return f"off by exactly a factor of {size} ({name}): too small{also}"
    return ""


def _general_factor(received: Tensor, expected: Tensor, fits: Callable[[Tensor | None], bool]) -> str:
    # One number is always a multiple of another; two or more that agree are a finding.
    if expected.count_nonzero() < 2:
        return ""
    factor = ((received * expected).sum() / (expected * expected).sum()).item()
    found = math.isfinite(factor) and fits(factor * expected)
    return f"off by exactly a factor of {factor:.6g}" if found else ""
