"""Cases of the built-in callbacks; those that are not listed are made without arguments."""

from collections.abc import Callable
from typing import Any

from minigrad.testing.case import Case

Cases = Callable[[Any], list[Case]]


def variants(*arguments: dict[str, Any]) -> Cases:
    """The callback with each set of arguments."""

    def cases(cls: Any) -> list[Case]:
        return [Case(lambda given=given: cls(**given)) for given in arguments]

    return cases


SAMPLES: dict[str, Cases] = {
    "ActivationStatistics": variants({}, {"every": 3}),
    "BestCheckpoint": variants({}, {"path": "deep/best.safetensors", "monitor": "cost"}),
    "CSVLog": variants({}, {"path": "deep/costs.csv", "every": 5}),
    "EarlyStopping": variants(
        {"patience": 1},
        {"monitor": "cost", "patience": 3, "min_delta": 0.2},
        {"monitor": "val_accuracy", "patience": 2, "restore_best": True},
        {"monitor": "val_cost", "patience": 1, "mode": "max", "restore_best": True},
    ),
    "GradientStatistics": variants({}, {"every": 3}),
    "JSONLLog": variants({}, {"path": "deep/costs.jsonl", "every": 5}),
    "TimeLimit": variants({"seconds": 1e6}, {"seconds": 1e-9}),
}
