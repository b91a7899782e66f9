"""fit, the loop around a step, and the batches it takes."""

import copy

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from minigrad.activations import Sigmoid
from minigrad.core import Optimizer
from minigrad.errors import ShapeError
from minigrad.layers import Linear, Sequential
from minigrad.losses import BCE
from minigrad.optimizers import SGD
from minigrad.training import Batches, History, fit, train_step

X = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
Y = torch.tensor([[0.0], [1], [1], [0]])


def _net() -> tuple[Sequential, Optimizer]:
    torch.manual_seed(0)
    net = Sequential(Linear(2, 2), Sigmoid(), Linear(2, 1), Sigmoid())
    return net, SGD(net.parameters(), lr=1.0)


def test_a_full_batch_fit_is_the_bare_loop() -> None:
    net, optimizer = _net()
    twin, twin_optimizer = _net()
    history = fit(net, BCE(), optimizer, (X, Y), steps=20)
    costs = [train_step(twin, BCE(), twin_optimizer, X, Y).item() for _ in range(20)]
    assert history.costs == costs
    assert [row["epoch"] for row in history] == list(range(20))


@pytest.mark.parametrize("data", [(X.numpy(), Y.numpy()), [(X, Y)], DataLoader(TensorDataset(X, Y), batch_size=4)])
def test_arrays_lists_of_batches_and_loaders_are_data(data: object) -> None:
    net, optimizer = _net()
    twin, twin_optimizer = _net()
    assert fit(net, BCE(), optimizer, data, epochs=3).costs == fit(twin, BCE(), twin_optimizer, (X, Y), epochs=3).costs


def test_steps_go_round_the_data_and_stop_inside_a_pass() -> None:
    net, optimizer = _net()
    history = fit(net, BCE(), optimizer, (X, Y), steps=3, batch_size=2, seed=1)
    assert [row["epoch"] for row in history] == [0, 0, 1]


def test_the_seed_fixes_the_order_and_leaves_the_global_generator() -> None:
    costs = []
    for seed in (1, 1, 2):
        net, optimizer = _net()
        state = torch.random.get_rng_state()
        costs.append(fit(net, BCE(), optimizer, (X, Y), epochs=4, batch_size=1, seed=seed).costs)
        assert torch.equal(state, torch.random.get_rng_state())
    assert costs[0] == costs[1] != costs[2]


def test_each_pass_sees_every_row_once_in_a_new_order() -> None:
    rows = torch.arange(8)
    batches = Batches((rows, rows), 3, seed=3)
    passes = [torch.cat([y for (_, y, _), _ in batches]).tolist() for _ in range(2)]
    assert [sorted(seen) for seen in passes] == [list(range(8))] * 2
    assert passes[0] != passes[1]


def test_nothing_to_do_gives_an_empty_history() -> None:
    net, optimizer = _net()
    before = copy.deepcopy(net.state_dict())
    assert repr(fit(net, BCE(), optimizer, (X, Y), steps=0)) == "History(steps=0)"
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert History([]).to_dict() == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either epochs or steps"),
        ({"epochs": 1, "steps": 1}, "either epochs or steps"),
        ({"steps": -1}, "steps=-1"),
        ({"steps": 1, "batch_size": 0}, "batch_size=0"),
        ({"steps": 1, "data": [(X, Y)], "batch_size": 2}, "come in batches"),
        ({"steps": 1, "data": []}, "at least one batch"),
        ({"steps": 1, "data": 3}, "Received: int"),
        ({"steps": 1, "data": (X, Y[:3])}, "rows: 4 in x, 3 in y"),
        ({"steps": 1, "data": (np.zeros((4, 2), np.float32), np.zeros((3, 1), np.float32))}, "rows: 4 in x, 3 in y"),
    ],
)
def test_misuse_is_one_sentence(arguments: dict[str, object], message: str) -> None:
    net, optimizer = _net()
    arguments = {"data": (X, Y), **arguments}
    with pytest.raises((ValueError, TypeError, ShapeError), match=message):
        fit(net, BCE(), optimizer, **arguments)  # type: ignore[arg-type]
