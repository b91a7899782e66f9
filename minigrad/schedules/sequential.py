"""SequentialLR, one schedule after the other."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, final

from minigrad.core import Optimizer, Schedule


@final
class SequentialLR(Schedule):
    r"""$\eta_t = r_i(t - m_i)$ from milestone $m_i$ on: a warm-up and then a decay, say.

    Args:
        optimizer: Whose rate is set.
        schedulers: The schedules, made for the same optimizer in this order.
        milestones: The steps at which the second, third, ... take over, rising.

    Raises:
        ValueError: If the milestones do not rise, or are not one fewer than the schedules.

    Examples:
        >>> from minigrad.core import Parameter
        >>> from minigrad.optimizers import SGD
        >>> from minigrad.schedules import ExponentialLR, LinearLR
        >>> sgd = SGD([Parameter(torch.zeros(1))], lr=1.0)
        >>> warmup, decay = LinearLR(sgd, 0.5, total_iters=2), ExponentialLR(sgd, 0.5)
        >>> schedule = SequentialLR(sgd, [warmup, decay], milestones=[2])
        >>> [schedule.rate(1.0, step) for step in range(5)]
        [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]) -> None:
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(set(milestones)):
            raise ValueError(
                f"milestones must rise and be one fewer than the schedules. "
                f"Received: milestones={list(milestones)} for {len(schedulers)} schedules"
            )
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)
        first = schedulers[0].base_lrs
        for schedule in schedulers:
            schedule.base_lrs = list(first)
        for group, base in zip(optimizer.groups, first, strict=True):
            group.lr = base  # the parts have set their own first rates
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate of the schedule whose turn it is."""
        schedule, start = self._turn(step)
        return schedule.rate(base, step - start)

    def watch(self, metric: float | None) -> None:
        """Hand the metric to the schedule whose turn it is."""
        schedule, _ = self._turn(self.last_step)
        schedule.watch(metric)

    @property
    def watches(self) -> bool:
        """Whether the schedule whose turn is next does."""
        schedule, _ = self._turn(self.last_step + 1)
        return schedule.watches

    def apply(self, group: Optimizer, rate: float) -> None:
        """Let the schedule whose turn it is set the rate, and what else it sets."""
        schedule, start = self._turn(self.last_step)
        schedule.last_step = self.last_step - start
        schedule.apply(group, rate)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed schedule needs, its parts' states among it."""
        return super().state_dict() | {"schedulers": [schedule.state_dict() for schedule in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, and set its rates."""
        for schedule, state in zip(self.schedulers, state_dict["schedulers"], strict=True):
            schedule.load_state_dict(state)
        super().load_state_dict(state_dict)

    def _turn(self, step: int) -> tuple[Schedule, int]:
        turn = bisect_right(self.milestones, step)
        return self.schedulers[turn], self.milestones[turn - 1] if turn else 0
