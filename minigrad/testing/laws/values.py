"""Laws about particular values: extreme ones, kinks, empty batches, and what must be refused."""

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Activation, Layer, Loss
from minigrad.errors import MinigradError
from minigrad.testing.compare import far, readable, worst
from minigrad.testing.law import demand, law
from minigrad.testing.laws.gradients import without_batch, without_float_input
from minigrad.testing.laws.tensors import is_random
from minigrad.testing.passes import as_dtype, backward_recorded, forward, run
from minigrad.testing.trees import describe, leaves, map_tensors
from minigrad.testing.trial import Trial

MAGNITUDES = (0.0, 1e-38, 1e-7, 1.0, 17.0, 90.0, 500.0, 1e4, 1e10)


@law(Layer, Loss, unless=without_float_input)
def extreme_inputs(trial: Trial) -> None:
    """Huge and tiny inputs give no NaN, and no infinity in float32 where float64 has a number that float32 can hold."""
    for magnitude, ends in itertools.product(MAGNITUDES, (False, True) if isinstance(trial.made(), Loss) else (False,)):
        inputs = _extreme(trial, magnitude, ends)
        wide_inputs = map_tensors(lambda t: t.double() if t.is_floating_point() else t, inputs)
        narrow = run(trial.component(torch.float32), inputs).everything()
        wide = run(as_dtype(trial.component(torch.float32), torch.float64), wide_inputs)
        for (name, low), (_, high) in zip(leaves(narrow), leaves(wide.everything()), strict=True):
            given = f"For inputs of size {magnitude:g}, {readable(name)}"
            for leaf in (low, high):
                demand(not leaf.isnan().any(), f"{given} must be a number.", f"NaN in {leaf.dtype}")
            # With a margin: what is summed or exponentiated on the way may be larger than what comes out.
            lost = low.isinf() & (high.abs() < 1e-3 * torch.finfo(torch.float32).max)
            demand(
                not lost.any(), f"{given} must be finite.", f"infinity in float32, {high[lost][:1].tolist()} in float64"
            )
            if isinstance(trial.made(), Activation) and far(low, high, 1e-5, 1e-3).any():
                demand(False, f"{given} must be the same in float32 and float64.", worst(low, high, 1e-5, 1e-3))


def _extreme(trial: Trial, magnitude: float, ends: bool) -> tuple[Any, ...]:
    """The inputs with the numbers of the first argument made `magnitude`, of either sign, within the domain.

    With `ends`, the others (the target of a loss) are moved to whole numbers.
    """
    low, high = trial.case.domain
    pattern = (1.0, -1.0, -0.5, 0.5, 1.0, 0.25, -0.25)

    def fill(leaf: Tensor) -> Tensor:
        if not leaf.is_floating_point():
            return leaf
        repeats = math.ceil(leaf.numel() / len(pattern))
        values = torch.tensor(pattern * repeats, dtype=torch.float32)[: leaf.numel()]
        near_ends = magnitude * values
        if low > -math.inf and high < math.inf:
            # Near both ends of the domain rather than at the middle of it.
            near_ends = torch.where(values > 0, low + magnitude, high - magnitude)
        return near_ends.clamp(low, high).reshape(leaf.shape)

    first, *others = trial.inputs(torch.float32)
    others = [map_tensors(lambda t: t.round() if ends and t.is_floating_point() else t, other) for other in others]
    return (map_tensors(fill, first), *others)


@law(Activation, unless=lambda trial: "it is random" if is_random(trial) else None)
def kinks_declared(trial: Trial) -> None:
    """Wherever the derivative jumps is a declared kink, and there `backward` gives a value between both slopes."""
    component, (x,) = trial.component(), trial.inputs()
    declared = tuple(component.kinks)
    for point in sorted({*declared, *_suspects(component)}):
        if not trial.case.domain[0] < point < trial.case.domain[1]:
            continue
        left, right = (_slope(component, x, point, side) for side in (-1e-7, 1e-7))
        jump = (left - right).abs().max().item()
        demand(
            jump < 1e-4 or any(math.isclose(point, kink) for kink in declared),
            "A point where the derivative jumps must be declared: kinks = (...).",
            f"slopes that differ by {jump:.3g} at x = {point:g}, kinks = {declared}",
        )
        if point not in declared:
            continue  # where there is no kink, the law of the gradient judges
        output, cache = forward(component, (_filled(x, point),))
        slope = backward_recorded(component, torch.ones_like(output), cache).grad_input.reshape(-1)[0].item()
        low, high = sorted((left.sum().item(), right.sum().item()))
        between = low - 1e-5 <= slope <= high + 1e-5
        demand(
            between,
            f"At x = {point:g} the gradient lies between both slopes, {low:.6g} and {high:.6g}.",
            f"{slope:.6g}",
        )


def _suspects(component: Activation) -> set[float]:
    """Where kinks usually are, and the component's own numbers."""
    own = {float(v) for v in component.config().values() if isinstance(v, int | float) and not isinstance(v, bool)}
    return {-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0} | own | {-v for v in own}


def _filled(x: Tensor, value: float) -> Tensor:
    """`x` with its first entry replaced."""
    x = x.clone()
    x.view(-1)[0] = value
    return x


def _slope(component: Activation, x: Tensor, point: float, step: float) -> Tensor:
    """The one-sided slope of every output by the first entry of `x`, at `point`."""
    near, far_off = (forward(component, (_filled(x, point + offset),))[0] for offset in (step, 2 * step))
    return (far_off - near).reshape(-1) / step


@law(Layer, Loss, unless=without_batch, each_reduction=True)
def empty_batch(trial: Trial) -> None:
    """A batch of no samples gives an empty gradient and zero parameter gradients, or a minigrad error refuses it."""
    axis: Any = trial.case.batch_dim
    inputs = map_tensors(lambda t: t.narrow(axis, 0, 0) if t.dim() else t, trial.inputs())
    component = trial.component()
    try:
        result = run(component, inputs)
    except MinigradError:
        return
    for (name, leaf), (_, grad) in zip(leaves(inputs[0], "x"), leaves(result.grad_input, "x"), strict=False):
        demand(
            grad.shape == leaf.shape,
            f"The gradient of an empty {name} has its shape {tuple(leaf.shape)}.",
            describe(grad),
        )
    for name, grad in result.grads.items():
        demand(not grad.any(), f"An empty batch gives {name} a zero gradient.", f"{grad.reshape(-1)[:3].tolist()}, ...")
    if isinstance(component, Loss) and getattr(component, "reduction", "") == "sum":
        demand(not result.output.any(), "The sum of no costs is zero.", str(result.output.item()))


@law(Layer, Loss)
def refuses(trial: Trial) -> None:
    """What is no tensor is refused, and what the case lists as wrong is refused with a minigrad error that says why."""
    component, inputs = trial.component(torch.float32), trial.inputs(torch.float32)
    for wrong in trial.case.wrong:
        arguments = wrong if isinstance(wrong, tuple) else (wrong,)
        shown = ", ".join(describe(argument) for argument in arguments)
        try:
            forward(component, arguments)
        except MinigradError as error:
            demand("Received" in str(error), "An error states the rule, then 'Received: ...'.", repr(str(error)))
        except Exception as error:
            demand(False, f"{shown} must be refused with a minigrad error.", f"{type(error).__name__}: {error}")
        else:
            demand(False, f"{shown} must be refused with a minigrad error.", "no error")
    nonsense = ("no tensor", *inputs[1:])
    try:
        output, _ = forward(component, nonsense)
    except Exception:
        return
    # What only hands its argument on has nothing to refuse.
    demand(output is nonsense[0], "What is no tensor must be refused.", f"{output!r} for the text 'no tensor'")
