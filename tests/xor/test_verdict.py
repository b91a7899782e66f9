"""The verdict is read from the numbers of a run; here each kind of run is given by its numbers."""

import math

import pytest

from minigrad.xor.verdict import Evidence, judge

FALLEN = [0.7] * 5000 + [0.002] * 5000
LOW = [0.0, 1.0, 1.0, 0.0]
APART = [[0.0, 0.1], [0.0, 1.0], [1.0, 0.1], [1.0, 1.0]]


def evidence(**changes) -> Evidence:
    known = {"lr": 1.0, "costs": FALLEN, "predictions": [0.01, 0.99, 0.98, 0.02], "hidden": APART}
    return Evidence(**(known | changes))


def test_four_right_are_solved():
    verdict = judge(evidence())
    assert verdict.solved
    assert verdict.accuracy == 1.0
    assert "least certain" in verdict.text
    assert "(1, 0) gets 0.9800" in verdict.text or "(1, 1) gets 0.0200" in verdict.text


def test_barely_right_is_not_praised():
    verdict = judge(evidence(predictions=[0.49, 0.51, 0.51, 0.49], costs=[0.6831] * 10000))
    assert verdict.solved
    assert "only just" in verdict.text


@pytest.mark.parametrize(
    ("predictions", "accuracy"),
    [
        ([0.6, 0.99, 0.98, 0.02], 0.75),
        ([0.5, 0.5, 0.5, 0.5], 0.5),
        ([1.0, 0.0, 0.0, 1.0], 0.0),
        ([math.nan] * 4, 0.0),
    ],
)
def test_anything_less_is_not_solved(predictions: list[float], accuracy: float):
    verdict = judge(evidence(predictions=predictions))
    assert not verdict.solved
    assert verdict.accuracy == accuracy
    assert verdict.text.startswith("Not solved")


def reason(**changes) -> str:
    verdict = judge(evidence(**changes))
    assert not verdict.solved
    return verdict.text


def test_a_rate_of_zero_moves_nothing():
    assert "rate is 0" in reason(lr=0.0, costs=[0.74] * 100, predictions=[0.4, 0.4, 0.3, 0.3])


def test_numbers_that_are_none():
    assert "step 2" in reason(costs=[0.7, 0.7, math.nan, math.nan], predictions=[math.nan] * 4)
    assert "no number" in reason(costs=[0.7, 0.7, math.nan, math.nan], predictions=[math.nan] * 4)


def test_too_few_steps():
    text = reason(costs=[0.7 - i / 1000 for i in range(100)], predictions=[0.4, 0.55, 0.45, 0.4])
    assert "Too few steps" in text


def test_the_plateau_where_all_units_are_alike():
    text = reason(costs=[0.69314] * 1000, predictions=[0.5, 0.501, 0.499, 0.5], hidden=[[0.3, 0.301]] * 4)
    assert "ln 2 = 0.6931" in text
    assert "alike" in text


def test_the_plateau_where_one_unit_is_all_there_is():
    text = reason(costs=[0.69314] * 1000, predictions=[0.5, 0.501, 0.499, 0.5], hidden=[[0.3], [0.5], [0.5], [0.8]])
    assert "One hidden unit draws one straight line" in text


def test_the_plateau_whose_units_differ():
    text = reason(costs=[0.69314] * 1000, predictions=[0.5, 0.501, 0.499, 0.5])
    assert "ln 2 = 0.6931" in text
    assert "alike" not in text
    assert "0.50 for everything" in text


def test_the_edge_of_the_plateau_is_the_plateau_still():
    assert "plateau near ln 2" in reason(costs=[0.6899] * 300, predictions=[0.4797, 0.5013, 0.5077, 0.5217])


def test_half_of_the_plateau_names_the_two_rows_and_why():
    text = reason(
        costs=[0.34671] * 1000,
        predictions=[0.0001, 0.9999, 0.4999, 0.5001],
        hidden=[[0.913, 0.142], [0.122, 0.987], [0.9999, 0.9998], [0.9999, 0.9999]],
    )
    assert "half of ln 2 = 0.3466" in text
    assert "(1, 0) and (1, 1)" in text
    assert "0.50" in text
    assert "saturated" in text


def test_three_rows_lumped_together_get_their_mean():
    text = reason(
        costs=[0.4774] * 1000,
        predictions=[0.0, 0.6667, 0.6667, 0.6667],
        hidden=[[0.1, 0.1], [0.9, 0.5], [0.9, 0.5], [0.9, 0.5]],
    )
    assert "(0, 1), (1, 0) and (1, 1)" in text
    assert "0.67" in text


def test_wrong_with_certainty():
    text = reason(costs=[5.0] * 1000, predictions=[0.0, 0.00001, 1.0, 0.0])
    assert "saturated" in text
    assert "(0, 1) gets 0.0000" in text


def test_a_cost_that_jumps():
    text = reason(costs=[0.5, 0.9] * 500, predictions=[0.3, 0.2, 0.7, 0.6])
    assert "jumps" in text


def test_what_fits_nothing_is_still_described():
    text = reason(costs=[0.55] * 1000, predictions=[0.3, 0.45, 0.7, 0.3])
    assert "(0, 1) gets 0.4500" in text
    assert "hardly falls, from 0.5500 to 0.5500 in the last 100 steps" in text
