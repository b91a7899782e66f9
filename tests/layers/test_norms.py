"""LayerNorm and RMSNorm."""

from typing import Any

import pytest
import torch
from torch import nn

from minigrad.errors import DtypeError, ShapeError
from minigrad.layers import LayerNorm, RMSNorm
from tests.layers.twins import assert_twins

SHAPES = [(5, (4, 5)), (5, (5,)), ((3, 5), (4, 3, 5)), ([3, 5], (2, 2, 3, 5)), (5, (0, 5)), (1, (4, 1))]


def randomize(layer: LayerNorm | RMSNorm) -> None:
    for parameter in layer.parameters():
        parameter.copy_(torch.randn_like(parameter))


@pytest.mark.parametrize(("normalized_shape", "shape"), SHAPES)
@pytest.mark.parametrize(
    "options", [{}, {"eps": 0.1}, {"elementwise_affine": False}, {"bias": False}], ids=lambda options: str(options)
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_layer_norm_is_torchs(normalized_shape: Any, shape: tuple[int, ...], options: Any, dtype: torch.dtype):
    ours = LayerNorm(normalized_shape, **options, dtype=dtype)
    randomize(ours)
    assert_twins(
        ours,
        nn.LayerNorm(normalized_shape, **options, dtype=dtype),
        torch.randn(shape, dtype=dtype),
        exact=False,
        rtol=1e-5 if dtype == torch.float32 else 1e-12,
    )


@pytest.mark.parametrize(("normalized_shape", "shape"), SHAPES)
@pytest.mark.parametrize("options", [{}, {"eps": 0.1}, {"elementwise_affine": False}], ids=lambda options: str(options))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rms_norm_is_torchs(normalized_shape: Any, shape: tuple[int, ...], options: Any, dtype: torch.dtype):
    ours = RMSNorm(normalized_shape, **options, dtype=dtype)
    randomize(ours)
    assert_twins(
        ours,
        nn.RMSNorm(normalized_shape, **options, dtype=dtype),
        torch.randn(shape, dtype=dtype),
        exact=False,
        rtol=1e-5 if dtype == torch.float32 else 1e-12,
    )


def test_the_formulas_in_the_docstrings_hold():
    x, grad = torch.randn(4, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)

    def bar(v: torch.Tensor) -> torch.Tensor:
        return v.mean(-1, keepdim=True)

    layer_norm = LayerNorm(5, dtype=torch.float64)
    randomize(layer_norm)
    r = 1 / torch.sqrt(bar((x - bar(x)) ** 2) + 1e-5)
    n = (x - bar(x)) * r
    g = grad * layer_norm.weight
    y, cache = layer_norm.forward(x)
    torch.testing.assert_close(y, n * layer_norm.weight + layer_norm.bias)
    torch.testing.assert_close(layer_norm.backward(grad, cache), r * (g - bar(g) - n * bar(g * n)))
    torch.testing.assert_close(layer_norm.weight.grad, (grad * n).sum(0))
    torch.testing.assert_close(layer_norm.bias.grad, grad.sum(0))

    rms_norm = RMSNorm(5, eps=1e-5, dtype=torch.float64)
    randomize(rms_norm)
    r = 1 / torch.sqrt(bar(x * x) + 1e-5)
    n = x * r
    g = grad * rms_norm.weight
    y, cache = rms_norm.forward(x)
    torch.testing.assert_close(y, n * rms_norm.weight)
    torch.testing.assert_close(rms_norm.backward(grad, cache), r * (g - n * bar(g * n)))
    torch.testing.assert_close(rms_norm.weight.grad, (grad * n).sum(0))


@pytest.mark.parametrize("cls", [LayerNorm, RMSNorm])
def test_parameters_roles_and_rows(cls: Any):
    norm = cls((3, 5))
    y, cache = norm.forward(torch.randn(4, 2, 3, 5))
    norm.backward(torch.ones_like(y), cache)
    assert [(parameter.role, parameter.rows) for parameter in norm.parameters()] == [("weight", 8), ("bias", 8)][
        : len(list(norm.parameters()))
    ]
    assert norm.weight.unique().tolist() == [1]
    norm.weight.zero_()
    norm.reset_parameters()
    assert norm.weight.unique().tolist() == [1]


@pytest.mark.parametrize("cls", [LayerNorm, RMSNorm])
def test_half_precision_is_kept(cls: Any):
    norm = cls(5, dtype=torch.bfloat16)
    y, cache = norm.forward(torch.randn(4, 5, dtype=torch.bfloat16))
    assert y.dtype == norm.backward(torch.ones_like(y), cache).dtype == norm.weight.grad.dtype == torch.bfloat16


def test_config_and_repr():
    assert repr(LayerNorm(5, bias=False)) == "LayerNorm(normalized_shape=(5,), bias=False)"
    assert repr(RMSNorm((3, 5), 1e-6)) == "RMSNorm(normalized_shape=(3, 5), eps=1e-06)"
    assert LayerNorm(5, elementwise_affine=False).config() == {
        "normalized_shape": (5,),
        "eps": 1e-5,
        "elementwise_affine": False,
        "bias": False,
    }


@pytest.mark.parametrize("cls", [LayerNorm, RMSNorm])
def test_misuse_is_told(cls: Any):
    name = cls.__name__
    for shape in (0, (), (3, 0)):
        with pytest.raises(ValueError, match=r"^normalized_shape must be one or several positive sizes\. Received: "):
            cls(shape)
    for shape in [(4, 3), (5, 2), ()]:
        with pytest.raises(
            ShapeError, match=rf"^{name} expects \(\.\.\., 5\), its normalized_shape\. Received: shape "
        ):
            cls(5).forward(torch.zeros(shape))
    with pytest.raises(ShapeError, match=rf"^{name} expects \(\.\.\., 3, 5\), its normalized_shape\. Received: shape "):
        cls((3, 5)).forward(torch.zeros(4, 5))
    with pytest.raises(
        DtypeError, match=rf"^{name} expects torch\.float64, as its weight is\. Received: torch\.float32$"
    ):
        cls(5, dtype=torch.float64).forward(torch.zeros(4, 5))
    with pytest.raises(DtypeError, match=rf"^{name} expects a floating-point tensor\. Received: torch\.int64$"):
        cls(5).forward(torch.zeros(4, 5, dtype=torch.int64))
