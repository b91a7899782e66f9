"""What several metrics do alike: take a pair, find the classes, divide."""

import math
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Metric, as_tensors
from minigrad.errors import DtypeError, ShapeError, TargetError


def pair(metric: Metric, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Prediction and target as tensors on one device; arrays will do, too.

    Raises:
        DtypeError: If one is neither, or the prediction is not of a floating-point dtype.
    """
    prediction, target = as_tensors(prediction, None), as_tensors(target, None)
    name = type(metric).__name__
    if not (isinstance(prediction, Tensor) and isinstance(target, Tensor)):
        raise DtypeError(
            f"{name} expects two tensors. "
            f"Received: prediction {type(prediction).__name__}, target {type(target).__name__}"
        )
    if not prediction.is_floating_point():
        raise DtypeError(f"{name} expects a floating-point prediction. Received: {prediction.dtype}")
    return prediction, target.to(prediction.device)


def same_shape(metric: Metric, prediction: Tensor, target: Tensor) -> None:
    """Require one shape; torch would stretch the smaller one without a word.

    Raises:
        ShapeError: If they differ.
    """
    if prediction.shape != target.shape:
        raise ShapeError(
            f"{type(metric).__name__} expects prediction and target of one shape. "
            f"Received: prediction {tuple(prediction.shape)}, target {tuple(target.shape)}"
        )


def classified(metric: Metric, prediction: Any, target: Any, ignore_index: int) -> tuple[Tensor, Tensor]:
    """The samples that count: their scores, (N, C), and the indices of their classes, (N).

    Classes lie along dimension 1, or 0 for a single sample, as for `CrossEntropy`. A target of the prediction's shape
    holds probabilities, and stands for the class of the largest.

    Raises:
        ShapeError: If the target has neither the prediction's shape nor that without its classes, or there is only one
            class.
        DtypeError: If indices are no integers, or probabilities no floating-point numbers.
        TargetError: If an index is no class, or probabilities do not sum to 1 (told on the CPU only).
    """
    prediction, target = pair(metric, prediction, target)
    name, shape = type(metric).__name__, tuple(prediction.shape)
    if prediction.dim() == 0 or target.shape not in (prediction.shape, shape[:1] + shape[2:] if shape[1:] else ()):
        raise ShapeError(
            f"{name} expects a prediction of shape (N, C, ...) and class indices of shape (N, ...) or probabilities of "
            f"the prediction's shape. Received: prediction {shape}, target {tuple(target.shape)}"
        )
    dim = 0 if prediction.dim() == 1 else 1
    classes = shape[dim]
    if classes < 2:
        raise ShapeError(
            f"{name} expects scores of two classes at least; BinaryAccuracy is for a single probability. "
            f"Received: prediction {shape}"
        )
    probabilities = target.shape == prediction.shape
    if target.is_floating_point() != probabilities or target.dtype is torch.bool:
        expected = "probabilities to be floating-point numbers" if probabilities else "class indices to be integers"
        raise DtypeError(f"{name} expects {expected}. Received: {target.dtype}")
    scores = prediction.movedim(dim, -1).reshape(-1, classes)
    if probabilities:
        shares = target.movedim(dim, -1).reshape(-1, classes)
        if shares.is_cpu and (wrong := (shares.sum(1) - 1).abs() > 0.01).any():
            raise TargetError(
                f"{name} expects the probabilities of a sample's classes to sum to 1; BinaryAccuracy is for answers of "
                f"yes or no. Received: a sum of {shares[wrong][0].sum().item():g}, target {tuple(target.shape)}"
            )
        return scores, shares.argmax(1)
    index = target.reshape(-1).long()
    counts = index != ignore_index
    scores, index = scores[counts], index[counts]
    if index.is_cpu and ((index < 0) | (index >= classes)).any():
        wrong = index[(index < 0) | (index >= classes)][0].item()
        raise TargetError(
            f"{name} expects class indices from 0 to {classes - 1}, or ignore_index={ignore_index}. Received: {wrong}"
        )
    return scores, index


def ratio(total: Any, count: Any) -> float:
    """The total over the count; NaN if nothing was counted."""
    count = int(count)
    return float(total) / count if count else math.nan
