"""Wrapper and map_layers."""

from typing import Any

import pytest
import torch
from torch import Tensor

from minigrad.activations import ReLU, Sigmoid
from minigrad.core import Layer, Wrapper, is_innermost, map_layers
from minigrad.layers import Dropout, Frozen, Linear, Parallel, Residual, SelfAttention, Sequential


class Loud(Wrapper):
    """Counts its passes."""

    passes = 0

    def forward(self, x: Any) -> tuple[Any, Any]:
        self.passes += 1
        return super().forward(x)


class Plain(Wrapper):
    """Adds nothing."""


def test_a_wrapper_is_transparent():
    linear = Linear(2, 3)
    wrapped = Plain(linear)
    assert list(wrapped.state_dict()) == ["weight", "bias"]
    assert [name for name, _ in wrapped.named_parameters()] == ["weight", "bias"]
    x = torch.randn(4, 2)
    y, cache = wrapped.forward(x)
    assert torch.equal(y, linear.forward(x)[0])
    assert wrapped.backward(torch.ones_like(y), cache).shape == x.shape
    before = linear.weight.grad.clone()
    assert wrapped.backward_parameters(torch.ones_like(y), cache) is None
    torch.testing.assert_close(linear.weight.grad, 2 * before)
    assert Plain(Dropout(1.0))(torch.ones(2)).tolist() == [1, 1]
    with pytest.raises(TypeError, match=r"^Plain expects a layer\. Received: <class .*ReLU'> \(ABCMeta\)$"):
        Plain(ReLU)


def test_names_in_a_container_stay_as_they_were():
    net = Sequential(Linear(2, 3), Residual(Linear(3, 3)), Parallel(Linear(3, 1), Linear(3, 1)))
    assert list(map_layers(net, Plain).state_dict()) == list(net.state_dict())


def test_a_layer_with_tensors_of_its_own_is_wrapped_whole():
    net = Sequential(SelfAttention(4, 2), Residual(SelfAttention(4, 2)))
    loud = map_layers(net, Loud)
    assert repr(loud).count("Loud") == 2
    assert type(loud[0].layer) is SelfAttention
    assert list(loud.state_dict()) == list(net.state_dict())
    loud.forward(torch.ones(1, 3, 4))
    assert (loud[0].passes, loud[1].body.passes) == (1, 1)


def test_every_innermost_layer_is_wrapped_once():
    sigmoid, linear = Sigmoid(), Linear(3, 3)
    net = Sequential(Linear(2, 3), sigmoid, Residual(Sequential(linear, sigmoid, linear)), Frozen(Parallel(linear)))
    loud = map_layers(net, Loud)
    assert repr(loud).count("Loud") == 6
    inner = loud[2].body
    assert inner[1] is loud[1]
    assert inner[0] is inner[2] is loud[3].layer.branches[0]
    loud.forward(torch.ones(4, 2))
    assert (loud[1].passes, inner[0].passes) == (2, 3)


def test_the_net_stays_as_it_is_and_shares_its_parameters():
    net = Sequential({"a": Linear(2, 3), "b": Sigmoid()})
    before = list(net.layers)
    wrapped = map_layers(net, Loud)
    assert all(one is other for one, other in zip(net.layers, before, strict=True))
    assert all(one is other for one, other in zip(net.parameters(), wrapped.parameters(), strict=True))
    assert list(wrapped.state_dict()) == ["a.weight", "a.bias"]


def test_what_is_replaced_whole_can_be_said():
    net = Sequential(Linear(2, 3), Residual(Sequential(Linear(3, 3), ReLU())))
    wrapped = map_layers(net, Loud, whole=lambda layer: is_innermost(layer) or isinstance(layer, Residual))
    assert [type(layer) for layer in wrapped] == [Loud, Loud]
    assert type(wrapped[1].layer) is Residual


def test_layers_in_tuples_and_dicts_are_reached():
    class Holder(Layer):
        def __init__(self) -> None:
            self.pair = (Linear(2, 2), "text")
            self.named = {"a": ReLU()}

        def forward(self, x: Tensor) -> tuple[Tensor, None]:
            return x, None

        def backward(self, grad_output: Tensor, cache: None) -> Tensor:
            return grad_output

    wrapped = map_layers(Holder(), Loud)
    assert type(wrapped.pair) is tuple
    assert (type(wrapped.pair[0]), wrapped.pair[1], type(wrapped.named["a"])) == (Loud, "text", Loud)
    assert type(map_layers(ReLU(), Loud)) is Loud
