"""Uniform, Normal and TruncNormal: one distribution, whatever the shape."""

from typing import final

import torch
from torch import Tensor

from minigrad.core import Initializer


@final
class Uniform(Initializer):
    r"""$\theta \sim U(a, b)$.

    Args:
        a: Lower end.
        b: Upper end.

    Raises:
        ValueError: If `b` is less than `a`.

    Examples:
        >>> weight = torch.empty(100)
        >>> Uniform(-1, 1)(weight)
        >>> bool((weight.abs() <= 1).all())
        True
    """

    def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
        if not a <= b:
            raise ValueError(f"b must not be less than a. Received: a={a}, b={b}")
        self.a = a
        self.b = b

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (*shape)`."""
        torch.nn.init.uniform_(tensor, self.a, self.b)


@final
class Normal(Initializer):
    r"""$\theta \sim N(\mu, \sigma^2)$.

    Args:
        mean: $\mu$.
        std: $\sigma$.

    Raises:
        ValueError: If `std` is negative.

    Examples:
        >>> weight = torch.empty(10_000)
        >>> Normal(std=0.02)(weight)
        >>> round(weight.std().item(), 2)
        0.02
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        _check_std(std)
        self.mean = mean
        self.std = std

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (*shape)`."""
        torch.nn.init.normal_(tensor, self.mean, self.std)


@final
class TruncNormal(Initializer):
    r"""$\theta \sim N(\mu, \sigma^2)$, drawn again wherever it falls outside $[a, b]$.

    Args:
        mean: $\mu$.
        std: $\sigma$.
        a: Lower end, in the units of $\theta$ (not of $\sigma$).
        b: Upper end, likewise.

    Raises:
        ValueError: If `std` is negative or `b` is not greater than `a`.

    Examples:
        >>> weight = torch.empty(100)
        >>> TruncNormal(std=1.0, a=-0.5, b=0.5)(weight)
        >>> bool((weight.abs() <= 0.5).all())
        True
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> None:
        _check_std(std)
        if not a < b:
            raise ValueError(f"b must be greater than a. Received: a={a}, b={b}")
        self.mean = mean
        self.std = std
        self.a = a
        self.b = b

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (*shape)`."""
        torch.nn.init.trunc_normal_(tensor, self.mean, self.std, self.a, self.b)


def _check_std(std: float) -> None:
    if not std >= 0:
        raise ValueError(f"std must not be negative. Received: std={std}")
