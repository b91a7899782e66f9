"""Traced and Timed, which watch without changing anything."""

import copy
import time

import torch
from torch import Tensor

from minigrad.activations import Sigmoid
from minigrad.core import Layer, map_layers, receive_gradients
from minigrad.layers import Frozen, Linear, Sequential, Tape, Timed, Traced


class Slow(Layer):
    """Sleeps through both passes."""

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        time.sleep(0.01)
        return x, None

    def backward(self, grad_output: Tensor, cache: None) -> Tensor:
        time.sleep(0.02)
        return grad_output


def net_and_tape() -> tuple[Sequential, Sequential, Tape]:
    net, tape = Sequential(Linear(2, 3), Sigmoid(), Linear(3, 1)), Tape()
    return net, map_layers(net, lambda layer: Traced(layer, tape)), tape


def test_the_tape_holds_both_passes_in_order():
    net, traced, tape = net_and_tape()
    x = torch.randn(4, 2)
    y, cache = traced.forward(x)
    grad = torch.ones_like(y)
    grad_input = traced.backward(grad, cache)
    assert [(trace.layer, trace.verb) for trace in tape] == [
        *((layer, "forward") for layer in net),
        *((layer, "backward") for layer in reversed(net.layers)),
    ]
    assert tape[0].received is x
    assert tape[2].returned is y
    assert tape[2].received is tape[1].returned
    assert tape[3].received is grad
    assert tape[5].returned is grad_input
    assert tape[0].cache is tape[5].cache
    assert repr(tape) == "<Tape of 6 passes>"


def test_gradients_are_recorded_and_arrive():
    net, traced, tape = net_and_tape()
    plain = copy.deepcopy(net)
    x = torch.randn(4, 2)
    for each in (traced, plain):
        y, cache = each.forward(x)
        each.backward_parameters(torch.ones_like(y), cache)
    assert [(name, rows) for trace in tape for name, _, rows in trace.gradients] == [
        ("weight", 4),
        ("bias", 4),
        ("weight", 4),
        ("bias", 4),
    ]
    assert tape[-1].returned is None
    for one, other in zip(net.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)
        assert one.rows == other.rows == 4
    assert tape[-1].gradients[0][1] is net[0].weight.grad


def test_a_receiver_outside_still_receives():
    _, traced, _ = net_and_tape()
    seen = []
    with receive_gradients(lambda parameter, grad, rows: seen.append(rows)):
        y, cache = traced.forward(torch.randn(4, 2))
        traced.backward(y, cache)
    assert seen == [4, 4, 4, 4]
    assert all(parameter.grad is None for parameter in traced.parameters())


def test_predictions_are_recorded_too():
    _, traced, tape = net_and_tape()
    y = traced(torch.randn(4, 2))
    assert [trace.verb for trace in tape] == ["predict"] * 3
    assert tape[-1].returned is y


def test_a_frozen_layer_inside_has_no_gradients():
    tape = Tape()
    traced = Traced(Frozen(Linear(2, 2)), tape)
    y, cache = traced.forward(torch.ones(1, 2))
    traced.backward(y, cache)
    assert tape[1].gradients == ()


def test_the_repr_is_short():
    assert repr(Traced(Sigmoid(), Tape())) == "Traced(layer=Sigmoid(), tape=<Tape of 0 passes>)"


def test_times_and_calls_add_up():
    timed = Timed(Slow())
    for _ in range(2):
        y, cache = timed.forward(torch.ones(1))
        timed.backward(y, cache)
    timed.backward_parameters(y, cache)
    timed(y)
    assert timed.calls == {"forward": 2, "backward": 3, "predict": 1}
    # A sleep lasts at least as long as it was told to.
    assert timed.seconds["forward"] >= 0.02
    assert timed.seconds["backward"] >= 0.06
    assert timed.seconds["predict"] >= 0.01
    timed.reset()
    assert timed.calls == {"forward": 0, "backward": 0, "predict": 0}
    assert timed.config() == {"layer": timed.layer}


def test_timed_changes_nothing():
    net = Sequential(Linear(2, 3), Sigmoid())
    timed = map_layers(net, Timed)
    x = torch.randn(4, 2)
    y, cache = timed.forward(x)
    y_plain, cache_plain = net.forward(x)
    assert torch.equal(y, y_plain)
    assert torch.equal(timed.backward(y, cache), net.backward(y, cache_plain))
    assert torch.equal(timed(x), net(x))
    assert list(timed.state_dict()) == list(net.state_dict())
