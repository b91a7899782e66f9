"""Dropout."""

import pytest
import torch
from torch import nn

from minigrad.errors import DtypeError
from minigrad.layers import Dropout


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(64, 33), (5,), (0, 3), ()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_draws_torchs_numbers(p: float, shape: tuple[int, ...], dtype: torch.dtype):
    x = torch.randn(shape, dtype=dtype)
    grad = torch.randn_like(x)
    x_of_torch = x.clone().requires_grad_()
    torch.manual_seed(7)
    y_of_torch = nn.Dropout(p)(x_of_torch)
    after = torch.rand(3)
    y_of_torch.backward(grad)

    torch.manual_seed(7)
    y, cache = Dropout(p).forward(x)
    assert torch.equal(torch.rand(3), after)
    assert torch.equal(y, y_of_torch)
    assert torch.equal(Dropout(p).backward(grad, cache), x_of_torch.grad)


def test_the_mask_is_as_the_docstring_says():
    y, mask = Dropout(0.2).forward(torch.ones(20_000))
    assert mask.unique().tolist() == [0, 1.25]
    assert abs(y.mean().item() - 1) < 0.02
    assert abs((mask == 0).double().mean().item() - 0.2) < 0.02


def test_predict_is_the_identity():
    x = torch.randn(5)
    assert Dropout(0.9).predict(x) is x


def test_misuse_is_told():
    for p in (-0.1, 1.1, float("nan"), "a"):
        with pytest.raises(ValueError, match=rf"^p must be in \[0, 1\]\. Received: p={p!r}$"):
            Dropout(p)
    for verb in ("forward", "predict"):
        with pytest.raises(DtypeError, match=r"^Dropout expects a floating-point tensor\. Received: torch\.int64$"):
            getattr(Dropout(), verb)(torch.tensor([1]))
