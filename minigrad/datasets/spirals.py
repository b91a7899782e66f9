"""Spirals, arms that wind around each other."""

import math
from typing import final

import torch

from minigrad.core import Data, Dataset
from minigrad.datasets.moons import check_noise, noisy
from minigrad.datasets.parts import MAX_ROWS, check_integer, check_parts, part_sizes, row_parts, split


@final
class Spirals(Dataset):
    r"""Points on the arms of a spiral, with noise; each arm is a class.

    $$x = r\,(\cos \varphi, \sin \varphi) + \epsilon, \qquad \varphi = 2 \pi \Bigl(\frac{k}{K} + r\,\tau\Bigr), \quad
    r \in (0, 1], \quad \epsilon \sim N(0, \sigma^2)$$

    for arm $k$ of $K$. `x: (N, 2)` in float32, `y: (N)` the index of the arm. The parts have their share of every arm.

    Args:
        n: How many points there are, in all parts together; every arm has as many, to one point.
        classes: $K$.
        noise: $\sigma$; the arms lie $1 / (K \tau)$ apart.
        turns: $\tau$, how often an arm winds around the middle.
        seed: Of the noise and of the split.
        validation: The fraction of the points that is set aside to watch the training.
        test: The fraction that is set aside for the end.

    Raises:
        ValueError: If `n` is not from `classes` to ten million, there are not from 2 to 100 classes, `noise` or `turns`
            is negative, or the fractions leave nothing.

    Examples:
        >>> data = Spirals(n=300, classes=3).load()
        >>> data.train[0].shape, data.train[1].bincount(), data.classes
        (torch.Size([210, 2]), tensor([70, 70, 70]), ('arm 0', 'arm 1', 'arm 2'))

    References:
        Lang and Witbrock, "Learning to Tell Two Spirals Apart", 1988 Connectionist Models Summer School.
    """

    def __init__(
        self,
        n: int = 1000,
        classes: int = 2,
        noise: float = 0.02,
        turns: float = 1.5,
        seed: int = 0,
        validation: float = 0.1,
        test: float = 0.2,
    ) -> None:
        check_integer(2, 100, classes=classes)
        check_integer(classes, MAX_ROWS, n=n)
        check_noise(noise)
        if not isinstance(turns, int | float) or not 0 <= turns < math.inf:
            raise ValueError(f"turns must be a finite number, not negative. Received: turns={turns!r}")
        check_parts(validation, test, seed)
        part_sizes(n, validation, test)
        self.n = n
        self.classes = classes
        self.noise = noise
        self.turns = turns
        self.seed = seed
        self.validation = validation
        self.test = test

    def load(self) -> Data:
        """Make the points."""
        points = torch.arange(self.n)
        y = points % self.classes
        arms = torch.bincount(y)
        r = (points // self.classes + 1).double() / arms[y]
        angle = 2 * math.pi * (y / self.classes + r * self.turns)
        x = noisy(torch.stack([r * angle.cos(), r * angle.sin()], 1), self.noise, self.seed)
        train, validation, test = split(x, y, row_parts(self.n, self.validation, self.test, self.seed, y))
        names = tuple(f"arm {k}" for k in range(self.classes))
        return Data(train, validation, test, columns=("x1", "x2"), target="arm", classes=names)
