import pytest

from minigrad import activations, layers, losses, optimizers
from minigrad._version import __version__
from minigrad.core import Component
from minigrad.registry import Registry, components, describe, layer, snake_case

ROOMS = {"activation": activations, "layer": layers, "loss": losses, "optimizer": optimizers}
PUBLIC = [
    (kind, getattr(room, name))
    for kind, room in ROOMS.items()
    for name in room.__all__
    if issubclass(getattr(room, name), Component)
]


@pytest.mark.parametrize(("kind", "cls"), PUBLIC, ids=lambda value: getattr(value, "__name__", value))
def test_every_built_in_is_found_by_name(kind: str, cls: type):
    registry = Registry(only=())
    assert registry.get(kind, snake_case(cls.__name__)) is cls
    assert registry.get(kind, f"minigrad:{snake_case(cls.__name__)}") is cls


def test_the_identity_is_an_activation_and_a_layer():
    kinds = [row.kind for row in Registry(only=()).components() if row.name == "identity"]
    assert kinds == ["layer", "activation"]
    assert describe(activations.Identity()) == {"name": "minigrad:identity"}


def test_a_layer_is_asked_for_and_an_activation_will_do():
    assert layer("sigmoid") is activations.Sigmoid


def test_a_listed_built_in_says_where_it_comes_from():
    [row] = [row for row in components("activation") if row.id == "minigrad:sigmoid"]
    assert (row.kind, row.name, row.plugin, row.version) == ("activation", "sigmoid", "minigrad", __version__)
    assert row.file.endswith("sigmoid.py")
    assert row.summary == "Logistic function, applied elementwise."


def test_no_name_stands_for_two_unrelated_built_ins():
    names = [row.name for row in Registry(only=()).components() if row.kind != "activation"]
    assert len(set(names)) == len(names)
