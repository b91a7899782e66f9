"""Transpose."""

from typing import Any

import pytest
import torch

from minigrad.errors import DtypeError, ShapeError
from minigrad.layers import Transpose
from minigrad.losses import CrossEntropy


@pytest.mark.parametrize("dims", [(1, 2), (-1, 0), (2, 2), (0, 1)])
def test_it_is_torchs(dims: tuple[int, int]):
    x = torch.randn(2, 3, 4)
    y, cache = Transpose(*dims).forward(x)
    assert torch.equal(y, x.transpose(*dims))
    assert torch.equal(Transpose(*dims).backward(y, cache), x)


def test_indices_have_no_gradient():
    layer = Transpose(0, 1)
    y, cache = layer.forward(torch.zeros(2, 3, dtype=torch.int64))
    assert y.shape == (3, 2)
    assert layer.backward(None, cache) is None


def test_scores_at_each_place_meet_cross_entropy():
    layer, loss = Transpose(1, 2), CrossEntropy()
    scores, target = torch.randn(3, 5, 7), torch.randint(7, (3, 5))
    y, cache = layer.forward(scores)
    cost, loss_cache = loss.forward(y, target)
    flat_cost, flat_cache = loss.forward(scores.flatten(0, 1), target.flatten())
    torch.testing.assert_close(cost, flat_cost)
    grad = layer.backward(loss.backward(loss_cache), cache)
    torch.testing.assert_close(grad.flatten(0, 1), loss.backward(flat_cache))


@pytest.mark.parametrize("dim", [1.0, "1", None, True])
def test_a_dimension_is_an_integer(dim: Any):
    with pytest.raises(TypeError, match=r"^dim1 must be an integer\. Received: dim1="):
        Transpose(0, dim)


def test_misuse_is_told():
    assert repr(Transpose(1, -1)) == "Transpose(dim0=1, dim1=-1)"
    with pytest.raises(ShapeError, match=r"^Transpose expects an x with dimensions dim0=1 and dim1=2\. .*\(3, 4\)$"):
        Transpose(1, 2).forward(torch.zeros(3, 4))
    with pytest.raises(DtypeError, match=r"^Transpose expects a tensor\. Received: str$"):
        Transpose(1, 2).forward("text")
