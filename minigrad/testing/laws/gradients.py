"""Laws about gradients: that they are right, and how they are handed over."""

import math
from typing import Any

import torch

from minigrad.core import Activation, Layer, Loss
from minigrad.testing.compare import first_difference
from minigrad.testing.gradient import Fault, autograd_faults, difference_faults
from minigrad.testing.judges import autograd_gradient
from minigrad.testing.law import LawBroken, Reason, demand, law
from minigrad.testing.passes import backward, backward_recorded, draw_upstream, forward, parameters_of, run
from minigrad.testing.trees import describe, gradient_pairs, leaves, map_tensors
from minigrad.testing.trial import Trial


def without_parameters(trial: Trial) -> Reason:
    """The reason to pass by a component that has no parameters."""
    return None if parameters_of(trial.made()) else "it has no parameters"


def without_float_input(trial: Trial) -> Reason:
    """The reason to pass by a component whose input has no gradient."""
    floating = any(leaf.is_floating_point() for _, leaf in leaves(trial.case.arguments()[0]))
    return None if floating else "its input is not floating-point"


@law(Layer, Loss, each_reduction=True)
def gradient_structure(trial: Trial) -> None:
    """The input's gradient has the input's structure, shapes and dtypes (`None` for an integer tensor)."""
    inputs = trial.inputs()
    argument = "prediction" if isinstance(trial.made(), Loss) else "x"
    result = run(trial.component(), inputs)
    try:
        pairs = list(gradient_pairs(inputs[0], result.grad_input, argument))
    except ValueError as error:
        raise LawBroken("A gradient has the structure of what it is the gradient of.", str(error)) from None
    for name, leaf, grad in pairs:
        if leaf.is_floating_point():
            alike = isinstance(grad, torch.Tensor) and grad.shape == leaf.shape and grad.dtype == leaf.dtype
            rule = f"The gradient of {name} is a tensor of its shape {tuple(leaf.shape)} and dtype {leaf.dtype}."
            demand(alike, rule, describe(grad))
        else:
            demand(grad is None, f"{name} is not floating-point, so its gradient is None.", describe(grad))


@law(Layer, Loss, unless=without_float_input, each_reduction=True)
def gradient(trial: Trial) -> None:
    """The input's gradient equals central differences in float64; an activation's also far from zero."""
    name = "prediction" if isinstance(trial.made(), Loss) else "x"
    _report(list(difference_faults(trial.component(), trial.inputs(), trial.tolerance, name)))
    if isinstance(trial.made(), Activation) and trial.case.domain == (-math.inf, math.inf):
        # Where it bends, saturates or changes its formula, a derivative may go wrong beyond the numbers that are drawn.
        far = map_tensors(lambda t: 6 * t if t.is_floating_point() else t, trial.inputs())
        _report(list(difference_faults(trial.component(), far, trial.tolerance, name)))


@law(Layer, unless=without_parameters)
def parameter_gradients(trial: Trial) -> None:
    """Every parameter's gradient equals central differences in float64."""
    _report(list(difference_faults(trial.component(), trial.inputs(), trial.tolerance, "parameter ")))


def _unfollowed(trial: Trial) -> Reason:
    followed = autograd_gradient(trial.component(), trial.inputs())
    return None if followed else "autograd cannot follow its forward"


@law(Layer, Loss, unless=_unfollowed, each_reduction=True)
def autograd(trial: Trial) -> None:
    """Every gradient equals what torch's autograd finds through `forward`."""
    _report(list(autograd_faults(trial.component(), trial.inputs(), trial.tolerance)))


def _report(faults: list[Fault]) -> None:
    if faults:
        diagnosis = "; ".join(f"{fault.name}: {fault.diagnosis}" for fault in faults if fault.diagnosis)
        raise LawBroken(" ".join(fault.message for fault in faults), diagnosis=diagnosis)


@law(Layer, Loss, each_reduction=True)
def linear_in_upstream(trial: Trial) -> None:
    """`backward` is linear in the upstream gradient: `2 g - 3 h` gives twice the first less three times the second."""
    output, _ = forward(trial.component(), trial.inputs())
    g, h = draw_upstream(output, 1), draw_upstream(output, 2)
    both = iter([2 * one - 3 * two for (_, one), (_, two) in zip(leaves(g), leaves(h), strict=True)])
    first, second, mixed, none = (
        run(trial.component(), trial.inputs(), upstream).gradients()
        for upstream in (g, h, map_tensors(lambda _: next(both), g), map_tensors(torch.zeros_like, g))
    )
    expected = {name: 2 * one - 3 * two for (name, one), (_, two) in zip(leaves(first), leaves(second), strict=True)}
    difference = first_difference(dict(leaves(mixed)), expected, 1e-9, 1e-7)
    demand(difference is None, "backward must be linear in the upstream gradient.", str(difference))
    left = [name for name, leaf in leaves(none) if leaf.any()]
    demand(not left, "A zero upstream gradient must give zero gradients.", f"others at {', '.join(left)}")


@law(Layer, unless=without_parameters)
def one_door(trial: Trial) -> None:
    """Parameter gradients go through `accumulate`: they add up in `.grad`, and a receiver gets them instead."""
    component = trial.component()
    once = run(component, trial.inputs())
    stray = [name for name, p in parameters_of(component).items() if p.grad is not None]
    rule = "A parameter's gradient goes through parameter.accumulate(grad, rows)."
    demand(not stray, rule, f".grad of {', '.join(stray)} was set although a receiver was asking")
    for _ in range(2):
        output, cache = forward(component, trial.inputs())
        backward(component, draw_upstream(output), cache)
    for name, parameter in parameters_of(component).items():
        expected = None if name not in once.grads else 2 * once.grads[name]
        difference = first_difference((parameter.grad,), (expected,))
        demand(difference is None, f"Two backwards must add up in .grad of {name}.", str(difference))
        demand(
            parameter.rows == 2 * once.rows.get(name, 0), f"They must add up in .rows of {name}.", str(parameter.rows)
        )
    for name, grad in once.grads.items():
        known = parameters_of(component).get(name)
        demand(known is not None, "Only what parameters() lists is handed a gradient.", name)
        alike = known is not None and grad.shape == known.shape and grad.dtype == known.dtype
        demand(alike, f"The gradient of {name} has its shape and dtype.", describe(grad))


def without_batch(trial: Trial) -> Reason:
    """The reason to pass by a case whose inputs have no batch axis."""
    return "its inputs have no batch axis" if trial.case.batch_dim is None else None


@law(Layer, unless=lambda trial: without_parameters(trial) or without_batch(trial))
def rows_counted(trial: Trial) -> None:
    """`accumulate(grad, rows)` is told how many rows were summed: twice the batch, twice the rows."""
    axis: Any = trial.case.batch_dim
    once = run(trial.component(), trial.inputs()).rows
    doubled = map_tensors(lambda t: torch.cat([t, t], axis), trial.inputs())
    twice = run(trial.component(), doubled).rows
    for name, rows in once.items():
        demand(
            rows >= 1 and twice[name] == 2 * rows,
            f"accumulate must be told the rows that were summed into {name}: rows=grad_output.shape[0], for instance.",
            f"{rows} for a batch, {twice[name]} for twice the batch",
        )


@law(Layer, unless=without_parameters)
def backward_parameters(trial: Trial) -> None:
    """`backward_parameters` hands over exactly the gradients that `backward` does, and returns nothing."""
    expected = run(trial.component(), trial.inputs())
    component = trial.component()
    output, cache = forward(component, trial.inputs())
    received = backward_recorded(_ParametersOnly(component), draw_upstream(output), cache)
    difference = first_difference(received.grads, expected.grads)
    demand(difference is None, "backward_parameters must accumulate what backward does.", str(difference))
    demand(
        received.rows == expected.rows,
        "backward_parameters must count the rows that backward does.",
        str(received.rows),
    )
    demand(received.grad_input is None, "backward_parameters returns None.", describe(received.grad_input))


class _ParametersOnly(Layer):
    """A layer whose backward is the parameters-only backward of another."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def named_children(self) -> Any:
        yield "", self.layer

    def forward(self, x: Any) -> tuple[Any, Any]:
        return self.layer.forward(x)

    def backward(self, grad_output: Any, cache: Any) -> Any:
        result: Any = self.layer.backward_parameters(grad_output, cache)  # type: ignore[func-returns-value]
        return result
