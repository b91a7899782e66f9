"""The gradient check: what it accepts, what it refuses, and what it says."""

import pytest
import torch

from minigrad.activations import Sigmoid
from minigrad.core import Layer, Loss, Parameter
from minigrad.layers import Linear, Sequential
from minigrad.losses import BCE
from minigrad.testing import check_gradient, gradient
from minigrad.testing.judges import autograd_gradient, numeric_gradient

TIGHT = {"atol": 1e-7, "rtol": 1e-5}


class TwoInTwoOut(Layer):
    r"""$(a, b) \mapsto (w a b, a + b)$."""

    def __init__(self, factor=1.0):
        self.factor = factor
        self.weight = Parameter(torch.tensor([1.5, -0.5]))

    def forward(self, x):
        a, b = x
        return (self.weight * a * b, a + b), (a, b)

    def backward(self, grad_output, cache):
        (g, h), (a, b) = grad_output, cache
        self.weight.accumulate((g * a * b).sum(0), len(a))
        return g * self.weight * b + h, self.factor * (g * self.weight * a + h)


class Lookup(Layer):
    r"""$(i, x) \mapsto w_i x$, with an integer input."""

    def __init__(self):
        self.weight = Parameter(torch.tensor([1.5, -0.5, 2.0]))

    def forward(self, x):
        index, value = x
        return self.weight[index] * value, x

    def backward(self, grad_output, cache):
        index, value = cache
        self.weight.accumulate(torch.zeros_like(self.weight).index_add(0, index, grad_output * value), len(index))
        return None, grad_output * self.weight[index]


class Scaled(Layer):
    r"""$y = c x$, with a wrong $c$ in the backward."""

    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        return x * 3.0, None

    def backward(self, grad_output, cache):
        return grad_output * 3.0 * self.factor


def net():
    sigmoid = Sigmoid()
    return Sequential(Linear(3, 4), sigmoid, Linear(4, 2), sigmoid)


@pytest.mark.parametrize(
    ("component", "inputs"),
    [
        pytest.param(Sigmoid(), [torch.randn(4, 3)], id="activation"),
        pytest.param(net(), [torch.randn(5, 3)], id="net"),
        pytest.param(BCE(), [torch.rand(4, 2), torch.rand(4, 2)], id="loss"),
        pytest.param(BCE(weight=torch.rand(2)), [torch.rand(4, 2), torch.rand(4, 2)], id="weighted loss"),
        pytest.param(TwoInTwoOut(), [(torch.randn(4, 2), torch.randn(4, 2))], id="tuples"),
        pytest.param(Lookup(), [(torch.tensor([0, 2, 2]), torch.randn(3))], id="integers"),
        pytest.param(Linear(30, 20), [torch.randn(9, 30)], id="too large for a whole Jacobian"),
        pytest.param(Sigmoid(), [torch.zeros(0, 3)], id="nothing"),
    ],
)
def test_right_gradients_are_accepted(component, inputs):
    check_gradient(component, *inputs, **TIGHT)


@pytest.mark.parametrize("size", [(5, 4), (50, 40)], ids=["whole Jacobian", "random directions"])
@pytest.mark.parametrize("factor", [1 + 1e-4, -1.0, 0.0])
def test_a_wrong_gradient_is_found_by_both_judges(size, factor):
    with pytest.raises(AssertionError) as caught:
        check_gradient(Scaled(factor), torch.randn(size), **TIGHT)
    assert "by central differences" in str(caught.value)
    assert "by autograd" in str(caught.value)
    assert "In Scaled(factor=" in str(caught.value)


def test_a_wrong_part_of_a_tuple_is_named():
    with pytest.raises(AssertionError) as caught:
        check_gradient(TwoInTwoOut(factor=2.0), (torch.randn(4, 2), torch.randn(4, 2)))
    assert "The gradient of x[1] must be that of forward" in str(caught.value)
    assert "x[0]" not in str(caught.value)
    assert "off by exactly a factor of 2" in str(caught.value)


def test_a_missing_gradient_is_named():
    class Forgets(Lookup):
        def backward(self, grad_output, cache):
            return None, None

    with pytest.raises(AssertionError, match=r"(?s)x\[1\].*no gradient.*parameter weight.*no gradient"):
        check_gradient(Forgets(), (torch.tensor([0, 2]), torch.randn(2)))


def test_another_structure_is_no_gradient():
    class Flat(TwoInTwoOut):
        def backward(self, grad_output, cache):
            return super().backward(grad_output, cache)[0]

    with pytest.raises(AssertionError, match=r"x\[0\].*no gradient"):
        check_gradient(Flat(), (torch.randn(4, 2), torch.randn(4, 2)))


def test_a_loss_is_checked_under_each_reduction():
    class OnlyTheSum(Loss):
        def forward(self, prediction, target):
            error = prediction - target
            cost = (error * error).sum() if self.reduction == "sum" else error * error
            return cost.mean() if self.reduction == "mean" else cost, error

        def backward(self, cache, grad_cost=None):
            return 2 * cache if grad_cost is None else 2 * cache * grad_cost

    with pytest.raises(AssertionError) as caught:
        check_gradient(OnlyTheSum(reduction="sum"), torch.randn(4, 3), torch.randn(4, 3))
    assert "with reduction='mean'" in str(caught.value)
    assert "off by exactly a factor of 12 (the number of elements): too large" in str(caught.value)


def test_the_component_and_its_surroundings_are_left_alone():
    linear, x = Linear(3, 2), torch.randn(5, 3)
    before, x_before, random = linear.weight.clone(), x.clone(), torch.get_rng_state()
    check_gradient(linear, x)
    assert linear.weight.dtype == torch.float32
    assert linear.weight.grad is None
    assert torch.equal(linear.weight, before)
    assert torch.equal(x, x_before)
    assert x._version == x_before._version
    assert torch.equal(torch.get_rng_state(), random)


def test_the_first_try_counts(monkeypatch: pytest.MonkeyPatch):
    tries = []
    right = gradient.difference_faults
    monkeypatch.setattr(gradient, "difference_faults", lambda *a: (tries.append(1), right(*a))[1])
    with pytest.raises(AssertionError):
        check_gradient(Scaled(2.0), torch.randn(3))
    assert len(tries) == 1


def test_the_judges_agree_with_each_other():
    linear, x = Linear(3, 2).to(dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    numeric, automatic = numeric_gradient(linear, (x,)), autograd_gradient(linear, (x,))
    assert list(numeric) == list(automatic) == ["x", "parameter weight", "parameter bias"]
    for name in numeric:
        torch.testing.assert_close(numeric[name], automatic[name])


def test_autograd_says_when_it_cannot_follow():
    class Numbers(Layer):
        def forward(self, x):
            return torch.tensor(x.tolist(), dtype=x.dtype), None

        def backward(self, grad_output, cache):
            return grad_output

    assert autograd_gradient(Numbers(), (torch.randn(3, dtype=torch.float64),)) is None
    check_gradient(Numbers(), torch.randn(3))
