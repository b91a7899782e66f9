"""Bilinear and PairwiseDistance, layers of two inputs, against torch."""

import math

import pytest
import torch
from minigrad_zoo import Bilinear, PairwiseDistance
from torch import nn

import minigrad

LEADING = [(8,), (), (2, 3), (0,)]


@pytest.mark.parametrize("leading", LEADING)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bilinear_is_torchs(leading: tuple, bias: bool, dtype: torch.dtype):
    torch.manual_seed(4)
    module = nn.Bilinear(2, 3, 4, bias=bias, dtype=dtype)
    torch.manual_seed(4)
    ours = Bilinear(2, 3, 4, bias=bias, dtype=dtype)
    assert all(torch.equal(ours.state_dict()[name], value) for name, value in module.state_dict().items())
    x1 = torch.randn(*leading, 2, dtype=dtype, requires_grad=True)
    x2 = torch.randn(*leading, 3, dtype=dtype, requires_grad=True)
    y_of_torch = module(x1, x2)
    grad = torch.randn_like(y_of_torch)
    y_of_torch.backward(grad)

    y, cache = ours.forward((x1.detach(), x2.detach()))
    grads = ours.backward(grad, cache)
    assert torch.equal(y, y_of_torch)
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-12, "atol": 1e-12}
    for received, expected in [*zip(grads, (x1.grad, x2.grad), strict=True), (ours.weight.grad, module.weight.grad)]:
        torch.testing.assert_close(received, expected, **tolerance)
    assert ours.weight.rows == math.prod(leading)
    if bias:
        torch.testing.assert_close(ours.bias.grad, module.bias.grad, **tolerance)
        assert ours.bias.rows == math.prod(leading)


def test_the_formula_of_bilinear_holds():
    ours = Bilinear(2, 3, 4, dtype=torch.float64)
    x1, x2, g = (torch.randn(5, n, dtype=torch.float64) for n in (2, 3, 4))
    w = ours.weight
    y, cache = ours.forward((x1, x2))
    torch.testing.assert_close(y, torch.einsum("ni,kij,nj->nk", x1, w, x2) + ours.bias)
    grad_x1, grad_x2 = ours.backward(g, cache)
    torch.testing.assert_close(grad_x1, torch.einsum("nk,kij,nj->ni", g, w, x2))
    torch.testing.assert_close(grad_x2, torch.einsum("nk,kij,ni->nj", g, w, x1))
    torch.testing.assert_close(ours.weight.grad, torch.einsum("nk,ni,nj->kij", g, x1, x2))
    torch.testing.assert_close(ours.bias.grad, g.sum(0))


def test_config_repr_and_roles():
    ours = Bilinear(2, 3, 4, bias=False)
    assert repr(ours) == "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=False)"
    assert Bilinear(**ours.config()).bias is None
    assert [p.role for p in Bilinear(2, 3, 4).parameters()] == ["weight", "bias"]


@pytest.mark.parametrize("sizes", [(0, 3, 4), (2, -1, 4), (2, 3, 0)])
def test_sizes_are_positive(sizes: tuple):
    with pytest.raises(ValueError, match=r"^(in1|in2|out)_features must be positive\. Received: \w+=(0|-1)$"):
        Bilinear(*sizes)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (
            (torch.zeros(4, 3), torch.zeros(4, 2)),
            minigrad.ShapeError,
            r"Bilinear expects x1 \(\*, in1_features=2\) and",
        ),
        ((torch.zeros(4, 2), torch.zeros(5, 3)), minigrad.ShapeError, r".*alike in \*\. Received: x1 \(4, 2\), x2 \(5"),
        ((torch.zeros(()), torch.zeros(3)), minigrad.ShapeError, r".*Received: x1 \(\), x2 \(3,\)$"),
        (torch.zeros(4, 2), minigrad.DtypeError, r"Bilinear expects a tuple \(x1, x2\)\. Received: Tensor$"),
        ((torch.zeros(4, 2),), minigrad.DtypeError, r"Bilinear expects a tuple \(x1, x2\)\. Received: tuple of 1$"),
        (
            (torch.zeros(4, 2).double(), torch.zeros(4, 3).double()),
            minigrad.DtypeError,
            r"Bilinear expects torch\.float32, as its weight is\. Received: x1 torch\.float64, x2 torch\.float64$",
        ),
        ((torch.zeros(4, 2).long(), torch.zeros(4, 3)), minigrad.DtypeError, r"Bilinear expects a floating-point"),
    ],
)
def test_misuse_of_bilinear_is_told(x: object, error: type, message: str):
    with pytest.raises(error, match=f"^{message}"):
        Bilinear(2, 3, 4).forward(x)


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("eps", [1e-6, 0.1])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("shape", [(5, 4), (4,), (2, 3, 4), (0, 4)])
def test_pairwise_distance_is_torchs(p: float, eps: float, keepdim: bool, shape: tuple):
    x1, x2 = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for _ in range(2))
    y_of_torch = nn.PairwiseDistance(p, eps, keepdim)(x1, x2)
    grad = torch.randn_like(y_of_torch)
    y_of_torch.backward(grad)
    ours = PairwiseDistance(p, eps, keepdim)
    y, cache = ours.forward((x1.detach(), x2.detach()))
    assert torch.equal(y, y_of_torch)
    for received, expected in zip(ours.backward(grad, cache), (x1.grad, x2.grad), strict=True):
        torch.testing.assert_close(received, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0, math.inf])
def test_where_both_are_equal_the_gradient_is_zero(p: float):
    x = torch.randn(3, 4)
    distance = PairwiseDistance(p, eps=0.0)
    y, cache = distance.forward((x, x.clone()))
    assert y.tolist() == [0, 0, 0]
    assert not any(grad.any() for grad in distance.backward(torch.ones(3), cache))


def test_of_several_greatest_differences_each_has_its_share():
    distance = PairwiseDistance(math.inf, eps=0.0)
    _, cache = distance.forward((torch.tensor([2.0, -2.0, 1.0]), torch.zeros(3)))
    grad, _ = distance.backward(torch.tensor(1.0), cache)
    assert grad.tolist() == [0.5, -0.5, 0.0]


def test_misuse_of_pairwise_distance_is_told():
    for p in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=rf"^p must be positive\. Received: p={p}$"):
            PairwiseDistance(p)
    with pytest.raises(
        minigrad.ShapeError, match=r"^PairwiseDistance expects x1 and x2 of one shape\. Received: x1 \("
    ):
        PairwiseDistance().forward((torch.zeros(2, 3), torch.zeros(3)))
    with pytest.raises(minigrad.ShapeError, match=r"^PairwiseDistance expects x1 and x2 \(\*, D\)\. Received: shape"):
        PairwiseDistance().forward((torch.tensor(1.0), torch.tensor(2.0)))
