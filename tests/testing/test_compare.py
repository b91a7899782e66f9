"""What a wrong gradient is said to be."""

import pytest
import torch

from minigrad.testing import diagnose
from minigrad.testing.compare import first_difference, same

RIGHT = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
TWO = "a tensor of shape (2,), torch.float32"
SIZES = {"the batch size": 4, "the number of elements": 6}


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (-RIGHT, "the sign is flipped"),
        (0 * RIGHT, "it is zero everywhere"),
        (RIGHT.t(), "it is transposed"),
        (4 * RIGHT, "off by exactly a factor of 4 (the batch size): too large"),
        (RIGHT / 6, "off by exactly a factor of 6 (the number of elements): too small"),
        (-RIGHT / 4, "off by exactly a factor of 4 (the batch size): too small, and the sign is flipped"),
        (2.5 * RIGHT, "off by exactly a factor of 2.5"),
        (RIGHT + 1, ""),
        (RIGHT / 0, ""),
        (RIGHT * float("nan"), "NaN"),
        (RIGHT[0], "it is summed over an axis that must be kept"),
        (RIGHT.sum(), "it is summed over an axis that must be kept"),
        (RIGHT.unsqueeze(0), "an axis is not summed that must be"),
        (RIGHT.sin(), "a clue"),
    ],
)
def test_a_mistake_is_recognised(received, said):
    clues = (("another clue", lambda: None), ("a clue", lambda: RIGHT.sin()))
    assert diagnose(received, RIGHT, sizes=SIZES, clues=clues) == said


def test_one_number_is_no_proof_of_a_factor():
    assert diagnose(torch.tensor(3.0), torch.tensor(2.0)) == ""
    assert diagnose(torch.tensor([3.0, 0.0]), torch.tensor([2.0, 0.0])) == ""
    assert diagnose(torch.tensor(-2.0), torch.tensor(2.0)) == "the sign is flipped"


def test_a_transposed_square_is_not_taken_for_another_mistake():
    square = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert diagnose(square.t(), square) == "it is transposed"


def test_the_first_difference_is_told_with_its_place_and_both_values():
    zeros = {"output": (torch.zeros(2, 2), torch.zeros(3))}
    told = first_difference({"output": (torch.zeros(2, 2), torch.ones(3))}, zeros)
    assert told == "output[1] 1, expected 0 at [0] (3 of 3 entries differ)"


@pytest.mark.parametrize(
    ("received", "told"),
    [
        ({}, f"a None, expected {TWO}"),
        ({"a": torch.ones(3)}, f"a a tensor of shape (3,), torch.float32, expected {TWO}"),
        ({"a": torch.ones(2).double()}, f"a a tensor of shape (2,), torch.float64, expected {TWO}"),
        ({"a": torch.ones(2), "b": torch.ones(1)}, "b a tensor of shape (1,), torch.float32, expected None"),
        ({"a": torch.ones(2)}, None),
    ],
)
def test_differences_of_structure_are_told(received, told):
    assert first_difference(received, {"a": torch.ones(2)}) == told


def test_numbers_that_are_none_and_infinities_are_compared():
    odd = torch.tensor([float("nan"), float("inf"), 1.0])
    assert same(odd, odd.clone())
    assert not same(odd, torch.tensor([0.0, float("inf"), 1.0]))
    assert not same(odd, torch.tensor([float("nan"), -float("inf"), 1.0]))
