"""Moons, two half circles that no line parts."""

import math
from typing import final

import torch

from minigrad.core import Data, Dataset
from minigrad.datasets.parts import MAX_ROWS, check_integer, check_parts, part_sizes, row_parts, split


@final
class Moons(Dataset):
    r"""Points on two interleaved half circles, with noise.

    $$(\cos t, \sin t) \text{ and } (1 - \cos t, \tfrac12 - \sin t), \qquad t \in [0, \pi], \quad
    \text{each with } \epsilon \sim N(0, \sigma^2) \text{ added}$$

    `x: (N, 2)` in float32, `y: (N)` the index of the moon; the upper one has $\lfloor n / 2 \rfloor$ of the points. The
    parts have their share of both moons.

    Args:
        n: How many points there are, in all parts together.
        noise: $\sigma$.
        seed: Of the noise and of the split.
        validation: The fraction of the points that is set aside to watch the training.
        test: The fraction that is set aside for the end.

    Raises:
        ValueError: If `n` is not from 2 to ten million, `noise` is negative, or the fractions leave nothing.

    Examples:
        >>> data = Moons(n=100, noise=0.0).load()
        >>> [len(x) for x, y in (data.train, data.validation, data.test)], data.classes
        ([70, 10, 20], ('upper', 'lower'))
    """

    def __init__(
        self, n: int = 1000, noise: float = 0.1, seed: int = 0, validation: float = 0.1, test: float = 0.2
    ) -> None:
        check_integer(2, MAX_ROWS, n=n)
        check_noise(noise)
        check_parts(validation, test, seed)
        part_sizes(n, validation, test)
        self.n = n
        self.noise = noise
        self.seed = seed
        self.validation = validation
        self.test = test

    def load(self) -> Data:
        """Make the points."""
        upper = self.n // 2
        t, u = (torch.linspace(0, math.pi, points, dtype=torch.float64) for points in (upper, self.n - upper))
        above = torch.stack([t.cos(), t.sin()], 1)
        below = torch.stack([1 - u.cos(), 0.5 - u.sin()], 1)
        x = noisy(torch.cat([above, below]), self.noise, self.seed)
        y = (torch.arange(self.n) >= upper).long()
        train, validation, test = split(x, y, row_parts(self.n, self.validation, self.test, self.seed, y))
        return Data(train, validation, test, columns=("x1", "x2"), target="moon", classes=("upper", "lower"))


def check_noise(noise: float) -> None:
    """Require a standard deviation.

    Raises:
        ValueError: If it is negative, or not finite.
    """
    if not isinstance(noise, int | float) or not 0 <= noise < math.inf:
        raise ValueError(f"noise must be a finite number, not negative. Received: noise={noise!r}")


def noisy(points: torch.Tensor, noise: float, seed: int) -> torch.Tensor:
    """Points with normal noise added, in float32."""
    drawn = torch.randn(points.shape, generator=torch.Generator().manual_seed(seed), dtype=points.dtype)
    return (points + noise * drawn).float()
