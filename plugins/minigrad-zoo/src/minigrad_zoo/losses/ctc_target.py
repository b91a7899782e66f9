"""The target of CTC: three parts that must fit the scores, and each other."""

from typing import Any

import torch
from torch import Tensor

from minigrad import DtypeError, ShapeError, TargetError
from minigrad_zoo.checks import can_look_at

Lengths = Tensor | tuple[int, ...] | list[int] | int


def unpacked_target(x: Tensor, target: Any, blank: int) -> tuple[Tensor, list[int], list[int]]:
    """The target's parts: the labels, and the lengths of the inputs and of the label sequences.

    Args:
        x: The scores that they must fit.
        target: As `CTC.forward` takes it.
        blank: The index of the blank.

    Raises:
        ShapeError: If the shapes and lengths do not fit.
        DtypeError: If it is no tuple of three, or labels or lengths are no integers.
        TargetError: If a label is the blank, or is not in [0, C); looked at on the CPU only.
    """
    if not isinstance(target, tuple | list) or len(target) != 3:
        size = f" of {len(target)}" if isinstance(target, tuple | list) else ""
        raise DtypeError(
            f"CTC expects a target (targets, input_lengths, target_lengths). Received: {type(target).__name__}{size}"
        )
    targets = target[0]
    if not isinstance(targets, Tensor) or targets.dtype not in (torch.int32, torch.int64):
        received = targets.dtype if isinstance(targets, Tensor) else type(targets).__name__
        raise DtypeError(f"CTC expects targets of integers, torch.int64 or torch.int32. Received: {received}")
    if x.dim() not in (2, 3) or x.shape[-1] <= blank:
        raise ShapeError(
            f"CTC expects scores (T, N, C) or (T, C), with C greater than blank={blank}. "
            f"Received: shape {tuple(x.shape)}"
        )
    input_lengths, target_lengths = _integers("input_lengths", target[1]), _integers("target_lengths", target[2])
    _check_lengths(x.shape[0], x.shape[1] if x.dim() == 3 else 1, input_lengths, target_lengths)
    _check_shape(targets, target_lengths)
    _check_labels(targets, target_lengths, x.shape[-1], blank)
    return targets, input_lengths, target_lengths


def _integers(name: str, lengths: Lengths) -> list[int]:
    given: Any = lengths.flatten().tolist() if isinstance(lengths, Tensor) else lengths
    given = list(given) if isinstance(given, tuple | list) else [given]
    if not all(isinstance(length, int) for length in given):
        raise DtypeError(f"CTC expects {name} of integers. Received: {name}={lengths!r}")
    return given


def _check_lengths(t: int, n: int, inputs: list[int], labels: list[int]) -> None:
    if len(inputs) != n or len(labels) != n:
        raise ShapeError(
            f"CTC expects as many lengths as sequences, {n}. "
            f"Received: {len(inputs)} input_lengths, {len(labels)} target_lengths"
        )
    if not all(0 <= length <= t for length in inputs) or not all(length >= 0 for length in labels):
        raise ShapeError(
            f"CTC expects input_lengths from 0 to T={t}, and target_lengths of 0 or more. "
            f"Received: input_lengths {inputs}, target_lengths {labels}"
        )


def _check_shape(targets: Tensor, lengths: list[int]) -> None:
    n, total = len(lengths), sum(lengths)
    padded = targets.dim() == 2 and targets.shape[0] == n and targets.shape[1] >= max(lengths, default=0)
    if not padded and targets.shape != (total,):
        raise ShapeError(
            f"CTC expects targets (N={n}, S), with S at least the greatest of target_lengths, or as one sequence "
            f"({total},). Received: targets {tuple(targets.shape)}, target_lengths {lengths}"
        )


def _check_labels(targets: Tensor, lengths: list[int], classes: int, blank: int) -> None:
    if not can_look_at(targets):
        return
    if targets.dim() == 2:  # what lies beyond a sequence's length does not matter
        targets = targets[torch.arange(targets.shape[1]) < torch.tensor(lengths).unsqueeze(-1)]
    bad = (targets < 0) | (targets >= classes) | (targets == blank)
    if bad.any():
        raise TargetError(
            f"CTC expects labels from 0 to {classes - 1} other than blank={blank}. Received: {targets[bad][0].item()}"
        )
