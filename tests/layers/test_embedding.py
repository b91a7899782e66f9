"""Embedding."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minigrad.errors import DtypeError
from minigrad.layers import Embedding
from tests.layers.twins import assert_twins


@pytest.mark.parametrize("options", [{}, {"padding_idx": 1}, {"padding_idx": -1}, {"scale_grad_by_freq": True}])
@pytest.mark.parametrize("shape", [(), (4,), (3, 5), (0,)])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_it_is_torchs(options: dict[str, Any], shape: tuple[int, ...], dtype: torch.dtype):
    assert_twins(Embedding(6, 3, **options), nn.Embedding(6, 3, **options), torch.randint(6, shape, dtype=dtype))


@pytest.mark.parametrize("padding_idx", [None, 0, -2])
def test_the_same_seed_draws_the_same_weights(padding_idx: int | None):
    torch.manual_seed(3)
    twin = nn.Embedding(7, 5, padding_idx)
    torch.manual_seed(3)
    ours = Embedding(7, 5, padding_idx)
    assert torch.equal(ours.weight, twin.weight)
    assert ours.padding_idx == twin.padding_idx


def test_an_index_has_no_gradient_and_rows_are_counted():
    embedding = Embedding(6, 3)
    y, cache = embedding.forward(torch.zeros(2, 4, dtype=torch.int64))
    assert embedding.backward(torch.ones_like(y), cache) is None
    assert embedding.weight.rows == 8
    assert embedding.weight.grad[0].tolist() == [8, 8, 8]


def test_config_and_repr():
    embedding = Embedding(6, 3, -1, scale_grad_by_freq=True)
    assert repr(embedding) == "Embedding(num_embeddings=6, embedding_dim=3, padding_idx=5, scale_grad_by_freq=True)"


@pytest.mark.parametrize(
    ("x", "received"),
    [
        (torch.zeros(2), r"torch\.float32"),
        (torch.tensor([True]), r"torch\.bool"),
        (torch.zeros(2, dtype=torch.uint8), r"torch\.uint8"),
        ([1, 2], "list"),
    ],
)
def test_only_indices_are_taken(x: Tensor, received: str):
    with pytest.raises(DtypeError, match=rf"^Embedding expects indices, .* int64 or int32\. Received: {received}$"):
        Embedding(6, 3).forward(x)


def test_misuse_is_told():
    for index in (6, -1):
        with pytest.raises(
            IndexError, match=r"^Embedding expects indices from 0 to num_embeddings - 1 = 5\. Received: from "
        ):
            Embedding(6, 3).forward(torch.tensor([0, index]))
    with pytest.raises(ValueError, match=r"^embedding_dim must be a whole number, .* Received: embedding_dim=0$"):
        Embedding(6, 0)
    for padding_idx in (6, -7):
        with pytest.raises(ValueError, match=rf"^padding_idx must be .*=6\. Received: padding_idx={padding_idx}$"):
            Embedding(6, 3, padding_idx)
