"""Laws that every component keeps: it is made afresh, runs, is documented, configured, copied and pickled."""

import copy
import inspect
import pickle
from typing import Any

import torch

from minigrad.core import (
    Component,
    Initializer,
    Layer,
    Loss,
    Metric,
    Optimizer,
    Schedule,
    Wrapper,
    constructor_arguments,
)
from minigrad.errors import MinigradError
from minigrad.testing.case import HOW_TO_GIVE
from minigrad.testing.compare import first_difference
from minigrad.testing.law import LAWS, LawBroken, Reason, demand, law
from minigrad.testing.passes import backward_recorded, draw_upstream, parameters_of, run
from minigrad.testing.trees import describe, leaves
from minigrad.testing.trial import Trial, scheduled

EQUATIONS = (Layer, Loss, Optimizer, Schedule, Initializer, Metric)  # what has one to state


@law(Component)
def makes(trial: Trial) -> None:
    """Each call of `make` gives a fresh component."""
    one, two = trial.made(), trial.made()
    if not isinstance(one, Component):
        raise LawBroken("make must give a layer, a loss, an optimizer or another component.", describe(one))
    demand(one is not two, "make must give a fresh component each time.", "the same object twice")
    shared = {id(p) for p in parameters_of(one).values()} & {id(p) for p in parameters_of(two).values()}
    demand(not shared, "make must give a fresh component each time.", "two components that share a parameter")


MAKES = LAWS[-1]  # the one law for what is no component at all


@law(Component)
def documented(trial: Trial) -> None:
    """The class has a docstring: one line, and the formula between `$` signs."""
    cls = type(trial.made())
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    demand(bool(text), f"{cls.__name__} must have a docstring.", "none")
    first, _, _ = text.partition("\n\n")
    demand(len(first.splitlines()) <= 3, "A docstring begins with one short sentence.", repr(first))
    # A wrapper has the equation of what is in it, and what computes nothing has none.
    stated = text.count("$") >= 2 or issubclass(cls, Wrapper) or not issubclass(cls, EQUATIONS)
    demand(stated, f"The docstring of {cls.__name__} must state the formula between $ signs.", repr(first))


@law(Component)
def config(trial: Trial) -> None:
    """A component built from another one's `config()` has the same configuration, shapes and `repr`."""
    component = trial.made()
    twin = rebuilt(component, trial)
    demand(
        repr(twin) == repr(component),
        "A component built from config() must show the same repr.",
        f"{twin!r} from {component!r}",
    )
    ours, theirs = plain(component.config()), plain(twin.config())
    demand(ours == theirs, "A component built from config() must have that config.", f"{theirs}, expected {ours}")
    if isinstance(component, Layer):
        shapes = [{n: t.shape for n, t in c.state_dict().items()} for c in (component, twin)]
        demand(shapes[0] == shapes[1], "Its state dict must have the same names and shapes.", f"{shapes[1]}")
    unknown = {"no_such_argument": 0}
    try:
        type(component)(**unknown)
    except (TypeError, ValueError, MinigradError):
        return
    demand(False, "An unknown constructor argument must be refused.", f"{unknown}, and no error")


def rebuilt(component: Any, trial: Trial) -> Any:
    """A second component from the first one's `config()`."""
    arguments = component.config()
    given = {"params": lambda: (trial.parameters(torch.float32),), "optimizer": lambda: (scheduled(),)}
    positional: tuple[Any, ...] = given.get(trial.case.takes(), tuple)()
    cls: Any = type(component)
    for argument in constructor_arguments(cls):
        if argument.kind is argument.VAR_POSITIONAL:
            positional += tuple(arguments.pop(argument.name))
    return type(component)(*positional, **arguments)


def plain(value: Any) -> Any:
    """A configuration as something that `==` can compare."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return repr(value) if isinstance(value, Component) else value


@law(Layer, Loss, each_reduction=True)
def runs(trial: Trial) -> None:
    """`forward` returns the pair `(output, cache)`, and `backward` takes that cache."""
    component = trial.made()
    try:
        result = component.forward(*trial.inputs(torch.float32))
    except Exception as error:
        if trial.case.inputs is not None:
            raise
        shapes = ", ".join(str(tuple(leaf.shape)) for _, leaf in leaves(trial.inputs()))
        rule = f"The inputs that were drawn, of shape {shapes}, do not suit it: pass inputs=, or give {HOW_TO_GIVE}"
        raise LawBroken(rule, f"{type(error).__name__}: {error}") from error
    demand(
        type(result) is tuple and len(result) == 2,
        "forward must return a tuple of two: the output, and the cache (None if backward needs nothing).",
        describe(result),
    )
    output, cache = result
    demand(any(True for _ in leaves(output)), "forward must return a tensor or a tuple of them.", describe(output))
    if isinstance(component, Loss) and getattr(component, "reduction", "none") != "none":
        demand(output.dim() == 0, "A reduced cost is one number.", describe(output))
    backward_recorded(component, draw_upstream(output), cache)


def _is_local(trial: Trial) -> Reason:
    cls = type(trial.made())
    return "the class is defined inside a function" if "<locals>" in cls.__qualname__ else None


@law(Layer, Loss, unless=_is_local)
def pickles(trial: Trial) -> None:
    """A pickled and restored component computes the same, with the same parameter roles."""
    component = trial.component()
    _same_function(trial, component, pickle.loads(pickle.dumps(component)), "pickled")


@law(Layer, Loss)
def deep_copies(trial: Trial) -> None:
    """A deep copy computes the same, and shares no tensor with the original."""
    component = trial.component()
    twin = copy.deepcopy(component)
    _same_function(trial, component, twin, "deep-copied")
    if isinstance(component, Layer):
        ours, theirs = component.state_dict(), twin.state_dict()
        shared = [n for n in ours if ours[n].numel() and ours[n].data_ptr() == theirs[n].data_ptr()]
        demand(not shared, "A deep copy shares no tensor with the original.", f"shared: {', '.join(shared)}")


def _same_function(trial: Trial, component: Any, twin: Any, how: str) -> None:
    expected, received = (run(c, trial.inputs()).everything() for c in (component, twin))
    difference = first_difference(received, expected, 0.0, 0.0)
    demand(difference is None, f"A {how} component must compute the same.", str(difference))
    roles = [{name: p.role for name, p in parameters_of(c).items()} for c in (component, twin)]
    demand(roles[0] == roles[1], f"A {how} component must keep its parameters' roles.", str(roles[1]))
