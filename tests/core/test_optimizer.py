"""Optimizer: one rule, parameter groups, saved state."""

from typing import Any

import pytest
import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.layers import Linear
from minigrad.optimizers import Adagrad, Adam, AdamW


class Plain(Optimizer):
    """Gradient descent that counts its updates."""

    def __init__(self, params: Any, lr: float = 0.1, sign: bool = False) -> None:
        self.lr = lr
        self.sign = sign
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        state["last"] = grad.clone()
        parameter.sub_(self.lr * (grad.sign() if self.sign else grad))


def parameters(n: int) -> list[Parameter]:
    return [Parameter(torch.zeros(2)) for _ in range(n)]


def fill(items: list[Parameter]) -> None:
    for parameter in items:
        parameter.accumulate(torch.tensor([1.0, -2.0]))


def test_groups_are_optimizers_of_their_own():
    a, b, c = parameters(3)
    optimizer = Plain([{"params": [a]}, {"params": [b, c], "lr": 1.0, "sign": True}], lr=0.5)
    assert [group.config() for group in optimizer.groups] == [{"lr": 0.5, "sign": False}, {"lr": 1.0, "sign": True}]
    assert optimizer.parameters == [a, b, c]
    fill([a, b, c])
    optimizer.step()
    assert a.tolist() == [-0.5, 1.0]
    assert b.tolist() == c.tolist() == [-1.0, 1.0]
    optimizer.groups[0].lr = 2.0
    optimizer.step()
    assert a.tolist() == [-2.5, 5.0]
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in (a, b, c))


def test_one_group_is_the_optimizer_itself():
    optimizer = Plain(parameters(2))
    assert optimizer.groups == [optimizer]
    optimizer.lr = 3.0
    assert optimizer.groups[0].lr == 3.0


def test_an_argument_of_several_groups_is_set_on_each():
    optimizer = Plain([{"params": parameters(1)}, {"params": parameters(1)}])
    with pytest.raises(
        AttributeError, match=r"^This Plain has 2 parameter groups: set lr on each .*optimizer\.lr = 1\.0$"
    ):
        optimizer.lr = 1.0


def test_parameters_without_a_gradient_are_left_out():
    a, b = parameters(2)
    optimizer = Plain([a, b])
    fill([b])
    optimizer.step()
    assert a.tolist() == [0, 0]
    assert optimizer.states == [{}, {"step": 1, "last": optimizer.states[1]["last"]}]
    fill([a])
    optimizer.step()
    assert [state["step"] for state in optimizer.states] == [1, 2]


def test_a_generator_of_parameters_is_taken():
    assert len(Plain(Linear(2, 3).parameters()).parameters) == 2
    groups = Plain([{"params": Linear(2, 3).parameters()}, {"params": Linear(2, 1).parameters()}])
    assert len(groups.parameters) == 4


def test_misuse_is_told():
    (a,) = parameters(1)
    with pytest.raises(ValueError, match=r"^Plain expects at least one parameter\. Received: none$"):
        Plain([])
    for wrong, received in (([torch.zeros(2)], "Tensor"), (a, "Parameter"), ([{"params": a}], "Parameter")):
        with pytest.raises(TypeError, match=rf"^Plain expects Parameters, such as .* Received: {received}$"):
            Plain(wrong)
    with pytest.raises(TypeError, match=r"^Plain expects Parameters, .* Received: Linear$"):
        Plain(Linear(2, 1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^A parameter group of Plain needs params\. Received: lr$"):
        Plain([{"lr": 1.0}])
    with pytest.raises(
        ValueError, match=r"^Plain expects each parameter once\. Received: one that stands in it twice$"
    ):
        Plain([{"params": [a]}, {"params": [a]}])
    with pytest.raises(ValueError, match=r"^A parameter group of Plain may override lr, sign\. Received: momentum$"):
        Plain([{"params": [a], "momentum": 0.9}])


def test_an_argument_that_is_not_stored_is_told_at_once():
    class Forgetful(Plain):
        def __init__(self, params: Any, speed: float = 1.0) -> None:
            super().__init__(params)

    with pytest.raises(AttributeError, match=r"^Forgetful must store its constructor argument .*self\.speed"):
        Forgetful(parameters(1))


def test_state_is_saved_and_taken_over_by_value():
    one, other = Plain(parameters(2), lr=0.5), Plain(parameters(2))
    fill(one.parameters)
    one.step()
    saved = one.state_dict()
    assert saved["groups"][0]["config"] == {"lr": 0.5, "sign": False}
    other.load_state_dict(saved)
    assert other.lr == 0.5
    assert other.states[0]["step"] == 1
    other.states[0]["last"].zero_()
    other.states[0]["step"] = 9
    assert one.states[0]["last"].tolist() == [1.0, -2.0]
    assert saved["groups"][0]["states"][0]["step"] == 1


def test_a_state_dict_of_other_parameters_is_refused():
    with pytest.raises(
        ValueError, match=r"^The state dict of Plain .* by group: \[\[\(2,\), \(2,\)\]\]\. .*: \[\[\(2,\)\]\]$"
    ):
        Plain(parameters(2)).load_state_dict(Plain(parameters(1)).state_dict())
    small, large = Plain(parameters(1)), Plain([Parameter(torch.zeros(3))])
    with pytest.raises(ValueError, match=r"Received: \[\[\(3,\)\]\]$"):
        small.load_state_dict(large.state_dict())
    short = small.state_dict()
    short["groups"][0]["states"] = []
    with pytest.raises(ValueError, match=r"^The state dict of Plain must hold a state for each parameter"):
        small.load_state_dict(short)


def test_a_state_dict_of_another_optimizer_is_refused_and_nothing_taken_over():
    class Other(Plain):
        def __init__(self, params: Any, lr: float = 0.3, speed: float = 1.0) -> None:
            self.speed = speed
            super().__init__(params, lr)

    plain = Plain(parameters(1))
    with pytest.raises(ValueError, match=r"^The state dict of Plain must be .* arguments, lr, sign\. Received: speed$"):
        plain.load_state_dict(Other(parameters(1)).state_dict())
    assert plain.lr == 0.1
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))]).state_dict()
    for wrong, received in ((theirs, "the keys state, param_groups"), ({}, "the keys "), (None, "None")):
        with pytest.raises(ValueError, match=rf"^Plain\.load_state_dict expects .* Received: {received}$"):
            plain.load_state_dict(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("cls", "name"), [(Adam, "exp_avg"), (AdamW, "exp_avg_sq"), (Adagrad, "sum")])
def test_a_state_that_a_kernel_would_run_past_is_refused(cls: Any, name: str):
    optimizer = cls(parameters(2))
    fill(optimizer.parameters)
    optimizer.step()
    saved = optimizer.state_dict()
    saved["groups"][0]["states"][1][name] = torch.zeros(1)
    with pytest.raises(ValueError, match=rf"^In {cls.__name__} {name} has its parameter's shape, \(2,\)\. .*: \(1,\)$"):
        optimizer.load_state_dict(saved)


def test_state_goes_where_its_parameter_is():
    one, other = Plain(parameters(1)), Plain([Parameter(torch.zeros(2, device="meta"))])
    one.states[0] |= {"last": torch.ones(2), "history": [(torch.ones(2), 3)]}
    saved = one.state_dict()
    other.load_state_dict(saved)
    [(tensor, number)] = other.states[0]["history"]
    assert (other.states[0]["last"].device.type, tensor.device.type, number) == ("meta", "meta", 3)
    same = Plain(parameters(1))
    same.load_state_dict(saved)
    same.states[0]["history"][0][0].zero_()
    assert saved["groups"][0]["states"][0]["history"][0][0].tolist() == [1.0, 1.0]


def test_groups_save_their_own_arguments():
    def grouped(lr: float) -> Plain:
        return Plain([{"params": parameters(1)}, {"params": parameters(1), "lr": lr}])

    one, other = grouped(0.7), grouped(0.9)
    other.load_state_dict(one.state_dict())
    assert [group.lr for group in other.groups] == [0.1, 0.7]
