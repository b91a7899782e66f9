"""Every module with a twin: the same numbers in both passes, and exact round trips."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minigrad.core import Layer, Loss
from minigrad.errors import ConversionError
from minigrad.interop.torch import from_torch, to_torch
from minigrad.registry import Registry
from tests.interop.twins import LAYERS, LOSSES, Pair

DTYPES = [torch.float32, torch.float64]


def drawn(pair: Pair, dtype: torch.dtype) -> tuple[nn.Module, tuple[Any, ...]]:
    """The module, its weights moved off the zeros and ones that they begin with, and its inputs."""
    torch.set_default_dtype(dtype)
    module = pair.module()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return module, pair.inputs()


def options(module: nn.Module) -> dict[str, Any]:
    """Everything that a module stores and that is not state."""
    plain = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}


def same(ours: Tensor | None, torchs: Tensor | None, dtype: torch.dtype, name: str) -> None:
    """In float64 to 1e-7; in float32 bit for bit, but where torch sums in another order."""
    if ours is None or torchs is None:
        assert ours is None
        assert torchs is None
    elif dtype == torch.float32 and name.partition("-")[0] not in ("RMSNorm",):
        assert torch.equal(ours, torchs)
    else:
        torch.testing.assert_close(ours, torchs, rtol=1e-7 if dtype == torch.float64 else 1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("pair", LAYERS, ids=str)
def test_a_layer_computes_what_its_twin_does(pair: Pair, dtype: torch.dtype):
    module, (x,) = drawn(pair, dtype)
    layer = from_torch(module)
    assert isinstance(layer, Layer)
    assert {tensor.dtype for tensor in layer.state_dict().values()} <= {dtype}
    x_of_torch = x.clone().requires_grad_(x.is_floating_point())
    torch.manual_seed(1)
    y_of_torch = module(x_of_torch)
    torch.manual_seed(1)
    y, cache = layer.forward(x)
    grad = torch.randn_like(y)
    y_of_torch.backward(grad)
    same(y, y_of_torch, dtype, pair.name)
    same(layer.backward(grad, cache), x_of_torch.grad, dtype, pair.name)
    for name, parameter in module.named_parameters():
        same(dict(layer.named_parameters())[name].grad, parameter.grad, dtype, pair.name)
    same(layer(x), module.eval()(x), dtype, pair.name)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("pair", LOSSES, ids=str)
def test_a_loss_computes_what_its_twin_does(pair: Pair, dtype: torch.dtype):
    module, (prediction, target) = drawn(pair, dtype)
    loss = from_torch(module)
    assert isinstance(loss, Loss)
    of_torch = prediction.clone().requires_grad_()
    cost_of_torch = module(of_torch, target)
    cost, cache = loss.forward(prediction, target)
    grad = torch.randn_like(cost)
    cost_of_torch.backward(grad)
    torch.testing.assert_close(cost, cost_of_torch, rtol=1e-7 if dtype == torch.float64 else 1e-6, atol=1e-7)
    ours = loss.backward(cache, grad)
    torch.testing.assert_close(ours, of_torch.grad, rtol=1e-7 if dtype == torch.float64 else 1e-6, atol=1e-7)


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("pair", [*LAYERS, *LOSSES], ids=str)
def test_a_round_trip_is_exact(pair: Pair, share: bool):
    module, _ = drawn(pair, torch.float64)
    before = copy.deepcopy(module)
    component = from_torch(module, share=share)
    back = to_torch(component, share=share)
    assert type(back) is type(module)
    assert back is not module
    assert options(back) == options(before) == options(module)
    assert repr(from_torch(back)) == repr(component)
    assert list(back.state_dict()) == list(before.state_dict())
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before.state_dict()[name])
        assert torch.equal(back.state_dict()[name], tensor)
        assert (back.state_dict()[name].data_ptr() == tensor.data_ptr()) == share
        assert back.state_dict()[name].dtype == tensor.dtype


@pytest.mark.parametrize("pair", LAYERS, ids=str)
def test_state_dicts_go_both_ways(pair: Pair):
    module, _ = drawn(pair, torch.float32)
    layer = from_torch(module)
    fresh = pair.module()
    fresh.load_state_dict(layer.state_dict())
    for name, tensor in fresh.state_dict().items():
        tensor.add_(1)
        assert not torch.equal(tensor, layer.state_dict()[name])
    layer.load_state_dict(fresh.state_dict())
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(tensor, layer.state_dict()[name])


def test_every_built_in_twin_is_tried_here():
    converters = [entry.cls for entry in Registry(only=()).entries("converter")]
    of_torch = {c.torch_type for c in converters if c.torch_type and c.torch_type.__module__.startswith("torch.nn")}
    tried = {type(pair.module()) for pair in (*LAYERS, *LOSSES)}
    assert of_torch - tried == {nn.Sequential}
    assert tried <= of_torch


def test_the_random_numbers_of_others_are_left_alone():
    module = nn.Sequential(nn.Linear(3, 3), nn.Embedding(3, 3))
    before = torch.get_rng_state()
    net = from_torch(module)
    assert torch.equal(torch.get_rng_state(), before)
    to_torch(net)
    assert torch.equal(torch.get_rng_state(), before)


def test_devices_are_kept():
    module = nn.Linear(2, 3, device="meta")
    layer = from_torch(module)
    assert {parameter.device.type for parameter in layer.parameters()} == {"meta"}
    assert to_torch(layer).weight.device.type == "meta"


def test_a_mixed_module_keeps_each_dtype():
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, dtype=torch.float64), nn.Linear(2, 2, dtype=torch.bfloat16))
    layer = from_torch(module)
    dtypes = [torch.float32, torch.float64, torch.bfloat16]
    assert [layer[i].weight.dtype for i in range(3)] == dtypes
    assert [part.bias.dtype for part in to_torch(layer)] == dtypes


UNSUPPORTED = [
    (nn.ReLU(inplace=True), "inplace=True"),
    (nn.LeakyReLU(inplace=True), "inplace=True"),
    (nn.ELU(inplace=True), "inplace=True"),
    (nn.SELU(inplace=True), "inplace=True"),
    (nn.SiLU(inplace=True), "inplace=True"),
    (nn.Mish(inplace=True), "inplace=True"),
    (nn.Hardswish(inplace=True), "inplace=True"),
    (nn.Dropout(inplace=True), "inplace=True"),
    (nn.Softmax(), "dim=None"),
    (nn.LogSoftmax(), "dim=None"),
    (nn.Embedding(4, 2, max_norm=1.5), r"max_norm=1\.5"),
    (nn.Embedding(4, 2, norm_type=1.0), r"norm_type=1\.0"),
    (nn.Embedding(4, 2, sparse=True), "sparse=True"),
    (nn.BCELoss(reduction="batchmean"), "reduction='batchmean'"),
]


@pytest.mark.parametrize(("module", "received"), UNSUPPORTED, ids=lambda value: str(value))
def test_an_option_that_is_not_ours_is_refused_by_name(module: nn.Module, received: str):
    name = type(module).__name__
    with pytest.raises(ConversionError, match=rf"^net \(torch\.nn\.{name}\): .* Received: {received}$"):
        from_torch(module)


def test_a_refusal_says_where():
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Sequential(nn.ReLU(inplace=True))))
    with pytest.raises(
        ConversionError, match=r"^net\[1\]\[0\]\[0\] \(torch\.nn\.ReLU\): .*inplace=False gives the same"
    ):
        from_torch(net)
