"""Residual."""

import pytest
import torch
from torch import Tensor, nn

from minigrad.activations import ReLU, Tanh
from minigrad.errors import CacheError, ShapeError
from minigrad.layers import Dropout, Linear, Residual, Sequential
from tests.layers.twins import assert_twins


class Twin(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (3,), (0, 3)])
def test_it_is_torchs(shape: tuple[int, ...]):
    ours = Residual(Sequential(Linear(3, 3), Tanh(), Linear(3, 3)))
    twin = Twin(nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3)))
    assert_twins(ours.to(torch.float64), twin.to(torch.float64), torch.randn(shape, dtype=torch.float64), exact=False)


def test_predict_is_not_learning():
    x = torch.ones(3)
    block = Residual(Dropout(1.0))
    assert block(x).tolist() == [2, 2, 2]
    assert block.forward(x)[0].tolist() == [1, 1, 1]


def test_nothing_is_changed_in_place():
    x, grad = torch.randn(4, 3), torch.randn(4, 3)
    before = x.clone(), grad.clone()
    block = Residual(ReLU())
    _, cache = block.forward(x)
    block.backward(grad, cache)
    assert torch.equal(x, before[0])
    assert torch.equal(grad, before[1])


@pytest.mark.parametrize("out", [1, 2])
@pytest.mark.parametrize("verb", ["forward", "predict"])
def test_a_body_of_another_shape_is_told(verb: str, out: int):
    # A body with one output would be stretched without a word.
    with pytest.raises(ShapeError, match=rf"^Residual expects .* \(4, 3\)\. Received: \(4, {out}\) from Linear$"):
        getattr(Residual(Linear(3, out)), verb)(torch.zeros(4, 3))


def test_errors_say_where():
    block = Residual(Sequential(Linear(2, 2)))
    for verb in ("forward", "predict"):
        with pytest.raises(ShapeError) as caught:
            getattr(block, verb)(torch.zeros(4, 3))
        assert caught.value.__notes__ == [
            "In layer 0 (linear) of Sequential.",
            "In the body (sequential) of Residual.",
        ]
    for verb in ("backward", "backward_parameters"):
        y, cache = block.forward(torch.zeros(4, 2))
        getattr(block, verb)(y, cache)
        with pytest.raises(CacheError) as spent:
            getattr(block, verb)(y, cache)
        assert spent.value.__notes__ == ["In the body (sequential) of Residual."]


def test_names_config_and_misuse():
    block = Residual(Linear(2, 2))
    assert list(block.state_dict()) == ["body.weight", "body.bias"]
    assert repr(block) == "Residual(body=Linear(in_features=2, out_features=2))"
    with pytest.raises(TypeError, match=r"^Residual expects a layer\. Received: body='relu' \(str\)$"):
        Residual("relu")
