"""Laws for losses alone: how the reductions belong together."""

import math
from dataclasses import replace

import torch

from minigrad.core import Loss
from minigrad.testing.compare import first_difference, same
from minigrad.testing.gradient import has_reduction
from minigrad.testing.law import Reason, demand, law
from minigrad.testing.passes import SEED, Pass, forward, run
from minigrad.testing.trees import describe, map_tensors
from minigrad.testing.trial import Trial


def _with_one_reduction(trial: Trial) -> Reason:
    return None if has_reduction(trial.made()) else "it has no reduction to choose"


@law(Loss, unless=_with_one_reduction)
def reductions_consistent(trial: Trial) -> None:
    """The sum is that of the unreduced costs, the mean that sum divided by what they count, gradients included."""

    def under(reduction: str) -> Pass:
        loss = replace(trial, reduction=reduction).component()
        cost, _ = forward(loss, trial.inputs())
        return run(loss, trial.inputs(), torch.ones_like(cost))

    none, summed, mean = under("none"), under("sum"), under("mean")
    apart = none.output.dim() > 0 or trial.case.batch_dim is None
    demand(apart, "reduction='none' gives a cost for each element or sample.", describe(none.output))
    total = none.output.sum()
    rule = "reduction='sum' is the sum of the costs of reduction='none'."
    demand(same(summed.output, total), rule, f"{summed.output}, expected {total}")
    difference = first_difference(summed.grad_input, none.grad_input)
    demand(difference is None, "The gradient of the sum is that of the costs, each weighed by 1.", str(difference))
    count = none.output.numel() if trial.case.mean_count is None else trial.case.mean_count
    if math.isnan(count):
        return
    if trial.case.batch_dim is not None:
        counts = trial.component().counts(trial.inputs()[1])
        stated = none.output.numel() if counts is None else float(counts.sum())
        rule = f"counts(target) adds up to what the mean divides by, {count:g}."
        demand(math.isclose(stated, count, rel_tol=1e-5), rule, f"{stated:g}")
    rule = f"reduction='mean' is the sum divided by {count:g}."
    demand(same(mean.output, total / count), rule, f"{mean.output}, expected {total / count}")
    difference = first_difference(map_tensors(lambda g: g * count, mean.grad_input), summed.grad_input)
    demand(difference is None, f"The gradient of the mean is that of the sum divided by {count:g}.", str(difference))


@law(Loss, each_reduction=True)
def grad_cost_defaults_to_one(trial: Trial) -> None:
    """`backward(cache)` is the gradient of the reported cost itself, and calling a loss gives that cost."""
    loss = trial.component()
    cost, cache = forward(loss, trial.inputs())
    received = loss.backward(cache)
    expected = run(trial.component(), trial.inputs(), torch.ones_like(cost)).grad_input
    difference = first_difference(received, expected)
    demand(difference is None, "backward(cache) is backward(cache, grad_cost=1).", str(difference))
    torch.manual_seed(SEED)
    difference = first_difference(loss(*trial.inputs()), cost)
    demand(difference is None, "Calling a loss gives the cost of its forward.", str(difference))
