"""What several components check alike."""

from typing import Any

from torch import Tensor

from minigrad.errors import DtypeError


def check_floating(component: object, x: Any) -> None:
    """Refuse an `x` in which no gradient can be meant: no tensor at all, or one of integers.

    Many torch functions turn integers into floats without a word; a gradient for them would be made up.

    Raises:
        DtypeError: If `x` is no tensor, or not a floating-point one.

    Examples:
        >>> import torch
        >>> from minigrad.activations import ReLU
        >>> check_floating(ReLU(), torch.tensor([1, 2]))
        Traceback (most recent call last):
        minigrad.errors.DtypeError: ReLU expects a floating-point tensor. Received: torch.int64
    """
    if type(x) is Tensor and x.is_floating_point():  # the usual case first: this stands on the hot path
        return
    if not (isinstance(x, Tensor) and x.is_floating_point()):
        received = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise DtypeError(f"{type(component).__name__} expects a floating-point tensor. Received: {received}")
