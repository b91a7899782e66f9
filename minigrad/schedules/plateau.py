"""ReduceLROnPlateau, which waits for a metric to stop improving."""

import math
from collections.abc import Mapping
from typing import Any, Literal, final

from minigrad.core import Optimizer, Schedule


@final
class ReduceLROnPlateau(Schedule):
    r"""$\eta = \max(\eta_0 f^k, \eta_\text{min})$, where $k$ counts the plateaus of a metric.

    A plateau is more than `patience` steps in a row without an improvement on the best value $m^*$: by a factor
    ($m < m^* (1 - \tau)$, `"rel"`) or by a difference ($m < m^* - \tau$, `"abs"`); mirrored for `mode="max"`.

    Args:
        optimizer: Whose rate is set.
        mode: Whether the metric is to fall (`"min"`) or to rise (`"max"`).
        factor: $f$.
        patience: Steps without improvement that are let pass.
        threshold: $\tau$.
        threshold_mode: `"rel"` or `"abs"`.
        cooldown: Steps after a reduction in which none is counted.
        min_lr: $\eta_\text{min}$.
        eps: A reduction by less than this is not made.

    Raises:
        ValueError: If `factor` is not below 1, a mode is unknown, or `step` is given no metric.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> sgd = SGD([Parameter(torch.zeros(1))], lr=1.0)
        >>> schedule = ReduceLROnPlateau(sgd, patience=1)
        >>> for cost in (0.5, 0.5, 0.5):
        ...     schedule.step(cost)
        >>> sgd.lr
        0.1
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"factor must be below 1. Received: factor={factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max'. Received: mode={mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode must be 'rel' or 'abs'. Received: threshold_mode={threshold_mode!r}")
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.plateaus = 0
        self._bad = 0
        self._cooling = 0
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after the plateaus so far."""
        rate = base
        for _ in range(self.plateaus):
            lower = max(rate * self.factor, self.min_lr)
            rate = lower if rate - lower > self.eps else rate
        return rate

    def watch(self, metric: float | None) -> None:
        """Count a plateau if `metric` has not improved for long enough."""
        if metric is None:
            raise ValueError("ReduceLROnPlateau.step expects the metric it watches. Received: None")
        metric = float(metric)
        if self._better(metric):
            self.best, self._bad = metric, 0
        else:
            self._bad += 1
        if self._cooling > 0:
            self._cooling -= 1
            self._bad = 0
        if self._bad > self.patience:
            self.plateaus += 1
            self._cooling, self._bad = self.cooldown, 0

    def _better(self, metric: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * metric < sign * self.best * (1 - sign * self.threshold)
        return sign * metric < sign * self.best - self.threshold

    def state_dict(self) -> dict[str, Any]:
        """What a resumed schedule needs."""
        watched = {"best": self.best, "plateaus": self.plateaus, "bad": self._bad, "cooling": self._cooling}
        return super().state_dict() | watched

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, and set its rates."""
        self.best, self.plateaus = state_dict["best"], state_dict["plateaus"]
        self._bad, self._cooling = state_dict["bad"], state_dict["cooling"]
        super().load_state_dict(state_dict)
