"""Two pipelines in lock step: every cost and every weight of every step, compared."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from minigrad.core import Layer
from minigrad.xor.composed import Step

OnStep = Callable[[int, float], None]

_BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


@dataclass(frozen=True)
class Tolerance:
    """What two pipelines may differ by; `None` leaves that difference unjudged, 0 asks for the same bits."""

    costs: float | None = None
    weights: float | None = None


SAME_BITS = Tolerance(0.0, 0.0)


@dataclass(frozen=True)
class Difference:
    """One number that differs: in which step, in which tensor, and both values."""

    step: int
    name: str
    reference: float
    minigrad: float

    def __str__(self) -> str:
        return f"step {self.step:,}, {self.name}: {self.reference!r} in the reference, {self.minigrad!r} in minigrad"


@dataclass
class Comparison:
    """What came out of a run in lock step.

    Attributes:
        tolerance: What the two may differ by.
        reference_costs: The reference's cost of each step.
        costs: minigrad's cost of each step.
        max_cost_difference: The largest; NaN if a difference is no number.
        max_weight_difference: The largest over all weights after all steps; NaN if a difference is no number.
        first_difference: Where the bits first differ.
        first_breach: Where the tolerance is first exceeded.
        stopped: What a pipeline said when it could not go on.
    """

    tolerance: Tolerance
    reference_costs: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    max_cost_difference: float = 0.0
    max_weight_difference: float = 0.0
    first_difference: Difference | None = None
    first_breach: Difference | None = None
    stopped: str | None = None

    @property
    def bit_identical(self) -> bool:
        """Whether every cost and every weight had the same bits in every step."""
        return self.first_difference is None

    @property
    def holds(self) -> bool:
        """Whether the tolerance was kept in every step."""
        return self.first_breach is None

    def add(self, reference: Step, minigrad: Step) -> None:
        """Compare one step."""
        self.reference_costs.append(reference[0].item())
        self.costs.append(minigrad[0].item())
        difference = self._compare("cost", reference[0], minigrad[0], self.tolerance.costs)
        self.max_cost_difference = _larger(self.max_cost_difference, difference)
        for name, weight in reference[1].items():
            difference = self._compare(name, weight, minigrad[1][name], self.tolerance.weights)
            self.max_weight_difference = _larger(self.max_weight_difference, difference)

    def stop(self, reference: Step | Exception, minigrad: Step | Exception) -> None:
        """End the run at a step that a pipeline refused; both must refuse it.

        Raises:
            Exception: What was refused, if it was the first step: then there was no run.
        """
        refusals = [outcome for outcome in (reference, minigrad) if isinstance(outcome, Exception)]
        if not self.costs:
            raise refusals[0]
        self.stopped = f"step {len(self.costs):,}: {refusals[0]}"
        if len(refusals) == 1:
            costs = [
                math.nan if isinstance(outcome, Exception) else outcome[0].item() for outcome in (reference, minigrad)
            ]
            at = Difference(len(self.costs), "cost", *costs)
            self.first_difference = self.first_difference or at
            self.first_breach = self.first_breach or at

    def _compare(self, name: str, reference: Tensor, minigrad: Tensor, allowed: float | None) -> float:
        if same_bits(reference, minigrad):
            return 0.0
        gaps = (reference - minigrad).abs()
        largest: float = gaps.max().item()
        beyond = allowed is not None and (allowed == 0.0 or not largest <= allowed)
        breach = beyond and self.first_breach is None
        if breach or self.first_difference is None:
            at = _where(len(self.costs) - 1, name, gaps, reference, minigrad)
            self.first_difference = self.first_difference or at
            self.first_breach = at if breach else self.first_breach
        return largest


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors hold the same bits, NaNs and signed zeros included.

    Examples:
        >>> nan, zero = torch.tensor(float("nan")), torch.tensor(0.0)
        >>> same_bits(nan, nan), same_bits(zero, -zero)
        (True, False)
    """
    bits = _BITS[a.dtype]
    return torch.equal(a.detach().view(bits), b.detach().view(bits))


def _where(step: int, name: str, gaps: Tensor, reference: Tensor, minigrad: Tensor) -> Difference:
    # argmax counts a NaN as the largest.
    index = [int(i) for i in torch.unravel_index(gaps.argmax(), gaps.shape)]
    entry = tuple(index)
    return Difference(step, f"{name}{index if index else ''}", reference[entry].item(), minigrad[entry].item())


def _larger(a: float, b: float) -> float:
    """The larger number; a NaN is larger than any."""
    return a if math.isnan(a) or a >= b else b


def run_in_lock_step(
    reference: Iterator[Step],
    minigrad: Iterator[Step],
    steps: int,
    tolerance: Tolerance = SAME_BITS,
    on_step: OnStep = lambda step, cost: None,
    follow: Layer | None = None,
) -> Comparison:
    """Run two pipelines side by side, and compare them after every step.

    Args:
        reference: The pipeline that is right.
        minigrad: The pipeline that is judged.
        steps: How many steps to run.
        tolerance: What they may differ by.
        on_step: Called with the step and its cost, after each.
        follow: minigrad's net, if it shall begin every step with the reference's weights: then a difference is that of
            one step, and nothing amplifies it.
    """
    comparison = Comparison(tolerance)
    for step in range(steps):
        pair = _attempt(reference), _attempt(minigrad)
        if isinstance(pair[0], Exception) or isinstance(pair[1], Exception):
            comparison.stop(*pair)
            break
        comparison.add(pair[0], pair[1])
        if follow is not None:
            follow.load_state_dict(pair[0][1])
        on_step(step, comparison.costs[-1])
    return comparison


def _attempt(pipeline: Iterator[Step]) -> Step | Exception:
    try:
        return next(pipeline)
    except (RuntimeError, ValueError) as error:  # torch and minigrad refuse a prediction that is no number
        return error
