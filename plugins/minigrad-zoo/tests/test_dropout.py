"""The family of Dropout, against torch's random numbers."""

import pytest
import torch
from minigrad_zoo import AlphaDropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from torch import nn

import minigrad

ROWS = [
    (Dropout1d, nn.Dropout1d, (4, 5, 3)),
    (Dropout1d, nn.Dropout1d, (5, 3)),
    (Dropout2d, nn.Dropout2d, (4, 5, 3, 2)),
    (Dropout3d, nn.Dropout3d, (4, 5, 3, 2, 2)),
    (Dropout3d, nn.Dropout3d, (5, 3, 2, 2)),
    (AlphaDropout, nn.AlphaDropout, (4, 5)),
    (AlphaDropout, nn.AlphaDropout, ()),
    (FeatureAlphaDropout, nn.FeatureAlphaDropout, (4, 5)),
    (FeatureAlphaDropout, nn.FeatureAlphaDropout, (4, 5, 3, 2)),
]
rows = pytest.mark.parametrize(
    ("cls", "torch_cls", "shape"), ROWS, ids=[f"{cls.__name__}-{len(shape)}" for cls, _, shape in ROWS]
)


@rows
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_passes_are_torchs_bit_for_bit(cls: type, torch_cls: type, shape: tuple, p: float, dtype: torch.dtype):
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    grad = torch.randn(shape, dtype=dtype)
    torch.manual_seed(2)
    y_of_torch = torch_cls(p)(x)
    y_of_torch.backward(grad)
    state = torch.get_rng_state()

    torch.manual_seed(2)
    y, cache = cls(p).forward(x.detach())
    assert torch.equal(y, y_of_torch)
    assert torch.equal(cls(p).backward(grad, cache), x.grad)
    assert torch.equal(torch.get_rng_state(), state)


@rows
def test_predicting_leaves_everything_alone(cls: type, torch_cls: type, shape: tuple):
    x = torch.randn(shape)
    assert cls()(x) is x


@pytest.mark.parametrize(("cls", "shape"), [(Dropout1d, (50, 40, 3)), (Dropout2d, (50, 40, 3, 2))])
def test_a_channel_is_dropped_whole_and_the_mean_stays(cls: type, shape: tuple):
    x = torch.ones(shape)
    y, _ = cls(0.25).forward(x)
    channels = y.flatten(2)
    assert (channels == channels[:, :, :1]).all()
    assert channels.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert y.mean().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(p: float):
    y, _ = AlphaDropout(p).forward(torch.randn(400_000, dtype=torch.float64))
    assert y.mean().item() == pytest.approx(0, abs=0.01)
    assert y.var().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_the_formula_of_alpha_dropout_holds(p: float):
    x = torch.randn(50, dtype=torch.float64)
    y, cache = AlphaDropout(p).forward(x)
    a, alpha = ((1 - p) * (1 + p * 1.7580993408473766**2)) ** -0.5, 1.7580993408473766
    m = (cache != 0).double()
    torch.testing.assert_close(cache, a * m)
    torch.testing.assert_close(y, a * (m * x - (1 - m) * alpha) + a * alpha * p)


@pytest.mark.parametrize("cls", [Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout])
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_probability_is_between_0_and_1(cls: type, p: float):
    with pytest.raises(ValueError, match=rf"^p must be in \[0, 1\]\. Received: p={p}$"):
        cls(p)


@pytest.mark.parametrize(
    ("cls", "shape", "expected"),
    [
        (Dropout1d, (3,), r"\(N, C, L\) or \(C, L\)"),
        (Dropout1d, (2, 3, 4, 5), r"\(N, C, L\) or \(C, L\)"),
        (Dropout2d, (3, 4, 5), r"\(N, C, H, W\)"),
        (Dropout3d, (3, 4, 5), r"\(N, C, D, H, W\) or \(C, D, H, W\)"),
        (FeatureAlphaDropout, (3,), r"\(N, C, \*\)"),
    ],
)
def test_a_wrong_shape_is_refused_by_both_verbs(cls: type, shape: tuple, expected: str):
    for verb in (cls().forward, cls().predict):
        with pytest.raises(minigrad.ShapeError, match=rf"^{cls.__name__} expects {expected}\. Received: shape \("):
            verb(torch.zeros(shape))


@pytest.mark.parametrize("cls", [Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout])
def test_integers_are_refused_by_both_verbs(cls: type):
    for verb in (cls().forward, cls().predict):
        with pytest.raises(minigrad.DtypeError, match=rf"^{cls.__name__} expects a floating-point tensor"):
            verb(torch.zeros(2, 3, 4, 5, dtype=torch.int64))
