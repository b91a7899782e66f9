"""Both pipelines, each beside its reference: the run, and what it proves."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from minigrad.interop.xor_torch import torch_pipeline
from minigrad.layers import Sequential
from minigrad.xor.composed import as_handwritten, as_torch, xor_net
from minigrad.xor.data import four_rows, seven_rows
from minigrad.xor.handwritten import handwritten_pipeline
from minigrad.xor.lockstep import SAME_BITS, Comparison, Difference, OnStep, Tolerance, run_in_lock_step
from minigrad.xor.settings import Settings
from minigrad.xor.verdict import Evidence, Verdict, judge

Kind = Literal["torch", "manual"]
KINDS: tuple[Kind, ...] = ("torch", "manual")
# The way across the plateau amplifies rounding: 1.8e-6 of the cost was seen in float32 with seed 777.
HANDWRITTEN_TOLERANCE = {"float32": Tolerance(costs=1e-5), "float64": Tolerance(costs=1e-12, weights=1e-12)}
SEVEN_STEPS = 1001


@dataclass(frozen=True)
class PipelineReport:
    """What came out of one pipeline.

    Attributes:
        kind: `"torch"` or `"manual"`.
        comparison: minigrad beside the reference, on the four rows of XOR.
        seven: The same on seven rows, at a rate that moves the weights as fast.
        net: minigrad's trained net.
        predictions: Its answers to the four rows.
        verdict: Whether it has solved XOR.
        why: Where the parity does not hold, what a repetition from equal weights shows.
    """

    kind: Kind
    comparison: Comparison
    seven: Comparison
    net: Sequential
    predictions: list[float]
    verdict: Verdict
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether minigrad does what the reference does, on four rows and on seven."""
        return self.comparison.holds and self.seven.holds


@dataclass(frozen=True)
class Report:
    """What came out of the main job."""

    settings: Settings
    pipelines: dict[Kind, PipelineReport]

    @property
    def holds(self) -> bool:
        """Whether both pipelines do what their references do."""
        return all(pipeline.holds for pipeline in self.pipelines.values())


def run(settings: Settings, on_step: Callable[[Kind, int, float], None] = lambda kind, step, cost: None) -> Report:
    """Run both pipelines in lock step with their references, and judge them.

    The global random state and the number of threads are left as they were.

    Args:
        settings: What to run.
        on_step: Called with the pipeline, the step and its cost.

    Examples:
        >>> report = run(Settings(steps=3))
        >>> report.holds, report.pipelines["torch"].comparison.costs[0]
        (True, 0.7434073090553284)
    """
    with one_thread():
        return Report(settings, {kind: _pipeline(kind, settings, on_step) for kind in KINDS})


def _pipeline(kind: Kind, settings: Settings, on_step: Callable[[Kind, int, float], None]) -> PipelineReport:
    x, y = four_rows(settings.device, settings.torch_dtype)
    net, comparison = beside_reference(kind, settings, x, y, on_step=lambda step, cost: on_step(kind, step, cost))
    _, seven = beside_reference(kind, settings, *seven_rows(settings.device, settings.torch_dtype), steps=SEVEN_STEPS)
    hidden, _ = net[:2].forward(x)
    predictions = net(x).flatten().tolist()
    verdict = judge(Evidence(settings.lr, comparison.costs, predictions, hidden.tolist()))
    breach = comparison.first_breach
    why = "" if breach is None else explain_breach(kind, settings, net, breach)
    return PipelineReport(kind, comparison, seven, net, predictions, verdict, why)


def beside_reference(
    kind: Kind,
    settings: Settings,
    x: Tensor,
    y: Tensor,
    *,
    steps: int | None = None,
    tolerance: Tolerance | None = None,
    follow: bool = False,
    on_step: OnStep = lambda step, cost: None,
) -> tuple[Sequential, Comparison]:
    """Train a minigrad net on any rows, beside the reference that starts from the same weights.

    Args:
        kind: `"torch"` or `"manual"`.
        settings: The seed, the rate and so on.
        x: Inputs, `(rows, 2)`.
        y: Targets, `(rows, 1)`.
        steps: At most so many steps.
        tolerance: What they may differ by; by default nothing for `"torch"`, and rounding for `"manual"`.
        follow: Whether minigrad takes the reference's weights over after every step.
        on_step: Called with each step and its cost.

    Returns:
        The trained net and the comparison.
    """
    hidden, seed, lr = settings.hidden, settings.seed, settings.lr
    net = xor_net(hidden, seed=seed, device=settings.device, dtype=settings.torch_dtype)
    if kind == "torch":
        reference = torch_pipeline(x, y, hidden=hidden, lr=lr, seed=seed)
        ours, judged_by = as_torch(net, x, y, lr=lr), SAME_BITS
    else:
        lr *= 4 / len(x)  # a weight's step grows with the number of rows; this keeps it what it is on four
        reference = handwritten_pipeline(x, y, hidden=hidden, lr=lr, seed=seed)
        ours, judged_by = as_handwritten(net, x, y, lr=lr), HANDWRITTEN_TOLERANCE[settings.dtype]
    steps = settings.steps if steps is None else min(steps, settings.steps)
    return net, run_in_lock_step(reference, ours, steps, tolerance or judged_by, on_step, net if follow else None)


def explain_breach(kind: Kind, settings: Settings, net: Sequential, breach: Difference) -> str:
    """Tell rounding from a mistake: repeat the run, and begin each step with the reference's weights.

    Args:
        kind: `"torch"` or `"manual"`.
        settings: What was run.
        net: minigrad's trained net; rounding grows with the size of its weights.
        breach: Where the tolerance was first exceeded.
    """
    if math.isnan(breach.reference) and math.isfinite(breach.minigrad):
        return (
            "The notes' cost is 0 log 0, which is nan, once a prediction is exactly 0 or 1; "
            "minigrad clamps the logarithm at -100, as torch does."
        )
    largest = max(parameter.abs().max().item() for parameter in net.parameters())
    allowed = HANDWRITTEN_TOLERANCE[settings.dtype].costs or 0.0
    tolerance = Tolerance(allowed, allowed * max(1.0, largest))
    rows = four_rows(settings.device, settings.torch_dtype)
    _, single = beside_reference(kind, settings, *rows, tolerance=tolerance, follow=True)
    if not single.holds:
        return f"A single step from equal weights differs too, first in {single.first_breach}."
    return (
        f"Step by step from equal weights they agree: cost within {single.max_cost_difference:.1e}, weight within "
        f"{single.max_weight_difference:.1e}. So no step is wrong; this run amplifies rounding."
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, as a bit-for-bit comparison needs it, and give the others back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
