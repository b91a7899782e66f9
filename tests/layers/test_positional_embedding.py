"""PositionalEmbedding."""

import pytest
import torch

from minigrad.errors import DtypeError, ShapeError
from minigrad.layers import PositionalEmbedding


@pytest.mark.parametrize("shape", [(3, 6, 4), (3, 2, 4), (6, 4), (1, 4), (2, 3, 5, 4), (0, 6, 4), (3, 0, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_autograd_agrees(shape: tuple[int, ...], dtype: torch.dtype):
    layer = PositionalEmbedding(6, 4, dtype=dtype)
    table = layer.weight.detach().clone().as_subclass(torch.Tensor).requires_grad_()
    x, grad = torch.randn(shape, dtype=dtype), torch.randn(shape, dtype=dtype)
    expected = x + table[: shape[-2]]
    expected.backward(grad)
    y, cache = layer.forward(x)
    assert torch.equal(y, expected.detach())
    assert torch.equal(layer.backward(grad, cache), grad)
    torch.testing.assert_close(layer.weight.grad, table.grad)
    assert layer.weight.rows == torch.Size(shape[:-2]).numel()


def test_the_gradient_of_the_table_is_its_own_memory():
    layer = PositionalEmbedding(6, 4)
    _, cache = layer.forward(torch.zeros(6, 4))
    grad = torch.ones(6, 4)
    layer.backward(grad, cache)
    assert layer.weight.grad.data_ptr() != grad.data_ptr()


def test_the_first_vectors_are_small_and_seeded():
    torch.manual_seed(2)
    layer = PositionalEmbedding(200, 50)
    assert 0.019 < layer.weight.std() < 0.021
    first = layer.weight.clone()
    torch.manual_seed(2)
    layer.reset_parameters()
    assert torch.equal(layer.weight, first)
    assert repr(layer) == "PositionalEmbedding(max_length=200, embed_dim=50)"


def test_misuse_is_told():
    for arguments, name in [((0, 4), "max_length"), ((4, -1), "embed_dim")]:
        with pytest.raises(ValueError, match=rf"^{name} must be a whole number, at least 1\. Received: {name}="):
            PositionalEmbedding(*arguments)
    layer = PositionalEmbedding(6, 4)
    for shape in [(2, 7, 4), (2, 6, 3), (4,), ()]:
        with pytest.raises(
            ShapeError, match=r"^PositionalEmbedding expects \(\.\.\., L, embed_dim=4\) with L up to max_length=6\. Re"
        ):
            layer.forward(torch.zeros(shape))
    with pytest.raises(DtypeError, match=r"^PositionalEmbedding expects torch\.float32, as its weight is\. Received: "):
        layer.forward(torch.zeros(2, 6, 4, dtype=torch.float64))
    for x in (torch.zeros(2, 6, 4, dtype=torch.int64), "text"):
        with pytest.raises(DtypeError, match=r"^PositionalEmbedding expects a floating-point tensor\. Received: "):
            layer.forward(x)
