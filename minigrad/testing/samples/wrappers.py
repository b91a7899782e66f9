"""Cases of the built-in wrappers."""

from collections.abc import Callable
from typing import Any

from minigrad.activations import Sigmoid
from minigrad.layers import Dropout, Linear, Sequential
from minigrad.testing.case import Case, draw


def around_a_net(**options: Any) -> Callable[[Any], list[Case]]:
    """The wrapper around one layer, around a net, and around what draws random numbers."""

    def cases(cls: Any) -> list[Case]:
        return [
            Case(lambda: cls(Linear(3, 2)), draw(5, 3), **options),
            Case(lambda: cls(Sequential(Linear(3, 4), Sigmoid(), Linear(4, 3))), draw(5, 3), "around a net", **options),
            Case(lambda: cls(Dropout()), draw(5, 3), "around Dropout", predict_differs=True, **options),
        ]

    return cases


def traced(cls: Any) -> list[Case]:
    """With a tape of its own."""
    return [Case(lambda: cls(Linear(3, 2), []), draw(5, 3), observes=True)]


SAMPLES = {
    "Checked": around_a_net(observes=True),
    "Frozen": around_a_net(),
    "Recompute": around_a_net(),
    "Timed": around_a_net(observes=True),
    "Traced": traced,
}
