"""What several components check alike."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from minigrad.errors import ConfigError, DtypeError


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


def check_rates(**rates: Any) -> None:
    """Require numbers that are not negative: an optimizer's rates. A tensor of one element counts as one.

    Raises:
        ValueError: If one is negative, NaN, several numbers, or none.

    Examples:
        >>> check_rates(lr=0.1, momentum=-1)
        Traceback (most recent call last):
        ValueError: momentum must not be negative. Received: momentum=-1
    """
    for name, rate in rates.items():
        if isinstance(rate, Tensor) and rate.numel() != 1:
            raise ValueError(f"{name} must be one number. Received: {name} of shape {tuple(rate.shape)}")
        if not hasattr(rate, "__float__"):
            raise ValueError(f"{name} must be a number. Received: {name}={rate!r}")
        if not rate >= 0:
            raise ValueError(f"{name} must not be negative. Received: {name}={rate}")


def check_betas(betas: Any) -> None:
    """Require two decay rates in [0, 1), as numbers.

    Raises:
        ValueError: If they are not.

    Examples:
        >>> check_betas((0.9, 1.0))
        Traceback (most recent call last):
        ValueError: betas must be two numbers in [0, 1). Received: betas=(0.9, 1.0)
    """
    if (
        not isinstance(betas, Sequence)
        or len(betas) != 2
        or not all(isinstance(beta, int | float) and 0 <= beta < 1 for beta in betas)
    ):
        raise ValueError(f"betas must be two numbers in [0, 1). Received: betas={betas!r}")


def check_device(device: Any, dtype: torch.dtype = torch.float32) -> None:
    """Require a device that can be computed on, here and in this dtype.

    Raises:
        ConfigError: If torch does not know it, or this machine does not have it.

    Examples:
        >>> check_device("cpu")
        >>> check_device("gpu")
        Traceback (most recent call last):
        minigrad.errors.ConfigError: device must be one that this machine's torch can use ... Received: device='gpu'
    """
    try:
        torch.zeros(1, dtype=dtype, device=device).item()
    except Exception as error:  # torch has many ways to say that a device is not to be had
        raise ConfigError(
            f"device must be one that this machine's torch can use with {str(dtype).removeprefix('torch.')}, such as "
            f"'cpu'. Received: {device=}"
        ) from error


def check_count(least: int = 1, **counts: Any) -> None:
    """Require whole numbers that are not too small; `None`, where nothing is counted, passes.

    Raises:
        ValueError: If one is no whole number, or less than `least`.

    Examples:
        >>> check_count(epochs=3, steps=None)
        >>> check_count(epochs=1.5)
        Traceback (most recent call last):
        ValueError: epochs must be a whole number, at least 1. Received: epochs=1.5
    """
    for name, count in counts.items():
        if count is None:
            continue
        # numpy has whole numbers of its own; True is none.
        if isinstance(count, bool) or not hasattr(count, "__index__") or count < least:
            raise ValueError(f"{name} must be a whole number, at least {least}. Received: {name}={count!r}")
