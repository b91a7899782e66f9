"""Flatten and Unflatten."""

import pytest
import torch
from torch import nn

from minigrad.core import Layer
from minigrad.errors import ShapeError
from minigrad.layers import Embedding, Flatten, Sequential, Unflatten
from tests.layers.twins import assert_twins


@pytest.mark.parametrize(
    ("args", "shape"), [((), (5, 2, 3)), ((), (5, 2)), ((0,), (5, 2, 3)), ((1, 2), (5, 2, 3, 4)), ((0, -2), (0, 2, 3))]
)
def test_flatten_is_torchs(args: tuple[int, ...], shape: tuple[int, ...]):
    assert_twins(Flatten(*args), nn.Flatten(*args), torch.randn(shape))


def test_flatten_takes_what_is_not_contiguous():
    assert_twins(Flatten(), nn.Flatten(), torch.randn(5, 2, 3).transpose(1, 2))


@pytest.mark.parametrize(
    ("dim", "size", "shape"),
    [(1, (2, 3), (5, 6)), (1, (2, -1), (5, 6)), (-1, (3, 2, 1), (5, 4, 6)), (0, (2, 2), (4, 3)), (1, [6], (5, 6))],
)
def test_unflatten_is_torchs(dim: int, size: tuple[int, ...], shape: tuple[int, ...]):
    assert_twins(Unflatten(dim, size), nn.Unflatten(dim, tuple(size)), torch.randn(shape))


def test_nothing_is_copied():
    x = torch.randn(5, 2, 3)
    assert Flatten()(x).data_ptr() == x.data_ptr()
    assert Unflatten(2, (3, 1))(x).data_ptr() == x.data_ptr()


@pytest.mark.parametrize("layer", [Flatten(), Unflatten(1, (2, 2))])
def test_indices_have_no_gradient(layer: Layer):
    net = Sequential(layer, Embedding(5, 3))
    y, cache = net.forward(torch.zeros(3, 4, dtype=torch.int64))
    assert net.backward(torch.ones_like(y), cache) is None
    assert net[1].weight.grad.sum() == 36
    _, cache = net.forward(torch.zeros(3, 4, dtype=torch.int64))
    net.backward_parameters(torch.ones_like(y), cache)
    assert net[1].weight.grad.sum() == 72


def test_config_and_repr():
    assert repr(Flatten()) == "Flatten()"
    assert repr(Flatten(0, 1)) == "Flatten(start_dim=0, end_dim=1)"
    assert repr(Unflatten(1, [2, 3])) == "Unflatten(dim=1, unflattened_size=(2, 3))"


@pytest.mark.parametrize(
    ("layer", "shape"), [(Flatten(), (3,)), (Flatten(2, 1), (2, 3, 4)), (Flatten(1, 3), (2, 3, 4))]
)
def test_flatten_tells_misuse(layer: Flatten, shape: tuple[int, ...]):
    rule = f"dimensions start_dim={layer.start_dim} to end_dim={layer.end_dim}"
    with pytest.raises(ShapeError, match=rf"^Flatten expects an x with {rule}\. Received: shape \(.*\)$"):
        layer.forward(torch.zeros(shape))


@pytest.mark.parametrize(
    ("layer", "whole"), [(Unflatten(1, (2, 2)), "4"), (Unflatten(2, (2, 2)), "4"), (Unflatten(1, (4, -1)), r"\?")]
)
def test_unflatten_tells_misuse(layer: Unflatten, whole: str):
    with pytest.raises(
        ShapeError, match=rf"^Unflatten expects dimension dim={layer.dim} .* size {whole}, .* Received: shape \(5, 6\)$"
    ):
        layer.forward(torch.zeros(5, 6))


@pytest.mark.parametrize(("dim", "size"), [("features", (2, 3)), (1, 6), (1, "23"), (1, (2.0, 3.0))])
def test_unflatten_takes_integers(dim: object, size: object):
    with pytest.raises(TypeError, match=r"must be (an integer|integers)\. Received: "):
        Unflatten(dim, size)
