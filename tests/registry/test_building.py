"""Components from names, dicts and lists, and what is said about a configuration that cannot be built."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import pytest
import torch

import minigrad
from minigrad.errors import AmbiguousNameError, ConfigError, UnknownNameError
from minigrad.registry import Registry, build, register_activation, register_layer, register_loss, use_registry
from tests.distributions import activation_plugin

LINEAR = {"name": "linear", "in_features": 2, "out_features": 3}


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """A registry in which only the plugins `one` and `two` may load."""
    with use_registry(Registry(only=())) as fresh:
        yield fresh


class Plain(minigrad.Layer):
    """A layer with no more to it."""

    def forward(self, x):
        return x, None

    def backward(self, grad_output, cache):
        return grad_output


@pytest.mark.parametrize(
    ("spec", "arguments", "shown"),
    [
        ("sigmoid", {}, "Sigmoid()"),
        ("minigrad:sigmoid", {}, "Sigmoid()"),
        ({"name": "sigmoid"}, {}, "Sigmoid()"),
        ({"name": "sigmoid", "kind": "activation"}, {}, "Sigmoid()"),
        ({"name": "sigmoid", "kind": "layer"}, {}, "Sigmoid()"),
        (LINEAR, {}, "Linear(in_features=2, out_features=3)"),
        (LINEAR, {"bias": False}, "Linear(in_features=2, out_features=3, bias=False)"),
        (LINEAR, {"out_features": 5}, "Linear(in_features=2, out_features=5)"),
        ("linear", {"in_features": 2, "out_features": 3}, "Linear(in_features=2, out_features=3)"),
        ({"name": "bce", "reduction": "sum"}, {}, "BCE(reduction='sum')"),
        ([LINEAR, "sigmoid"], {}, "Sequential(Linear(in_features=2, out_features=3), Sigmoid())"),
        ((LINEAR,), {}, "Sequential(Linear(in_features=2, out_features=3))"),
        ([], {}, "Sequential()"),
        ([["sigmoid"], "tanh"], {}, "Sequential(Sequential(Sigmoid()), Tanh())"),
        ({"name": "sequential", "layers": ["sigmoid", LINEAR][:1]}, {}, "Sequential(Sigmoid())"),
        ("sequential", {"layers": ["sigmoid"]}, "Sequential(Sigmoid())"),
    ],
    ids=str,
)
def test_names_dicts_and_lists_are_built(spec: Any, arguments: dict[str, Any], shown: str):
    before = copy.deepcopy((spec, arguments))
    assert repr(build(spec, **arguments)) == shown
    assert (spec, arguments) == before


def test_a_component_is_handed_through():
    sigmoid = minigrad.Sigmoid()
    assert build(sigmoid) is sigmoid
    net = build([sigmoid, {"name": "sequential", "layers": [sigmoid]}])
    assert net[0] is net[1][0] is sigmoid


def test_the_draws_are_those_of_the_same_calls():
    torch.manual_seed(3)
    built = build([LINEAR, "sigmoid", {"name": "linear", "in_features": 3, "out_features": 1}])
    torch.manual_seed(3)
    called = minigrad.Sequential(minigrad.Linear(2, 3), minigrad.Sigmoid(), minigrad.Linear(3, 1))
    for (name, ours), (_, theirs) in zip(built.named_parameters(), called.named_parameters(), strict=True):
        assert torch.equal(ours, theirs), name


def test_an_optimizer_is_given_its_parameters():
    net = build([LINEAR])
    optimizer = build({"name": "sgd", "lr": 0.5}, params=net.parameters())
    assert optimizer.lr == 0.5
    assert [id(p) for p in optimizer.parameters] == [id(p) for p in net.parameters()]


def test_layers_may_have_names():
    net = build({"name": "sequential", "layers": [{"hidden": LINEAR, "squash": "sigmoid"}]})
    assert [name for name, _ in net.named_children()] == ["hidden", "squash"]


def test_an_object_with_an_id_stands_where_it_is_referred_to():
    net = build([{"name": "sigmoid", "id": "s"}, [{"ref": "s"}], {"ref": "s"}])
    assert net[0] is net[1][0] is net[2]


def test_a_ref_does_not_outlive_its_configuration():
    build([{"name": "sigmoid", "id": "s"}])
    with pytest.raises(ConfigError, match=r"\[0\].ref: a ref repeats an id that was given further up"):
        build([{"ref": "s"}])


def test_annotations_say_where_a_component_may_stand():
    @register_layer
    class Many(Plain):
        def __init__(
            self,
            body: minigrad.Layer,
            act: minigrad.Activation | None = None,
            gate: str | minigrad.Activation = "none",
            rest: Sequence[minigrad.Layer] = (),
            by_name: Mapping[str, minigrad.Layer] | None = None,
            cost: minigrad.Loss | None = None,
            mode: Literal["sigmoid", "tanh"] = "tanh",
            note: str = "",
            mixed: Literal["tanh"] | minigrad.Activation = "tanh",
            table: dict[str, str] | None = None,
            anything: Any = None,
            unknown=None,
        ) -> None:
            vars(self).update({name: value for name, value in locals().items() if name != "self"})

    many = build(
        {
            "name": "many",
            "body": [LINEAR, "sigmoid"],
            "act": "tanh",
            "gate": "sigmoid",
            "rest": ["relu", ["tanh"]],
            "by_name": {"a": "relu", "name": LINEAR},
            "cost": "bce",
            "mode": "sigmoid",
            "note": "sigmoid",
            "mixed": "tanh",
            "table": {"name": "sigmoid"},
            "anything": ["sigmoid", {"name": "sigmoid"}, {"deep": {"name": "tanh"}}],
            "unknown": {"name": "relu"},
        }
    )
    assert repr(many.body) == "Sequential(Linear(in_features=2, out_features=3), Sigmoid())"
    assert repr(many.act) == "Tanh()"
    assert many.gate == many.mode == many.note == "sigmoid"
    assert repr(many.rest) == "[ReLU(), Sequential(Tanh())]"
    assert repr(many.by_name) == "{'a': ReLU(), 'name': Linear(in_features=2, out_features=3)}"
    assert repr(many.cost) == "BCE()"
    assert many.mixed == "tanh"
    assert many.table == {"name": "sigmoid"}
    assert repr(many.anything) == "['sigmoid', Sigmoid(), {'deep': Tanh()}]"
    assert repr(many.unknown) == "ReLU()"
    assert build({"name": "many", "body": "tanh"}).act is None
    with pytest.raises(UnknownNameError, match=r"act\.name: No activation is called 'linear'"):
        build({"name": "many", "body": "tanh", "act": LINEAR})


def test_arguments_reach_every_sort_of_parameter():
    @register_layer
    class Sorts(Plain):
        def __init__(self, first, /, second=2, *rest: minigrad.Layer, last, **more):
            self.all = (first, second, rest, last, more)

    sorts = build({"name": "sorts", "first": 1, "rest": ["sigmoid"], "last": 4, "extra": 5})
    assert repr(sorts.all) == "(1, 2, (Sigmoid(),), 4, {'extra': 5})"


def test_annotations_that_cannot_be_read_leave_values_alone():
    @register_layer
    class Odd(Plain):
        def __init__(self, body: "NoSuchName", note: str = "") -> None:  # type: ignore[name-defined] # noqa: F821
            self.body, self.note = body, note

    assert repr(build({"name": "odd", "body": {"name": "tanh"}, "note": "tanh"}).body) == "Tanh()"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"name": "sequential", "layers": ["tanh", "tanh", {**LINEAR, "in_featres": 3}]},
            r"layers\[2\]\.in_featres: linear takes in_features, out_features, bias, device, dtype\. "
            r"Did you mean 'in_features'\? Received: in_featres=3",
        ),
        ({"name": "sigmoid", "x": 1}, "x: sigmoid takes no arguments. Received: x=1"),
        (
            {"name": "sequential", "layers": [{"name": "linear", "out_features": 1}]},
            r"layers\[0\]\.in_features: linear needs in_features\. Received: out_features=1",
        ),
        ([{"name": "linear"}], r"\[0\]\.in_features: linear needs in_features\. Received: no arguments"),
        (
            {"name": "sequential", "layers": ["tanh", "tanh", {**LINEAR, "in_features": 0}]},
            r"layers\[2\]\.in_features: in_features must be a whole number, at least 1\. Received: in_features=0",
        ),
        (
            {**LINEAR, "in_features": 0},
            r"^in_features: in_features must be a whole number, at least 1\. Received: in_features=0",
        ),
        (
            [{**LINEAR, "in_features": "2"}],
            r"\[0\]\.in_features: in_features must be a whole number, .* Received: in_features='2'",
        ),
        (
            [{"name": "softplus", "beta": "a"}],
            r"\[0\]: softplus cannot be made: .* Received: beta='a'",
        ),
        ({"name": "bce", "reduction": "all"}, "reduction: reduction must be 'mean', 'sum' or 'none'"),
        ({"name": "sequential", "layers": "tanh"}, "layers: layers is a list. Received: layers='tanh'"),
        ({"name": "sequential", "layers": [3]}, "Sequential expects layers. Received: layer 0 = 3"),
        ([3], r"\[0\]: a configuration is a name, a dict with a name, a list of layers, or a component. Received: 3"),
        (3, "^A configuration is a name, .* Received: 3"),
        (minigrad.Sigmoid, "Received: <class 'minigrad.activations.sigmoid.Sigmoid'>"),
        ({"nme": "linear"}, r"^A dict needs a name\. Did you mean 'name'\? Received: {'nme': 'linear'}"),
        ([{}], r"\[0\]: a dict needs a name\. Received: {}"),
        ([{"name": "tanh", "id": "t"}, {"name": "tanh", "id": "t"}], r"\[1\]\.id: an id is given once\. .*id='t'"),
        (
            [{"name": "tanh", "id": "tanh"}, {"ref": "tan"}],
            r"\[1\]\.ref: .* further up\. Did you mean 'tanh'\? Received: ref='tan'",
        ),
        (
            [{"name": "tanh", "id": "t"}, {"ref": "t", "name": "tanh"}],
            r"\[1\]: a ref stands alone\. Received: ref, name",
        ),
        ([minigrad.BCE()], "Sequential expects layers"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_be_built_says_where_and_why(spec: Any, text: str):
    with pytest.raises(ConfigError, match=text):
        build(spec)


@pytest.mark.parametrize("spec", [minigrad.Sigmoid(), ["sigmoid"]])
def test_what_is_made_already_takes_no_arguments(spec: Any):
    with pytest.raises(ConfigError, match=r"Only a name and a dict take arguments\. Received: bias for"):
        build(spec, bias=True)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"name": "sequential", "layers": ["tanh", "sigmod"]}, r"layers\[1\]\.name: No layer is .* mean 'sigmoid'\?"),
        ([{"name": "bce"}], r"\[0\]\.name: No layer is called 'bce'\. It is the name of a loss"),
        (
            [{"name": "tanh", "kind": "layr"}],
            r"\[0\]\.kind: kind must be one of .* mean 'layer'\? Received: kind='layr'",
        ),
        ({"name": "tanh", "kind": "loss"}, "^No loss is called 'tanh'. It is the name of an activation"),
        ({"name": 3}, "a string. Received: 3"),
    ],
    ids=str,
)
def test_an_unknown_name_says_where(spec: Any, text: str):
    with pytest.raises(UnknownNameError, match=text):
        build(spec)


def test_the_constructor_s_own_error_is_the_cause():
    with pytest.raises(ConfigError) as raised:
        build({**LINEAR, "in_features": 0})
    assert type(raised.value.__cause__) is ValueError


def test_a_name_of_two_kinds_wants_to_be_told_which():
    register_layer(Plain, name="twin")

    @register_loss(name="twin")
    class Twin(minigrad.Loss):
        def forward(self, prediction, target):
            return prediction.sum(), None

        def backward(self, cache, grad_cost=None):
            return None

    with pytest.raises(
        ConfigError, match=r"Twin is the name of several components\. Say which one: kind='layer' or 'loss'"
    ):
        build("twin")
    assert type(build({"name": "twin", "kind": "loss"})) is Twin
    assert type(build({"name": "twin", "kind": "layer"})) is type(build(["twin"])[0]) is Plain


def test_plugins_are_built_by_either_name(install: Callable[..., str]):
    install("one", activation_plugin("Cubic", "Square"))
    install("two", activation_plugin("Cubic"))
    with use_registry(Registry(only=("one", "two"))):
        assert [type(item).__module__ for item in build(["square", "two:cubic"])] == ["minigrad_one", "minigrad_two"]
        with pytest.raises(AmbiguousNameError, match=r"\[0\]\.name: Several plugins claim"):
            build(["cubic"])


def test_what_the_session_registers_is_built():
    register_activation(type("Cubic", (minigrad.Activation, Plain), {}))
    assert repr(build(["cubic"])) == "Sequential(Cubic())"
