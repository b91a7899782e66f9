"""A component's configuration, and the way back."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import minigrad
from minigrad import activations, layers, losses
from minigrad.core import Component, Parameter, Wrapper
from minigrad.errors import UnknownNameError
from minigrad.registry import (
    Registry,
    build,
    describe,
    register_activation,
    register_layer,
    register_loss,
    use_registry,
)

EXAMPLES = {
    "Linear": ((2, 3, False), {}),
    "LayerNorm": ((3,), {}),
    "RMSNorm": ((3,), {}),
    "Embedding": ((5, 2), {}),
    "Unflatten": ((1, (2, 2)), {}),
    "PositionalEmbedding": ((5, 2), {}),
    "SelfAttention": ((4, 2), {"bias": False, "causal": True}),
    "Transpose": ((1, -1), {}),
    "Parallel": ((minigrad.Linear(2, 2), minigrad.Sigmoid()), {"merge": "cat"}),
    "Residual": ((minigrad.Sequential(minigrad.Sigmoid(), minigrad.Linear(2, 2)),), {}),
    "Sequential": ((minigrad.Linear(2, 2), minigrad.Sigmoid()), {}),
    "Traced": ((minigrad.Sigmoid(), []), {}),
}
CLASSES = [
    cls
    for room in (activations, layers, losses)
    for name in room.__all__
    if issubclass(cls := getattr(room, name), Component)
]


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """A registry without plugins."""
    with use_registry(Registry(only=())) as fresh:
        yield fresh


def example(cls: type) -> Any:
    """One object of a built-in class."""
    default = (minigrad.Sigmoid(),) if issubclass(cls, Wrapper) else ()
    arguments, keywords = EXAMPLES.get(cls.__name__, (default, {}))
    return cls(*arguments, **keywords)


def same(one: Any, other: Any) -> bool:
    """Whether two values are of one type and configuration."""
    if isinstance(one, Component):
        return type(one) is type(other) and same(one.config(), other.config())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other or bool(one == other)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_built_in_comes_back(cls: type):
    made = example(cls)
    back = build(describe(made))
    assert same(made, back)
    assert back is not made


def test_the_description_is_written_in_qualified_names():
    net = minigrad.Sequential(minigrad.Linear(2, 1, bias=False), minigrad.Sequential(minigrad.Sigmoid()))
    assert describe(net) == {
        "name": "minigrad:sequential",
        "layers": [
            {"name": "minigrad:linear", "in_features": 2, "out_features": 1, "bias": False},
            {"name": "minigrad:sequential", "layers": [{"name": "minigrad:sigmoid"}]},
        ],
    }
    assert same(net, build(json.loads(json.dumps(describe(net)))))


def test_a_shared_object_stays_shared():
    sigmoid, other = minigrad.Sigmoid(), minigrad.Sigmoid()
    inner = minigrad.Sequential(sigmoid, other, activations.Tanh())
    net = minigrad.Sequential(minigrad.Linear(2, 2), sigmoid, inner, inner, other, minigrad.Sigmoid())
    description = describe(net)
    assert description["layers"][1:] == [
        {"name": "minigrad:sigmoid", "id": "sigmoid"},
        {
            "name": "minigrad:sequential",
            "id": "sequential",
            "layers": [
                {"ref": "sigmoid"},
                {"name": "minigrad:sigmoid", "id": "sigmoid_2"},
                {"name": "minigrad:tanh"},
            ],
        },
        {"ref": "sequential"},
        {"ref": "sigmoid_2"},
        {"name": "minigrad:sigmoid"},
    ]
    back = build(json.loads(json.dumps(description)))
    assert back[1] is back[2][0] is not back[5]
    assert back[2] is back[3]
    assert back[2][1] is back[4]
    assert same(net, back)


def test_a_shared_linear_has_its_parameters_once():
    linear = minigrad.Linear(2, 2)
    back = build(describe(minigrad.Sequential(linear, minigrad.Sigmoid(), linear)))
    assert len(list(back.parameters())) == 2


def test_the_names_of_a_sequential_s_layers_come_back():
    net = minigrad.Sequential({"hidden": minigrad.Linear(2, 2), "squash": minigrad.Sigmoid()})
    back = build(describe(net))
    assert [name for name, _ in back.named_children()] == ["hidden", "squash"]
    assert same(net, back)


def test_an_optimizer_comes_back_around_other_parameters():
    weight = Parameter(torch.zeros(2))
    description = describe(minigrad.SGD([weight], lr=0.5, momentum=0.9))
    assert description["name"] == "minigrad:sgd"
    assert "params" not in description
    back = build(description, params=[weight])
    assert (back.lr, back.momentum) == (0.5, 0.9)


def test_a_tensor_is_handed_on_as_it_is():
    weight = torch.tensor([1.0, 2.0])
    assert describe(minigrad.BCE(weight=weight))["weight"] is weight


def test_describing_changes_nothing():
    net = minigrad.Sequential(minigrad.Linear(2, 2), minigrad.Sigmoid())
    before = copy.deepcopy(net)
    describe(net)["layers"].clear()
    assert same(net, before)


class Cubic(minigrad.Activation):
    """The third power."""

    def __init__(self, powers: tuple[int, ...] = (3,), inner: Any = None):
        self.powers, self.inner = powers, inner

    def forward(self, x):
        return x**3, x

    def backward(self, grad_output, cache):
        return grad_output * 3 * cache**2


def test_what_is_registered_nowhere_is_named():
    with pytest.raises(UnknownNameError, match=r"describing\.Cubic is none\. .* minigrad\.register_activation\(Cubic"):
        describe(minigrad.Sequential(Cubic()))


def test_what_the_session_registers_comes_back_with_all_it_holds():
    register_activation(Cubic)
    shared = minigrad.Sigmoid()
    made = Cubic((1, 2), {"a": [shared, (shared,)], "b": {"x": 1}})
    description = describe(made)
    assert description == {
        "name": "local:cubic",
        "powers": (1, 2),
        "inner": {"a": [{"name": "minigrad:sigmoid", "id": "sigmoid"}, ({"ref": "sigmoid"},)], "b": {"x": 1}},
    }
    back = build(description)
    assert same(made, back)
    assert back.inner["a"][0] is back.inner["a"][1][0]


def test_what_a_class_takes_one_by_one_is_described_as_a_list():
    @register_layer
    class Pair(minigrad.Layer):
        def __init__(self, *parts: minigrad.Layer):
            self.parts = parts

        def forward(self, x):
            return x, None

        def backward(self, grad_output, cache):
            return grad_output

    assert describe(Pair(minigrad.Sigmoid())) == {"name": "local:pair", "parts": [{"name": "minigrad:sigmoid"}]}
    assert same(build(describe(Pair(minigrad.Sigmoid()))).parts, (minigrad.Sigmoid(),))


def test_a_class_registered_as_a_string_is_known_again():
    register_layer("no_such_module:Other")
    register_activation(f"{__name__}:Cubic", name="later")
    assert describe(Cubic())["name"] == "local:later"


def test_the_kind_is_said_where_a_name_has_several():
    @register_loss(name="twin")
    class Twin(minigrad.Loss):
        def forward(self, prediction, target):
            return prediction.sum(), None

        def backward(self, cache, grad_cost=None):
            return None

    register_activation(Cubic, name="twin")
    assert describe(Twin()) == {"name": "local:twin", "kind": "loss", "reduction": "mean"}
    assert type(build(describe(Twin()))) is Twin
    assert describe(Cubic())["kind"] == "activation"
    assert type(build(describe(Cubic()))) is Cubic
