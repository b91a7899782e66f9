"""What components are fed."""

import pytest
import torch

from minigrad.activations import ReLU, Sigmoid
from minigrad.core import Optimizer, Schedule
from minigrad.layers import Linear
from minigrad.losses import BCE
from minigrad.testing import Case, draw
from minigrad.testing.trees import cast, everywhere, flat, gradient_pairs, leaves, map_tensors, unflat


@pytest.mark.parametrize("kinks", [(), (0.0,), (0.0, 6.0), (-3.0, 3.0)])
def test_drawn_numbers_keep_away_from_kinks_and_lie_on_both_sides_of_them(kinks):
    x = draw(5, 4, kinks=kinks)
    for kink in kinks:
        assert ((x - kink).abs() >= 0.049).all()
        assert (x > kink).any()
        assert (x < kink).any()
    assert torch.equal(x, draw(5, 4, kinks=kinks))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 3.0), (0.0, float("inf"))])
def test_drawn_numbers_lie_in_the_domain(low, high):
    x = draw(50, 4, low=low, high=high)
    assert ((x > low) & (x < high)).all()


@pytest.mark.parametrize(
    ("case", "shapes"),
    [
        (Case(Sigmoid), [(5, 4)]),
        (Case(lambda: Linear(7, 2)), [(5, 7)]),
        (Case(BCE, domain=(0.0, 1.0)), [(5, 3), (5, 3)]),
        (Case(Sigmoid, torch.zeros(2)), [(2,)]),
        (Case(Sigmoid, (torch.zeros(2),)), [(2,)]),
        (Case(Sigmoid, lambda: torch.zeros(2)), [(2,)]),
        (Case(lambda params: None), [(4, 3), (3,), (2, 2)]),
    ],
)
def test_inputs_are_given_or_drawn(case, shapes):
    assert [tuple(x.shape) for x in case.arguments()] == shapes


def test_an_activation_is_fed_both_sides_of_its_kink():
    (x,) = Case(ReLU).arguments()
    assert (x > 0).any()
    assert (x < 0).any()
    assert (x.abs() > 0.049).all()


def test_what_make_takes_is_read_from_it():
    assert Case(Sigmoid).takes() == ""
    assert Case(lambda: None).takes() == ""
    assert Case(lambda cls=Sigmoid: None).takes() == ""
    assert Case(lambda params: None).takes() == "params"
    assert Case(lambda optimizer, gamma=0.1: None).takes() == "optimizer"
    assert Case(Optimizer).takes() == "params"
    assert Case(Schedule).takes() == "optimizer"


TREE = (torch.arange(2.0), {"a": [torch.ones(1, 2), torch.tensor(3)]}, None, "text")


def test_a_tree_is_walked_and_mapped():
    assert [name for name, _ in leaves(TREE, "x")] == ["x[0]", "x[1]['a'][0]", "x[1]['a'][1]"]
    assert map_tensors(lambda t: tuple(t.shape), TREE) == ((2,), {"a": [(1, 2), ()]}, None, "text")


def test_a_tree_is_flattened_and_built_again():
    vector = flat(TREE)
    assert vector.tolist() == [0, 1, 1, 1]
    again = unflat(vector, TREE)
    assert torch.equal(again[0], TREE[0])
    assert again[1]["a"][1] is None


def test_a_cast_copies():
    copied = cast(TREE, torch.float64)
    assert copied[0].dtype == torch.float64
    assert copied[1]["a"][1].dtype == torch.int64
    copied[0].add_(1)
    assert TREE[0].tolist() == [0, 1]


def test_tensors_are_found_wherever_a_cache_hides_them():
    class Cache:
        __slots__ = ("inner",)

        def __init__(self, inner):
            self.inner = inner

    class Holder:
        def __init__(self):
            self.parts = [Cache(torch.ones(1)), {"t": torch.zeros(1)}]
            self.self = self

    assert list(everywhere(Holder(), "cache")) == ["cache.parts[0].inner", "cache.parts[1]['t']"]


@pytest.mark.parametrize("grad", [None, torch.ones(2), (torch.ones(2),), [None] * 3])
def test_a_gradient_of_another_structure_is_refused(grad):
    with pytest.raises(ValueError, match="its gradient is"):
        list(gradient_pairs((torch.ones(2), torch.ones(2)), grad, "x"))
