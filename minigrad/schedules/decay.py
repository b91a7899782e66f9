"""Schedules that follow a formula from the first step on: StepLR, ExponentialLR, LinearLR, CosineAnnealingLR."""

import math
from typing import final

from minigrad.core import Optimizer, Schedule
from minigrad.core.checks import check_count


@final
class StepLR(Schedule):
    r"""$\eta_t = \eta_0\, \gamma^{\lfloor t / s \rfloor}$.

    Args:
        optimizer: Whose rate is set.
        step_size: $s$, steps between two reductions.
        gamma: $\gamma$.

    Raises:
        ValueError: If `step_size` is no positive whole number.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> schedule = StepLR(SGD([Parameter(torch.zeros(1))], lr=1.0), step_size=2, gamma=0.5)
        >>> [schedule.rate(1.0, step) for step in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        check_count(step_size=step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        r"""$\eta_t$ at `step`."""
        return float(base * self.gamma ** (step // self.step_size))


@final
class ExponentialLR(Schedule):
    r"""$\eta_t = \eta_0\, \gamma^t$.

    Args:
        optimizer: Whose rate is set.
        gamma: $\gamma$.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> schedule = ExponentialLR(SGD([Parameter(torch.zeros(1))], lr=1.0), gamma=0.5)
        >>> [schedule.rate(1.0, step) for step in range(3)]
        [1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        r"""$\eta_t$ at `step`."""
        return float(base * self.gamma**step)


@final
class LinearLR(Schedule):
    r"""Warm-up: $\eta_t = \eta_0 \bigl(f_0 + (f_1 - f_0) \min(t / T, 1)\bigr)$.

    Args:
        optimizer: Whose rate is set.
        start_factor: $f_0$.
        end_factor: $f_1$.
        total_iters: $T$, steps until the end.

    Raises:
        ValueError: If `start_factor` is not in (0, 1], `end_factor` not in [0, 1], or `total_iters` no
            positive whole number.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> schedule = LinearLR(SGD([Parameter(torch.zeros(1))], lr=1.0), start_factor=0.5, total_iters=2)
        >>> [schedule.rate(1.0, step) for step in range(4)]
        [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor must be in (0, 1]. Received: start_factor={start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"end_factor must be in [0, 1]. Received: end_factor={end_factor}")
        check_count(total_iters=total_iters)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        r"""$\eta_t$ at `step`."""
        way = min(step / self.total_iters, 1.0)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * way)


@final
class CosineAnnealingLR(Schedule):
    r"""$\eta_t = \eta_\text{min} + \frac12 (\eta_0 - \eta_\text{min}) \bigl(1 + \cos(\pi t / T)\bigr)$.

    Args:
        optimizer: Whose rate is set.
        T_max: $T$, steps until the lowest rate; after it the rate rises again.
        eta_min: $\eta_\text{min}$.

    Raises:
        ValueError: If `T_max` is no positive whole number.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> schedule = CosineAnnealingLR(SGD([Parameter(torch.zeros(1))], lr=1.0), T_max=4)
        >>> [round(schedule.rate(1.0, step), 3) for step in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]

    References:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:  # torch's name
        check_count(T_max=T_max)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        r"""$\eta_t$ at `step`."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2
