"""Every activation against torch and against the plain formula."""

import copy
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from minigrad_zoo import (
    CELU,
    GLU,
    Hardshrink,
    Hardsigmoid,
    Hardtanh,
    ReLU6,
    RReLU,
    Softmax2d,
    Softmin,
    Softshrink,
    Softsign,
    Tanhshrink,
    Threshold,
)
from torch import Tensor, nn

import minigrad


class Row(NamedTuple):
    ours: minigrad.Layer
    torchs: nn.Module
    f: Callable[[Tensor], Tensor]
    df: Callable[[Tensor], Tensor]


def one_where(condition: Tensor) -> Tensor:
    return condition.double()


ELEMENTWISE = {
    "celu": Row(
        CELU(),
        nn.CELU(),
        lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
        lambda x: torch.where(x > 0, 1.0, torch.exp(x)),
    ),
    "celu flat": Row(
        CELU(0.3),
        nn.CELU(0.3),
        lambda x: torch.where(x > 0, x, 0.3 * (torch.exp(x / 0.3) - 1)),
        lambda x: torch.where(x > 0, 1.0, torch.exp(x / 0.3)),
    ),
    "celu downwards": Row(
        CELU(-2.0),
        nn.CELU(-2.0),
        lambda x: torch.where(x > 0, x, -2 * (torch.exp(-x / 2) - 1)),
        lambda x: torch.where(x > 0, 1.0, torch.exp(-x / 2)),
    ),
    "hardshrink": Row(Hardshrink(), nn.Hardshrink(), lambda x: x * (x.abs() > 0.5), lambda x: one_where(x.abs() > 0.5)),
    "hardshrink wide": Row(
        Hardshrink(1.5), nn.Hardshrink(1.5), lambda x: x * (x.abs() > 1.5), lambda x: one_where(x.abs() > 1.5)
    ),
    "hardshrink nothing": Row(Hardshrink(0.0), nn.Hardshrink(0.0), lambda x: x * (x != 0), lambda x: one_where(x != 0)),
    "softshrink": Row(
        Softshrink(),
        nn.Softshrink(),
        lambda x: x.sign() * (x.abs() - 0.5).clamp(min=0),
        lambda x: one_where(x.abs() > 0.5),
    ),
    "softshrink wide": Row(
        Softshrink(1.5),
        nn.Softshrink(1.5),
        lambda x: x.sign() * (x.abs() - 1.5).clamp(min=0),
        lambda x: one_where(x.abs() > 1.5),
    ),
    "hardsigmoid": Row(
        Hardsigmoid(),
        nn.Hardsigmoid(),
        lambda x: (x / 6 + 0.5).clamp(0, 1),
        lambda x: one_where(x.abs() < 3) / 6,
    ),
    "hardtanh": Row(Hardtanh(), nn.Hardtanh(), lambda x: x.clamp(-1, 1), lambda x: one_where(x.abs() < 1)),
    "hardtanh lopsided": Row(
        Hardtanh(-0.5, 3.0),
        nn.Hardtanh(-0.5, 3.0),
        lambda x: x.clamp(-0.5, 3),
        lambda x: one_where((x > -0.5) & (x < 3)),
    ),
    "relu6": Row(ReLU6(), nn.ReLU6(), lambda x: x.clamp(0, 6), lambda x: one_where((x > 0) & (x < 6))),
    "softsign": Row(Softsign(), nn.Softsign(), lambda x: x / (1 + x.abs()), lambda x: (1 + x.abs()) ** -2),
    "tanhshrink": Row(Tanhshrink(), nn.Tanhshrink(), lambda x: x - torch.tanh(x), lambda x: torch.tanh(x) ** 2),
    "threshold": Row(
        Threshold(0.5, -3.0),
        nn.Threshold(0.5, -3.0),
        lambda x: torch.where(x > 0.5, x, -3.0),
        lambda x: one_where(x > 0.5),
    ),
    "rrelu without a choice": Row(
        RReLU(0.25, 0.25),
        nn.RReLU(0.25, 0.25),
        lambda x: torch.where(x > 0, x, 0.25 * x),
        lambda x: torch.where(x > 0, 1.0, 0.25),
    ),
}
# Where the derivative jumps: the slopes on the left and on the right, and the one that is taken.
KINKS = {
    "hardshrink": [(-0.5, 1, 0, 0), (0.5, 0, 1, 0)],
    "hardshrink wide": [(-1.5, 1, 0, 0), (1.5, 0, 1, 0)],
    "softshrink": [(-0.5, 1, 0, 0), (0.5, 0, 1, 0)],
    "softshrink wide": [(-1.5, 1, 0, 0), (1.5, 0, 1, 0)],
    "hardsigmoid": [(-3.0, 0, 1 / 6, 0), (3.0, 1 / 6, 0, 0)],
    "hardtanh": [(-1.0, 0, 1, 0), (1.0, 1, 0, 0)],
    "hardtanh lopsided": [(-0.5, 0, 1, 0), (3.0, 1, 0, 0)],
    "relu6": [(0.0, 0, 1, 0), (6.0, 1, 0, 0)],
    "threshold": [(0.5, 0, 1, 0)],
    "rrelu without a choice": [(0.0, 0.25, 1, 0.25)],
}
# Torch's autograd goes another way round to the same derivative; or knows 1/6 and 1/alpha to float32 only.
ROUNDED = {"softsign": 1e-15, "tanhshrink": 1e-15, "hardsigmoid": 1e-7, "celu flat": 2e-7}
rows = pytest.mark.parametrize("name", ELEMENTWISE)


def inputs(dtype: torch.dtype) -> Tensor:
    special = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 3.0, -3.0, 6.0, 1e-30, -1e-30]
    return torch.cat([torch.linspace(-7, 7, 997, dtype=dtype), torch.tensor(special, dtype=dtype)])


def both_passes_of_torch(module: nn.Module, x: Tensor, grad: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    x = x.clone().requires_grad_()
    y = module(x)
    grad = torch.randn_like(y) if grad is None else grad
    y.backward(grad)
    return y.detach(), grad, x.grad


def predicted_by(module: nn.Module, x: Tensor) -> Tensor:
    return copy.deepcopy(module).eval()(x)


@rows
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_passes_are_torchs(name: str, dtype: torch.dtype):
    ours, module, *_ = ELEMENTWISE[name]
    x = inputs(dtype)
    y_of_torch, grad, grad_of_torch = both_passes_of_torch(module, x)
    y, cache = ours.forward(x)
    assert torch.equal(y, y_of_torch)
    assert torch.equal(ours(x), predicted_by(module, x))
    if name not in ROUNDED:
        assert torch.equal(ours.backward(grad, cache), grad_of_torch)
    atol = max(ROUNDED.get(name, 0), 4 * torch.finfo(dtype).eps)
    torch.testing.assert_close(ours.backward(grad, cache), grad_of_torch, rtol=0, atol=atol)


@rows
def test_the_formula_in_the_docstring_holds(name: str):
    row = ELEMENTWISE[name]
    x = inputs(torch.float64)
    grad = torch.randn_like(x)
    y, cache = row.ours.forward(x)
    torch.testing.assert_close(y, row.f(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(row.ours.backward(grad, cache), grad * row.df(x), rtol=1e-12, atol=1e-12)


@rows
def test_kinks_are_declared_and_decided(name: str):
    if name == "hardshrink nothing":
        return  # at 0 it has no kink, but torch's kernel takes a slope of 0 there
    activation = ELEMENTWISE[name].ours
    kinks = KINKS.get(name, [])
    assert activation.kinks == tuple(kink for kink, *_ in kinks)
    for kink, left, right, taken in kinks:
        at = torch.tensor([kink - 1e-9, kink + 1e-9, kink], dtype=torch.float64)
        _, cache = activation.forward(at)
        slopes = activation.backward(torch.ones_like(at), cache)
        assert slopes.tolist() == pytest.approx([left, right, taken])
        assert left != right


SHAPED = {
    "glu": (GLU(), nn.GLU(), (3, 4)),
    "glu first": (GLU(0), nn.GLU(0), (4, 3, 2)),
    "glu of one axis": (GLU(), nn.GLU(), (6,)),
    "glu of nothing": (GLU(), nn.GLU(), (0, 4)),
    "softmin": (Softmin(), nn.Softmin(-1), (3, 4)),
    "softmin first": (Softmin(0), nn.Softmin(0), (3, 4, 2)),
    "softmin of a scalar": (Softmin(0), nn.Softmin(0), ()),
    "softmax2d": (Softmax2d(), nn.Softmax2d(), (2, 3, 4, 5)),
    "softmax2d of one image": (Softmax2d(), nn.Softmax2d(), (3, 4, 5)),
}


@pytest.mark.parametrize("name", SHAPED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_passes_over_a_dimension_are_torchs_bit_for_bit(name: str, dtype: torch.dtype):
    ours, module, shape = SHAPED[name]
    x = 3 * torch.randn(shape, dtype=dtype)
    y_of_torch, grad, grad_of_torch = both_passes_of_torch(module, x)
    y, cache = ours.forward(x)
    assert torch.equal(y, y_of_torch)
    assert torch.equal(ours.backward(grad, cache), grad_of_torch)


def test_the_formula_of_glu_holds():
    x, grad = torch.randn(5, 6, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    a, b = x.chunk(2, -1)
    s = 1 / (1 + torch.exp(-b))
    y, cache = GLU().forward(x)
    torch.testing.assert_close(y, a * s)
    torch.testing.assert_close(GLU().backward(grad, cache), torch.cat([grad * s, grad * a * s * (1 - s)], -1))


@pytest.mark.parametrize(("layer", "sign", "dim"), [(Softmin(1), -1, 1), (Softmax2d(), 1, 1)])
def test_the_formula_of_softmin_and_softmax2d_holds(layer: minigrad.Layer, sign: int, dim: int):
    x, grad = torch.randn(2, 3, 4, 5, dtype=torch.float64), torch.randn(2, 3, 4, 5, dtype=torch.float64)
    share = torch.exp(sign * x) / torch.exp(sign * x).sum(dim, keepdim=True)
    y, cache = layer.forward(x)
    torch.testing.assert_close(y, share)
    expected = sign * share * (grad - (grad * share).sum(dim, keepdim=True))
    torch.testing.assert_close(layer.backward(grad, cache), expected)


def test_softmin_of_a_huge_score_is_finite():
    y, cache = Softmin().forward(torch.tensor([[-1e4, 0.0, 1e4]]))
    assert y.tolist() == [[1.0, 0.0, 0.0]]
    assert Softmin().backward(torch.ones(1, 3), cache).tolist() == [[0.0, 0.0, 0.0]]


RANDOM = [(RReLU(), nn.RReLU()), (RReLU(0.0, 1.0), nn.RReLU(0.0, 1.0)), (RReLU(-0.5, 0.1), nn.RReLU(-0.5, 0.1))]


@pytest.mark.parametrize(("ours", "module"), RANDOM)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_rrelu_draws_torchs_random_numbers(ours: RReLU, module: nn.Module, dtype: torch.dtype):
    x = torch.randn(7, 9, dtype=dtype)
    torch.manual_seed(3)
    y_of_torch, grad, grad_of_torch = both_passes_of_torch(module, x, torch.ones_like(x))
    state = torch.get_rng_state()
    torch.manual_seed(3)
    y, cache = ours.forward(x)
    assert torch.equal(y, y_of_torch)
    assert torch.equal(ours.backward(grad, cache), grad_of_torch)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(ours(x), predicted_by(module, x))


def test_slopes_of_rrelu_lie_between_the_bounds_and_differ():
    x = -torch.ones(1000)
    y, cache = RReLU(0.2, 0.6).forward(x)
    assert torch.equal(y, -cache)
    assert 0.2 <= cache.min() < 0.22
    assert 0.58 < cache.max() <= 0.6
    other, _ = RReLU(0.2, 0.6).forward(x)
    assert not torch.equal(y, other)


def test_rrelu_in_vmap_draws_what_it_draws_alone():
    rrelu, x = RReLU(), torch.randn(4, 6)
    torch.manual_seed(5)
    together = torch.func.vmap(lambda row: rrelu.forward(row)[0], randomness="same")(x)
    for row, y in zip(x, together, strict=True):
        torch.manual_seed(5)
        assert torch.equal(rrelu.forward(row)[0], y)


def test_rrelu_of_a_transposed_tensor():
    x = torch.randn(5, 3).t()
    torch.manual_seed(1)
    y, cache = RReLU().forward(x)
    torch.manual_seed(1)
    dense, _ = RReLU().forward(x.contiguous())
    assert torch.equal(y, dense)
    torch.testing.assert_close(y, x * cache)
