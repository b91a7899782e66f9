"""Parallel."""

import pytest
import torch
from torch import Tensor, nn

from minigrad.activations import Identity, ReLU, Sigmoid, Tanh
from minigrad.core import Layer
from minigrad.errors import CacheError, ShapeError
from minigrad.layers import Dropout, Embedding, Linear, Parallel, Sequential
from tests.layers.twins import assert_twins


class Twin(nn.Module):
    def __init__(self, *branches: nn.Module, merge: str, dim: int = -1) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.merge = merge
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        outputs = [branch(x) for branch in self.branches]
        return torch.cat(outputs, self.dim) if self.merge == "cat" else sum(outputs[1:], start=outputs[0])


class Swap(Layer):
    """Takes a pair and returns their difference."""

    def forward(self, x: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        return x[0] - x[1], None

    def backward(self, grad_output: Tensor, cache: None) -> tuple[Tensor, Tensor]:
        return grad_output, -grad_output


@pytest.mark.parametrize(("merge", "dim", "outs"), [("sum", -1, (2, 2)), ("cat", -1, (2, 5)), ("cat", 0, (2, 2))])
def test_it_is_torchs(merge: str, dim: int, outs: tuple[int, int]):
    ours = Parallel(Linear(3, outs[0]), Sequential(Tanh(), Linear(3, outs[1])), merge=merge, dim=dim)
    twin = Twin(nn.Linear(3, outs[0]), nn.Sequential(nn.Tanh(), nn.Linear(3, outs[1])), merge=merge, dim=dim)
    assert_twins(ours.to(torch.float64), twin.to(torch.float64), torch.randn(4, 3, dtype=torch.float64), exact=False)


def test_one_object_may_stand_in_several_branches():
    linear = Linear(3, 2)
    both = Parallel(linear, linear)
    x = torch.randn(4, 3)
    y, cache = both.forward(x)
    grad_input = both.backward(torch.ones_like(y), cache)
    torch.testing.assert_close(y, 2 * linear(x))
    torch.testing.assert_close(grad_input, 2 * torch.ones(4, 2) @ linear.weight)
    torch.testing.assert_close(linear.bias.grad, torch.full((2,), 8.0))
    assert len(list(both.parameters())) == 2


def test_the_gradient_it_was_given_is_left_alone():
    grad = torch.randn(4, 3)
    before = grad.clone()
    both = Parallel(Identity(), Identity(), Identity())
    _, cache = both.forward(torch.zeros(4, 3))
    torch.testing.assert_close(both.backward(grad, cache), 3 * before)
    assert torch.equal(grad, before)


def test_several_inputs_travel_as_a_tuple():
    both = Parallel(Swap(), Swap())
    y, cache = both.forward((torch.tensor([3.0]), torch.tensor([1.0])))
    assert y.item() == 4
    assert both.backward(torch.ones(1), cache) == (torch.tensor([2.0]), torch.tensor([-2.0]))


def test_indices_have_no_gradient():
    both = Parallel(Embedding(3, 2), Embedding(3, 4), merge="cat")
    y, cache = both.forward(torch.tensor([0, 2]))
    assert y.shape == (2, 6)
    assert both.backward(torch.ones_like(y), cache) is None
    assert all(parameter.grad is not None for parameter in both.parameters())


@pytest.mark.parametrize("verb", ["backward", "backward_parameters"])
def test_the_cache_is_consumed(verb: str):
    both = Parallel(ReLU(), Sigmoid())
    y, cache = both.forward(torch.zeros(4, 3))
    getattr(both, verb)(y, cache)
    assert cache[0] == []
    with pytest.raises(CacheError, match=r"with 2 parts, and consumes it\. Received: 0 parts: it was used already$"):
        getattr(both, verb)(y, cache)


def test_predict_is_not_learning():
    x = torch.ones(2)
    assert Parallel(Dropout(1.0), Dropout(1.0))(x).tolist() == [2, 2]
    assert Parallel(Dropout(1.0), Dropout(1.0), merge="cat")(x).tolist() == [1, 1, 1, 1]


def test_outputs_that_do_not_fit_are_told():
    with pytest.raises(
        ShapeError, match=r"^Parallel with merge='sum' expects outputs of one shape\. Received: \(4, 2\), \(4, 1\)$"
    ):
        Parallel(Linear(3, 2), Linear(3, 1)).forward(torch.zeros(4, 3))
    with pytest.raises(ShapeError, match=r"merge='cat' .* agree but for dimension 0\. Received: \(4, 2\), \(4, 1\)$"):
        Parallel(Linear(3, 2), Linear(3, 1), merge="cat", dim=0).forward(torch.zeros(4, 3))


def test_errors_say_where():
    both = Parallel(Identity(), Linear(2, 2))
    for verb in ("forward", "predict"):
        with pytest.raises(ShapeError) as caught:
            getattr(both, verb)(torch.zeros(4, 3))
        assert caught.value.__notes__ == ["In branch 1 (linear) of Parallel."]
    for verb in ("backward", "backward_parameters"):
        _, cache = both.forward(torch.zeros(4, 2))
        with pytest.raises(RuntimeError) as failed:
            getattr(both, verb)(torch.zeros(3, 5), cache)
        assert failed.value.__notes__ == ["In branch 1 (linear) of Parallel."]


def test_names_config_and_misuse():
    both = Parallel(Linear(2, 2), ReLU(), merge="cat", dim=1)
    assert list(both.state_dict()) == ["branches.0.weight", "branches.0.bias"]
    assert repr(both) == "Parallel(Linear(in_features=2, out_features=2), ReLU(), merge='cat', dim=1)"
    with pytest.raises(ValueError, match=r"^Parallel expects at least one branch\. Received: none$"):
        Parallel()
    with pytest.raises(TypeError, match=r"^Parallel expects layers\. Received: branch 1 = 3$"):
        Parallel(ReLU(), 3)
    with pytest.raises(ValueError, match=r"^merge must be 'sum' or 'cat'\. Received: merge='mean'$"):
        Parallel(ReLU(), merge="mean")
