"""Digits and Iris, beside scikit-learn's loaders."""

from typing import Any

import numpy
import pytest
import torch
from sklearn.datasets import load_digits, load_iris

from minigrad.core import extras
from minigrad.datasets import Digits, Iris
from minigrad.errors import MissingExtraError
from tests.datasets.test_made import whole


def rows_of(x: Any, y: Any) -> list[tuple[float, ...]]:
    return sorted(zip(y.tolist(), *numpy.round(x, 4).T.tolist(), strict=True))


@pytest.mark.parametrize(("cls", "loader"), [(Digits, load_digits), (Iris, load_iris)])
@pytest.mark.parametrize("seed", [0, 5])
def test_all_of_it_is_there_once(cls: Any, loader: Any, seed: int):
    source, data = loader(), cls(seed=seed).load()
    x, y = whole(data)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    # A new row of the table would be taken so.
    back = x.double() * data.scale + data.shift
    assert rows_of(back.numpy(), y.numpy()) == rows_of(source.data, source.target)
    assert data.columns == tuple(source.feature_names)
    assert data.classes == tuple(map(str, source.target_names))
    assert len(data.test[1]) == round(0.2 * len(y))
    assert len(data.validation[1]) == round(0.1 * len(y))
    shares = data.test[1].bincount() / torch.from_numpy(numpy.bincount(source.target))
    assert ((shares - 0.2).abs() < 0.01).all()


def test_only_the_training_part_sets_the_scale():
    data = Iris().load()
    torch.testing.assert_close(data.train[0].mean(0), torch.zeros(4), rtol=0, atol=1e-6)
    torch.testing.assert_close(data.train[0].std(0, correction=0), torch.ones(4), rtol=0, atol=1e-6)
    assert data.test[0].mean(0).abs().max() > 1e-3


def test_pixels_lie_between_0_and_1():
    x, _ = whole(Digits().load())
    assert (x.min(), x.max()) == (0, 1)


@pytest.mark.parametrize("cls", [Digits, Iris])
def test_without_scikit_learn(cls: Any, monkeypatch: pytest.MonkeyPatch):
    def missing(name: str):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'minigrad-torch\[data\]'"):
        cls().load()


@pytest.mark.parametrize("cls", [Digits, Iris])
def test_misuse_is_told(cls: Any):
    with pytest.raises(ValueError, match=r"^validation must be a fraction in \[0, 1\)\. Received: validation=2$"):
        cls(validation=2)
    with pytest.raises(ValueError, match=r"^seed must be an integer .* Received: seed='0'$"):
        cls(seed="0")
