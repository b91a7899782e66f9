"""The cases by which registered components are tried: how each is made, and what it is fed."""

from collections.abc import Callable
from typing import Any

from minigrad.core import Component, constructor_arguments
from minigrad.errors import ConfigError
from minigrad.testing.case import HOW_TO_GIVE, Case
from minigrad.testing.samples import (
    activations,
    callbacks,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    schedules,
    wrappers,
)

SAMPLES: dict[str, Callable[[Any], list[Case]]] = (
    activations.SAMPLES
    | callbacks.SAMPLES
    | datasets.SAMPLES
    | initializers.SAMPLES
    | layers.SAMPLES
    | losses.SAMPLES
    | metrics.SAMPLES
    | optimizers.SAMPLES
    | schedules.SAMPLES
    | wrappers.SAMPLES
)


def cases_of(cls: type[Component]) -> list[Case]:
    """The cases of a registered class.

    The built-ins' stand here. Another class gives its own by a class method `conformance_cases()`; without one, a class
    that needs no arguments is made without any, and fed what suits an elementwise layer.
    """
    if cls.__module__.startswith("minigrad.") and cls.__name__ in SAMPLES:
        return SAMPLES[cls.__name__](cls)
    give = getattr(cls, "conformance_cases", None)
    if give is not None:
        return list(give())
    arguments = constructor_arguments(cls)  # type: ignore[arg-type]  # a class is hashable
    needed = [a.name for a in arguments if a.default is a.empty and a.kind <= a.POSITIONAL_OR_KEYWORD]
    if needed:
        return [Case(_unmakeable(cls, needed))]
    return [Case(cls)]


def _unmakeable(cls: type, needed: list[str]) -> Callable[[], Component]:
    def make() -> Component:
        raise ConfigError(
            f"{cls.__name__} needs arguments ({', '.join(needed)}), so the laws cannot make one: give {HOW_TO_GIVE}"
        )

    make.__name__ = cls.__name__
    return make


__all__ = ["SAMPLES", "cases_of"]
