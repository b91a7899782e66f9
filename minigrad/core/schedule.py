"""Schedule: the learning rate as a function of the step."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from minigrad.core.component import Component
from minigrad.core.optimizer import Optimizer


class Schedule(Component, ABC):
    r"""Sets an optimizer's learning rate: $\eta_t = r(t)$, for each parameter group from its own first rate $\eta_0$.

    An author writes `rate(base, step)`, a pure function, so that a schedule has no state but its step. The constructor
    stores its arguments and calls `super().__init__(optimizer)` last, which sets the rate of step 0; each `step()`
    after an update (or after an epoch, as you count) sets the next.

    Args:
        optimizer: Whose groups' `lr` is set.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> class Halving(Schedule):
        ...     def rate(self, base, step):
        ...         return base / 2**step
        >>> sgd = SGD([Parameter(torch.zeros(1))], lr=0.8)
        >>> halving = Halving(sgd)
        >>> halving.step()
        >>> sgd.lr
        0.4
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            theirs = f"{type(optimizer).__module__}.{type(optimizer).__qualname__}"  # torch has an SGD, too
            raise TypeError(f"{type(self).__name__} expects an optimizer of minigrad. Received: {theirs}")
        self.optimizer = optimizer
        self.last_step = 0
        self.base_lrs: list[float] = [group.lr for group in optimizer.groups]  # type: ignore[attr-defined]
        self.config()  # says at once which argument was not stored
        self._set()

    @abstractmethod
    def rate(self, base: float, step: int) -> float:
        """The learning rate at `step`, for a group that began with the rate `base`."""

    def step(self, metric: float | None = None) -> None:
        """Go on to the next step and set its rates; a schedule that watches a metric is given it here."""
        self.last_step += 1
        self.watch(metric)
        self._set()

    def watch(self, metric: float | None) -> None:
        """Take note of a metric; override it where the rate depends on one."""

    @property
    def watches(self) -> bool:
        """Whether the next `step` needs a metric; `fit` calls it only when there is a new one."""
        return type(self).watch is not Schedule.watch

    def apply(self, group: Optimizer, rate: float) -> None:
        """Set one group's rate; override it where more than `lr` is scheduled."""
        group.lr = rate

    def _set(self) -> None:
        for group, base in zip(self.optimizer.groups, self.base_lrs, strict=True):
            self.apply(group, self.rate(base, self.last_step))

    def state_dict(self) -> dict[str, Any]:
        """What a resumed schedule needs."""
        return {"last_step": self.last_step, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, and set the rates of that step."""
        self.last_step = state_dict["last_step"]
        self.base_lrs = list(state_dict["base_lrs"])
        self._set()
