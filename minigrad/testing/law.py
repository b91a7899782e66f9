"""Law: one thing that must hold for every component of a kind, and the list of them all."""

from collections.abc import Callable
from dataclasses import dataclass

from minigrad.core import Component
from minigrad.testing.trial import Trial

Reason = str | None


@dataclass(frozen=True)
class Law:
    """A named rule and the function that tries a component by it.

    Attributes:
        name: As it stands in tables and test names.
        statement: The rule in one line.
        kind: The classes that it is for.
        function: Raises `LawBroken` if the rule does not hold.
        unless: Gives the reason why the rule says nothing about a trial, or `None`.
        each_reduction: Whether a loss is tried under each of its reductions.
    """

    name: str
    statement: str
    kind: type[Component] | tuple[type[Component], ...]
    function: Callable[[Trial], None]
    unless: Callable[[Trial], Reason]
    each_reduction: bool

    def not_applicable(self, trial: Trial) -> Reason:
        """Why the law says nothing about this trial, or `None` if it applies."""
        return self.unless(trial)


LAWS: list[Law] = []


class NotApplicable(Exception):
    """A law found, while it tried, that it has nothing to say: torch lacks what it would judge by."""


class LawBroken(AssertionError):
    """A component that does not keep a law: the rule, what was received, and the likely mistake."""

    def __init__(self, rule: str, received: str = "", diagnosis: str = "") -> None:
        super().__init__(rule + (f" Received: {received}" if received else ""))
        self.diagnosis = diagnosis


def demand(holds: bool, rule: str, received: str = "", diagnosis: str = "") -> None:
    """Raise `LawBroken` unless `holds`."""
    if not holds:
        raise LawBroken(rule, received, diagnosis)


def always(trial: Trial) -> Reason:
    """The law applies to every trial."""
    return None


def law(
    *kind: type[Component], unless: Callable[[Trial], Reason] = always, each_reduction: bool = False
) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Add a function to the laws: its name is the law's, the first line of its docstring the statement."""

    def add(function: Callable[[Trial], None]) -> Callable[[Trial], None]:
        statement = (function.__doc__ or "").partition("\n")[0]
        LAWS.append(Law(function.__name__, statement, kind, function, unless, each_reduction))
        return function

    return add


def laws_for(component: Component) -> list[Law]:
    """The laws for the kind of a component, in the order in which they are tried."""
    return [law for law in LAWS if isinstance(component, law.kind)]
