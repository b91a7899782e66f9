"""numpy arrays wherever data enters: what they are turned into, and what is left alone."""

import numpy as np
import pytest
import torch

from minigrad.activations import Sigmoid
from minigrad.core import as_tensors
from minigrad.errors import DtypeError
from minigrad.layers import Embedding, Linear, Sequential
from minigrad.losses import BCE
from minigrad.optimizers import SGD
from minigrad.training import fit, train_step

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])


def _net() -> Sequential:
    torch.manual_seed(0)
    return Sequential(Linear(2, 2), Sigmoid(), Linear(2, 1), Sigmoid())


def test_a_net_predicts_and_learns_from_arrays_as_from_tensors():
    net, twin = _net(), _net()
    x, y = torch.tensor(X, dtype=torch.float32), torch.tensor(Y, dtype=torch.float32)
    assert torch.equal(net(X), twin(x))
    ours, theirs = SGD(net.parameters(), lr=1.0), SGD(twin.parameters(), lr=1.0)
    assert torch.equal(train_step(net, BCE(), ours, X, Y), train_step(twin, BCE(), theirs, x, y))
    assert fit(net, BCE(), ours, (X, Y), steps=5).costs == fit(twin, BCE(), theirs, (x, y), steps=5).costs


def test_integers_stay_integers():
    assert Embedding(3, 2)(np.array([0, 2])).shape == (2, 2)


def test_structure_is_kept_and_what_is_no_array_is_handed_through():
    text, (first, second) = as_tensors({"a": "text", "b": (X, [Y])}, _net()).values()
    assert text == "text"
    assert first.dtype == torch.float32
    assert second[0].shape == (4, 1)


def test_a_tensor_is_never_converted_in_silence():
    with pytest.raises(DtypeError, match=r"Received: torch\.float64"):
        _net()(torch.tensor(X))


def test_a_loss_takes_arrays():
    prediction = torch.full((4, 1), 0.25)
    assert torch.equal(BCE()(prediction, Y), BCE()(prediction, torch.tensor(Y, dtype=torch.float32)))
    assert BCE()(np.full((4, 1), 0.25), Y).dtype == torch.float64
