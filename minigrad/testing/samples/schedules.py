"""Cases of the built-in schedules."""

from collections.abc import Callable
from typing import Any

from minigrad.core import Optimizer
from minigrad.schedules import ExponentialLR, LinearLR
from minigrad.testing.case import Case

Cases = Callable[[Any], list[Case]]


def variants(*arguments: dict[str, Any]) -> Cases:
    """The schedule with each set of arguments."""

    def cases(cls: Any) -> list[Case]:
        return [Case(lambda optimizer, given=given: cls(optimizer, **given)) for given in arguments]

    return cases


def sequential(cls: Any) -> list[Case]:
    """A warm-up and a decay."""

    def make(optimizer: Optimizer) -> Any:
        return cls(optimizer, [LinearLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, 0.5)], [3])

    return [Case(make)]


SAMPLES: dict[str, Cases] = {
    "CosineAnnealingLR": variants({"T_max": 5}, {"T_max": 10, "eta_min": 0.1}),
    "ExponentialLR": variants({"gamma": 0.5}),
    "LinearLR": variants({}, {"start_factor": 0.5, "end_factor": 0.2, "total_iters": 3}),
    "OneCycleLR": variants({"max_lr": 1.0, "total_steps": 12}, {"max_lr": 2.0, "total_steps": 12, "three_phase": True}),
    "ReduceLROnPlateau": variants({"patience": 1}, {"patience": 0, "mode": "max", "cooldown": 1, "factor": 0.5}),
    "SequentialLR": sequential,
    "StepLR": variants({"step_size": 3}, {"step_size": 1, "gamma": 0.5}),
}
