"""SelfAttention."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minigrad.errors import DtypeError, ShapeError
from minigrad.layers import SelfAttention


class Twin(nn.Module):
    """torch's attention, as self-attention."""

    def __init__(self, *arguments: Any, causal: bool = False, **options: Any):
        super().__init__()
        self.attention = nn.MultiheadAttention(*arguments, batch_first=True, **options)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        places = x.shape[-2]
        hidden = torch.ones(places, places, dtype=torch.bool).triu(1) if self.causal else None
        return self.attention(x, x, x, need_weights=False, attn_mask=hidden)[0]


def twins(dtype: torch.dtype, **options: Any) -> tuple[SelfAttention, Twin]:
    """Both, with the same parameters, none of which is zero."""
    ours = SelfAttention(12, 3, dtype=dtype, **options)
    for parameter in ours.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    twin = Twin(12, 3, dtype=dtype, **options)
    twin.attention.load_state_dict(ours.state_dict())
    return ours, twin


@pytest.mark.parametrize("options", [{}, {"causal": True}, {"bias": False}, {"bias": False, "causal": True}], ids=str)
@pytest.mark.parametrize("shape", [(4, 7, 12), (1, 1, 12), (7, 12), (64, 32, 12)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
def test_it_is_torchs(options: Any, shape: tuple[int, ...], dtype: torch.dtype, tolerance: float):
    ours, twin = twins(dtype, **options)
    x = torch.randn(shape, dtype=dtype)
    x_of_torch = x.clone().requires_grad_()
    y_of_torch = twin(x_of_torch)
    grad = torch.randn_like(y_of_torch)
    y_of_torch.backward(grad)
    y, cache = ours.forward(x)
    # A sum over n rows is as exact as its largest partial sum.
    wide = tolerance * math.sqrt(x.numel() / 12)
    torch.testing.assert_close(y, y_of_torch.detach(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(ours.backward(grad, cache), x_of_torch.grad, rtol=tolerance, atol=tolerance)
    expected = dict(twin.attention.named_parameters())
    assert list(ours.state_dict()) == list(expected)
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad, rtol=wide, atol=wide)
        assert parameter.rows == x.numel() // 12


@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_draws_the_same_weights(bias: bool):
    torch.manual_seed(5)
    twin = nn.MultiheadAttention(12, 3, bias=bias)
    torch.manual_seed(5)
    ours = SelfAttention(12, 3, bias=bias)
    expected = twin.state_dict()
    assert {name: value.tolist() for name, value in ours.state_dict().items()} == {
        name: value.tolist() for name, value in expected.items()
    }
    assert torch.equal(torch.rand(1), (torch.manual_seed(5), SelfAttention(12, 3, bias=bias), torch.rand(1))[2])
    torch.manual_seed(5)
    ours.reset_parameters()
    assert torch.equal(ours.in_proj_weight, twin.in_proj_weight)
    assert torch.equal(ours.out_proj.weight, twin.out_proj.weight)


def test_dropout_drops_what_torchs_drops():
    ours, twin = twins(torch.float64, dropout=0.4)
    x = torch.randn(4, 7, 12, dtype=torch.float64)
    torch.manual_seed(1)
    x_of_torch = x.clone().requires_grad_()
    expected = twin(x_of_torch)
    expected.sum().backward()
    torch.manual_seed(1)
    y, cache = ours.forward(x)
    torch.testing.assert_close(y, expected.detach(), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(ours.backward(torch.ones_like(y), cache), x_of_torch.grad, rtol=1e-12, atol=1e-12)
    twin.eval()
    torch.testing.assert_close(ours(x), twin(x).detach(), rtol=1e-13, atol=1e-13)


def test_the_formulas_in_the_docstring_hold():
    attention = SelfAttention(4, 1, dtype=torch.float64)
    x, grad = torch.randn(2, 5, 4, dtype=torch.float64), torch.randn(2, 5, 4, dtype=torch.float64)
    q, k, v = (x @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, -1)
    p = torch.softmax(q @ k.mT / 2, -1)
    grad_o = grad @ attention.out_proj.weight
    grad_p = grad_o @ v.mT
    grad_s = p * (grad_p - (p * grad_p).sum(-1, keepdim=True))
    joined = torch.cat([grad_s @ k / 2, grad_s.mT @ q / 2, p.mT @ grad_o], -1)
    y, cache = attention.forward(x)
    torch.testing.assert_close(y, p @ v @ attention.out_proj.weight.T + attention.out_proj.bias)
    torch.testing.assert_close(attention.backward(grad, cache), joined @ attention.in_proj_weight)
    torch.testing.assert_close(attention.in_proj_bias.grad, joined.sum((0, 1)))


def test_a_causal_layer_sees_nothing_of_what_comes_later():
    attention = SelfAttention(8, 2, causal=True)
    x = torch.randn(3, 6, 8)
    later = x.clone()
    later[:, 4:] = torch.randn(3, 2, 8)
    y, cache = attention.forward(x)
    assert torch.equal(y[:, :4], attention(later)[:, :4])
    assert not torch.equal(y[:, 4:], attention(later)[:, 4:])
    early = torch.zeros_like(y)
    early[:, :4] = 1
    assert not attention.backward(early, cache)[:, 4:].any()


def test_the_parameters_alone():
    attention = SelfAttention(8, 2)
    x = torch.randn(3, 6, 8)
    y, cache = attention.forward(x)
    attention.backward(torch.ones_like(y), cache)
    full = [parameter.grad for parameter in attention.parameters()]
    attention.zero_grad()
    assert attention.backward_parameters(torch.ones_like(y), cache) is None
    assert all(map(torch.equal, full, [parameter.grad for parameter in attention.parameters()]))
    assert [parameter.role for parameter in attention.parameters()] == ["weight", "bias"] * 2


def test_a_sequence_of_nothing():
    attention = SelfAttention(8, 2, causal=True)
    y, cache = attention.forward(torch.zeros(3, 0, 8))
    assert attention.backward(y, cache).shape == (3, 0, 8)
    assert not attention.in_proj_weight.grad.any()


def test_config_and_repr():
    assert repr(SelfAttention(8, 2, causal=True)) == "SelfAttention(embed_dim=8, num_heads=2, causal=True)"
    assert SelfAttention(8, 2, bias=False).config() == {
        "embed_dim": 8,
        "num_heads": 2,
        "dropout": 0.0,
        "bias": False,
        "causal": False,
    }


def test_misuse_is_told():
    for arguments, fault in [
        ((0, 1), r"embed_dim must be a whole number, at least 1\. Received: embed_dim=0"),
        ((4, 0), r"num_heads must be a whole number, at least 1\. Received: num_heads=0"),
        ((4, 3), r"num_heads must divide embed_dim=4\. Received: num_heads=3"),
        ((4, 2, 1.5), r"dropout must be in \[0, 1\]\. Received: dropout=1\.5"),
        ((4, 2, math.nan), r"dropout must be in \[0, 1\]\. Received: dropout=nan"),
    ]:
        with pytest.raises(ValueError, match=f"^{fault}$"):
            SelfAttention(*arguments)
    attention = SelfAttention(4, 2)
    for shape in [(2, 5, 3), (4,), ()]:
        with pytest.raises(ShapeError, match=r"^SelfAttention expects \(\.\.\., L, embed_dim=4\)\. Received: shape \("):
            attention.forward(torch.zeros(shape))
    with pytest.raises(DtypeError, match=r"^SelfAttention expects torch\.float32, .* Received: torch\.float64$"):
        attention.forward(torch.zeros(2, 5, 4, dtype=torch.float64))
    with pytest.raises(DtypeError, match=r"^SelfAttention expects a tensor\. Received: list$"):
        attention.forward([1.0])
