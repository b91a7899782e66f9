"""XOR, Moons and Spirals: made by their formulas."""

import math
from typing import Any

import pytest
import torch
from sklearn.datasets import make_moons

from minigrad.core import Data, Dataset
from minigrad.datasets import XOR, Moons, Spirals
from minigrad.datasets.parts import MAX_ROWS
from minigrad.registry import dataset


def whole(data: Data) -> tuple[torch.Tensor, torch.Tensor]:
    """All parts together."""
    parts = [part for part in (data.train, data.validation, data.test) if part is not None]
    return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])


def test_xor():
    data = dataset("xor")().load()
    assert repr(XOR()) == "XOR()"
    x, y = data.train
    assert (x.dtype, y.dtype, x.shape, y.shape) == (torch.float32, torch.float32, (4, 2), (4, 1))
    assert [(int(a) ^ int(b), int(c)) for (a, b), (c,) in zip(x.tolist(), y.tolist(), strict=True)] == [
        (0, 0),
        (1, 1),
        (1, 1),
        (0, 0),
    ]
    assert data.validation is data.test is None
    assert data.classes == ()


@pytest.mark.parametrize("n", [2, 21, 100])
def test_moons_are_scikit_learns(n: int):
    x, y = make_moons(n, shuffle=False, noise=None)
    ours_x, ours_y = whole(Moons(n, noise=0.0, validation=0.0, test=0.0).load())
    expected = sorted(
        (label, *point) for point, label in zip(torch.tensor(x).float().tolist(), y.tolist(), strict=True)
    )
    received = sorted((label, *point) for point, label in zip(ours_x.tolist(), ours_y.tolist(), strict=True))
    torch.testing.assert_close(torch.tensor(received), torch.tensor(expected))


def test_the_arms_of_spirals_follow_the_formula():
    x, y = whole(Spirals(n=90, classes=3, noise=0.0, turns=2.0).load())
    radius = x.norm(dim=1)
    assert torch.allclose(radius.sort().values, torch.arange(1, 31).repeat_interleave(3) / 30)
    angle = 2 * math.pi * (y / 3 + 2 * radius)
    torch.testing.assert_close(x, radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1), rtol=0, atol=1e-5)


def test_an_odd_number_of_points_is_shared_out():
    data = Spirals(n=50, classes=4, validation=0.0, test=0.0).load()
    assert data.train[1].bincount().tolist() == [13, 13, 12, 12]
    assert data.classes == ("arm 0", "arm 1", "arm 2", "arm 3")


@pytest.mark.parametrize("cls", [Moons, Spirals])
def test_noise_and_seed(cls: Any):
    clean, _ = whole(cls(n=4000, noise=0.0, validation=0.0, test=0.0).load())
    noisy, _ = whole(cls(n=4000, noise=0.5, validation=0.0, test=0.0).load())
    # The same seed splits alike, so the rows correspond.
    assert abs((noisy - clean).std() - 0.5) < 0.02
    assert abs((noisy - clean).mean()) < 0.03
    other, _ = whole(cls(n=4000, noise=0.5, seed=1, validation=0.0, test=0.0).load())
    assert not torch.equal(noisy, other)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Moons(n=1), r"n must be an integer from 2 to 10000000\. Received: n=1"),
        (lambda: Moons(n=MAX_ROWS + 1), r"n must be an integer from 2 to 10000000\. Received: n=10000001"),
        (lambda: Moons(n=10.0), r"n must be an integer from 2 to 10000000\. Received: n=10\.0"),
        (lambda: Moons(n=True), r"n must be an integer .* Received: n=True"),
        (lambda: Moons(noise=-0.1), r"noise must be a finite number, not negative\. Received: noise=-0\.1"),
        (lambda: Moons(noise=math.nan), r"noise must be .* Received: noise=nan"),
        (lambda: Moons(noise=math.inf), r"noise must be .* Received: noise=inf"),
        (lambda: Moons(noise="0"), r"noise must be .* Received: noise='0'"),
        (lambda: Moons(seed=-1), r"seed must be an integer from 0 to 9223372036854775807\. Received: seed=-1"),
        (lambda: Moons(seed=2**63), r"seed must be an integer .* Received: seed=9223372036854775808"),
        (lambda: Moons(validation=1.0), r"validation must be a fraction in \[0, 1\)\. Received: validation=1\.0"),
        (lambda: Moons(test=-0.1), r"test must be a fraction in \[0, 1\)\. Received: test=-0\.1"),
        (lambda: Moons(test=math.nan), r"test must be a fraction .* Received: test=nan"),
        (lambda: Moons(validation=0.5, test=0.6), r"validation and test must leave .* validation=0\.5, test=0\.6"),
        (lambda: Moons(n=4, test=0), r"validation=0\.1 of 4 rows must be one at least\. Received: none"),
        (lambda: Moons(n=2, validation=0.49, test=0.49), r"validation=0\.49 .* must leave one to learn from\. Rec.*"),
        (lambda: Spirals(classes=1), r"classes must be an integer from 2 to 100\. Received: classes=1"),
        (lambda: Spirals(n=5, classes=6), r"n must be an integer from 6 to 10000000\. Received: n=5"),
        (lambda: Spirals(turns=-1), r"turns must be a finite number, not negative\. Received: turns=-1"),
    ],
)
def test_misuse_is_told(made: Any, message: str):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        made()


@pytest.mark.parametrize("made", [XOR(), Moons(noise=0.2), Spirals(classes=5, seed=2)], ids=repr)
def test_config_makes_it_again(made: Dataset):
    assert repr(type(made)(**made.config())) == repr(made)
