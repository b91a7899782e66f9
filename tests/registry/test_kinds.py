import inspect

import pytest

import minigrad
from minigrad.errors import UnknownNameError
from minigrad.registry import KINDS, Registry, hookspecs
from minigrad.registry.kinds import kind_called


def test_every_kind_has_a_hook_and_every_hook_a_kind():
    hooks = {name for name in vars(hookspecs) if name.startswith("minigrad_register_")}
    assert hooks == {kind.hook for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_hook_is_a_signature_and_a_docstring(kind):
    hook = getattr(hookspecs, kind.hook)
    assert list(inspect.signature(hook).parameters) == ["register"]
    assert kind.base.__name__ in hook.__doc__
    assert hook.minigrad_spec


def test_where_a_layer_is_asked_for_an_activation_will_do():
    families = {kind.name: [k.name for k in kind.family] for kind in KINDS}
    assert families == {
        "layer": ["layer", "activation"],
        "activation": ["activation"],
        "loss": ["loss"],
        "optimizer": ["optimizer"],
        "schedule": ["schedule"],
        "initializer": ["initializer"],
        "converter": ["converter"],
        "callback": ["callback"],
        "metric": ["metric"],
        "dataset": ["dataset"],
    }


def test_a_kind_that_is_none_is_told():
    with pytest.raises(UnknownNameError, match=r"one of layer, activation, .* mean 'loss'\? Received: kind='los'"):
        kind_called("los")
    with pytest.raises(UnknownNameError, match="kind='lossy'"):
        Registry(only=()).components("lossy")


def test_the_markers_are_those_of_the_hooks():
    assert minigrad.registry.hookimpl.project_name == minigrad.registry.hookspec.project_name == "minigrad"
