"""Asking for names, and registering them for one session."""

import sys
from collections.abc import Callable, Iterator

import pytest
import torch

import minigrad
from minigrad.errors import PluginError, RegistrationError, UnknownNameError
from minigrad.registry import (
    Registry,
    activation,
    components,
    current_registry,
    layer,
    loss,
    optimizer,
    plugins,
    register_activation,
    register_layer,
    register_loss,
    register_optimizer,
    use_registry,
)
from tests.distributions import activation_plugin


class Cubic(minigrad.Activation):
    """The third power."""

    def forward(self, x):
        return x**3, x

    def backward(self, grad_output, cache):
        return grad_output * 3 * cache**2


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """A registry without plugins; the tests that want one make it."""
    with use_registry(Registry(only=())) as fresh:
        yield fresh


def test_each_kind_is_asked_for_by_name():
    found = [activation("sigmoid"), layer("linear"), loss("bce"), optimizer("sgd")]
    assert found == [minigrad.Sigmoid, minigrad.Linear, minigrad.BCE, minigrad.SGD]


def test_the_facade_asks_the_same_registry():
    assert minigrad.activation is activation
    assert minigrad.optimizer("sgd") is minigrad.SGD


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda: activation("sigmod"), r"No activation is called 'sigmod'\. Did you mean 'sigmoid'\?"),
        (lambda: layer("Linear"), r"No layer is called 'Linear'\. Did you mean 'linear'\?"),
        (lambda: activation("linear"), r"No activation is called 'linear'\. It is the name of a layer\."),
        (lambda: layer("sgd"), r"No layer is called 'sgd'\. It is the name of an optimizer\."),
        (lambda: loss("minigrad:bcd"), r"No loss is called 'minigrad:bcd'\. Did you mean 'minigrad:bce'\?"),
        (lambda: loss("minigrat:bce"), r"No plugin 'minigrat' is installed\. Did you mean 'minigrad'\?"),
        (lambda: loss(minigrad.BCE), "looked up by its name, a string. Received: <class"),
        (lambda: minigrad.build("sigmod"), r"No layer or loss or .* is called 'sigmod'\. Did you mean"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(ask: Callable[[], object], text: str):
    with pytest.raises(UnknownNameError, match=text) as raised:
        ask()
    assert isinstance(raised.value, PluginError)
    assert isinstance(raised.value, LookupError)


def test_a_class_is_registered_for_the_session(registry: Registry):
    assert register_activation(Cubic) is Cubic
    assert activation("cubic") is activation("local:cubic") is layer("cubic") is Cubic
    [row] = [row for row in components() if row.plugin == "local"]
    assert (row.id, row.version, row.file, row.summary) == ("local:cubic", "", __file__, "The third power.")
    assert [(row.name, row.components) for row in plugins()][1:] == [("local", ("local:cubic",))]
    with use_registry(Registry(only=())), pytest.raises(UnknownNameError):
        activation("cubic")
    assert current_registry() is registry


def test_registering_works_as_a_decorator():
    @register_activation(name="third", aliases=("power_3",), summary="Cubes.")
    class Third(Cubic):
        pass

    @register_layer
    class Row(minigrad.Layer):
        def forward(self, x):
            return x, None

        def backward(self, grad_output, cache):
            return grad_output

    @register_loss
    class Gap(minigrad.Loss):
        def forward(self, prediction, target):
            return (prediction - target).sum(), prediction

        def backward(self, cache, grad_cost=None):
            return torch.ones_like(cache)

    @register_optimizer
    class Walk(minigrad.Optimizer):
        def update(self, parameter, grad, state):
            parameter.sub_(grad)

    assert activation("third") is activation("power_3") is Third
    assert (layer("row"), loss("gap"), optimizer("walk")) == (Row, Gap, Walk)
    assert [row.summary for row in components("activation") if row.id == "local:third"] == ["Cubes."]


def test_the_same_name_again_replaces_it():
    old = type("Cubic", (Cubic,), {})
    register_activation(old, aliases=("old_cubic",))
    register_activation(Cubic)
    assert activation("cubic") is Cubic
    with pytest.raises(UnknownNameError):
        activation("old_cubic")
    assert len([row for row in components() if row.plugin == "local"]) == 1


@pytest.mark.parametrize(
    ("register", "text"),
    [
        (
            lambda: register_activation(Cubic, name="sigmoid"),
            "A built-in keeps its name.* 'sigmoid'.* minigrad:sigmoid",
        ),
        (lambda: register_activation(Cubic, aliases=("tanh",)), "A built-in keeps its name.* 'tanh'"),
        (lambda: register_activation(Cubic, name="linear"), "A built-in keeps its name.* minigrad:linear"),
        (lambda: register_layer(Cubic, name="sigmoid"), "A built-in keeps its name.* minigrad:sigmoid"),
        (lambda: register_activation(minigrad.Linear, name="mine"), "subclasses of minigrad.Activation"),
        (lambda: register_activation(Cubic()), "Register the class, Cubic"),
        (lambda: register_activation(Cubic, name="Cubic!"), "consists of a-z, 0-9 and _"),
        (lambda: register_activation(Cubic, name=3), "Received: 3"),
        (lambda: register_activation("Cubic"), "'package.module:Class'. Received: 'Cubic'"),
    ],
)
def test_what_cannot_be_registered_is_told(register: Callable[[], object], text: str):
    with pytest.raises(RegistrationError, match=text):
        register()
    assert not [row for row in components() if row.plugin == "local"]


def test_two_of_the_session_do_not_share_a_name():
    register_activation(Cubic)
    with pytest.raises(RegistrationError, match="'cubic' is a name of local:cubic already"):
        register_activation(type("Other", (Cubic,), {}), aliases=("cubic",))
    assert activation("cubic") is Cubic


def test_what_the_session_registers_goes_before_a_plugin(install: Callable[..., str]):
    module = install("cubic", activation_plugin("Cubic"))
    with use_registry(Registry(only=("cubic",))):
        assert activation("cubic").__module__ == module
        register_activation(Cubic)
        assert activation("cubic") is Cubic
        assert activation("cubic:cubic").__module__ == module


def test_a_string_is_imported_on_first_use():
    register_activation(f"{__name__}:Cubic", name="later")
    assert activation("later") is sys.modules[__name__].Cubic


def test_a_class_of_a_notebook_has_no_file():
    cls = type("Cubic", (Cubic,), {"__module__": "__no_module__"})
    register_activation(cls)
    assert [row.file for row in components() if row.plugin == "local"] == [""]


def test_another_registry_is_put_back_after_an_error(registry: Registry):
    with pytest.raises(ZeroDivisionError), use_registry(Registry(only=())):
        raise ZeroDivisionError
    assert current_registry() is registry
