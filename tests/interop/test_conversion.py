"""Wholes: containers, sharing, freezing, wrappers, and what is refused with its place."""

import copy
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from minigrad.activations import ELU, ReLU, Sigmoid
from minigrad.core import Layer, Parameter, Wrapper
from minigrad.errors import ConversionError
from minigrad.interop import modules
from minigrad.interop.torch import as_autograd, from_autograd, from_torch, to_torch
from minigrad.layers import (
    Checked,
    Dropout,
    Frozen,
    LayerNorm,
    Linear,
    Parallel,
    Recompute,
    Residual,
    Sequential,
    Tape,
    Timed,
    Traced,
)
from minigrad.losses import BCE
from minigrad.optimizers import SGD
from minigrad.training import train_step

X = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
Y = torch.tensor([[0.0], [1], [1], [0]])


class Foo(nn.Module):
    pass


def equal_states(one: Any, other: Any) -> None:
    one, other = one.state_dict(), other.state_dict()
    assert set(one) == set(other)
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name])


def test_a_nested_sequential_keeps_structure_names_and_weights():
    blocks = OrderedDict(first=nn.Linear(2, 3), act=nn.Tanh(), last=nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()))
    module = nn.Sequential(OrderedDict(blocks))
    net = from_torch(module)
    assert [name for name, _ in net.named_children()] == ["first", "act", "last"]
    equal_states(net, module)
    assert torch.equal(net(X), module(X))
    back = to_torch(net)
    assert repr(back) == repr(module)
    equal_states(back, module)


def test_numbered_layers_need_no_dict():
    net = from_torch(nn.Sequential(nn.ReLU(), nn.ReLU()))
    assert repr(net) == "Sequential(ReLU(), ReLU())"
    assert from_torch(nn.Sequential(OrderedDict([("1", nn.ReLU())]))).names == ["1"]
    assert repr(to_torch(from_torch(nn.Sequential()))) == "Sequential()"


def test_an_object_that_stands_twice_stays_one():
    sigmoid, linear = nn.Sigmoid(), nn.Linear(2, 2)
    module = nn.Sequential(linear, sigmoid, nn.Sequential(linear, sigmoid))
    net = from_torch(module)
    assert net[0] is net[2][0]
    assert net[1] is net[2][1]
    assert len(list(net.parameters())) == 2
    back = to_torch(net)
    assert back[0] is back[2][0]
    assert back[1] is back[2][1]
    equal_states(back, module)


def test_the_xor_net_keeps_its_one_sigmoid():
    sigmoid = nn.Sigmoid()
    module = nn.Sequential(nn.Linear(2, 2), sigmoid, nn.Linear(2, 1), sigmoid)
    net = from_torch(module)
    assert net[1] is net[3]
    assert repr(to_torch(net)) == repr(module)
    assert to_torch(net)[1] is not sigmoid
    assert torch.equal(net(X), module(X))


def test_a_weight_that_stands_twice_stays_one():
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    module[1].weight = module[0].weight
    net = from_torch(module)
    assert net[0] is not net[1]
    assert net[0].weight is net[1].weight
    back = to_torch(net)
    assert back[0].weight is back[1].weight
    assert back[0].bias is not back[1].bias


def test_a_copy_is_independent_and_a_share_is_not():
    module = nn.Linear(2, 1)
    copied, shared = from_torch(module), from_torch(module, share=True)
    with torch.no_grad():
        module.weight.fill_(7)
    assert not (copied.weight == 7).any()
    assert (shared.weight == 7).all()
    shared.weight.fill_(8)
    assert (module.weight == 8).all()
    assert (to_torch(shared, share=True).weight.data_ptr()) == module.weight.data_ptr()
    assert type(shared.weight) is Parameter
    assert not shared.weight.requires_grad
    assert [p.role for p in shared.parameters()] == ["weight", "bias"]
    weight = torch.ones(1)
    assert from_torch(nn.BCELoss(weight), share=True).weight.data_ptr() == weight.data_ptr()
    assert from_torch(nn.BCELoss(weight)).weight.data_ptr() != weight.data_ptr()


def test_what_is_shared_trains_the_torch_module():
    torch.manual_seed(777)
    module = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid())
    twin = copy.deepcopy(module)
    net = from_torch(module, share=True)
    loss = from_torch(nn.BCELoss())
    optimizer, torchs = SGD(net.parameters(), lr=1.0), torch.optim.SGD(twin.parameters(), lr=1.0)
    for _ in range(20):
        train_step(net, loss, optimizer, X, Y)
        torchs.zero_grad()
        nn.functional.binary_cross_entropy(twin(X), Y).backward()
        torchs.step()
    equal_states(module, twin)


def test_frozen_is_requires_grad_false():
    net = Sequential(Frozen(Linear(2, 3)), ReLU(), Linear(3, 1))
    module = to_torch(net)
    assert [p.requires_grad for p in module.parameters()] == [False, False, True, True]
    equal_states(module, net)
    back = from_torch(module)
    assert repr(back) == repr(net)
    assert [name for name, _ in back.named_parameters()] == ["2.weight", "2.bias"]
    everything = to_torch(Frozen(net))
    assert not any(p.requires_grad for p in everything.parameters())
    frozen = [Frozen(Linear(2, 3)), ReLU(), Frozen(Linear(3, 1))]
    assert repr(from_torch(everything)) == repr(Sequential(*frozen))


def test_a_half_frozen_layer_is_refused():
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].bias.requires_grad_(False)
    with pytest.raises(ConversionError, match=r"frozen as a whole.* Received: net\[0\]\.bias with requires_grad=False"):
        from_torch(module)


def test_frozen_here_and_learning_there_is_refused():
    linear = Linear(2, 2)
    with pytest.raises(ConversionError, match=r"is frozen as net\[0\]\.weight and learns as net\[1\]\.weight"):
        to_torch(Sequential(Frozen(linear), linear))
    shared = Sequential(Frozen(linear), Frozen(linear))
    assert not any(p.requires_grad for p in to_torch(shared).parameters())


@pytest.mark.parametrize(
    "net",
    [
        Residual(Sequential(Linear(2, 3), ReLU(), Linear(3, 2))),
        Parallel(Linear(2, 3), Linear(2, 3)),
        Sequential(LayerNorm(2), Parallel(Linear(2, 3), ReLU(), merge="cat"), Residual(Linear(5, 5))),
        Parallel(Residual(ReLU()), ReLU(), merge="cat", dim=0),
    ],
    ids=str,
)
def test_containers_that_torch_lacks_go_there_and_back(net: Layer):
    module = to_torch(net)
    equal_states(module, net)
    x = torch.randn(4, 2, requires_grad=True)
    y = module(x)
    ours, cache = net.forward(x.detach())
    assert torch.equal(y, ours)
    grad = torch.randn_like(y)
    y.backward(grad)
    torch.testing.assert_close(net.backward(grad, cache), x.grad)
    back = from_torch(module)
    assert repr(back) == repr(net)
    equal_states(back, net)
    assert repr(to_torch(back)) == repr(module)
    net.zero_grad()


def test_one_branch_twice_stays_one():
    linear = Linear(2, 2)
    module = to_torch(Parallel(linear, Residual(linear)))
    assert module.branches[0] is module.branches[1].body
    back = from_torch(module)
    assert back.branches[0] is back.branches[1].body


@pytest.mark.parametrize("wrap", [Checked, Recompute, Timed, lambda layer: Traced(layer, Tape())])
def test_wrappers_that_only_watch_become_what_is_inside(wrap: Any):
    linear = Linear(2, 1)
    module = to_torch(Sequential(wrap(linear), linear))
    assert repr(module[0]) == "Linear(in_features=2, out_features=1, bias=True)"
    assert module[0] is module[1]


def test_a_plain_constructor_makes_no_other_module():
    class Net(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(nn.Linear(2, 1), nn.Tanh())

    assert repr(from_torch(Net())) == "Sequential(Linear(in_features=2, out_features=1), Tanh())"


def test_a_subclass_with_code_of_its_own_is_not_its_base():
    class Net(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return -super().forward(x)

    class Negative(nn.Linear):
        @property
        def out_features(self) -> int:
            return 0

        @out_features.setter
        def out_features(self, value: int) -> None: ...

    for module in (Net(nn.Tanh()), Negative(2, 1)):
        with pytest.raises(ConversionError, match="no converter knows it"):
            from_torch(module)


def test_an_unknown_module_is_told_with_its_place_and_the_ways_out():
    net = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sequential(OrderedDict(foo=Foo())))
    with pytest.raises(ConversionError) as caught:
        from_torch(net)
    text = str(caught.value)
    assert text.startswith(f"net[2].foo ({Foo.__module__}.Foo): no converter knows it.")
    for way in ("minigrad.from_autograd(module)", "minigrad.Converter", "minigrad_register_converters"):
        assert way in text
    with pytest.raises(ConversionError, match=r"^net \(torch\.nn\.Module\): no converter"):
        from_torch(nn.Module())


def test_an_unknown_layer_is_told_with_its_place_and_the_ways_out():
    class Square(Layer):
        def forward(self, x: Any) -> Any:
            return x * x, x

        def backward(self, grad_output: Any, cache: Any) -> Any:
            return 2 * cache * grad_output

    class Shouting(Wrapper):
        pass

    for layer in (Square(), Shouting(ReLU())):
        net = Sequential(Residual(Sequential(ReLU(), layer)))
        with pytest.raises(ConversionError) as caught:
            to_torch(net)
        text = str(caught.value)
        assert text.startswith("net[0].body[1] (")
        assert f"{type(layer).__name__}): no converter knows it." in text
        for way in ("minigrad.as_autograd(layer)", "minigrad.Converter", "minigrad_register_converters"):
            assert way in text


def test_what_torch_lacks_is_refused():
    with pytest.raises(
        ConversionError,
        match=r"^net \(minigrad\.losses\.bce\.BCE\): torch\.nn\.BCELoss has no eps.* eps=0\.0\. Received: eps=1e-07$",
    ):
        to_torch(BCE(eps=1e-7))


@pytest.mark.parametrize("thing", [3, "linear", Linear(2, 1), torch.ones(2), nn.Linear])
def test_only_modules_come_from_torch(thing: Any):
    with pytest.raises(TypeError, match=r"^from_torch expects a torch\.nn\.Module\. Received: "):
        from_torch(thing)


@pytest.mark.parametrize("thing", [3, "linear", nn.Linear(2, 1), SGD([Parameter(torch.ones(1))]), Linear])
def test_only_components_go_to_torch(thing: Any):
    with pytest.raises(TypeError, match=r"^to_torch expects a layer or loss\. Received: "):
        to_torch(thing)


def test_hooks_and_other_forwards_are_refused():
    hooked, patched = nn.Linear(2, 2), nn.Linear(2, 2)
    hooked.register_forward_hook(lambda *_: None)
    patched.forward = lambda x: x  # type: ignore[method-assign]
    for module in (hooked, patched):
        with pytest.raises(ConversionError, match=r"^net\[1\] \(torch\.nn\.Linear\): a hook, or a forward"):
            from_torch(nn.Sequential(nn.ReLU(), module))


@pytest.mark.parametrize("hook", ["register_hook", "register_post_accumulate_grad_hook"])
def test_hooks_of_parameters_are_refused(hook: str):
    module = nn.Linear(2, 2)
    getattr(module.bias, hook)(lambda _: None)
    with pytest.raises(ConversionError, match=r"^net\[1\] \(torch\.nn\.Linear\): a hook"):
        from_torch(nn.Sequential(nn.ReLU(), module))


def test_a_lazy_module_is_refused_until_it_knows_its_sizes():
    module = nn.Sequential(nn.LazyLinear(3))
    for lazy in (module, module[0]):
        with pytest.raises(ConversionError, match="call it once first"):
            from_torch(lazy)
    module(X)
    equal_states(from_torch(module), module)


def test_a_state_that_is_not_ours_is_refused():
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].register_buffer("scale", torch.ones(1))
    with pytest.raises(ConversionError, match=r"same state dict\. Received: net\[0\]\.scale only in torch$"):
        from_torch(module)
    with pytest.raises(ConversionError, match="no converter"):
        from_torch(parametrizations.weight_norm(nn.Linear(2, 2)))


def test_a_loss_stands_in_no_sequential():
    with pytest.raises(ConversionError, match=r"^net \(torch\.nn\.Sequential\): Sequential expects layers"):
        from_torch(nn.Sequential(nn.Linear(2, 2), nn.MSELoss()))


def test_the_mode_does_not_matter():
    module = nn.Sequential(nn.Dropout(0.5)).eval()
    net = from_torch(module)
    assert not torch.equal(net.forward(torch.ones(99))[0], torch.ones(99))
    assert to_torch(net).training


def test_the_bridges_to_autograd_are_taken_apart_again():
    module = nn.Sequential(nn.ReLU(), as_autograd(Sequential(Linear(2, 3), Dropout())))
    net = from_torch(module)
    assert repr(net) == "Sequential(ReLU(), Sequential(Linear(in_features=2, out_features=3), Dropout()))"
    equal_states(net, module)
    assert net[1][0].weight.data_ptr() != module[1].component[0].weight.data_ptr()
    assert from_torch(module, share=True)[1] is module[1].component

    conv = nn.Sequential(nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3))
    conv[0].bias.requires_grad_(False)
    layer = Sequential(from_autograd(conv), ELU())
    back = to_torch(layer)
    assert repr(back[0]) == repr(conv)
    assert [p.requires_grad for p in back.parameters()] == [True, False, True, True]
    equal_states(back, layer)
    assert back[0][0].weight.data_ptr() != conv[0].weight.data_ptr()
    assert to_torch(layer, share=True)[0] is conv
    weight = conv[0].weight
    to_torch(layer, share=True)
    assert conv[0].weight is weight


def test_a_converted_net_pickles_like_any_other():
    net = from_torch(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()))
    equal_states(copy.deepcopy(net), net)
    assert isinstance(net[1], Sigmoid)
    assert isinstance(to_torch(Residual(ReLU())), modules.Residual)
