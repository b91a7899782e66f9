"""The torch.nn pipeline is the published one."""

from itertools import islice

import pytest
import torch

from minigrad.interop.xor_torch import torch_pipeline

X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def test_the_first_published_costs():
    costs = [cost.item() for cost, _ in islice(torch_pipeline(X, Y, seed=777), 201)]
    assert (costs[0], costs[100], costs[200]) == (0.7434073090553284, 0.693165123462677, 0.6931577920913696)


def test_weights_bear_torchs_names():
    _, weights = next(torch_pipeline(X, Y, hidden=3))
    assert {name: tuple(weight.shape) for name, weight in weights.items()} == {
        "0.weight": (3, 2),
        "0.bias": (3,),
        "2.weight": (1, 3),
        "2.bias": (1,),
    }


def test_it_follows_the_dtype_of_the_rows():
    cost, weights = next(torch_pipeline(X.double(), Y.double()))
    assert {cost.dtype, *(weight.dtype for weight in weights.values())} == {torch.float64}


@pytest.mark.parametrize("seed", [777, 5])
def test_the_global_random_state_is_left_alone(seed: int):
    before = torch.get_rng_state()
    next(torch_pipeline(X, Y, seed=seed))
    assert torch.equal(torch.get_rng_state(), before)
