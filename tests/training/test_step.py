"""One update from several batches, weighed rows, clipping."""

import pytest
import torch

from minigrad import Callback, Loss
from minigrad.errors import ConfigError, DataError, ShapeError
from minigrad.layers import Linear, Sequential
from minigrad.losses import BCE, MSE, NLL, BCEWithLogits, CrossEntropy
from minigrad.optimizers import SGD
from minigrad.training import evaluate, fit
from minigrad.training.step import accumulated_step, weighted_cost

torch.manual_seed(0)
X, Y = torch.randn(7, 3, dtype=torch.float64), torch.randn(7, 2, dtype=torch.float64)


def learned(update):
    """The parameters after one update."""
    torch.manual_seed(1)
    net = Linear(3, 2, dtype=torch.float64)
    cost = update(net, SGD(net.parameters(), lr=0.5))
    return [p.detach().clone() for p in net.parameters()], cost


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("cuts", [[7], [4, 3], [1, 2, 4]])
def test_several_batches_are_one_large_batch(reduction, cuts):
    loss = MSE(reduction)
    whole, cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, [(X, Y, None)]))
    parts = [(x, y, None) for x, y in zip(X.split(cuts), Y.split(cuts), strict=True)]
    ours, our_cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, parts))
    torch.testing.assert_close(ours, whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(our_cost, cost, rtol=1e-12, atol=0)


@pytest.mark.parametrize("loss", [MSE(), MSE("sum"), BCEWithLogits(), BCEWithLogits(reduction="sum")], ids=repr)
@pytest.mark.parametrize("cuts", [[7], [3, 4]])
def test_a_row_of_weight_two_is_a_row_that_stands_twice(loss, cuts):
    times = torch.tensor([1, 2, 0, 1, 3, 1, 2])
    y = (Y > 0).double()
    repeated = (X.repeat_interleave(times, 0), y.repeat_interleave(times, 0), None)
    expected, cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, [repeated]))
    weighed = list(zip(X.split(cuts), y.split(cuts), times.double().split(cuts), strict=True))
    ours, our_cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, weighed))
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(our_cost, cost, rtol=1e-12, atol=0)


TARGETS = [torch.tensor([0, 1, -100, -100, -100, 1, 0]), torch.tensor([0, 1, 1, 0, 0, 1, 1])]
LOSSES = [f(c) for f in (CrossEntropy, NLL) for c in (None, torch.tensor([1.0, 3.0], dtype=torch.float64))]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("t", TARGETS)
@pytest.mark.parametrize("cuts", [[7], [4, 3], [2, 3, 2]])  # of one batch all may be ignored
@pytest.mark.parametrize("weigh", [False, True])
def test_several_batches_are_one_where_classes_are_ignored_or_weighed(loss, t, cuts, weigh):
    weights = torch.ones(7, dtype=torch.float64).split(cuts) if weigh else [None] * len(cuts)
    parts = list(zip(X.split(cuts), t.split(cuts), weights, strict=True))
    whole, cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, [(X, t, None)]))
    ours, our_cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, parts))
    torch.testing.assert_close((ours, our_cost), (whole, cost), rtol=1e-12, atol=1e-12)
    net = Linear(3, 2, dtype=torch.float64)
    costs = [evaluate(net, loss, batches)["cost"] for batches in ([(X, t)], parts)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


class MSEOfTwo(Loss):
    """The mean squared error of two outputs, each with a target of its own."""

    def __init__(self):
        super().__init__()

    def forward(self, prediction, target):
        return MSE().forward(prediction, torch.cat(target, 1))

    def backward(self, cache, grad_cost=None):
        return MSE().backward(cache, grad_cost)


def test_several_targets_have_as_many_rows_as_each():
    def parts(cuts):
        return [(x, tuple(y.split(1, 1)), None) for x, y in zip(X.split(cuts), Y.split(cuts), strict=True)]

    whole, cost = learned(lambda net, sgd: accumulated_step(net, MSEOfTwo(), sgd, parts([7])))
    ours, our_cost = learned(lambda net, sgd: accumulated_step(net, MSEOfTwo(), sgd, parts([6, 1])))
    torch.testing.assert_close((ours, our_cost), (whole, cost), rtol=1e-12, atol=1e-12)
    net = Linear(3, 2, dtype=torch.float64)
    costs = [evaluate(net, MSEOfTwo(), [batch[:2] for batch in parts(cuts)])["cost"] for cuts in ([7], [6, 1])]
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


@pytest.mark.parametrize("cuts", [[7], [2, 3, 2], [3, 4]])
@pytest.mark.parametrize("loss", [MSE(), MSE("sum")], ids=repr)
def test_rows_that_weigh_nothing_teach_nothing(loss, cuts):
    nothing = list(zip(X.split(cuts), Y.split(cuts), torch.zeros(7, dtype=torch.float64).split(cuts), strict=True))
    before, _ = learned(lambda net, sgd: None)
    after, cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, nothing))
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    assert cost == 0
    some = (X, Y, torch.rand(7, dtype=torch.float64))
    expected, cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, [some]))
    ours, our_cost = learned(lambda net, sgd: accumulated_step(net, loss, sgd, [*nothing, some]))
    torch.testing.assert_close((ours, our_cost), (expected, cost), rtol=1e-12, atol=1e-12)


def test_classes_are_weighed_by_row():
    scores, classes = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    weight = torch.tensor([1.0, 0.0, 2.0, 1.0])
    cost, shares, cache, loss = weighted_cost(CrossEntropy(), scores, classes, weight)
    torch.testing.assert_close(cost, (weight * CrossEntropy(reduction="none")(scores, classes)).sum() / 4)
    grad = loss.backward(cache, shares)
    assert grad[1].abs().sum() == 0
    assert grad.shape == scores.shape


def test_clipping_is_torchs():
    twin = torch.nn.Linear(3, 2, dtype=torch.float64)
    torch.manual_seed(1)
    twin.reset_parameters()
    torch.nn.functional.mse_loss(twin(X), Y).backward()
    norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.01)
    torch.optim.SGD(twin.parameters(), lr=0.5).step()
    assert norm > 0.01
    ours, _ = learned(lambda net, sgd: accumulated_step(net, MSE(), sgd, [(X, Y, None)], clip=0.01))
    torch.testing.assert_close(ours, [p.detach() for p in twin.parameters()], rtol=1e-12, atol=1e-12)


class Norms(Callback):
    """Looks at the gradients before they are clipped."""

    def __init__(self):
        self.seen = []

    def on_before_update(self, run):
        self.seen.append([p.grad.norm().item() for p in run.optimizer.parameters])

    def config(self):
        return {}


def test_gradients_are_seen_whole_and_before_clipping():
    norms = Norms()
    net = Sequential(Linear(3, 2, dtype=torch.float64))
    fit(net, MSE(), SGD(net.parameters()), (X, Y), steps=2, accumulate=2, batch_size=4, clip=1e-6, callbacks=[norms],
        progress=False)  # fmt: skip
    assert len(norms.seen) == 2
    assert min(norms.seen[0]) > 1e-3


def test_misuse_of_weights_is_told():
    class Odd(BCE):  # type: ignore[misc]
        def config(self):
            return {}

    with pytest.raises(ConfigError, match="a loss that has a reduction"):
        weighted_cost(Odd(), Y, Y, torch.ones(7))
    with pytest.raises(ShapeError, match=r"one per row, \(7,\)\. Received: shape \(3,\)"):
        weighted_cost(MSE(), Y, Y, torch.ones(3))
    for weight in (-0.5, float("nan")):
        with pytest.raises(DataError, match=f"must not be negative. Received: {weight}"):
            weighted_cost(MSE(), Y, Y, torch.tensor([1.0, weight, *[1.0] * 5]))
    cost, *_ = weighted_cost(MSE("sum"), X, torch.zeros_like(X), -torch.ones(7))
    assert cost == -MSE("sum")(X, torch.zeros_like(X))
    with pytest.raises(DataError, match="rows that all weigh nothing, or are ignored"):
        evaluate(Linear(3, 2, dtype=torch.float64), MSE(), (X, Y, torch.zeros(7)))
