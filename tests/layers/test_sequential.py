"""Sequential."""

from typing import Any

import pytest
import torch
from torch import nn

from minigrad.activations import ReLU, Sigmoid, Tanh
from minigrad.errors import CacheError, ShapeError
from minigrad.layers import Dropout, Linear, Sequential
from tests.layers.twins import assert_twins


def test_one_activation_object_may_stand_twice():
    sigmoid, sigmoid_of_torch = Sigmoid(), nn.Sigmoid()
    assert_twins(
        Sequential(Linear(2, 3), sigmoid, Linear(3, 1), sigmoid),
        nn.Sequential(nn.Linear(2, 3), sigmoid_of_torch, nn.Linear(3, 1), sigmoid_of_torch),
        torch.randn(5, 2),
        exact=False,
        rtol=1e-6,
    )


def test_one_linear_object_may_stand_twice():
    linear, linear_of_torch = Linear(3, 3, dtype=torch.float64), nn.Linear(3, 3, dtype=torch.float64)
    ours, twin = Sequential(linear, Tanh(), linear), nn.Sequential(linear_of_torch, nn.Tanh(), linear_of_torch)
    twin.load_state_dict(ours.state_dict())
    x = torch.randn(5, 3, dtype=torch.float64)
    y, cache = ours.forward(x)
    ours.backward(torch.ones_like(y), cache)
    twin(x).sum().backward()
    torch.testing.assert_close(linear.weight.grad, linear_of_torch.weight.grad)
    torch.testing.assert_close(linear.bias.grad, linear_of_torch.bias.grad)
    assert linear.bias.rows == 10
    assert [name for name, _ in ours.named_parameters()] == ["0.weight", "0.bias"]
    assert list(ours.state_dict()) == list(twin.state_dict())


def test_the_cache_is_consumed_part_by_part():
    net = Sequential(Linear(2, 2), Tanh(), Linear(2, 1))
    y, cache = net.forward(torch.zeros(4, 2))
    assert len(cache) == 3
    net.backward(torch.ones_like(y), cache)
    assert cache == []


@pytest.mark.parametrize("verb", ["backward", "backward_parameters"])
def test_a_spent_cache_is_told(verb: str):
    net = Sequential(Linear(2, 2), Tanh())
    y, cache = net.forward(torch.zeros(4, 2))
    getattr(net, verb)(torch.ones_like(y), cache)
    with pytest.raises(CacheError, match=r"with 2 parts, and consumes it\. Received: 0 parts: it was used already$"):
        getattr(net, verb)(torch.ones_like(y), cache)
    with pytest.raises(CacheError, match=r"Received: 1 parts$"):
        getattr(net, verb)(torch.ones_like(y), [None])


def test_predict_is_not_learning():
    net = Sequential(Linear(2, 2), Dropout(1.0))
    x = torch.ones(4, 2)
    assert torch.equal(net(x), net[0](x))
    assert net.forward(x)[0].count_nonzero() == 0


def test_it_is_a_sequence():
    layers = [Linear(2, 3), ReLU(), Linear(3, 1)]
    net = Sequential(*layers)
    assert len(net) == 3
    assert list(net) == layers
    assert net[-1] is layers[2]
    assert list(net[1:]) == layers[1:]
    assert isinstance(net[:0], Sequential)
    with pytest.raises(IndexError):
        net[3]


def test_empty_it_is_the_identity():
    x = torch.randn(3)
    y, cache = Sequential().forward(x)
    assert y is x
    assert Sequential().backward(x, cache) is x


def test_a_dict_names_the_layers():
    net = Sequential({"hidden": Linear(2, 2), "out": Linear(2, 1)})
    assert list(net.state_dict()) == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    with pytest.raises(ShapeError) as caught:
        net.forward(torch.zeros(4, 3))
    assert caught.value.__notes__ == ["In layer hidden (linear) of Sequential."]


@pytest.mark.parametrize("verb", ["forward", "predict"])
def test_an_error_says_where(verb: str):
    net = Sequential(Linear(2, 3), Sequential(ReLU(), Linear(4, 1)))
    with pytest.raises(ShapeError) as caught:
        getattr(net, verb)(torch.zeros(4, 2))
    assert caught.value.__notes__ == ["In layer 1 (linear) of Sequential.", "In layer 1 (sequential) of Sequential."]


@pytest.mark.parametrize("verb", ["backward", "backward_parameters"])
def test_an_error_in_a_backward_says_where(verb: str):
    net = Sequential(Linear(2, 3), ReLU(), Linear(3, 1))
    _, cache = net.forward(torch.zeros(4, 2))
    with pytest.raises(ShapeError, match=r"Received: \(7, 3\)") as caught:
        getattr(net, verb)(torch.ones(4, 7), cache)
    assert caught.value.__notes__ == ["In layer 2 (linear) of Sequential."]


def test_only_layers_are_taken():
    with pytest.raises(TypeError, match=r"^Sequential expects layers\. .*build.* Received: layer 1 = 'relu'$"):
        Sequential(ReLU(), "relu")
    with pytest.raises(TypeError, match=r"^Sequential expects layers\. Received: layer 0 = <class"):
        Sequential(ReLU)


@pytest.mark.parametrize("name", ["", "a.b", 0])
def test_a_name_that_a_state_dict_could_confuse_is_refused(name: Any):
    with pytest.raises(ValueError, match=r"^Sequential expects names that are texts without a dot\. Received: "):
        Sequential({name: Linear(2, 2), "b": Linear(2, 2)})


def test_a_slice_keeps_names_that_were_given():
    net = Sequential({"first": Linear(2, 2), "bend": ReLU(), "last": Linear(2, 1)})
    assert list(net[1:].state_dict()) == ["last.weight", "last.bias"]
    assert net[:1][0] is net[0]
    assert repr(net[1:2]) == "Sequential({'bend': ReLU()})"
