"""A net that is saved comes back: the same tensors to the bit, the same configuration, the same sharing."""

import importlib
import json
import math
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

import minigrad
from minigrad.core import Layer, Parameter
from minigrad.errors import CheckpointError, ConfigError, PluginWarning, UnknownNameError
from minigrad.registry import Registry, current_registry, describe, discovery, register_layer, use_registry
from minigrad.testing.samples import cases_of
from minigrad.training.saving import load, read_notes, save
from tests import distributions


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry of the built-ins and of what a test adds."""
    with use_registry(Registry(only=())) as fresh:
        yield fresh


def small() -> minigrad.Sequential:
    return minigrad.Sequential(minigrad.Linear(2, 3), minigrad.Tanh(), minigrad.Linear(3, 1))


def same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return list(one) == list(other) and all(
        a.dtype == b.dtype
        and a.shape == b.shape
        and torch.equal(*(x.contiguous().reshape(-1).view(torch.uint8) for x in (a, b)))
        for a, b in zip(one.values(), other.values(), strict=True)
    )


def there_and_back(net: Layer, path: Path) -> Layer:
    save(net, path)
    back = load(path)
    assert same_bits(net.state_dict(), back.state_dict())
    assert type(back) is type(net)
    assert repr(back) == repr(net)
    return back


LAYERS = [
    (component.kind, component.id)
    for component in current_registry().components()
    if component.kind in ("layer", "activation")
]


@pytest.mark.parametrize(("kind", "name"), LAYERS, ids=[f"{kind}-{name}" for kind, name in LAYERS])
def test_every_registered_layer_comes_back(kind: str, name: str, path: Path):
    for case in cases_of(current_registry().get(kind, name)):
        net = case.make()
        assert isinstance(net, Layer)
        back = there_and_back(net, path)
        assert {n: p.role for n, p in back.named_parameters()} == {n: p.role for n, p in net.named_parameters()}


def test_a_net_predicts_and_learns_as_before(path: Path):
    net = small()
    back = there_and_back(net, path)
    x, y = torch.rand(5, 2), torch.rand(5, 1)
    for one in (net, back):
        optimizer = minigrad.SGD(one.parameters(), lr=0.1)
        minigrad.train_step(one, minigrad.MSE(), optimizer, x, y)
    assert torch.equal(net(x), back(x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_dtypes_are_kept(dtype: torch.dtype, path: Path):
    net = minigrad.Sequential(minigrad.Linear(2, 2).to(dtype), minigrad.Linear(2, 2))
    back = there_and_back(net, path)
    assert [parameter.dtype for parameter in back.parameters()] == [dtype] * 2 + [torch.float32] * 2


def test_what_is_no_number_is_kept(path: Path):
    net = small()
    net[0].weight[0, 0] = math.nan
    net[0].weight[0, 1] = -math.inf
    there_and_back(net, path)


def test_the_defaults_of_a_session_do_not_matter(path: Path):
    net = small()
    save(net, path)
    torch.set_default_dtype(torch.float64)
    with torch.device("meta"):
        back = load(path)
    assert same_bits(net.state_dict(), back.state_dict())
    assert {parameter.device.type for parameter in back.parameters()} == {"cpu"}


def test_random_numbers_go_on_as_if_nothing_had_been_loaded(path: Path):
    net = small()
    state = torch.get_rng_state()
    save(net, path)
    load(path)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_memory_of_a_loaded_net_is_its_own(path: Path):
    save(small(), path)
    one, other = load(path), load(path)
    next(one.parameters()).fill_(7)
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


# What stands in several places.


def test_a_layer_that_stands_twice_comes_back_as_one(path: Path):
    linear = minigrad.Linear(2, 2)
    back = there_and_back(minigrad.Sequential(linear, minigrad.Sigmoid(), linear), path)
    assert back[0] is back[2]
    assert len(list(back.parameters())) == 2


def test_a_parameter_of_two_layers_comes_back_as_one(path: Path):
    net = minigrad.Sequential(minigrad.Embedding(4, 3), minigrad.Linear(3, 4, bias=False))
    net[1].weight = net[0].weight
    back = there_and_back(net, path)
    assert back[0].weight is back[1].weight
    assert len(list(back.parameters())) == 1


class Scaled(Layer):
    """A layer with a buffer."""

    def __init__(self, features: int = 2) -> None:
        self.features = features
        self.scale = torch.ones(features)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        return x * self.scale, None

    def backward(self, grad_output: torch.Tensor, cache: None) -> torch.Tensor:
        return grad_output * self.scale


def test_a_buffer_of_three_layers_comes_back_as_one(path: Path, registry: Registry):
    register_layer(Scaled)
    first, second = Scaled(), Scaled()
    second.scale = first.scale = torch.tensor([2.0, 3.0])
    back = there_and_back(minigrad.Sequential(first, second, first, Scaled()), path)
    assert back[0].scale is back[1].scale is back[2].scale
    assert back[3].scale is not back[0].scale


def test_tensors_that_share_memory_otherwise_are_refused(path: Path):
    net = minigrad.Sequential(minigrad.Linear(2, 2, bias=False), minigrad.Linear(2, 2, bias=False))
    net[1].weight = Parameter(net[0].weight.T)
    with pytest.raises(
        ConfigError, match=r"share memory .* Received: (0\.weight and 1\.weight|1\.weight and 0\.weight)"
    ):
        save(net, path)
    assert not path.exists()


def test_tensors_side_by_side_in_one_memory_are_none_that_share_it(path: Path):
    net, memory = minigrad.Sequential(minigrad.Linear(2, 2), minigrad.Linear(2, 2)), torch.rand(4, 2)
    net[0].weight.data, net[1].weight.data = memory[:2], memory[2:]
    there_and_back(net, path)


# torch.


def test_torch_takes_the_weights_in_one_line(path: Path):
    net = small()
    torch_net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    save(net, path)
    torch_net.load_state_dict(safetensors.torch.load_file(path))
    x = torch.rand(5, 2)
    assert torch.equal(torch_net(x), net(x))


def test_safetensors_finds_just_the_state_dict(path: Path):
    linear = minigrad.Linear(2, 2).to(torch.bfloat16)
    net = minigrad.Sequential(linear, minigrad.LayerNorm(2), linear)
    save(net, path)
    found = safetensors.torch.load_file(path)
    assert same_bits(dict(sorted(found.items())), dict(sorted(net.state_dict().items())))
    with safetensors.safe_open(path, framework="pt") as file:
        assert file.metadata()["format"] == "pt"
        assert file.metadata()["kind"] == "model"
        assert file.metadata()["minigrad_version"] == minigrad.__version__


# Notes.


def test_notes_are_kept(path: Path):
    notes = {"classes": ["cat", "dog"], "accuracy": 0.97, "best": math.inf, "nested": {"epoch": 3, "none": None}}
    save(small(), path, notes=notes)
    assert read_notes(path) == notes
    save(small(), path)
    assert read_notes(path) == {}


@pytest.mark.parametrize("value", [np.float64(1), torch.ones(1), print, {1, 2}], ids=["numpy", "tensor", "call", "set"])
def test_notes_are_plain(value: Any, path: Path):
    with pytest.raises(TypeError, match=r"Received: .*notes\.deep|Received: notes\.deep"):
        save(small(), path, notes={"deep": value})
    assert not path.exists()


def test_notes_are_a_dict(path: Path):
    with pytest.raises(TypeError, match="notes is a dict"):
        save(small(), path, notes=["text"])  # type: ignore[arg-type]


# What cannot be saved, found before anything is written.


def refused(net: Any, path: Path, error: type[Exception], told: str) -> None:
    """A save must fail, and leave the file that was there."""
    save(small(), path)
    before = path.read_bytes()
    with pytest.raises(error, match=told):
        save(net, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_class_that_is_not_registered_is_refused(path: Path, registry: Registry):
    refused(minigrad.Sequential(Scaled()), path, UnknownNameError, r"Scaled is none.*register_layer\(Scaled\)")


def test_what_is_no_net_is_refused(path: Path):
    refused(small().state_dict(), path, TypeError, "save expects a net, a layer. Received: dict")


def test_a_net_that_was_changed_is_refused(path: Path):
    net = small()
    net[0].weight = Parameter(torch.zeros(5, 2))
    refused(net, path, ConfigError, r"could not be loaded again: .*0\.weight is \(5, 2\).*makes \(3, 2\)")


def test_a_net_that_was_added_to_is_refused(path: Path):
    net = small()
    net[0].extra = torch.zeros(1)
    refused(net, path, ConfigError, r"0\.extra has no place in the net")


class Stubborn(Layer):
    """A layer whose constructor looks at the numbers that it has drawn."""

    def __init__(self) -> None:
        self.weight = Parameter(torch.rand(2))
        self.norm = float(self.weight.norm())

    def forward(self, x: Any) -> tuple[Any, Any]:
        return x, None

    def backward(self, grad_output: Any, cache: Any) -> Any:
        return grad_output


class Calling(Scaled):
    """A layer with an argument that is no plain value."""

    def __init__(self, call: Any, features: int = 2) -> None:
        super().__init__(features)
        self.call = call


def test_a_constructor_that_needs_numbers_is_refused(path: Path, registry: Registry):
    register_layer(Stubborn)
    refused(Stubborn(), path, ConfigError, r"could not be loaded again: .*meta")


def test_an_argument_that_is_no_plain_value_is_refused(path: Path, registry: Registry):
    register_layer(Calling)
    refused(minigrad.Sequential(Calling(print)), path, ConfigError, r"print.*layers\[0\]\.call")
    refused(Calling([torch.ones(2)]), path, ConfigError, r"A tensor among the arguments .* Received: call\[0\]")


class Given(Layer):
    """A layer that is given its buffer."""

    def __init__(self, scale: torch.Tensor) -> None:
        self.scale = scale

    def forward(self, x: Any) -> tuple[Any, Any]:
        return x * self.scale, None

    def backward(self, grad_output: Any, cache: Any) -> Any:
        return grad_output * self.scale


def test_a_tensor_among_the_arguments_comes_back(path: Path, registry: Registry):
    register_layer(Given)
    back = there_and_back(minigrad.Sequential(Given(torch.tensor([2.0, 3.0])), minigrad.Linear(2, 2)), path)
    assert torch.equal(back[0].scale, torch.tensor([2.0, 3.0]))


def test_a_net_holds_only_what_nets_are_made_of(path: Path, registry: Registry):
    register_layer(Calling)
    optimizer = minigrad.SGD(small().parameters(), lr=0.1)
    refused(Calling(optimizer), path, ConfigError, "made of layers, activations, losses, initializers")


# What is missing where it is loaded.


def test_a_name_of_the_session_is_asked_for(path: Path, registry: Registry):
    register_layer(Scaled)
    save(minigrad.Sequential(Scaled()), path)
    assert isinstance(load(path), minigrad.Sequential)
    with use_registry(Registry(only=())), pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "'local:scaled', which was registered in the session that saved it" in str(caught.value)
    assert "Register the class here first, as 'scaled'" in str(caught.value)


def test_a_missing_plugin_and_its_distribution_are_named(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)
    source = distributions.activation_plugin("Wave")
    module = distributions.install(site, "waves", source, distribution="minigrad-waves", version="3.4")
    importlib.invalidate_caches()
    points = [point for point in metadata.entry_points(group="minigrad") if point.name == "waves"]
    monkeypatch.setattr(discovery, "entry_points", lambda **group: points)
    with use_registry(Registry()):
        save(minigrad.build(["waves:wave"]), path)
        assert isinstance(load(path), minigrad.Sequential)
    with safetensors.safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["tree"])["plugins"] == {
            "waves": {"distribution": "minigrad-waves", "version": "3.4"}
        }
    points.clear()
    with use_registry(Registry()), pytest.raises(CheckpointError) as caught:
        load(path)
    assert "needs 'waves:wave' of the plugin 'waves', which was in the distribution 'minigrad-waves 3.4'" in str(
        caught.value
    )
    assert "No plugin 'waves' is installed" in str(caught.value)
    sys.modules.pop(module)


def test_a_plugin_of_another_version_is_told(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = distributions.activation_plugin("Wave")
    points = []
    monkeypatch.setattr(discovery, "entry_points", lambda **group: points)

    def installed(version: str) -> str:
        site = tmp_path / version
        module = distributions.install(site, "waves", source, distribution="minigrad-waves", version=version)
        monkeypatch.syspath_prepend(site)
        points[:] = [point for found in metadata.distributions(path=[str(site)]) for point in found.entry_points]
        importlib.invalidate_caches()
        return module

    module = installed("3.4")
    with use_registry(Registry()):
        save(minigrad.build(["waves:wave"]), path)
    del sys.modules[module]
    installed("3.5")
    expected = "was saved with 'minigrad-waves 3.4', and the net may compute otherwise with 'minigrad-waves 3.5'"
    with use_registry(Registry()), pytest.warns(PluginWarning, match=re.escape(f"{path} {expected}")) as caught:
        assert isinstance(load(path), minigrad.Sequential)
    assert caught[0].filename == __file__
    del sys.modules[module]


def test_a_configuration_is_the_one_that_describe_gives(path: Path):
    net = minigrad.Sequential(minigrad.Residual(minigrad.Linear(2, 2)), minigrad.LayerNorm((2,)))
    save(net, path)
    assert describe(load(path)) == describe(net)


def test_a_missing_file_is_a_checkpoint_error(tmp_path: Path):
    for read in (load, read_notes):
        with pytest.raises(CheckpointError, match=r"missing\.safetensors: it cannot be read: No such file"):
            read(tmp_path / "missing.safetensors")


def test_weights_of_others_are_told_what_to_do(path: Path):
    safetensors.torch.save_file(small().state_dict(), path)
    with pytest.raises(CheckpointError, match=r"net\.load_state_dict\(safetensors\.torch\.load_file\(path\)\)"):
        load(path)


def test_pickles_are_never_read(path: Path):
    torch.save(small().state_dict(), path)
    with pytest.raises(CheckpointError, match="a pickle, which could run code and is never read here"):
        load(path)
