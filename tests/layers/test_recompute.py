"""Recompute."""

import copy

import pytest
import torch
from torch import Tensor

from minigrad.activations import Tanh
from minigrad.core import Layer
from minigrad.layers import Dropout, Linear, Recompute, Sequential


class Counting(Layer):
    """Counts its forwards in a buffer, as running statistics do."""

    def __init__(self) -> None:
        self.count = torch.zeros(())

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        self.count.add_(1)
        return x, None

    def backward(self, grad_output: Tensor, cache: None) -> Tensor:
        return grad_output


@pytest.mark.parametrize("verb", ["backward", "backward_parameters"])
def test_both_passes_are_those_of_the_layer_inside(verb: str):
    block = Sequential(Linear(3, 8), Dropout(0.5), Tanh(), Dropout(0.2), Linear(8, 2))
    plain, thrifty = block, Recompute(copy.deepcopy(block))
    x, grad = torch.randn(16, 3), torch.randn(16, 2)
    results = []
    for net in (plain, thrifty):
        torch.manual_seed(5)
        y, cache = net.forward(x)
        between = torch.rand(3)
        grad_input = getattr(net, verb)(grad, cache)
        results.append((y, between, grad_input, torch.rand(3), *(p.grad for p in net.parameters())))
    for one, other in zip(*results, strict=True):
        assert (one is None and other is None) or torch.equal(one, other)


def test_only_the_input_is_kept():
    x = torch.randn(4, 3)
    _, cache = Recompute(Sequential(Linear(3, 8), Tanh())).forward(x)
    held = [item for item in cache if isinstance(item, Tensor) and item.is_floating_point()]
    assert [item is x for item in held] == [True]


def test_the_cache_is_not_consumed():
    net = Recompute(Sequential(Linear(3, 8), Tanh()))
    y, cache = net.forward(torch.randn(4, 3))
    first, second = net.backward(y, cache), net.backward(y, cache)
    assert torch.equal(first, second)


def test_buffers_are_left_as_one_forward_leaves_them():
    counting = Counting()
    net = Recompute(counting)
    y, cache = net.forward(torch.ones(2))
    net.backward(y, cache)
    assert counting.count.item() == 1


def test_predict_is_not_learning():
    assert Recompute(Dropout(1.0))(torch.ones(2)).tolist() == [1, 1]


def test_it_compiles_without_a_break():
    net = Recompute(Sequential(Linear(3, 8), Tanh(), Linear(8, 2)))

    def both(x: Tensor) -> tuple[Tensor, Tensor]:
        y, cache = net.forward(x)
        net.zero_grad()
        return y, net.backward(torch.ones_like(y), cache)

    x = torch.randn(4, 3)
    expected = both(x)
    for one, other in zip(torch.compile(both, fullgraph=True, backend="aot_eager")(x), expected, strict=True):
        torch.testing.assert_close(one, other)
