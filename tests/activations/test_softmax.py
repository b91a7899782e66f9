"""Softmax and LogSoftmax, whose outputs depend on all inputs along a dimension."""

from typing import Any

import pytest
import torch
from torch import Tensor

from minigrad.activations import LogSoftmax, Softmax
from minigrad.errors import DtypeError, ShapeError

both = pytest.mark.parametrize(("cls", "torchs"), [(Softmax, torch.softmax), (LogSoftmax, torch.log_softmax)])


@both
@pytest.mark.parametrize(
    ("shape", "dim"), [((4, 5), -1), ((4, 5), 0), ((2, 3, 4), 1), ((2, 3, 4, 5), -3), ((5,), 0), ((), -1), ((0, 3), 1)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_passes_are_torchs_bit_for_bit(
    cls: type, torchs: Any, shape: tuple[int, ...], dim: int, dtype: torch.dtype
):
    x = 3 * torch.randn(shape, dtype=dtype)
    grad = torch.randn_like(x)
    x_of_torch = x.clone().requires_grad_()
    y_of_torch = torchs(x_of_torch, dim)
    y_of_torch.backward(grad)

    y, cache = cls(dim).forward(x)
    assert torch.equal(y, y_of_torch)
    assert torch.equal(cls(dim).backward(grad, cache), x_of_torch.grad)


@both
def test_the_formula_in_the_docstring_holds(cls: type, torchs: Any):
    x, grad = torch.randn(4, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    share = x.exp() / x.exp().sum(-1, keepdim=True)
    y, cache = cls().forward(x)
    if cls is Softmax:
        expected, expected_grad = share, share * (grad - (grad * share).sum(-1, keepdim=True))
    else:
        expected, expected_grad = share.log(), grad - share * grad.sum(-1, keepdim=True)
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(cls().backward(grad, cache), expected_grad)


@both
def test_great_scores_do_not_overflow(cls: type, torchs: Any):
    x = torch.tensor([[1e4, 0.0, -1e4], [-3e38, 0.0, 3e38]])
    y, cache = cls().forward(x)
    assert not y.isnan().any()
    assert not cls().backward(torch.ones_like(x), cache).isnan().any()


@both
def test_misuse_is_told(cls: type, torchs: Any):
    name = cls.__name__
    for dim in (None, 1.0, True):
        with pytest.raises(TypeError, match=rf"^{name} expects dim, .*, as an integer\. Received: dim={dim}$"):
            cls(dim)
    with pytest.raises(ShapeError, match=rf"^{name} expects an x with dimension dim=2\. Received: \(4, 5\)$"):
        cls(2).forward(torch.zeros(4, 5))
    bad: list[tuple[Any, str]] = [(torch.tensor([1, 2]), r"torch\.int64"), ([1.0], "list")]
    for x, received in bad:
        with pytest.raises(DtypeError, match=rf"^{name} expects a floating-point tensor\. Received: {received}$"):
            cls().forward(x)


@both
def test_the_default_is_the_last_dimension(cls: type, torchs: Any):
    x: Tensor = torch.randn(2, 3, 4)
    assert torch.equal(cls()(x), torchs(x, -1))
    assert repr(cls()) == f"{cls.__name__}()"
    assert repr(cls(1)) == f"{cls.__name__}(dim=1)"
