"""Every elementwise activation, against the plain formula and against torch."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.activations import (
    ELU,
    GELU,
    SELU,
    Hardswish,
    Identity,
    LeakyReLU,
    LogSigmoid,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from minigrad.core import Activation
from minigrad.errors import DtypeError

C = math.sqrt(2 / math.pi)
ALPHA, SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


class Row(NamedTuple):
    ours: Activation
    torchs: Callable[[Tensor], Tensor]
    f: Callable[[Tensor], Tensor]
    df: Callable[[Tensor], Tensor]


def sigma(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def phi(x: Tensor) -> Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def big_phi(x: Tensor) -> Tensor:
    return (1 + torch.erf(x / math.sqrt(2))) / 2


def gate(x: Tensor) -> Tensor:
    return torch.tanh(torch.log(1 + torch.exp(x)))


def bend(x: Tensor) -> Tensor:
    return torch.tanh(C * (x + 0.044715 * x**3))


def pieces(x: Tensor, below: Tensor, above: Tensor | float) -> Tensor:
    return torch.where(x > 0, above, below)


ROWS = {
    "sigmoid": Row(Sigmoid(), torch.sigmoid, sigma, lambda x: sigma(x) * (1 - sigma(x))),
    "tanh": Row(
        Tanh(),
        torch.tanh,
        lambda x: (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)),
        lambda x: 1 - torch.tanh(x) ** 2,
    ),
    "relu": Row(ReLU(), torch.relu, lambda x: (x + x.abs()) / 2, lambda x: (x > 0).to(x)),
    "leaky_relu": Row(
        LeakyReLU(), F.leaky_relu, lambda x: pieces(x, 0.01 * x, x), lambda x: pieces(x, 0.01 * torch.ones_like(x), 1.0)
    ),
    "leaky_relu zero": Row(
        LeakyReLU(0.0), lambda x: F.leaky_relu(x, 0.0), lambda x: x.clamp(min=0), lambda x: (x > 0).to(x)
    ),
    "leaky_relu downhill": Row(
        LeakyReLU(-0.5),
        lambda x: F.leaky_relu(x, -0.5),
        lambda x: pieces(x, -0.5 * x, x),
        lambda x: pieces(x, -0.5 * torch.ones_like(x), 1.0),
    ),
    "elu": Row(ELU(), F.elu, lambda x: pieces(x, torch.exp(x) - 1, x), lambda x: pieces(x, torch.exp(x), 1.0)),
    "elu alpha": Row(
        ELU(0.3),
        lambda x: F.elu(x, 0.3),
        lambda x: pieces(x, 0.3 * (torch.exp(x) - 1), x),
        lambda x: pieces(x, 0.3 * torch.exp(x), 1.0),
    ),
    "selu": Row(
        SELU(),
        torch.selu,
        lambda x: SCALE * pieces(x, ALPHA * (torch.exp(x) - 1), x),
        lambda x: SCALE * pieces(x, ALPHA * torch.exp(x), 1.0),
    ),
    "gelu": Row(GELU(), F.gelu, lambda x: x * big_phi(x), lambda x: big_phi(x) + x * phi(x)),
    "gelu tanh": Row(
        GELU("tanh"),
        lambda x: F.gelu(x, approximate="tanh"),
        lambda x: x / 2 * (1 + bend(x)),
        lambda x: (1 + bend(x)) / 2 + x / 2 * (1 - bend(x) ** 2) * C * (1 + 0.134145 * x * x),
    ),
    "silu": Row(SiLU(), F.silu, lambda x: x * sigma(x), lambda x: sigma(x) * (1 + x * (1 - sigma(x)))),
    "mish": Row(Mish(), F.mish, lambda x: x * gate(x), lambda x: gate(x) + x * (1 - gate(x) ** 2) * sigma(x)),
    "log_sigmoid": Row(LogSigmoid(), F.logsigmoid, lambda x: torch.log(sigma(x)), lambda x: sigma(-x)),
    "softplus": Row(Softplus(), F.softplus, lambda x: torch.log(1 + torch.exp(x)), sigma),
    "softplus bent": Row(
        Softplus(2.0, 3.0),
        lambda x: F.softplus(x, 2.0, 3.0),
        lambda x: torch.where(2 * x > 3, x, torch.log(1 + torch.exp(2 * x)) / 2),
        lambda x: torch.where(2 * x > 3, 1.0, sigma(2 * x)),
    ),
    "hardswish": Row(
        Hardswish(),
        F.hardswish,
        lambda x: x * (x + 3).clamp(0, 6) / 6,
        lambda x: torch.where(x <= -3, 0.0, torch.where(x < 3, x / 3 + 0.5, 1.0)),
    ),
    "identity": Row(Identity(), lambda x: x * 1, lambda x: x, torch.ones_like),
}
KINKS = {
    # At each kink: the one-sided derivatives and the one that is taken.
    "relu": [(0.0, 0.0, 1.0, 0.0)],
    "leaky_relu": [(0.0, 0.01, 1.0, 0.01)],
    "leaky_relu zero": [(0.0, 0.0, 1.0, 0.0)],
    "leaky_relu downhill": [(0.0, -0.5, 1.0, -0.5)],
    "elu alpha": [(0.0, 0.3, 1.0, 0.3)],
    "selu": [(0.0, SCALE * ALPHA, SCALE, SCALE * ALPHA)],
    "softplus": [(20.0, 1 / (1 + math.exp(-20)), 1.0, 1 / (1 + math.exp(-20)))],
    "softplus bent": [(1.5, 1 / (1 + math.exp(-3)), 1.0, 1 / (1 + math.exp(-3)))],
    "hardswish": [(-3.0, 0.0, -0.5, 0.0), (3.0, 1.5, 1.0, 1.0)],
}
rows = pytest.mark.parametrize("name", ROWS)


def inputs(dtype: torch.dtype) -> Tensor:
    special = [0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 20.0, 1.5, 1e-30, -1e-30]
    return torch.cat([torch.linspace(-6, 6, 997, dtype=dtype), torch.tensor(special, dtype=dtype)])


@rows
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_passes_are_torchs_bit_for_bit(name: str, dtype: torch.dtype):
    row = ROWS[name]
    x = inputs(dtype)
    grad = torch.randn_like(x)
    x_of_torch = x.clone().requires_grad_()
    y_of_torch = row.torchs(x_of_torch)
    y_of_torch.backward(grad)

    y, cache = row.ours.forward(x)
    assert torch.equal(y, y_of_torch)
    assert torch.equal(row.ours.backward(grad, cache), x_of_torch.grad)


@rows
def test_the_formula_in_the_docstring_holds(name: str):
    row = ROWS[name]
    x = inputs(torch.float64)
    grad = torch.randn_like(x)
    y, cache = row.ours.forward(x)
    torch.testing.assert_close(y, row.f(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(row.ours.backward(grad, cache), grad * row.df(x), rtol=1e-12, atol=1e-12)


@rows
def test_kinks_are_declared_and_decided(name: str):
    activation = ROWS[name].ours
    kinks = KINKS.get(name, [])
    assert activation.kinks == tuple(kink for kink, *_ in kinks)
    for kink, left, right, taken in kinks:
        at = torch.tensor([kink - 1e-9, kink + 1e-9, kink], dtype=torch.float64)
        _, cache = activation.forward(at)
        slopes = activation.backward(torch.ones_like(at), cache)
        torch.testing.assert_close(slopes, torch.tensor([left, right, taken], dtype=torch.float64), rtol=0, atol=1e-8)
        assert left != right


@rows
def test_far_out_everything_stays_finite(name: str):
    activation = ROWS[name].ours
    x = torch.tensor([-1e30, -1e4, 1e4, 1e30])
    y, cache = activation.forward(x)
    assert y.isfinite().all()
    assert activation.backward(torch.ones_like(x), cache).isfinite().all()


@rows
def test_arguments_are_left_alone(name: str):
    activation = ROWS[name].ours
    x, grad = torch.randn(3, 4), torch.randn(3, 4)
    x_before, grad_before = x.clone(), grad.clone()
    _, cache = activation.forward(x)
    first = activation.backward(grad, cache)
    assert torch.equal(first, activation.backward(grad, cache))
    assert torch.equal(x, x_before)
    assert torch.equal(grad, grad_before)


@pytest.mark.parametrize("name", [name for name in ROWS if name != "identity"])
@pytest.mark.parametrize(
    ("x", "received"),
    [
        (torch.tensor([1, 2]), "torch.int64"),
        (torch.tensor([True]), "torch.bool"),
        (torch.zeros(2, dtype=torch.complex64), "torch.complex64"),
        ([0.5], "list"),
        (None, "NoneType"),
    ],
)
def test_what_has_no_gradient_is_refused(name: str, x: object, received: str):
    activation = ROWS[name].ours
    with pytest.raises(
        DtypeError, match=rf"^{type(activation).__name__} expects a floating-point tensor\. Received: {received}$"
    ):
        activation.forward(x)


@rows
def test_the_repr_makes_it_again(name: str):
    activation = ROWS[name].ours
    again = eval(repr(activation))
    assert type(again) is type(activation)
    assert again.config() == activation.config()


@pytest.mark.parametrize("activation", [Sigmoid(), Tanh(), ReLU(), LeakyReLU()], ids=repr)
def test_what_is_kept_is_what_the_next_layer_keeps_anyway(activation: Activation):
    y, cache = activation.forward(torch.randn(5))
    assert cache is y


def test_a_leaky_relu_that_runs_downhill_must_keep_its_input():
    x = torch.randn(5)
    _, cache = LeakyReLU(-0.1).forward(x)
    assert cache is x


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GELU("erf"), r"^approximate must be 'none' or 'tanh'\. Received: approximate='erf'$"),
        (lambda: Softplus(0.0), r"^beta must be positive\. Received: beta=0\.0$"),
        (lambda: Softplus(float("nan")), r"^beta must be positive\. Received: beta=nan$"),
    ],
)
def test_bad_arguments_are_told(make: Callable[[], Activation], message: str):
    with pytest.raises(ValueError, match=message):
        make()
