"""The comparison, on made pipelines whose differences are known."""

import math
from collections.abc import Iterator

import pytest
import torch

from minigrad.xor import Tolerance, four_rows, run_in_lock_step, xor_net
from minigrad.xor.composed import Step, as_torch
from minigrad.xor.lockstep import SAME_BITS, same_bits


def pipeline(costs: list[float], weights: list[list[float]], dtype=torch.float64) -> Iterator[Step]:
    for cost, weight in zip(costs, weights, strict=True):
        yield torch.tensor(cost, dtype=dtype), {"0.weight": torch.tensor([weight], dtype=dtype)}


def compare(costs, others, weights=None, other_weights=None, tolerance=SAME_BITS):
    weights = weights or [[1.0, 2.0]] * len(costs)
    other_weights = other_weights or weights
    return run_in_lock_step(pipeline(costs, weights), pipeline(others, other_weights), len(costs), tolerance)


def test_equal_pipelines_are_bit_identical():
    comparison = compare([0.5, 0.25], [0.5, 0.25])
    assert comparison.bit_identical
    assert comparison.holds
    assert comparison.costs == comparison.reference_costs == [0.5, 0.25]
    assert (comparison.max_cost_difference, comparison.max_weight_difference) == (0.0, 0.0)


def test_the_first_difference_is_named_with_both_values():
    comparison = compare([0.5, 0.25, 0.1], [0.5, 0.5, 0.2])
    first = comparison.first_difference
    assert (first.step, first.name, first.reference, first.minigrad) == (1, "cost", 0.25, 0.5)
    assert comparison.first_breach == first
    assert comparison.max_cost_difference == 0.25
    assert not comparison.holds
    assert str(first) == "step 1, cost: 0.25 in the reference, 0.5 in minigrad"


def test_a_weight_is_named_with_its_entry():
    comparison = compare([0.5, 0.5], [0.5, 0.5], [[1.0, 2.0]] * 2, [[1.0, 2.0], [1.0, 2.5]])
    first = comparison.first_difference
    assert (first.step, first.name, first.reference, first.minigrad) == (1, "0.weight[0, 1]", 2.0, 2.5)
    assert comparison.max_weight_difference == 0.5
    assert comparison.max_cost_difference == 0.0


def test_the_largest_entry_is_named_and_one_bit_is_seen():
    next_to_one = math.nextafter(1.0, 2.0)
    comparison = compare([0.5], [0.5], [[1.0, 2.0]], [[next_to_one, 2.0]])
    assert not comparison.bit_identical
    assert comparison.first_difference.name == "0.weight[0, 0]"
    assert comparison.max_weight_difference == next_to_one - 1


def test_a_difference_within_the_tolerance_is_no_breach():
    comparison = compare([0.5, 0.5], [0.5001, 0.6], tolerance=Tolerance(costs=0.01))
    assert comparison.first_difference.step == 0
    assert comparison.first_breach.step == 1


def test_what_is_not_judged_is_still_measured():
    comparison = compare([0.5], [0.5], [[1.0, 2.0]], [[9.0, 2.0]], Tolerance(costs=0.01))
    assert comparison.holds
    assert not comparison.bit_identical
    assert comparison.max_weight_difference == 8.0


def test_weights_have_a_tolerance_of_their_own():
    comparison = compare([0.5], [0.5], [[1.0, 2.0]], [[1.1, 2.0]], Tolerance(costs=1.0, weights=0.05))
    assert comparison.first_breach.name == "0.weight[0, 0]"


@pytest.mark.parametrize("tolerance", [SAME_BITS, Tolerance(costs=1e9)])
def test_a_nan_is_a_breach_and_stays_the_largest(tolerance: Tolerance):
    comparison = compare([0.5, 0.5, 0.5], [0.5, math.nan, 0.6], tolerance=tolerance)
    assert comparison.first_breach.step == 1
    assert math.isnan(comparison.max_cost_difference)


def test_the_same_nan_on_both_sides_is_no_difference():
    assert compare([math.nan], [math.nan]).bit_identical


def test_signed_zeros_differ_in_their_bits():
    assert not same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert not compare([0.0], [-0.0]).holds


def test_float32_is_compared_as_float32():
    one = torch.tensor([1.0])
    assert not same_bits(one, torch.nextafter(one, torch.tensor([2.0])))


def refusing_after(steps: int) -> Iterator[Step]:
    yield from pipeline([0.5] * steps, [[1.0, 2.0]] * steps)
    raise RuntimeError("all elements of input should be between 0 and 1")


def test_a_run_that_both_refuse_ends_there():
    comparison = run_in_lock_step(refusing_after(3), refusing_after(3), 10)
    assert comparison.holds
    assert len(comparison.costs) == 3
    assert comparison.stopped == "step 3: all elements of input should be between 0 and 1"


@pytest.mark.parametrize(("reference", "minigrad"), [(3, 4), (4, 3)])
def test_a_run_that_only_one_refuses_is_a_breach(reference: int, minigrad: int):
    comparison = run_in_lock_step(refusing_after(reference), refusing_after(minigrad), 10)
    assert not comparison.holds
    assert not comparison.bit_identical
    assert comparison.first_breach.step == 3
    assert [math.isnan(value) for value in (comparison.first_breach.reference, comparison.first_breach.minigrad)] == [
        reference == 3,
        minigrad == 3,
    ]


def test_a_refusal_of_the_first_step_is_raised():
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        run_in_lock_step(refusing_after(0), refusing_after(0), 10)


def test_every_step_is_told():
    seen = []
    run_in_lock_step(
        pipeline([0.5, 0.25], [[1.0]] * 2), pipeline([0.5, 0.25], [[1.0]] * 2), 2, on_step=lambda *at: seen.append(at)
    )
    assert seen == [(0, 0.5), (1, 0.25)]


def test_following_keeps_a_difference_from_growing():
    """Two nets with different rates drift apart; the one that follows is never more than one step away."""
    x, y = four_rows(dtype=torch.float64)

    def nets():
        return xor_net(dtype=torch.float64), xor_net(dtype=torch.float64)

    net, other = nets()
    apart = run_in_lock_step(as_torch(net, x, y), as_torch(other, x, y, lr=1.01), 50)
    net, other = nets()
    beside = run_in_lock_step(as_torch(net, x, y), as_torch(other, x, y, lr=1.01), 50, follow=other)
    assert beside.max_weight_difference < apart.max_weight_difference
    assert apart.max_cost_difference > 0.0
    assert beside.max_cost_difference == 0.0
