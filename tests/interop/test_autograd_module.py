"""as_autograd: minigrad's backward inside of torch models."""

import copy
import gc
import pickle
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck

from minigrad.activations import GELU, Identity, ReLU, Sigmoid, Tanh
from minigrad.core import Layer, Parameter
from minigrad.interop.torch import as_autograd, from_autograd, from_torch, to_torch
from minigrad.layers import (
    Checked,
    Dropout,
    Embedding,
    Flatten,
    Frozen,
    LayerNorm,
    Linear,
    Parallel,
    Recompute,
    Residual,
    Sequential,
)
from minigrad.losses import BCE, CrossEntropy, Huber
from tests.interop.twins import LAYERS, LOSSES, Pair


class Swap(Layer):
    """Two tensors in, two out, and a count; with a weight and a running sum."""

    def __init__(self) -> None:
        self.weight = Parameter(torch.tensor(2.0))
        self.total = torch.zeros(())

    def forward(self, x: Any) -> Any:
        a, (b, name) = x
        self.total.add_(1)
        return (b * self.weight, {"a": a * a, "count": torch.tensor(a.numel()), "name": name}), (a, b)

    def backward(self, grad_output: Any, cache: Any) -> Any:
        (grad_b, others), (a, b) = grad_output, cache
        assert others["count"] is None
        self.weight.accumulate((grad_b * b).sum())
        return 2 * a * others["a"], (grad_b * self.weight, None)


def net() -> Sequential:
    """One with everything that a cache can be."""
    tanh = Tanh()
    return Sequential(
        Flatten(),
        Linear(6, 4),
        tanh,
        Residual(Sequential(Linear(4, 4), tanh)),
        Parallel(Linear(4, 3), GELU(), merge="cat"),
        LayerNorm(7),
        Recompute(Linear(7, 2)),
        Identity(),
    )


@pytest.mark.parametrize("pair", LAYERS, ids=str)
def test_each_layer_gives_torchs_gradients(pair: Pair):
    torch.set_default_dtype(torch.float64)
    twin, (x,) = pair.module(), pair.inputs()
    ours = as_autograd(from_torch(twin))
    x_of_twin, x_of_ours = (x.clone().requires_grad_(x.is_floating_point()) for _ in range(2))
    torch.manual_seed(1)
    y_of_twin = twin(x_of_twin)
    torch.manual_seed(1)
    y = ours(x_of_ours)
    grad = torch.randn_like(y)
    y.backward(grad)
    y_of_twin.backward(grad)
    torch.testing.assert_close(y, y_of_twin, rtol=1e-7, atol=1e-7)
    if x.is_floating_point():
        torch.testing.assert_close(x_of_ours.grad, x_of_twin.grad, rtol=1e-7, atol=1e-7)
    for (name, parameter), (other, expected) in zip(ours.named_parameters(), twin.named_parameters(), strict=True):
        assert name == other
        torch.testing.assert_close(parameter.grad, expected.grad, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(ours.eval()(x), twin.eval()(x), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("pair", LOSSES, ids=str)
def test_each_loss_gives_torchs_gradients(pair: Pair):
    torch.set_default_dtype(torch.float64)
    twin, (prediction, target) = pair.module(), pair.inputs()
    ours = as_autograd(from_torch(twin)).eval()  # a loss has no mode
    mine, torchs = (prediction.clone().requires_grad_() for _ in range(2))
    cost, expected = ours(mine, target), twin(torchs, target)
    grad = torch.randn_like(cost)
    cost.backward(grad)
    expected.backward(grad)
    torch.testing.assert_close(cost, expected, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(mine.grad, torchs.grad, rtol=1e-7, atol=1e-7)


def test_gradcheck_passes_through_everything():
    module = as_autograd(net().to(torch.float64))
    x = torch.randn(3, 2, 3, dtype=torch.float64, requires_grad=True)
    names, parameters = zip(*module.named_parameters(), strict=True)

    def function(x: Tensor, *values: Tensor) -> Tensor:
        for parameter, value in zip(parameters, values, strict=True):
            assert parameter is value
        return module(x)

    assert names[:2] == ("1.weight", "1.bias")
    assert gradcheck(function, (x, *parameters))


def test_the_second_derivative_is_told_to_be_missing():
    x = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    module = as_autograd(Tanh())
    with pytest.raises(RuntimeError, match=r"^Tanh has a written backward, and .* no create_graph=True$"):
        torch.autograd.grad(module(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="no create_graph=True"):
        gradgradcheck(module, (x,))


def test_it_trains_in_a_torch_model_as_its_twin_does():
    torch.manual_seed(777)
    x, y = torch.rand(16, 2), torch.randint(2, (16, 1)).float()
    twin = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
    layers = from_torch(twin)
    for make in (torch.optim.SGD, torch.optim.Adam):
        pure = copy.deepcopy(twin)
        mixed = nn.Sequential(copy.deepcopy(twin[0]), as_autograd(copy.deepcopy(layers[1:])))
        criterion = as_autograd(BCE())
        optimizers = [make(module.parameters(), lr=0.1) for module in (pure, mixed)]
        for _ in range(20):
            for module, loss, optimizer in zip((pure, mixed), (nn.BCELoss(), criterion), optimizers, strict=True):
                optimizer.zero_grad()
                loss(module(x), y).backward()
                optimizer.step()
        for expected, parameter in zip(pure.parameters(), mixed.parameters(), strict=True):
            assert torch.equal(expected, parameter)
        assert torch.equal(mixed[1].component[1].weight, pure[2].weight)


def test_its_parameters_are_torchs_on_our_memory():
    layer = net()
    module = as_autograd(layer)
    assert list(module.state_dict()) == list(layer.state_dict()) == list(to_torch(layer).state_dict())
    for (name, theirs), (other, ours) in zip(module.named_parameters(), layer.named_parameters(), strict=True):
        assert name == other
        assert type(theirs) is nn.Parameter
        assert theirs.requires_grad
        assert theirs.data_ptr() == ours.data_ptr()
    module(torch.ones(1, 2, 3)).sum().backward()
    assert all(p.grad is not None for p in module.parameters())
    assert all(p.grad is None for p in layer.parameters())
    module.load_state_dict({name: torch.ones_like(value) for name, value in layer.state_dict().items()})
    assert all((p == 1).all() for p in layer.parameters())
    assert repr(as_autograd(Tanh())) == "as_autograd(Tanh())"


def test_a_frozen_layer_passes_the_gradient_on():
    frozen = Frozen(Linear(2, 3))
    module = as_autograd(Sequential(frozen, Linear(3, 1)))
    assert [p.requires_grad for p in module.parameters()] == [False, False, True, True]
    x = torch.ones(4, 2, requires_grad=True)
    module(x).sum().backward()
    assert x.grad is not None
    assert [p.grad is None for p in module.parameters()] == [True, True, False, False]
    assert list(module.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    # torch's flags count
    module.requires_grad_(False)
    assert not module(torch.ones(4, 2)).requires_grad


def test_a_layer_may_be_frozen_in_one_module_and_learn_in_another():
    linear = Linear(2, 1)
    frozen, learning = as_autograd(Frozen(linear)), as_autograd(linear)
    assert not frozen.weight.requires_grad
    assert learning.weight.requires_grad
    assert frozen.weight.data_ptr() == learning.weight.data_ptr() == linear.weight.data_ptr()


def test_two_forwards_come_before_a_backward():
    module, twin = as_autograd(net()), None
    twin = to_torch(module.component)
    xs = [torch.randn(3, 2, 3) for _ in range(2)]
    for each in (module, twin):
        first, second = (each(x) for x in xs)
        (3 * first).sum().backward()
        second.sum().backward()
    for ours, theirs in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_graph_may_be_asked_twice():
    module = as_autograd(net())
    x = torch.randn(3, 2, 3, requires_grad=True)
    y = module(x).sum()
    one = torch.autograd.grad(y, x, retain_graph=True)
    two = torch.autograd.grad(y, x)
    assert torch.equal(*one, *two)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(y, x)


@pytest.mark.parametrize("make", [lambda m: (m, m), lambda m: (m, as_autograd(m.component))], ids=["module", "layer"])
def test_what_stands_twice_is_trained_once(make: Any):
    linear = Linear(2, 2)
    theirs = to_torch(linear)
    first, second = make(as_autograd(linear))
    ours, twin = nn.Sequential(first, nn.Tanh(), second), nn.Sequential(theirs, nn.Tanh(), theirs)
    assert len(list(ours.parameters())) == 2
    x = torch.randn(4, 2)
    for module in (ours, twin):
        optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            module(x).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(linear.weight, theirs.weight, check_dtype=False)


def test_a_layer_or_a_weight_that_stands_twice_inside():
    linear, other = Linear(2, 2), Linear(2, 2)
    other.weight = linear.weight
    layer = Sequential(linear, Tanh(), linear, other)
    module, twin = as_autograd(layer), to_torch(layer)
    x = torch.randn(4, 2)
    module(x).sum().backward()
    twin(x).sum().backward()
    assert module.get_parameter("3.weight") is module.get_parameter("0.weight")
    assert list(module.state_dict()) == list(twin.state_dict())
    for ours, theirs in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("call", [lambda m, *x: m(x), lambda m, *x: m(*x)], ids=["a tuple", "arguments"])
def test_several_tensors_in_and_out(call: Any):
    layer = Swap()
    module = as_autograd(layer)
    a, b = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    scaled, others = call(module, a, (b, "name"))
    assert others["count"] == 2
    assert others["name"] == "name"
    assert not others["count"].requires_grad
    (scaled.sum() + 5 * others["a"].sum()).backward()
    assert a.grad.tolist() == [10.0, 20.0]
    assert b.grad.tolist() == [2.0, 2.0]
    assert module.weight.grad == 7
    scaled, others = call(module, a, (b, None))
    scaled.sum().backward()
    assert a.grad.tolist() == [10.0, 20.0]
    assert module.state_dict() == {"weight": 2, "total": 2}


def test_an_input_may_need_no_gradient():
    module = as_autograd(Embedding(4, 2))
    module(torch.tensor([1, 1])).sum().backward()
    assert module.weight.grad.tolist() == [[0, 0], [2, 2], [0, 0], [0, 0]]
    calls = []

    class Watched(Layer):
        def forward(self, x: Any) -> Any:
            return x * self.weight, x

        def backward(self, grad_output: Any, cache: Any) -> Any:
            calls.append("backward")
            self.backward_parameters(grad_output, cache)
            return grad_output * self.weight

        def backward_parameters(self, grad_output: Any, cache: Any) -> None:
            calls.append("backward_parameters")
            self.weight.accumulate((grad_output * cache).sum())

    layer = Watched()
    layer.weight = Parameter(torch.ones(()))
    as_autograd(layer)(torch.ones(2)).sum().backward()
    assert calls == ["backward_parameters"]


def test_a_gradient_of_another_structure_is_told():
    class Wrong(Layer):
        def forward(self, x: Any) -> Any:
            return x[0] + x[1], None

        def backward(self, grad_output: Any, cache: Any) -> Any:
            return grad_output

    y = as_autograd(Wrong())(torch.ones(2, requires_grad=True), torch.ones(2))
    with pytest.raises(ValueError, match=r"Wrong.* structure of its input, 2 parts\. Received: 1 parts$"):
        y.sum().backward()


def test_train_is_forward_and_eval_is_predict():
    module = as_autograd(Sequential(Linear(50, 50), Dropout(0.5)))
    x = torch.ones(1, 50)
    assert (module(x) == 0).any()
    assert torch.equal(module.eval()(x), module.component(x))
    y = nn.Sequential(nn.Linear(50, 50), module)(x)
    with pytest.raises(RuntimeError, match=r"Sequential in eval\(\) mode predicts, .*: call train\(\) first$"):
        y.sum().backward()
    assert not y.isnan().any()
    with torch.no_grad():
        assert not module.train()(x).requires_grad


def test_a_target_has_no_gradient():
    target = torch.zeros(2, requires_grad=True)
    cost = as_autograd(Huber())(torch.ones(2, requires_grad=True), target)
    with pytest.raises(RuntimeError, match=r"^Huber has a gradient for its prediction alone: detach the target$"):
        cost.backward()
    torch.testing.assert_close(as_autograd(CrossEntropy())(torch.zeros(1, 2), torch.tensor([1])).item(), 0.6931472)


def test_a_change_between_the_passes_is_told():
    module = as_autograd(Sequential(Linear(2, 2), Sigmoid()))
    x = torch.ones(1, 2)
    for change in (lambda: module.get_parameter("0.weight").add_(1), lambda: x.add_(1)):
        y = module(x).sum()
        with torch.no_grad():
            change()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()
    y = module(x).sum()
    module.component[0].weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_nothing_is_kept_after_the_backward():
    class Seen(Layer):
        def forward(self, x: Any) -> Any:
            cache = x * 2
            seen.append(weakref.ref(cache))
            return cache.sum(), [cache, [cache]]

        def backward(self, grad_output: Any, cache: Any) -> Any:
            return grad_output * 2 + 0 * cache.pop()[0]

    seen: list[Any] = []
    x = torch.ones(3, requires_grad=True)
    module = as_autograd(Seen())
    y = module(x)
    y.backward()
    gc.collect()
    assert seen[0]() is None


def moved(module: nn.Module, layer: Layer) -> nn.Module:
    return module.double()


def moved_by_the_layer(module: nn.Module, layer: Layer) -> nn.Module:
    layer.to(torch.float64)
    return module


def copied(module: nn.Module, layer: Layer) -> nn.Module:
    return copy.deepcopy(module).double()


def pickled(module: nn.Module, layer: Layer) -> nn.Module:
    return pickle.loads(pickle.dumps(module)).double()


def assigned(module: nn.Module, layer: Layer) -> nn.Module:
    state = {name: value.clone().double() for name, value in module.state_dict().items()}
    module.load_state_dict(state, assign=True)
    return module


def replaced(module: nn.Module, layer: Layer) -> nn.Module:
    module.get_submodule("1").weight = nn.Parameter(module.get_parameter("1.weight").double())
    module.get_submodule("1").bias = nn.Parameter(module.get_parameter("1.bias").double())
    module.get_submodule("0").total = torch.ones((), dtype=torch.float64)
    return module


class Count(Layer):
    """Counts its forwards, in a fresh tensor each time."""

    def __init__(self) -> None:
        self.total = torch.zeros(())

    def forward(self, x: Any) -> Any:
        self.total = self.total + 1
        return x, None

    def backward(self, grad_output: Any, cache: Any) -> Any:
        return grad_output


@pytest.mark.parametrize("move", [moved, moved_by_the_layer, copied, pickled, assigned, replaced])
def test_both_stay_in_one_memory_whoever_is_moved(move: Any):
    layer = Sequential(Count(), Linear(2, 1))
    module = as_autograd(layer)
    module(torch.ones(1, 2))
    module = move(module, layer)
    layer = module.component
    values = [p.detach().clone() for p in module.parameters()]
    module(torch.ones(4, 2, dtype=torch.float64)).sum().backward()
    for ours, theirs, value in zip(layer.parameters(), module.parameters(), values, strict=True):
        assert ours.dtype == theirs.dtype == theirs.grad.dtype == torch.float64
        assert ours.data_ptr() == theirs.data_ptr()
        torch.testing.assert_close(theirs.detach(), value.double())
    torch.optim.SGD(module.parameters(), lr=1.0).step()
    assert torch.equal(layer[1].weight, module.get_parameter("1.weight"))
    assert module.state_dict()["0.total"] == layer[0].total == 2
    assert layer[0].total.dtype == torch.float64


@pytest.mark.parametrize("move", [moved, copied, pickled, assigned])
def test_the_layer_itself_follows_at_once(move: Any):
    layer = Sequential(Count(), Linear(2, 1))
    module = move(as_autograd(layer), layer)
    x = torch.ones(1, 2, dtype=torch.float64)
    expected = nn.functional.linear(x, module.get_parameter("1.weight"), module.get_parameter("1.bias"))
    assert torch.equal(module.component(x), expected)
    assert module.component[0].total.dtype == torch.float64


def test_a_functional_call_lends_other_weights():
    linear = Linear(2, 1)
    module, twin = as_autograd(Sequential(linear, Tanh())), to_torch(Sequential(linear, Tanh()))
    before = linear.weight.clone()
    x, base = torch.randn(4, 2), torch.randn(1, 2, requires_grad=True)
    grads = []
    for each in (module, twin):
        y = torch.func.functional_call(each, {"0.weight": 2 * base}, x).sum()
        grads += torch.autograd.grad(y, base)
    assert torch.equal(*grads)
    y = torch.func.functional_call(module, {"0.weight": 2 * base}, x).sum()
    assert torch.equal(module(x), twin(x))
    assert torch.equal(linear.weight, before)
    assert type(linear.weight) is Parameter
    with pytest.raises(RuntimeError, match=r"^Sequential needs the parameters of its forward, and they were replaced"):
        y.backward()


def test_a_copy_can_be_filled_before_its_first_pass():
    module = copy.deepcopy(as_autograd(Linear(2, 1)))
    with torch.no_grad():
        module.weight.fill_(7)
    assert (module.component.weight == 7).all()
    module(torch.ones(1, 2))
    assert (module.weight == 7).all()


def test_the_bridges_may_stand_in_each_other():
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    ours = as_autograd(Sequential(from_autograd(module), Checked(Linear(3, 1))))
    x = torch.randn(4, 2)
    ours(x).sum().backward()
    expected = torch.autograd.grad(
        nn.functional.linear(module(x), *list(ours.parameters())[2:]).sum(), module[0].weight
    )
    torch.testing.assert_close(ours.get_parameter("0.0.weight").grad, *expected)
    assert module[0].weight.grad is None


@pytest.mark.parametrize("thing", [3, nn.Linear(2, 1), Linear])
def test_only_layers_and_losses_become_modules(thing: Any):
    with pytest.raises(TypeError, match=r"^as_autograd expects a layer or loss\. Received: "):
        as_autograd(thing)


def test_relu_after_it_may_work_in_place():
    twin = nn.Linear(2, 3)
    x = torch.randn(4, 2, requires_grad=True)
    for first in (as_autograd(from_torch(twin)), as_autograd(Sequential(from_torch(twin), Identity()))):
        y = nn.ReLU(inplace=True)(first(x))
        (grad,) = torch.autograd.grad(y.sum(), x)
        (expected,) = torch.autograd.grad(twin(x).relu().sum(), x)
        torch.testing.assert_close(grad, expected)
    assert isinstance(from_torch(nn.ReLU()), ReLU)


@pytest.mark.parametrize("backward_inside", [False, True])
@pytest.mark.parametrize("make", [lambda: nn.Identity(), lambda: nn.Linear(3, 3)], ids=["first", "behind torch's"])
def test_under_autocast_it_computes_in_the_dtype_of_its_parameters(make: Any, backward_inside: bool):
    net = Sequential(Linear(3, 4), Tanh(), Linear(4, 2))
    model, loss, x = nn.Sequential(make(), as_autograd(Checked(net))), as_autograd(Huber()), torch.randn(5, 3)
    with torch.autocast("cpu", torch.bfloat16):
        y = model(x)
        cost = loss(y, torch.zeros(5, 2))
        if backward_inside:
            cost.backward()
    if not backward_inside:
        cost.backward()
    assert y.dtype == cost.dtype == torch.float32
    twin = to_torch(net)
    with torch.autocast("cpu", torch.bfloat16):
        x = model[0](x).float()
    nn.functional.huber_loss(twin(x.detach()), torch.zeros(5, 2)).backward()
    for ours, theirs in zip(model[1].parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_under_autocast_a_small_net_stays_small():
    module = as_autograd(Linear(3, 2, dtype=torch.bfloat16))
    with torch.autocast("cpu", torch.bfloat16):
        assert module(torch.ones(1, 3, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_where_there_is_no_autocast_nobody_asks_for_it():
    module = as_autograd(Linear(3, 2, device="meta"))
    assert module(torch.ones(1, 3, device="meta")).shape == (1, 2)


@pytest.mark.parametrize("transform", [torch.func.vmap, torch.func.jacrev])
def test_the_transforms_of_torch_func_are_refused(transform: Any):
    module = as_autograd(Tanh())
    with pytest.raises(RuntimeError, match=r"^Tanh has a written backward, which no transform of torch\.func sees"):
        transform(module)(torch.ones(2))
    torch.func.vmap(lambda x: module.component.predict(x))(torch.ones(2))
