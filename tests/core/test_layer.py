"""Layer: state is found, named as torch names it, saved, loaded, moved and shown."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minigrad.activations import Sigmoid
from minigrad.core import Layer, Parameter
from minigrad.errors import DtypeError, StateDictError
from minigrad.layers import Dropout, Frozen, LayerNorm, Linear, Parallel, Residual, Sequential
from minigrad.optimizers import SGD


class Zoo(Layer):
    """State of every kind."""

    def __init__(self, size: int = 2) -> None:
        self.size = size
        self.weight = Parameter(torch.ones(size))
        self.same = self.weight
        self.mean = torch.zeros(size)
        self.count = torch.zeros((), dtype=torch.int64)
        self.child = Linear(size, size)
        self.many = [Linear(size, size), "no layer", Linear(size, size)]
        self.fixed = (Sigmoid(),)
        self.named = {"a": Linear(size, 1)}

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return x * self.weight, None

    def backward(self, grad_output: Tensor, cache: None) -> Tensor:
        return grad_output * self.weight


NET = "Sequential(Linear(in_features=2, out_features=3), Sigmoid(), Linear(in_features=3, out_features=1))"


def net() -> Sequential:
    return Sequential(Linear(2, 3), Sigmoid(), Linear(3, 1))


def test_state_is_found():
    zoo = Zoo()
    assert [name for name, _ in zoo.named_children()] == ["child", "many.0", "many.2", "fixed.0", "named.a"]
    assert [name for name, _ in zoo.named_parameters()] == [
        "weight",
        *(f"{child}.{name}" for child in ("child", "many.0", "many.2", "named.a") for name in ("weight", "bias")),
    ]
    assert [name for name, _ in zoo.named_buffers()] == ["mean", "count"]
    assert [name for name, _ in zoo.named_layers()] == ["", "child", "many.0", "many.2", "fixed.0", "named.a"]


def test_names_are_torchs():
    twin = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 1)))
    ours = Sequential(Linear(2, 3), Sigmoid(), Sequential(LayerNorm(3), Linear(3, 1)))
    assert list(ours.state_dict()) == list(twin.state_dict())
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in twin.named_parameters()]
    ours.load_state_dict(twin.state_dict())
    twin.load_state_dict(ours.state_dict())
    x = torch.randn(4, 2)
    torch.testing.assert_close(ours(x), twin(x).detach())


def test_what_stands_twice_comes_once_but_in_the_state_dict():
    linear = Linear(2, 2)
    shared = Sequential(linear, Sigmoid(), linear)
    assert [name for name, _ in shared.named_parameters()] == ["0.weight", "0.bias"]
    assert [name for name, _ in shared.named_layers()] == ["", "0", "1"]
    assert len(list(shared.parameters())) == 2
    assert list(shared.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    twice = copy.deepcopy(shared)
    assert twice[0] is twice[2]
    assert pickle.loads(pickle.dumps(shared))[0].weight.role == "weight"


def test_loading_is_all_or_nothing_and_lists_every_fault():
    ours = net()
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    wrong = {
        "0.weight": torch.zeros(3, 2),
        "0.bias": torch.zeros(4),
        "2.weight": torch.zeros(1, 3),
        "3.weight": torch.zeros(5),
    }
    with pytest.raises(StateDictError) as caught:
        ours.load_state_dict(wrong)
    assert str(caught.value).splitlines() == [
        "The state dict does not fit Sequential:",
        "  0.bias: expected shape (3,). Received: (4,)",
        "  2.bias: missing, expected shape (1,)",
        "  3.weight: unexpected, of shape (5,)",
    ]
    for name, value in ours.state_dict().items():
        assert torch.equal(value, before[name])


def test_loading_loosely_takes_what_fits_in_name():
    ours = net()
    ours.load_state_dict({"0.bias": torch.ones(3), "9.bias": torch.ones(1)}, strict=False)
    assert ours[0].bias.tolist() == [1, 1, 1]
    with pytest.raises(StateDictError, match=r"0\.bias: expected shape \(3,\)\. Received: \(4,\)"):
        ours.load_state_dict({"0.bias": torch.ones(4)}, strict=False)


def test_a_state_dict_shares_storage_and_is_no_parameter():
    ours = net()
    state = ours.state_dict()
    state["0.bias"].fill_(7)
    assert ours[0].bias.tolist() == [7, 7, 7]
    assert not any(value.requires_grad for value in state.values())


def test_to_keeps_every_parameter_the_same_object():
    zoo = Zoo()
    before = list(zoo.parameters())
    optimizer = SGD(zoo.parameters(), lr=1.0)
    zoo.weight.accumulate(torch.ones(2), rows=5)
    assert zoo.to(torch.float64) is zoo
    assert all(one is other for one, other in zip(zoo.parameters(), before, strict=True))
    assert {parameter.dtype for parameter in before} == {torch.float64}
    assert zoo.mean.dtype == torch.float64
    assert zoo.count.dtype == torch.int64
    assert zoo.weight.grad.dtype == torch.float64
    assert (zoo.weight.rows, zoo.weight.role) == (5, "weight")
    optimizer.step()
    assert zoo.weight.tolist() == [0, 0]
    assert zoo.to("cpu", torch.float32).weight.dtype == torch.float32


@pytest.mark.parametrize(
    "layer",
    [
        net(),
        Linear(3, 2, bias=False),
        Residual(Sequential(Linear(3, 3), Dropout(0.1))),
        Parallel(Linear(3, 2), Sigmoid(), merge="cat", dim=0),
        Frozen(LayerNorm((3, 4), eps=0.1, bias=False)),
        Zoo(3),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_the_repr_makes_it_again(layer: Layer):
    again = eval(repr(layer))
    assert repr(again) == repr(layer)
    assert list(again.state_dict()) == list(layer.state_dict())


def test_config_reads_the_arguments_back():
    linear = Linear(3, 2, dtype=torch.float64)
    assert linear.config() == {"in_features": 3, "out_features": 2, "bias": True}
    again = Linear(**linear.config())
    assert again.config() == linear.config()
    assert Sigmoid().config() == {}


def test_an_argument_that_is_not_stored_is_told():
    class Forgetful(Sigmoid.__base__):  # type: ignore[misc]
        def __init__(self, slope: float) -> None:
            self.s = slope

        def forward(self, x: Tensor) -> tuple[Tensor, None]:
            return x, None

        def backward(self, grad_output: Tensor, cache: None) -> Tensor:
            return grad_output

    with pytest.raises(AttributeError, match=r"^Forgetful must store its constructor argument .*self\.slope"):
        Forgetful(1.0).config()


def test_a_long_repr_is_laid_out():
    assert repr(net()) == NET
    lines = repr(Sequential(net(), net())).splitlines()
    assert lines[0] == "Sequential("
    assert lines[1] == f"    {NET},"
    assert lines[-1] == ")"


def test_a_notebook_gets_a_table():
    html = Sequential({"<b>": Linear(2, 3)})._repr_html_()
    assert "<caption>Sequential, 9 parameters</caption>" in html
    assert "&lt;b&gt;" in html
    assert "<td>9</td>" in html


def test_forward_and_backward_must_be_written():
    class Half(Layer):
        def forward(self, x: Any) -> tuple[Any, Any]:
            return x, None

    with pytest.raises(TypeError, match="abstract"):
        Half()


def test_zero_grad_forgets():
    ours = net()
    y, cache = ours.forward(torch.ones(4, 2))
    ours.backward(y, cache)
    ours.zero_grad()
    assert all(parameter.grad is None for parameter in ours.parameters())


def test_predict_is_forward_unless_told_otherwise():
    class Square(Layer):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x * x, x

        def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
            return 2 * cache * grad_output

    assert Square()(torch.tensor(3.0)) == Square().predict(torch.tensor(3.0)) == 9


def test_what_is_no_state_dict_is_told():
    net = Sequential(Linear(1, 1))
    with pytest.raises(StateDictError, match=r"^A state dict holds tensors by name\. Received: NoneType$"):
        net.load_state_dict(None)  # type: ignore[arg-type]
    with pytest.raises(
        StateDictError, match=r"0\.bias: missing.*\n.*net: unexpected, no tensor, but of <class 'dict'>"
    ):
        net.load_state_dict({"net": net.state_dict(), "0.weight": torch.zeros(1, 1)})  # type: ignore[dict-item]
    with pytest.raises(
        StateDictError, match=r"0\.weight: expected shape \(1, 1\)\. Received: no tensor, but of .*float"
    ):
        net.load_state_dict({"0.weight": 1.0}, strict=False)  # type: ignore[dict-item]


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_only_a_floating_point_dtype_is_taken(dtype: torch.dtype):
    linear = Linear(1, 1)
    with pytest.raises(DtypeError, match=rf"^Linear\.to expects a floating-point dtype\. Received: {dtype}$"):
        linear.to(dtype)
    assert linear.weight.dtype == torch.float32
