"""Case: how a component is made, and what it is fed while the laws look at it."""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from minigrad.core import Activation, Component, Layer, Loss, Metric, Optimizer, Schedule
from minigrad.errors import ConfigError
from minigrad.testing.passes import isolated

HOW_TO_GIVE = (
    "the class a class method conformance_cases() that returns a list such as "
    "[minigrad.testing.Case(lambda: cls(3, 2), torch.randn(5, 3))]."
)


@dataclass(frozen=True)
class Case:
    """One component and its inputs.

    Args:
        make: Gives a fresh component at each call; for an optimizer it takes the parameters, for a schedule an argument
            named `optimizer`.
        inputs: What `forward` takes: a tensor, or a tuple of its arguments (`prediction, target` for a loss or a
            metric); for an optimizer, the parameters' first values. A function that draws them also serves. Left out,
            they are drawn: that suits elementwise layers, losses between real numbers, metrics of classes, and
            optimizers.
        name: Tells several cases of one component apart.
        batch_dim: Along which axis of every input the samples lie; `None` if there is no such axis.
        domain: Between which numbers the (first) input must lie.
        independent: Whether each sample's output depends on that sample alone (BatchNorm: no).
        predict_differs: Whether `predict` is meant to differ from `forward` (Dropout: yes).
        observes: Whether it is made to watch or record passes (`Checked`, `Traced`, `Timed`): then it may remember
            them, and need not run where there are no values to watch (in vmap, in a compiled graph, on `meta`).
        mean_count: What a loss's mean divides its sum by, if not by the number of costs; NaN if its mean is no multiple
            of its sum (CTC).
        rate_scales: Whether an optimizer's learning rate scales every step (Rprop: no, only the first).
        wrong: Inputs that must be refused with a minigrad error.

    Examples:
        >>> from minigrad.layers import Linear
        >>> case = Case(lambda: Linear(3, 2), torch.randn(5, 3))
        >>> case.make(), case.arguments()[0].shape
        (Linear(in_features=3, out_features=2), torch.Size([5, 3]))
    """

    make: Callable[..., Component]
    inputs: Any = None
    name: str = ""
    batch_dim: int | None = 0
    domain: tuple[float, float] = (-math.inf, math.inf)
    independent: bool = True
    predict_differs: bool = False
    observes: bool = False
    mean_count: float | None = None
    rate_scales: bool = True
    wrong: Sequence[Any] = ()

    def takes(self) -> Literal["", "params", "optimizer"]:
        """What `make` is to be given: nothing, parameters, or an optimizer (if it calls its argument so)."""
        if inspect.isclass(self.make):
            if issubclass(self.make, Optimizer):
                return "params"
            return "optimizer" if issubclass(self.make, Schedule) else ""
        needed = [a.name for a in _signature(self.make) if a.default is a.empty and a.kind <= a.POSITIONAL_OR_KEYWORD]
        return "" if not needed else "optimizer" if needed[0] == "optimizer" else "params"

    def arguments(self) -> tuple[Any, ...]:
        """The arguments of `forward`, or an optimizer's first parameter values."""
        given = self.inputs
        if callable(given) and not isinstance(given, Tensor):
            given = given()
        if given is None:
            given = _defaults(self)
        return given if isinstance(given, tuple) else (given,)


def as_case(component: Any, inputs: Any = None, **options: Any) -> Case:
    """A case from what an author has at hand: a case, a class, or a function that makes a component.

    Raises:
        ConfigError: If it is a component object, which could not be made afresh for each law, or nothing of the kind.
    """
    if isinstance(component, Component):
        raise ConfigError(
            f"A check needs a fresh component each time: pass a class or a function. "
            f"Received: {component!r}. Write: lambda: {component!r}"
        )
    if inputs is not None:
        options["inputs"] = inputs
    if isinstance(component, Case):
        return replace(component, **options)
    if not callable(component):
        raise ConfigError(f"A check expects a class, a function or a Case. Received: {component!r}")
    return Case(component, **options)


def draw(
    *shape: int, seed: int = 0, kinks: Sequence[float] = (), low: float = -math.inf, high: float = math.inf
) -> Tensor:
    """Float32 numbers on both sides of zero and of each kink, none within 0.05 of a kink, all from `low` to `high`.

    Examples:
        >>> x = draw(3, 4, kinks=(0.0, 6.0))
        >>> bool((x > 6).any() and (x < 0).any() and (x.abs() > 0.049).all())
        True
    """
    generator = torch.Generator().manual_seed(seed)
    if low > -math.inf and high < math.inf:
        # Away from the ends, where a cost may be steep or infinite.
        return torch.rand(*shape, generator=generator) * (high - low) * 0.8 + low + (high - low) * 0.1
    x = 1.5 * torch.randn(*shape, generator=generator)
    entries = x.view(-1)
    for i, kink in enumerate(kinks):
        entries[2 * i : 2 * i + 1] = kink - 0.4
        entries[2 * i + 1 : 2 * i + 2] = kink + 0.4
    for kink in kinks:
        x = torch.where((x - kink).abs() < 0.05, kink + 0.1, x)
    return x if low == -math.inf else low + 0.1 + (x - low).abs()


def _defaults(case: Case) -> tuple[Any, ...]:
    low, high = case.domain
    if case.takes() == "params":
        return draw(4, 3, seed=1), draw(3, seed=2), draw(2, 2, seed=3)
    with isolated():
        component = case.make()
    if isinstance(component, Loss):
        return draw(5, 3, seed=1, low=low, high=high), draw(5, 3, seed=2, low=low, high=high)
    if isinstance(component, Metric):
        return draw(6, 4, seed=1), torch.arange(6) % 4
    kinks = component.kinks if isinstance(component, Activation) else ()
    return (draw(*_guessed_shape(component), kinks=kinks, low=low, high=high),)


def _guessed_shape(component: Component) -> tuple[int, ...]:
    width = getattr(component, "in_features", None)
    return (5, width) if isinstance(component, Layer) and isinstance(width, int) else (5, 4)


def _signature(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
