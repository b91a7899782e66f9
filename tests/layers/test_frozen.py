"""Frozen."""

import copy

import pytest
import torch

from minigrad.activations import Sigmoid
from minigrad.core import receive_gradients
from minigrad.layers import Dropout, Frozen, Linear, Sequential
from minigrad.optimizers import SGD


def test_the_input_gradient_passes_and_the_parameters_receive_nothing():
    front, back = Linear(2, 3), Linear(3, 1)
    frozen, free = Sequential(front, Frozen(back)), Sequential(copy.deepcopy(front), copy.deepcopy(back))
    x = torch.randn(4, 2)
    for net in (frozen, free):
        y, cache = net.forward(x)
        net.backward_parameters(torch.ones_like(y), cache)
    assert torch.equal(front.weight.grad, free[0].weight.grad)
    assert torch.equal(front.bias.grad, free[0].bias.grad)
    assert back.weight.grad is None
    assert back.bias.grad is None


def test_only_the_state_dict_knows_the_parameters():
    net = Sequential(Linear(2, 3), Frozen(Sequential(Linear(3, 3), Sigmoid())))
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    twin = Sequential(Linear(2, 3), Frozen(Sequential(Linear(3, 3), Sigmoid())))
    twin.load_state_dict(net.state_dict())
    assert torch.equal(twin(torch.ones(1, 2)), net(torch.ones(1, 2)))


def test_it_still_moves():
    net = Frozen(Linear(2, 2)).to(torch.float64)
    assert net(torch.zeros(1, 2, dtype=torch.float64)).dtype == torch.float64


def test_a_parameter_that_is_shared_learns_where_it_is_not_frozen():
    linear = Linear(2, 2)
    net = Sequential(linear, Frozen(linear))
    optimizer = SGD(net.parameters(), lr=0.1)
    y, cache = net.forward(torch.ones(3, 2))
    net.backward(torch.ones_like(y), cache)
    assert linear.bias.rows == 3
    optimizer.step()


def test_a_receiver_outside_gets_nothing_and_comes_back():
    seen = []
    frozen, free = Frozen(Linear(2, 2)), Linear(2, 2)
    with receive_gradients(lambda parameter, grad, rows: seen.append(parameter)):
        y, cache = frozen.forward(torch.ones(3, 2))
        frozen.backward(y, cache)
        frozen.backward_parameters(y, cache)
        assert seen == []
        y, cache = free.forward(torch.ones(3, 2))
        free.backward(y, cache)
    assert len(seen) == 2


def test_the_receiver_comes_back_after_an_error():
    linear = Linear(2, 2)
    _, cache = linear.forward(torch.ones(3, 2))
    with pytest.raises(RuntimeError):
        Frozen(linear).backward(torch.ones(3, 5), cache)
    linear.backward(torch.ones(3, 2), cache)
    assert linear.weight.grad is not None


def test_whatever_else_it_does_it_goes_on_doing():
    assert Frozen(Dropout(1.0)).forward(torch.ones(2))[0].tolist() == [0, 0]
    assert Frozen(Dropout(1.0))(torch.ones(2)).tolist() == [1, 1]


def test_repr_and_misuse():
    assert repr(Frozen(Sigmoid())) == "Frozen(layer=Sigmoid())"
    with pytest.raises(TypeError, match=r"^Frozen expects a layer\. Received: 'linear' \(str\)$"):
        Frozen("linear")
