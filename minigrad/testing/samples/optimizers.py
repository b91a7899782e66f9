"""Cases of the built-in optimizers."""

from collections.abc import Callable
from typing import Any

from minigrad.testing.case import Case

Cases = Callable[[Any], list[Case]]


def variants(**named: dict[str, Any]) -> Cases:
    """The optimizer as it is by default, and with each set of arguments."""

    def cases(cls: Any) -> list[Case]:
        def make(given: dict[str, Any]) -> Callable[[Any], Any]:
            return lambda params: cls(params, **given)

        return [Case(cls), *(Case(make(given), name=name.replace("_", " ")) for name, given in named.items())]

    return cases


ADAPTIVE = {"weight_decay": {"lr": 0.01, "weight_decay": 0.1}, "maximize": {"lr": 0.01, "maximize": True}}

SAMPLES: dict[str, Cases] = {
    "Adagrad": variants(**ADAPTIVE, decaying={"lr_decay": 0.1, "initial_accumulator_value": 0.2}),
    "Adam": variants(**ADAPTIVE, amsgrad={"lr": 0.01, "amsgrad": True}, betas={"betas": (0.5, 0.6), "eps": 1e-3}),
    "AdamW": variants(**ADAPTIVE, amsgrad={"lr": 0.01, "amsgrad": True}, betas={"betas": (0.5, 0.6), "eps": 1e-3}),
    "RMSprop": variants(**ADAPTIVE, centered={"lr": 0.01, "centered": True}, momentum={"lr": 0.01, "momentum": 0.9}),
    "SGD": variants(
        momentum={"lr": 0.1, "momentum": 0.9, "dampening": 0.1},
        nesterov={"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        maximize={"lr": 0.1, "maximize": True},
        mean_bias_update={"lr": 0.1, "bias_update": "mean"},
    ),
}
