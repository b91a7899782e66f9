"""from_autograd: any torch module as a layer, its gradient found by autograd."""

import copy
import pickle
import threading
import time
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minigrad.activations import Tanh
from minigrad.core import Parameter, receive_gradients
from minigrad.interop.torch import from_autograd, from_torch, to_torch
from minigrad.layers import Frozen, Linear, Recompute, Sequential
from minigrad.losses import MSE
from minigrad.optimizers import SGD
from minigrad.training import train_step


class Two(nn.Module):
    """Two inputs, a structure out, and a buffer that is replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))
        self.idle = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("total", torch.zeros(()))

    def forward(self, a: Tensor, b: Tensor) -> Any:
        self.total = self.total + 1
        return a * self.weight, {"sum": (a + b).sum(), "count": torch.tensor(a.numel())}


def conv() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.ReLU(inplace=True), nn.Dropout(0.5))


MODULES = {
    "conv": (conv, (5, 2, 4)),
    "lstm": (lambda: nn.LSTM(2, 3, batch_first=True), (5, 4, 2)),
    "attention": (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), (2, 3, 4)),
    "in place": (lambda: nn.ReLU(inplace=True), (5, 2)),
    "nothing": (nn.Identity, (5, 2)),
}


@pytest.mark.parametrize("name", MODULES)
def test_both_passes_are_the_modules(name: str):
    make, shape = MODULES[name]
    module, x = make(), torch.randn(shape)
    twin, before = copy.deepcopy(module), x.clone()
    layer = from_autograd(module)
    torch.manual_seed(1)
    y, cache = layer.forward(x)
    x_of_twin = x.clone().requires_grad_()
    torch.manual_seed(1)
    expected = twin(x_of_twin.clone())
    first, first_expected = (y[0], expected[0]) if isinstance(y, tuple) else (y, expected)
    assert torch.equal(first, first_expected)
    assert not first.requires_grad
    grad = torch.randn_like(first)
    first_expected.backward(grad)
    upstream = (grad, (None, None)) if isinstance(y, tuple) else grad
    torch.testing.assert_close(layer.backward(upstream, cache), x_of_twin.grad)
    assert torch.equal(x, before)
    for (own, parameter), (theirs, other) in zip(layer.named_parameters(), twin.named_parameters(), strict=True):
        assert own == theirs
        torch.testing.assert_close(parameter.grad, other.grad)
        assert parameter.rows == shape[0]
    assert all(p.grad is None for p in module.parameters())
    for own, buffer in twin.named_buffers():
        assert torch.equal(dict(layer.named_buffers())[own], buffer)
    predicted, expected = layer(x), twin.eval()(x.clone())
    if isinstance(predicted, tuple):
        predicted, expected = predicted[0], expected[0]
    torch.testing.assert_close(predicted, expected)
    assert torch.equal(x, before)


@pytest.mark.parametrize("training", [True, False])
def test_the_module_is_left_in_its_mode(training: bool):
    module = conv().train(training)
    module[3].train(not training)
    modes = [part.training for part in module.modules()]
    layer = from_autograd(module)
    layer.forward(torch.randn(5, 2, 4))
    layer(torch.randn(5, 2, 4))
    with pytest.raises(RuntimeError):
        layer(torch.randn(7))
    assert [part.training for part in module.modules()] == modes


def test_its_state_is_found_and_shared():
    module = conv()
    layer = from_autograd(module)
    assert set(layer.state_dict()) == set(module.state_dict())
    assert [name for name, _ in layer.named_parameters()] == [name for name, _ in module.named_parameters()]
    assert all(type(p) is Parameter for p in layer.parameters())
    assert [p.role for p in layer.parameters()] == ["weight", "bias", "weight", "bias"]
    for name, value in layer.state_dict().items():
        assert value.data_ptr() == module.state_dict()[name].data_ptr()
    assert repr(layer) == f"from_autograd({module!r})"
    layer.load_state_dict({name: torch.ones_like(value) for name, value in module.state_dict().items()})
    assert all((value == 1).all() for value in module.state_dict().values())


def test_our_optimizers_train_the_module():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.Tanh(), nn.Flatten(), nn.Linear(9, 1))
    twin = copy.deepcopy(module)
    net = Sequential(from_autograd(module[:4]), from_torch(module[4], share=True))
    optimizer, torchs = SGD(net.parameters(), lr=0.1), torch.optim.SGD(twin.parameters(), lr=0.1)
    x, y = torch.randn(6, 2, 4), torch.randn(6, 1)
    for _ in range(10):
        train_step(net, MSE(), optimizer, x, y)
        torchs.zero_grad()
        nn.functional.mse_loss(twin(x), y).backward()
        torchs.step()
    for (name, ours), (_, theirs) in zip(module.state_dict().items(), twin.state_dict().items(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)
    torch.testing.assert_close(net(x), twin.eval()(x))


def test_a_weight_that_asks_for_no_gradient_is_a_buffer():
    module = nn.Linear(2, 1)
    module.bias.requires_grad_(False)
    layer = from_autograd(module)
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert [name for name, _ in layer.named_buffers()] == ["bias"]
    _, cache = layer.forward(torch.ones(4, 2))
    layer.backward(torch.ones(4, 1), cache)
    assert layer.weight.grad is not None
    assert from_torch(module.requires_grad_(False)).state_dict().keys() == layer.state_dict().keys()
    assert list(from_autograd(module).parameters()) == []


def test_a_weight_that_stands_twice_is_one_parameter():
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    module[1].weight = module[0].weight
    layer = from_autograd(module)
    assert len(list(layer.parameters())) == 3
    assert set(layer.state_dict()) == set(module.state_dict())
    y, cache = layer.forward(torch.ones(1, 2))
    layer.backward(torch.ones_like(y), cache)
    expected = torch.autograd.grad(module(torch.ones(1, 2)).sum(), module[0].weight)
    torch.testing.assert_close(next(layer.parameters()).grad, *expected)
    clone = copy.deepcopy(layer)
    clone.to(torch.float64)
    clone.forward(torch.ones(1, 2, dtype=torch.float64))
    assert clone.module[0].weight is clone.module[1].weight


def test_several_tensors_in_and_out():
    layer = from_autograd(Two())
    a, b = torch.tensor([1.0, 2.0]), torch.tensor([5, 6])
    (scaled, others), cache = layer.forward((a, b))
    assert scaled.tolist() == [3.0, 6.0]
    assert others["count"] == 2
    grad_a, grad_b = layer.backward((torch.ones(2), {"sum": torch.tensor(2.0), "count": None}), cache)
    assert grad_a.tolist() == [5.0, 5.0]
    assert grad_b is None
    assert layer.weight.grad == 3
    assert layer.idle.grad is None
    assert layer.total == layer.module.total == 1
    (_, others), cache = layer.forward((a, b.float()))
    grad_a, grad_b = layer.backward((None, {"sum": None, "count": None}), cache)
    assert grad_a.tolist() == grad_b.tolist() == [0.0, 0.0]
    assert layer.total == 2


def test_a_module_without_a_gradient_has_the_gradient_zero():
    class Sign(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.detach().sign()

    layer = from_autograd(Sign())
    _, cache = layer.forward(torch.ones(3))
    assert layer.backward(torch.ones(3), cache).tolist() == [0, 0, 0]
    layer.backward_parameters(torch.ones(3), cache)


def test_a_cache_may_be_used_twice_and_in_any_order():
    layer = from_autograd(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
    first, second = layer.forward(torch.ones(1, 2))[1], layer.forward(-torch.ones(1, 2))[1]
    grads = [layer.backward(torch.ones(1, 2), cache) for cache in (first, second, first)]
    assert torch.equal(grads[0], grads[2])
    assert not torch.equal(grads[0], grads[1])


def test_gradients_are_nobody_elses_memory():
    class Shift(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.one + self.two

    layer, grad = from_autograd(Shift()), torch.ones(2)
    layer.backward(grad, layer.forward(torch.ones(2))[1])
    torch.nn.utils.clip_grad_value_(layer.parameters(), 0.5)
    assert grad.tolist() == [1, 1]
    assert len({p.grad.data_ptr() for p in layer.parameters()}) == 2


def test_gradients_go_through_the_door():
    layer, seen = from_autograd(nn.Linear(2, 1)), []
    _, cache = layer.forward(torch.ones(4, 2))
    with receive_gradients(lambda parameter, grad, rows: seen.append((parameter.role, rows))):
        layer.backward_parameters(torch.ones(4, 1), cache)
    assert seen == [("weight", 4), ("bias", 4)]
    assert layer.weight.grad is None
    frozen = Frozen(layer)
    frozen.backward(torch.ones(4, 1), frozen.forward(torch.ones(4, 2))[1])
    assert layer.weight.grad is None


@pytest.mark.parametrize("context", [torch.no_grad, torch.enable_grad])
def test_the_callers_grad_mode_does_not_matter(context: Any):
    layer = from_autograd(nn.Linear(2, 1))
    x = torch.ones(4, 2, requires_grad=True)
    with context():
        y, cache = layer.forward(x)
        assert not y.requires_grad
        assert not layer(x).requires_grad
        assert torch.equal(layer.backward(torch.ones(4, 1), cache), layer.weight.expand(4, 2))
    assert x.grad is None
    assert torch.autograd.grad(x.sum(), x)[0].shape == (4, 2)


@pytest.mark.parametrize(
    "part",
    [
        lambda layer: layer.to(torch.float64),
        lambda layer: copy.deepcopy(layer).to(torch.float64),
        lambda layer: pickle.loads(pickle.dumps(layer)).to(torch.float64),
        lambda layer: Sequential(layer).to(torch.float64)[0],
    ],
    ids=["to", "deepcopy", "pickle", "inside"],
)
def test_the_module_follows_the_layer(part: Any):
    layer = part(from_autograd(conv()))
    x = torch.randn(5, 2, 4, dtype=torch.float64)
    y, cache = layer.forward(x)
    assert y.dtype == layer.backward(torch.ones_like(y), cache).dtype == torch.float64
    for name, value in layer.state_dict().items():
        assert value.data_ptr() == layer.module.state_dict()[name].data_ptr()
    assert layer.state_dict()["1.num_batches_tracked"] == 1
    SGD(layer.parameters(), lr=1.0).step()
    assert torch.equal(layer.state_dict()["0.weight"], layer.module[0].weight)


def test_it_stands_in_any_net():
    linear = Linear(9, 1)
    module = nn.Sequential(conv()[:2], nn.Tanh(), nn.Flatten(), to_torch(linear))
    twin = copy.deepcopy(module)
    net = Sequential(Recompute(from_autograd(module[0])), Tanh(), from_autograd(module[2]), linear)
    x, grad = torch.randn(4, 2, 4), torch.randn(4, 1)
    x_of_twin = x.clone().requires_grad_()
    _, cache = net.forward(x)
    twin(x_of_twin).backward(grad)
    torch.testing.assert_close(net.backward(grad, cache), x_of_twin.grad)
    for ours, theirs in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    assert net.state_dict()["0.1.num_batches_tracked"] == 1


def test_a_graph_goes_on_seeing_the_buffers_that_it_saw():
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("factor", torch.ones(1))

        def forward(self, x: Tensor) -> Tensor:
            self.factor.add_(1)
            return x * self.factor

    layer = from_autograd(Scale())
    x = torch.ones(1)
    caches = [layer.forward(x)[1] for _ in range(3)]
    assert [layer.backward(torch.ones(1), cache).item() for cache in caches] == [2, 3, 4]
    assert layer.factor is layer.module.factor
    assert layer.factor == 4


def test_a_buffer_may_grow_and_a_failure_leaves_all_as_it_was():
    class Log(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(0))
            self.same = nn.Identity()
            self.same.register_buffer("seen", self.seen)

        def forward(self, x: Tensor) -> Tensor:
            self.seen = torch.cat([self.seen, x.sum()[None]])
            if x.sum() > 9:
                raise KeyError
            return x

    layer = from_autograd(Log())
    layer.forward(torch.ones(2))
    with pytest.raises(KeyError):
        layer.forward(torch.ones(10))
    layer.forward(torch.ones(3))
    assert layer.seen.tolist() == layer.module.seen.tolist() == [2, 3]


def test_a_buffer_that_stands_twice_stays_one():
    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Identity(), nn.Identity()
            self.one.register_buffer("count", torch.zeros(()))
            self.two.register_buffer("count", self.one.count)

        def forward(self, x: Tensor) -> Tensor:
            self.one.count.add_(1)
            return x * self.two.count

    layer = from_autograd(Counted())
    assert [layer.forward(torch.ones(()))[0].item() for _ in range(3)] == [1, 2, 3]
    assert layer.module.one.count is layer.module.two.count
    assert layer.state_dict() == {"one.count": 3, "two.count": 3}


def test_one_module_under_many_threads():
    class Moody(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            time.sleep(1e-4)  # so that another thread comes in between
            return x.tanh() if self.training else -x

    module = Moody()
    layer = from_autograd(module)
    xs = [torch.full((1, 2), float(i)) for i in range(4)]
    wrong = []

    def work(i: int) -> None:
        for _ in range(20):
            y, cache = layer.forward(xs[i])
            right = torch.equal(y, xs[i].tanh()) and torch.equal(layer(xs[i]), -xs[i])
            if not right or not torch.allclose(layer.backward(torch.ones(1, 2), cache), 1 - y * y):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert module.training


@pytest.mark.parametrize("thing", [3, Linear(2, 1), nn.Linear])
def test_only_modules_become_layers(thing: Any):
    with pytest.raises(TypeError, match=r"^from_autograd expects a torch\.nn\.Module\. Received: "):
        from_autograd(thing)


def test_a_lazy_module_is_refused_until_it_knows_its_sizes():
    module = nn.LazyLinear(2)
    with pytest.raises(ValueError, match=r"^A lazy module .* call it once\. Received: LazyLinear"):
        from_autograd(module)
    module(torch.ones(1, 3))
    assert from_autograd(module).weight.shape == (2, 3)
