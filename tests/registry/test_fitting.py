"""Values from a file, held against annotations."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import torch
from torch import Tensor

import minigrad
from minigrad.errors import ConfigError, UnknownNameError
from minigrad.registry import Registry, register_layer, use_registry
from minigrad.registry.building import FileRules, build
from minigrad.registry.fitting import UnfitError, fitted
from minigrad.registry.kinds import kind_called
from tests.registry.test_building import LINEAR, Plain


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (1, int, 1),
        (1, float, 1.0),
        (0.5, float, 0.5),
        (1, int | float, 1),
        (True, bool, True),
        ("a", str, "a"),
        ("a", Literal["a", "b"], "a"),
        (1, Literal[1, "b"], 1),
        (None, int | None, None),
        ([1, 2], list[int], [1, 2]),
        ([1, 2], Sequence[float], [1.0, 2.0]),
        ([1, 2], Iterable[int], [1, 2]),
        ([0.9, 1], tuple[float, float], (0.9, 1.0)),
        ([1, 2, 3], tuple[int, ...], (1, 2, 3)),
        ([], list, []),
        ({"a": 1}, dict[str, float], {"a": 1.0}),
        ({"a": [1]}, Mapping[str, Any], {"a": [1]}),
        (3, int | Sequence[int], 3),
        ([3], int | Sequence[int], [3]),
        (3, Annotated[int, "size"], 3),
        ("x", Any, "x"),
        ("a.txt", Path, Path("a.txt")),
        ("a.txt", str | Path, Path("a.txt")),
        (2**63 - 1, int, 2**63 - 1),
    ],
    ids=str,
)
def test_what_fits_is_taken(value: Any, hint: Any, expected: Any):
    found = fitted(value, hint)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "hint", "rule"),
    [
        (True, int, "an integer"),
        (True, float, "a number"),
        (1.0, int, "an integer"),
        ("1", float, "a number"),
        (1, bool, "true or false"),
        (1, str, "a text"),
        (True, Literal[1], "one of 1"),
        ("c", Literal["a", "b"], "one of 'a', 'b'"),
        (math.nan, float, "a finite number"),
        (-math.inf, Any, "a finite number"),
        ([[math.inf]], Any, "a finite number"),
        ({"a": math.nan}, Any, "a finite number"),
        (2**63, int, "an integer of at most 64 bits"),
        (10**400, float, "an integer of at most 64 bits"),
        ("1", int | None, "an integer"),
        ("1", int | Sequence[int], "an integer or a list"),
        (3, list[int], "a list"),
        ("ab", Sequence[str], "a list"),
        ([1, "2"], Sequence[int], "a list of an integer"),
        ([1.0], tuple[float, float], "a list of 2"),
        ([1], dict[str, int], "a table"),
        ({"a": "b"}, dict[str, int], "an integer"),
        (1, Path, "a text"),
        (1, minigrad.Layer, "a layer"),
        ("len", Callable[[int], int], "left out: "),
        (1, torch.Generator, "left out: Generator cannot stand in a file"),
        (1, None, "left out"),
        ([[1.0], [1.0, 2.0]], Tensor, "a list of numbers, its rows of one length"),
        ([], Tensor, "a list of numbers"),
        (1.0, Tensor, "a list of numbers"),
        ([math.nan], Tensor, "a finite number"),
        (["a"], Tensor | None, "a number"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told(value: Any, hint: Any, rule: str):
    with pytest.raises(UnfitError) as raised:
        fitted(value, hint)
    assert str(raised.value).startswith(rule)


def test_lists_of_numbers_become_tensors():
    assert torch.equal(fitted([[1, 2], [3, 4]], Tensor | None), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))


def refuse(text: str) -> Path:
    """Let no path through."""
    raise UnfitError("another file")


@pytest.mark.parametrize(
    "hint", [Path, Path | None, str | Path, Path | str | None, list[Path], dict[str, Path]], ids=str
)
def test_no_path_passes_unseen(hint: Any):
    value: Any = {list[Path]: ["a"], dict[str, Path]: {"a": "a"}}.get(hint, "a")
    with pytest.raises(UnfitError, match="another file"):
        fitted(value, hint, refuse)


@pytest.fixture
def registry():
    """A registry without plugins, in which a few components are registered."""
    with use_registry(Registry(only=())) as fresh:
        yield fresh


def from_file(registry: Registry, spec: Any, kind: str = "layer", **supplied: Any) -> Any:
    return build(registry, spec, {}, kinds=kind_called(kind).family, path="here", rules=FileRules(supplied))


def test_arguments_without_annotations_are_held_against_their_defaults(registry: Registry):
    @register_layer
    class Plainly(Plain):
        def __init__(self, first, number=1, rate=0.5, flag=True, text="a", nothing=None):
            vars(self).update({name: value for name, value in locals().items() if name != "self"})

    made = from_file(registry, {"name": "plainly", "first": [1], "number": 2.5, "rate": 1, "nothing": "x"})
    assert (made.first, made.number, made.rate, made.nothing) == ([1], 2.5, 1.0, "x")
    wrong = {"name": "plainly", "first": 1, "number": "1", "rate": True, "flag": 0, "text": 1}
    with pytest.raises(ConfigError) as raised:
        from_file(registry, wrong)
    assert [fault.partition(":")[0] for fault in raised.value.faults] == [
        "here.number",
        "here.rate",
        "here.flag",
        "here.text",
    ]


def test_what_no_file_can_hold_is_supplied_at_every_depth(registry: Registry):
    sgd = minigrad.SGD([minigrad.Parameter(torch.zeros(1))], lr=0.5)
    spec = {"name": "sequential_lr", "milestones": [1], "schedulers": [{"name": "step", "step_size": 2}, "warmup"]}
    schedule = from_file(registry, spec, "schedule", optimizer=sgd)
    assert schedule.optimizer is schedule.schedulers[0].optimizer is sgd
    with pytest.raises(ConfigError, match=r"here\.optimizer: step_lr takes step_size, gamma\. Received: optimizer=3"):
        from_file(registry, {"name": "step", "step_size": 2, "optimizer": 3}, "schedule", optimizer=sgd)


def test_a_file_cannot_ask_for_another_kind(registry: Registry):
    with pytest.raises(UnknownNameError, match=r"here\.kind: kind must be 'layer' or 'activation' here"):
        from_file(registry, {"name": "sgd", "kind": "optimizer"})
    assert type(from_file(registry, {"name": "relu", "kind": "activation"})) is minigrad.ReLU


def test_every_fault_of_a_configuration_is_listed(registry: Registry):
    with pytest.raises(ConfigError) as raised:
        minigrad.build([LINEAR, {**LINEAR, "bais": 1, "in_features": 0}, ["tnah", {"ref": "a"}], {"name": "linear"}])
    places = [fault.partition(": ")[0] for fault in raised.value.faults]
    assert places == ["[1].bais", "[2][0].name", "[2][1].ref", "[3].in_features", "[3].out_features"]
    assert str(raised.value) == "5 faults:" + "".join(f"\n  {fault}" for fault in raised.value.faults)


def test_one_fault_is_one_sentence_and_one_slip_one_fault(registry: Registry):
    with pytest.raises(ConfigError) as raised:
        minigrad.build([{"name": "linear", "in_featres": 2, "out_features": 1}])
    assert raised.value.faults == (str(raised.value),)
    assert str(raised.value).startswith("[0].in_featres: linear takes")


def test_a_ref_to_what_cannot_be_built_is_no_fault_of_its_own(registry: Registry):
    with pytest.raises(UnknownNameError, match=r"^\[0\]\.name: "):
        minigrad.build([{"name": "tnah", "id": "a"}, {"ref": "a"}, ["relu", {"ref": "a"}]])
