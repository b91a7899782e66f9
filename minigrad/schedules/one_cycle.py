"""OneCycleLR, one rise and one fall."""

import math
from itertools import pairwise
from typing import Any, Literal, final

from minigrad.core import Optimizer, Schedule


@final
class OneCycleLR(Schedule):
    r"""The rate rises from $\eta_\text{max}/d$ to $\eta_\text{max}$ and falls to $\eta_\text{max}/(d\, d_f)$.

    With $T$ steps and a rise that takes the fraction $p$ of them, the rate is interpolated along a half cosine (or a
    line) between those three values at the steps $0$, $pT - 1$ and $T - 1$; with `three_phase` it falls back to
    $\eta_\text{max}/d$ at $2pT - 2$ first. The momentum, if cycled, goes the other way.

    Args:
        optimizer: Whose rate is set.
        max_lr: $\eta_\text{max}$.
        total_steps: $T$; or give `epochs` and `steps_per_epoch`.
        epochs: With `steps_per_epoch`: $T$ is their product.
        steps_per_epoch: See `epochs`.
        pct_start: $p$.
        anneal_strategy: `"cos"` or `"linear"`.
        cycle_momentum: Whether the optimizer's `momentum` (or `betas[0]`) is cycled too.
        base_momentum: Lowest momentum, at the highest rate.
        max_momentum: Highest momentum, at both ends.
        div_factor: $d$.
        final_div_factor: $d_f$.
        three_phase: Whether the fall takes two phases.

    Raises:
        ValueError: If the number of steps is missing or not positive, `pct_start` is not in [0, 1], the strategy is
            unknown, `step` is beyond the last, or `cycle_momentum` finds no momentum.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> sgd = SGD([Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
        >>> schedule = OneCycleLR(sgd, max_lr=1.0, total_steps=11, pct_start=0.5)
        >>> [round(schedule.rate(1.0, step), 2) for step in (0, 2, 4, 5, 8, 10)]
        [0.04, 0.44, 0.97, 0.98, 0.29, 0.0]

    References:
        Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2019.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR expects total_steps, or both epochs and steps_per_epoch. Received: neither")
        self.steps = total_steps if total_steps is not None else (epochs or 0) * (steps_per_epoch or 0)
        if not self.steps > 0:
            raise ValueError(f"The number of steps must be positive. Received: {self.steps}")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start must be in [0, 1]. Received: pct_start={pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be 'cos' or 'linear'. Received: anneal_strategy={anneal_strategy!r}"
            )
        if cycle_momentum and not any(hasattr(optimizer, name) for name in ("momentum", "betas")):
            raise ValueError(
                f"cycle_momentum needs an optimizer with momentum or betas. Received: {type(optimizer).__name__}"
            )
        self.max_lr = max_lr
        self.total_steps = total_steps
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.base_momentum = base_momentum
        self.max_momentum = max_momentum
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.three_phase = three_phase
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        r"""$\eta_t$ at `step`; the optimizer's own first rate plays no part."""
        low = self.max_lr / self.div_factor
        falls = [low, low / self.final_div_factor] if self.three_phase else [low / self.final_div_factor]
        return self._between([low, self.max_lr, *falls], step)

    def apply(self, group: Optimizer, rate: float) -> None:
        """Set one group's rate and, if cycled, its momentum."""
        super().apply(group, rate)
        if self.cycle_momentum:
            high, low = self.max_momentum, self.base_momentum
            momentum = self._between([high, low, high, high] if self.three_phase else [high, low, high], self.last_step)
            settings: Any = group
            if hasattr(settings, "momentum"):
                settings.momentum = momentum
            else:
                settings.betas = (momentum, *settings.betas[1:])

    def _between(self, values: list[float], step: int) -> float:
        if step > self.steps:
            raise ValueError(f"OneCycleLR ends after {self.steps} steps. Received: step {step}, counted from 0")
        # A loop goes on after its last update, too; nothing is left to come then, so the last rate stays.
        step = min(step, self.steps - 1)
        rise = self.pct_start * self.steps - 1
        turns = [0.0, rise, 2 * rise, self.steps - 1] if self.three_phase else [0.0, rise, self.steps - 1]
        phases = zip(pairwise(turns), pairwise(values), strict=True)
        (start, end), (first, last) = next(phase for phase in phases if step <= phase[0][1])
        way = (step - start) / (end - start) if end > start else 1.0  # a rise of one step begins at its top
        if self.anneal_strategy == "linear":
            return first + (last - first) * way
        return last + (first - last) * (1 + math.cos(math.pi * way)) / 2
