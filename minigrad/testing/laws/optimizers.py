"""Laws for optimizers: what one step changes, and what it leaves alone."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.testing.compare import first_difference
from minigrad.testing.law import Reason, demand, law
from minigrad.testing.passes import SEED
from minigrad.testing.trees import everywhere
from minigrad.testing.trial import Trial

ROWS = 5  # from how many rows each gradient is said to be summed


def draw_gradients(parameters: Sequence[Tensor], step: int) -> list[Tensor]:
    """A random gradient for each parameter, the same ones for the same step."""
    generator = torch.Generator().manual_seed(SEED + step)
    return [torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.device, p.dtype) for p in parameters]


def give(parameters: Sequence[Parameter], step: int) -> None:
    """Put the gradients of a step into `.grad`."""
    for parameter, grad in zip(parameters, draw_gradients(parameters, step), strict=True):
        parameter.zero_grad()
        parameter.accumulate(grad, ROWS)


def train(optimizer: Optimizer, parameters: Sequence[Parameter], steps: Sequence[int] = range(4)) -> list[Tensor]:
    """Take steps with drawn gradients; the values of the parameters afterwards."""
    for step in steps:
        give(parameters, step)
        optimizer.step()
    return values(parameters)


def values(parameters: Sequence[Parameter]) -> list[Tensor]:
    """Copies of the parameters' values."""
    return [p.detach().clone() for p in parameters]


@law(Optimizer)
def update_agrees_with_step(trial: Trial) -> None:
    """`step()`, by whatever fast path, gives what the readable `update` gives one parameter after the other."""
    fast, plain = trial.parameters(), trial.parameters()
    train(trial.optimizer(fast), fast)
    reader = trial.optimizer(plain)
    for step in range(4):
        for group in reader.groups:
            for parameter, state in zip(group.parameters, group.states, strict=True):
                grad = draw_gradients(plain, step)[[p is parameter for p in plain].index(True)]
                parameter.zero_grad()
                parameter.accumulate(grad, ROWS)
                group.update(parameter, grad, state)
    difference = first_difference(values(fast), values(plain), 1e-12, 1e-12)
    rule = "update_all must give what update gives for each parameter."
    demand(difference is None, rule, f"after 4 steps, parameter {difference}")


@law(Optimizer)
def descends(trial: Trial) -> None:
    """The first step goes down the gradient, or up it with `maximize`."""
    parameters = [Parameter(torch.zeros_like(p), p.role) for p in trial.parameters()]
    optimizer = trial.optimizer(parameters)
    train(optimizer, parameters, [0])
    along = sum((p * g).sum().item() for p, g in zip(parameters, draw_gradients(parameters, 0), strict=True))
    up = bool(getattr(optimizer, "maximize", False))
    right = along > 0 if up else along < 0
    opposite = bool(along) and not right
    demand(
        right,
        f"The first step goes {'up' if up else 'down'} the gradient.",
        f"change times gradient = {along:.6g}",
        "the sign is flipped" if opposite else "it is zero everywhere" if not along else "",
    )


def without_rate(trial: Trial) -> Reason:
    """The reason to pass by an optimizer without a learning rate that scales every step."""
    if "lr" not in trial.made().config():
        return "it has no learning rate"
    return None if trial.case.rate_scales else "its learning rate does not scale every step"


@law(Optimizer, unless=without_rate)
def zero_rate_changes_nothing(trial: Trial) -> None:
    """With a learning rate of zero, no parameter changes."""
    parameters = trial.parameters()
    optimizer: Any = trial.optimizer(parameters)
    for group in optimizer.groups:
        group.lr = 0.0
    difference = first_difference(train(optimizer, parameters), trial.inputs(), 0.0, 0.0)
    demand(difference is None, "With lr = 0 no parameter changes.", str(difference))


@law(Optimizer)
def only_with_gradient(trial: Trial) -> None:
    """A parameter without a gradient keeps its value and its state; with none at all, a step does nothing."""
    parameters = trial.parameters()
    optimizer = trial.optimizer(parameters)
    train(optimizer, parameters)
    for without in (parameters[:1], parameters):
        give(parameters, 9)
        for parameter in without:
            parameter.zero_grad()
        before = [_snapshot(optimizer, parameter) for parameter in without]
        optimizer.step()
        after = [_snapshot(optimizer, parameter) for parameter in without]
        difference = first_difference(after, before, 0.0, 0.0)
        demand(difference is None, "A parameter without a gradient is left alone, its state too.", str(difference))
    fresh = trial.parameters()
    optimizer = trial.optimizer(fresh)
    optimizer.step()
    difference = first_difference(values(fresh), trial.inputs(), 0.0, 0.0)
    demand(difference is None, "A step without any gradient changes nothing.", str(difference))


def _snapshot(optimizer: Optimizer, parameter: Parameter) -> dict[str, Tensor]:
    state = next(
        state
        for group in optimizer.groups
        for one, state in zip(group.parameters, group.states, strict=True)
        if one is parameter
    )
    numbers = {name: torch.tensor(v) for name, v in state.items() if isinstance(v, int | float)}
    return {name: t.detach().clone() for name, t in everywhere([parameter, state], "").items()} | numbers


@law(Optimizer)
def updates_in_place(trial: Trial) -> None:
    """A step changes the parameter's own memory, so that the net and every view of it see the new values."""
    parameters = trial.parameters()
    places = [p.data_ptr() for p in parameters]
    optimizer = trial.optimizer(parameters)
    after = train(optimizer, parameters)
    moved = [i for i, (p, place) in enumerate(zip(parameters, places, strict=True)) if p.data_ptr() != place]
    demand(not moved, "An optimizer changes its parameters in place.", f"parameter {moved} has other memory now")
    held = [p for group in optimizer.groups for p in group.parameters]
    replaced = [i for i, (one, two) in enumerate(zip(held, parameters, strict=True)) if one is not two]
    demand(not replaced, "An optimizer keeps the parameters that it was given.", f"others at {replaced}")
    still = [i for i, (p, q) in enumerate(zip(after, trial.inputs(), strict=True)) if torch.equal(p, q)]
    demand(not still, "A step changes every parameter that has a gradient.", f"unchanged: {still}")


@law(Optimizer)
def gradients_untouched(trial: Trial) -> None:
    """A step leaves every gradient as it is, and keeps no hold of it in its state."""
    parameters = trial.parameters()
    optimizer = trial.optimizer(parameters)
    for step in range(3):
        give(parameters, step)
        optimizer.step()
        received = [p.grad for p in parameters]
        difference = first_difference(received, draw_gradients(parameters, step), 0.0, 0.0)
        diagnosis = "step mutated the argument grad" if difference else ""
        demand(difference is None, "A step changes no gradient in place.", str(difference), diagnosis)
        states = everywhere([group.states for group in optimizer.groups], "states")
        grads = {g.untyped_storage().data_ptr() for g in received if g is not None}
        held = [name for name, t in states.items() if t.numel() and t.untyped_storage().data_ptr() in grads]
        demand(not held, "The state has memory of its own: clone what is kept of a gradient.", f"shared: {held}")


@law(Optimizer)
def parameters_independent(trial: Trial) -> None:
    """Each parameter is updated as if it were alone."""
    together = trial.parameters()
    expected = []
    for i in range(len(together)):
        parameter = trial.parameters()[i]
        optimizer = trial.optimizer([parameter])
        for step in range(4):
            parameter.zero_grad()
            parameter.accumulate(draw_gradients(together, step)[i], ROWS)
            optimizer.step()
        expected.append(parameter.detach())
    difference = first_difference(train(trial.optimizer(together), together), expected, 1e-12, 1e-12)
    demand(difference is None, "Each parameter is updated as if it were alone.", f"parameter {difference}")


def _same_in(trial: Trial, change: Callable[[Tensor], Tensor], what: str) -> None:
    expected = train(trial.optimizer(given := trial.parameters()), given)
    parameters = trial.parameters()
    optimizer = trial.optimizer(parameters)
    for step in range(4):
        for parameter, grad in zip(parameters, draw_gradients(parameters, step), strict=True):
            parameter.zero_grad()
            parameter.accumulate(change(grad), ROWS)
        optimizer.step()
    difference = first_difference(values(parameters), expected, 1e-12, 1e-12)
    demand(difference is None, f"How a gradient lies in memory must not matter; here it was {what}.", str(difference))


@law(Optimizer)
def non_contiguous_gradients(trial: Trial) -> None:
    """A gradient that is not contiguous gives what a contiguous one does."""
    _same_in(trial, lambda g: torch.stack([g, g], dim=-1)[..., 0], "a slice")
    _same_in(trial, lambda g: g.mT.contiguous().mT if g.dim() >= 2 else g, "transposed")
