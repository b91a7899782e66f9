"""Converters as a hook: a plugin's components convert without being named here, and a broken one harms nobody else."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from minigrad.activations import ReLU, Tanh
from minigrad.core import Activation, Component, Convert, Converter, Layer, Loss, Parameter, torch_twin
from minigrad.errors import AmbiguousNameError, ConversionError, PluginWarning, RegistrationError
from minigrad.interop.torch import from_torch, to_torch
from minigrad.layers import Linear, Sequential
from minigrad.registry import Registry, register_converter, use_registry
from tests import distributions

SOFTSIGN = """
from minigrad.core import Activation, torch_twin
from minigrad.registry import hookimpl

class Softsign(Activation):
    def forward(self, x):
        return x / (1 + x.abs()), x

    def backward(self, grad_output, cache):
        return grad_output / (1 + cache.abs()) ** 2

@hookimpl
def minigrad_register_activations(register):
    register(Softsign)

@hookimpl
def minigrad_register_converters(register):
    register(torch_twin(Softsign))
"""


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    with use_registry(Registry(only=("one", "two"))) as fresh:
        yield fresh


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)
    modules = []

    def install(plugin: str, source: str) -> None:
        modules.append(distributions.install(site, plugin, source))
        importlib.invalidate_caches()

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def both(install: Callable[[str, str], None]) -> Callable[[str, str], None]:
    """Install two plugins."""

    def both(one: str, two: str) -> None:
        install("one", one)
        install("two", two)

    return both


OTHER = distributions.activation_plugin("Cubic")


def test_a_plugin_converts_by_one_line(both: Callable[[str, str], None]):
    both(SOFTSIGN, OTHER)
    module = nn.Sequential(nn.Linear(2, 2), nn.Softsign())
    net = from_torch(module)
    assert repr(net[1]) == "Softsign()"
    x = torch.randn(3, 2)
    assert torch.equal(net(x), module(x))
    assert repr(to_torch(net)) == repr(module)


@pytest.mark.filterwarnings("error")
def test_no_plugin_is_loaded_for_what_is_built_in(both: Callable[[str, str], None]):
    both("1 / 0", "1 / 0")
    to_torch(from_torch(nn.Sequential(nn.Linear(2, 2), nn.Tanh())))


def test_a_plugin_that_is_not_loaded_is_named(both: Callable[[str, str], None], registry: Registry):
    both(SOFTSIGN, "1 / 0")
    with (
        use_registry(Registry(only=("two",))),
        pytest.warns(PluginWarning, match="two"),
        pytest.raises(ConversionError, match=r"The plugin 'one' is not loaded: .*'two' is not loaded: .*by zero"),
    ):
        from_torch(nn.Softsign())


def test_two_plugins_for_one_module_have_neither(both: Callable[[str, str], None]):
    both(SOFTSIGN, SOFTSIGN)
    with pytest.raises(
        AmbiguousNameError, match=r"torch\.nn\.\S*Softsign.*'one' \(minigrad-one 1\.2\).*'two'"
    ) as caught:
        from_torch(nn.Sequential(nn.Softsign()))
    assert caught.value.__notes__ == ["While net[0] (torch.nn.Softsign) was converted."]


def test_a_converter_that_cannot_be_imported_harms_no_other(both: Callable[[str, str], None]):
    broken = SOFTSIGN.replace("register(torch_twin(Softsign))", 'register("nowhere:Converter")')
    both(broken, SOFTSIGN)
    with pytest.warns(PluginWarning, match=r"one:converter cannot be imported from 'nowhere:Converter'"):
        assert repr(from_torch(nn.Softsign())) == "Softsign()"


def test_only_converters_are_registered(registry: Registry):
    with pytest.raises(RegistrationError, match=r"registers subclasses of minigrad\.Converter"):
        registry.register("converter", ReLU)


class Scale(Layer):
    """Multiplies by a weight, and has a body."""

    def __init__(self, factor: float, body: Layer) -> None:
        self.factor = factor
        self.body = body

    def forward(self, x: Any) -> Any:
        y, cache = self.body.forward(x)
        return self.factor * y, cache

    def backward(self, grad_output: Any, cache: Any) -> Any:
        return self.body.backward(self.factor * grad_output, cache)


class TorchScale(nn.Module):
    def __init__(self, times: float, inner: nn.Module) -> None:
        super().__init__()
        self.times = times
        self.body = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.times * self.body(x)


def test_a_converter_of_ones_own_for_the_session():
    @register_converter
    class ScaleConverter(Converter):
        torch_type = TorchScale
        minigrad_type = Scale

        def from_torch(self, module: TorchScale, convert: Convert) -> Scale:
            return Scale(module.times, convert(module.body, "body"))

        def to_torch(self, component: Scale, convert: Convert) -> TorchScale:
            return TorchScale(component.factor, convert(component.body, "body"))

    module = nn.Sequential(TorchScale(2.0, nn.Sequential(nn.Linear(2, 2), nn.ReLU())))
    net = from_torch(module)
    x = torch.randn(3, 2)
    assert torch.equal(net(x), module(x))
    assert torch.equal(to_torch(net)(x), module(x))
    with pytest.raises(ConversionError, match=r"^net\[0\]\.body\[1\] \(torch\.nn\.ReLU\).*inplace=True"):
        from_torch(nn.Sequential(TorchScale(2.0, nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True)))))


def test_a_converter_that_names_the_state_otherwise_is_found_out():
    @register_converter
    class Shortened(Converter):
        torch_type = TorchScale
        minigrad_type = Scale

        def from_torch(self, module: TorchScale, convert: Convert) -> Component:
            return convert(module.body, "body")

        def to_torch(self, component: Scale, convert: Convert) -> nn.Module:
            return convert(Linear(3, 3), "body")

    with pytest.raises(ConversionError, match=r"net\.body\.weight only in torch, net\.weight only in minigrad$"):
        from_torch(TorchScale(1.0, nn.Linear(2, 2, bias=False)))
    with pytest.raises(ConversionError, match="only in minigrad"):
        to_torch(Scale(1.0, Linear(2, 2)))


def test_a_converter_that_gets_the_sizes_wrong_is_found_out():
    @register_converter
    class Wrong(Converter):
        torch_type = TorchScale
        minigrad_type = Linear

        def from_torch(self, module: TorchScale, convert: Convert) -> Component:
            return Sequential({"body": Linear(3, 3)})

        def to_torch(self, component: Any, convert: Convert) -> nn.Module:
            raise NotImplementedError

    with pytest.raises(
        ConversionError, match=r"net\.body\.weight with shape \(2, 2\) in torch and \(3, 3\) in minigrad"
    ):
        from_torch(TorchScale(1.0, nn.Linear(2, 2)))


def test_a_fault_of_a_converter_keeps_its_type_and_says_where():
    @register_converter
    class Faulty(Converter):
        torch_type = TorchScale
        minigrad_type = Scale

        def from_torch(self, module: TorchScale, convert: Convert) -> Component:
            raise KeyError("body")

        def to_torch(self, component: Any, convert: Convert) -> nn.Module:
            raise KeyError("body")

    with pytest.raises(KeyError) as caught:
        from_torch(nn.Sequential(TorchScale(1.0, nn.ReLU())))
    assert caught.value.__notes__ == [f"While net[0] ({__name__}.TorchScale) was converted."]


def test_modules_among_the_options_convert_by_the_one_rule():
    register_converter(torch_twin(Scale, TorchScaleOfBody))
    module = nn.Sequential(TorchScaleOfBody(0.5, nn.Linear(2, 2)))
    net = from_torch(module)
    assert repr(net) == "Sequential(Scale(factor=0.5, body=Linear(in_features=2, out_features=2)))"
    back = to_torch(net)
    x = torch.randn(3, 2)
    assert torch.equal(back(x), module(x))
    with pytest.raises(ConversionError, match=r"^net\.body \(torch\.nn\.ReLU\)"):
        from_torch(TorchScaleOfBody(0.5, nn.ReLU(inplace=True)))


class TorchScaleOfBody(TorchScale):
    def __init__(self, factor: float, body: nn.Module) -> None:
        super().__init__(factor, body)
        self.factor = factor

    def extra_repr(self) -> str:
        return f"{self.factor}"


def test_a_twin_is_made_where_the_original_is():
    class Placed(Layer):
        def __init__(
            self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
        ):
            self.in_features = in_features
            self.out_features = out_features
            self.made = [torch.zeros(1, device=device, dtype=dtype)]
            self.weight = Parameter(torch.zeros(out_features, in_features))
            self.bias = None

        def forward(self, x: Any) -> Any:
            raise NotImplementedError

        def backward(self, grad_output: Any, cache: Any) -> Any:
            raise NotImplementedError

    class TorchPlaced(nn.Linear):
        def forward(self, x: Any) -> Any:
            raise NotImplementedError

    register_converter(torch_twin(Placed, TorchPlaced))
    layer = from_torch(TorchPlaced(2, 1, bias=False, device="meta", dtype=torch.float64))
    assert layer.made[0].dtype == layer.weight.dtype == torch.float64
    assert layer.made[0].device.type == layer.weight.device.type == "meta"


class Distance(Layer):
    def __init__(self, p: float = 2.0) -> None:
        self.p = p

    def forward(self, x: Any) -> Any:
        return (x[0] - x[1]).norm(self.p, dim=-1), None

    def backward(self, grad_output: Any, cache: Any) -> Any:
        raise NotImplementedError


def test_an_argument_that_torch_stores_under_another_name():
    register_converter(torch_twin(Distance, nn.PairwiseDistance, p="norm"))
    assert repr(from_torch(nn.PairwiseDistance(1.0))) == "Distance(p=1.0)"
    assert to_torch(Distance(3.0)).norm == 3.0
    with pytest.raises(ConversionError, match=r"with keepdim=False\. Received: keepdim=True$"):
        from_torch(nn.PairwiseDistance(keepdim=True))


class WithDistance(Loss):
    def __init__(self, distance_function: Layer | None = None, margin: float = 1.0, swap: bool = False) -> None:
        super().__init__()
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, prediction: Any, target: Any) -> Any:
        raise NotImplementedError

    def backward(self, cache: Any, grad_cost: Any = None) -> Any:
        raise NotImplementedError


def test_the_weights_of_a_layer_in_a_loss_are_carried_over():
    register_converter(torch_twin(WithDistance, nn.TripletMarginWithDistanceLoss))
    module = nn.TripletMarginWithDistanceLoss(distance_function=nn.Linear(2, 1), margin=2.0)
    loss = from_torch(module)
    assert torch.equal(loss.distance_function.weight, module.distance_function.weight)
    back = to_torch(loss)
    assert torch.equal(back.distance_function.weight, module.distance_function.weight)
    assert back.margin == 2.0


def test_a_class_that_torch_does_not_have_needs_its_type_said():
    class Cubic(Activation):
        def forward(self, x: Any) -> Any:
            return x**3, x

        def backward(self, grad_output: Any, cache: Any) -> Any:
            return 3 * cache**2 * grad_output

    with pytest.raises(ConversionError, match=r"must say which torch module Cubic is\. Received: no torch\.nn\.Cubic"):
        torch_twin(Cubic)
    assert torch_twin(Cubic, nn.Tanh).minigrad_type is Cubic


def test_a_built_in_keeps_its_module(registry: Registry):
    register_converter(torch_twin(ReLU, nn.Tanh), name="mine")
    assert isinstance(from_torch(nn.Tanh()), Tanh)
