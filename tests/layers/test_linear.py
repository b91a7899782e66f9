"""Linear."""

import re

import pytest
import torch
from torch import nn

from minigrad.errors import DtypeError, ShapeError
from minigrad.layers import Linear
from tests.layers.twins import assert_twins


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 5, 3), (0, 3), (1, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_torchs(bias: bool, shape: tuple[int, ...], dtype: torch.dtype):
    assert_twins(
        Linear(3, 2, bias, dtype=dtype),
        nn.Linear(3, 2, bias, dtype=dtype),
        torch.randn(shape, dtype=dtype),
        exact=False,
        rtol=1e-6 if dtype == torch.float32 else 1e-14,
    )


def test_the_same_seed_draws_the_same_weights():
    torch.manual_seed(3)
    twin = nn.Linear(7, 5)
    torch.manual_seed(3)
    ours = Linear(7, 5)
    assert torch.equal(ours.weight, twin.weight)
    assert torch.equal(ours.bias, twin.bias)


@pytest.mark.parametrize(("shape", "rows"), [((4, 3), 4), ((3,), 1), ((2, 5, 3), 10), ((0, 3), 0)])
def test_rows_are_counted(shape: tuple[int, ...], rows: int):
    linear = Linear(3, 2)
    y, cache = linear.forward(torch.zeros(shape))
    linear.backward(torch.zeros_like(y), cache)
    assert linear.weight.rows == linear.bias.rows == rows


def test_config_and_repr():
    assert repr(Linear(3, 2)) == "Linear(in_features=3, out_features=2)"
    assert repr(Linear(3, 2, bias=False)) == "Linear(in_features=3, out_features=2, bias=False)"
    assert Linear(3, 2, bias=False, dtype=torch.float64).config() == {
        "in_features": 3,
        "out_features": 2,
        "bias": False,
    }


def test_misuse_is_told():
    for size in (0, -1, 2.0, "2", True):
        rule = f"in_features must be a whole number, at least 1. Received: in_features={size!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(rule)}$"):
            Linear(size, 2)
        with pytest.raises(ValueError, match=r"^out_features must be a whole number"):
            Linear(2, size)
    for shape in [(4, 2), (2,), ()]:
        with pytest.raises(ShapeError, match=r"^Linear expects \(\.\.\., in_features=3\)\. Received: shape \("):
            Linear(3, 2).forward(torch.zeros(shape))
    with pytest.raises(DtypeError, match=r"^Linear expects torch\.float32, as its weight is\. Received: torch\.int64$"):
        Linear(3, 2).forward(torch.zeros(4, 3, dtype=torch.int64))
    with pytest.raises(DtypeError, match=r"^Linear expects a tensor\. Received: list$"):
        Linear(1, 1).forward([[1.0]])
