"""Every loss against torch, over all options: the cost, and the gradient against autograd and the plain formula."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from minigrad_zoo import (
    CosineEmbedding,
    GaussianNLL,
    HingeEmbedding,
    MarginRanking,
    MultiLabelMargin,
    MultiLabelSoftMargin,
    MultiMargin,
    PairwiseDistance,
    PoissonNLL,
    SoftMargin,
    TripletMargin,
    TripletMarginWithDistance,
)
from torch import Tensor, nn

import minigrad

REDUCTIONS = ["mean", "sum", "none"]
WEIGHT = torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=torch.float64)


class Row(NamedTuple):
    ours: type[minigrad.Loss]
    torchs: type[nn.Module]
    options: list[dict[str, Any]]
    inputs: Callable[..., tuple[Any, Any]]  # prediction and target, of a shape
    shapes: list[tuple[int, ...]]
    call: Callable[..., Tensor] = lambda module, prediction, target: module(prediction, target)


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def signs(*shape: int) -> Tensor:
    return (torch.randint(2, shape) * 2 - 1).double()


def counts(*shape: int) -> Tensor:
    return torch.randint(5, shape).double()


def labels(*shape: int) -> Tensor:
    rows = [torch.randperm(shape[-1]) for _ in range(math.prod(shape[:-1]))]
    listed = torch.stack(rows) if rows else torch.zeros(0, shape[-1], dtype=torch.int64)
    ends = torch.randint(shape[-1] + 1, (len(listed), 1))
    return listed.where(torch.arange(shape[-1]) < ends, -1).view(shape)


def grid(**options: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())]


def spread(module: nn.Module, prediction: tuple[Tensor, ...], target: Tensor | None) -> Tensor:
    return module(*prediction) if target is None else module(*prediction, target)


ROWS = {
    "PoissonNLL": Row(
        PoissonNLL,
        nn.PoissonNLLLoss,
        grid(full=[False, True]),
        lambda *shape: (normal(*shape), counts(*shape)),
        [(4, 5), (), (0, 3)],
    ),
    "PoissonNLL of rates": Row(
        PoissonNLL,
        nn.PoissonNLLLoss,
        grid(log_input=[False], full=[False, True], eps=[1e-8, 0.1]),
        lambda *shape: (normal(*shape).abs(), counts(*shape)),
        [(4, 5), ()],
    ),
    "GaussianNLL": Row(
        GaussianNLL,
        nn.GaussianNLLLoss,
        grid(full=[False, True], eps=[1e-6, 0.3]),
        lambda *shape: ((normal(*shape), normal(*shape).abs()), normal(*shape)),
        [(4, 5), (3,), (), (0, 3)],
        lambda module, prediction, target: module(prediction[0], target, prediction[1]),
    ),
    "SoftMargin": Row(
        SoftMargin, nn.SoftMarginLoss, [{}], lambda *shape: (normal(*shape), signs(*shape)), [(4, 5), (), (2, 3, 4)]
    ),
    "HingeEmbedding": Row(
        HingeEmbedding,
        nn.HingeEmbeddingLoss,
        grid(margin=[1.0, 0.3, -0.5]),
        lambda *shape: (normal(*shape), signs(*shape)),
        [(4, 5), (), (0, 2)],
    ),
    "MarginRanking": Row(
        MarginRanking,
        nn.MarginRankingLoss,
        grid(margin=[0.0, 0.5, -0.5]),
        lambda *shape: ((normal(*shape), normal(*shape)), (torch.randint(3, shape) - 1).double()),
        [(4, 5), (6,), (), (0,)],
        spread,
    ),
    "CosineEmbedding": Row(
        CosineEmbedding,
        nn.CosineEmbeddingLoss,
        grid(margin=[0.0, 0.3, -0.5]),
        lambda *shape: ((normal(*shape), normal(*shape)), signs(*shape[:-1])),
        [(6, 3), (3,), (0, 3)],
        spread,
    ),
    "MultiMargin": Row(
        MultiMargin,
        nn.MultiMarginLoss,
        grid(p=[1, 2], margin=[1.0, 0.3], weight=[None, WEIGHT]),
        lambda *shape: (normal(*shape), torch.randint(shape[-1], shape[:-1])),
        [(6, 4), (4,)],
    ),
    "MultiLabelMargin": Row(
        MultiLabelMargin,
        nn.MultiLabelMarginLoss,
        [{}],
        lambda *shape: (normal(*shape), labels(*shape)),
        [(6, 4), (4,), (3, 1)],
    ),
    "MultiLabelSoftMargin": Row(
        MultiLabelSoftMargin,
        nn.MultiLabelSoftMarginLoss,
        grid(weight=[None, WEIGHT]),
        lambda *shape: (normal(*shape), torch.rand(shape, dtype=torch.float64).round()),
        [(6, 4), (4,), (2, 3, 4), (0, 4)],
    ),
    "TripletMargin": Row(
        TripletMargin,
        nn.TripletMarginLoss,
        grid(margin=[1.0, 0.2], p=[2.0, 1.0, 3.0, math.inf], eps=[1e-6, 0.1], swap=[False, True]),
        lambda *shape: ((normal(*shape), normal(*shape), normal(*shape)), None),
        [(6, 3), (3,), (0, 3)],
        spread,
    ),
    "TripletMarginWithDistance": Row(
        TripletMarginWithDistance,
        nn.TripletMarginWithDistanceLoss,
        grid(margin=[1.0, 0.2], swap=[False, True]),
        lambda *shape: ((normal(*shape), normal(*shape), normal(*shape)), None),
        [(6, 3), (3,), (2, 3, 4)],
        spread,
    ),
}
TRIALS = [(name, options) for name, row in ROWS.items() for options in row.options]
every = pytest.mark.parametrize(("name", "options"), TRIALS, ids=[f"{name}-{options}" for name, options in TRIALS])


def cast(tree: Any, dtype: torch.dtype) -> Any:
    if isinstance(tree, tuple):
        return tuple(cast(item, dtype) for item in tree)
    if isinstance(tree, dict):
        return {key: cast(item, dtype) for key, item in tree.items()}
    return tree.to(dtype) if isinstance(tree, Tensor) and tree.is_floating_point() else tree


def leaves(tree: Any) -> list[Tensor]:
    return list(tree) if isinstance(tree, tuple) else [tree]


def judged(row: Row, module: nn.Module, prediction: Any, target: Any, grad_cost: Tensor | None) -> Any:
    """The cost by torch, and the gradients by autograd."""
    of_torch = [leaf.clone().requires_grad_() for leaf in leaves(prediction)]
    cost = row.call(module, tuple(of_torch) if isinstance(prediction, tuple) else of_torch[0], target)
    cost.backward(torch.ones_like(cost) if grad_cost is None else grad_cost)
    return cost.detach(), [leaf.grad for leaf in of_torch]


def trials(row: Row, dtype: torch.dtype) -> Iterator[tuple[str, Any, Any]]:
    for reduction, shape in itertools.product(REDUCTIONS, row.shapes):
        yield reduction, *cast(row.inputs(*shape), dtype)


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cost_and_gradient_are_torchs(name: str, options: dict[str, Any], dtype: torch.dtype):
    row, options = ROWS[name], cast(options, dtype)
    tolerance = {"rtol": 1e-12, "atol": 1e-12} if dtype == torch.float64 else {"rtol": 2e-5, "atol": 2e-6}
    for reduction, prediction, target in trials(row, dtype):
        loss, module = row.ours(**options, reduction=reduction), row.torchs(**options, reduction=reduction)
        cost, cache = loss.forward(prediction, target)
        for grad_cost in (None, torch.randn_like(cost)):
            expected, expected_grads = judged(row, module, prediction, target, grad_cost)
            torch.testing.assert_close(cost, expected, equal_nan=True, **tolerance)
            grads = loss.backward(cache, grad_cost)
            assert isinstance(grads, tuple) == isinstance(prediction, tuple)
            for received, wanted in zip(leaves(grads), expected_grads, strict=True):
                torch.testing.assert_close(received, wanted, **tolerance)
        assert torch.equal(loss(prediction, target), cost) or cost.isnan()


@every
def test_config_makes_it_again(name: str, options: dict[str, Any]):
    loss = ROWS[name].ours(**options)
    assert loss.config() == {"reduction": "mean"} | loss.config() | options
    assert repr(type(loss)(**loss.config())) == repr(loss)


@pytest.mark.parametrize("name", ROWS)
def test_the_arguments_stand_in_torchs_order_with_torchs_defaults(name: str):
    import inspect

    ours = inspect.signature(ROWS[name].ours).parameters
    torchs = inspect.signature(ROWS[name].torchs).parameters
    kept = {n: p for n, p in torchs.items() if n not in ("size_average", "reduce")}
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [(p.name, p.default, p.kind) for p in kept.values()]


@pytest.mark.parametrize("name", ROWS)
def test_a_gradient_of_the_cost_has_its_shape(name: str):
    row = ROWS[name]
    for reduction in REDUCTIONS:
        loss = row.ours(**row.options[0], reduction=reduction)
        prediction, target = row.inputs(*row.shapes[0])
        cost, cache = loss.forward(prediction, target)
        with pytest.raises(minigrad.ShapeError, match=rf"^{type(loss).__name__} expects a grad_cost of the shape of"):
            loss.backward(cache, torch.ones(*cost.shape, 7))


INTEGER_TARGETS = ["PoissonNLL", "SoftMargin", "HingeEmbedding", "MarginRanking", "CosineEmbedding"]


@pytest.mark.parametrize("name", [*INTEGER_TARGETS, "MultiLabelSoftMargin"])
def test_whole_numbers_may_come_as_integers(name: str):
    row = ROWS[name]
    loss = row.ours()
    prediction, target = row.inputs(*row.shapes[0])
    for dtype in (torch.int64, torch.int32, torch.int8):
        cost, _ = loss.forward(prediction, target.to(dtype))
        assert cost.dtype == torch.float64
        assert torch.equal(cost, loss(prediction, target))


@pytest.mark.parametrize("var_shape", [(2, 3, 4), (2, 3, 1), (2, 1, 4), (1, 3, 4), (2, 3)])
def test_variances_may_be_shared(var_shape: tuple[int, ...]):
    mean, target = normal(2, 3, 4).requires_grad_(), normal(2, 3, 4)
    var = normal(*var_shape).abs().requires_grad_()
    expected = nn.GaussianNLLLoss()(mean, target, var)
    expected.backward()
    loss = GaussianNLL()
    cost, cache = loss.forward((mean.detach(), var.detach()), target)
    grad_mean, grad_var = loss.backward(cache)
    torch.testing.assert_close(cost, expected.detach())
    torch.testing.assert_close(grad_mean, mean.grad)
    torch.testing.assert_close(grad_var, var.grad)


def test_a_collapsed_variance_can_grow_again():
    loss = GaussianNLL(eps=0.1)
    _, cache = loss.forward((torch.tensor([2.0]), torch.tensor([0.0])), torch.tensor([0.0]))
    _, grad = loss.backward(cache)
    assert grad.item() == pytest.approx(0.5 * (1 / 0.1 - 4 / 0.01))


def test_a_score_far_on_the_wrong_side_costs_its_distance():
    loss = SoftMargin("none")
    cost, cache = loss.forward(torch.tensor([-500.0, 500.0]), torch.tensor([1.0, 1.0]))
    assert cost.tolist() == [500.0, 0.0]
    assert loss.backward(cache).tolist() == [-1.0, 0.0]


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "grads"),
    [
        (HingeEmbedding(0.5), torch.tensor(0.5), torch.tensor(-1.0), [-1.0]),
        (MarginRanking(0.5), (torch.tensor(1.0), torch.tensor(0.5)), torch.tensor(1.0), [-1.0, 1.0]),
        (CosineEmbedding(0.0), (torch.eye(2)[0], torch.eye(2)[1]), torch.tensor(-1), [[0.0, 1.0], [1.0, 0.0]]),
        (MultiMargin(), torch.tensor([1.0, 0.0]), torch.tensor(0), [[0.0, 0.0]]),
        (MultiLabelMargin(), torch.tensor([1.0, 0.0]), torch.tensor([0, -1]), [[0.0, 0.0]]),
        (
            TripletMargin(1.0, eps=0.0),
            (torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor([-2.0])),
            None,
            [[-2.0], [1.0], [1.0]],
        ),
        (
            # Both distances are 2, so each has half of the gradient.
            TripletMargin(3.0, eps=0.0, swap=True),
            (torch.tensor([0.0, 0.0]), torch.tensor([0.0, 0.0]), torch.tensor([2.0, 0.0])),
            None,
            [[0.5, 0.0], [0.5, 0.0], [-1.0, 0.0]],
        ),
    ],
    ids=lambda value: repr(value) if isinstance(value, minigrad.Loss) else "",
)
def test_at_a_kink_it_is_torchs_side(loss: minigrad.Loss, prediction: Any, target: Any, grads: list[Any]):
    _, cache = loss.forward(prediction, target)
    assert [grad.tolist() for grad in leaves(loss.backward(cache))] == grads
    module = minigrad.to_torch(loss)
    row = next(row for row in ROWS.values() if row.ours is type(loss))
    _, of_torch = judged(row, module, prediction, target, None)
    assert [grad.tolist() for grad in of_torch] == grads


def test_the_formula_of_multi_label_margin_holds():
    x, target = normal(3, 4), torch.tensor([[3, 0, -1, 1], [-1, 0, 1, 2], [2, 1, 0, 3]])
    expected = []
    for row, own in zip(x, [[3, 0], [], [2, 1, 0, 3]], strict=True):
        others = [i for i in range(4) if i not in own]
        expected.append(sum(max(0.0, 1 - row[t].item() + row[i].item()) for t in own for i in others) / 4)
    cost, _ = MultiLabelMargin("none").forward(x, target)
    assert cost.tolist() == pytest.approx(expected)


class Difference(minigrad.Layer):
    """A distance with a parameter: the weighted sum of squares."""

    def __init__(self) -> None:
        self.weight = minigrad.Parameter(torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64))

    def forward(self, x: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        d = x[0] - x[1]
        return (self.weight * d * d).sum(-1), d

    def backward(self, grad_output: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        self.weight.accumulate((grad_output.unsqueeze(-1) * cache * cache).sum(0))
        grad = 2 * grad_output.unsqueeze(-1) * self.weight * cache
        return grad, -grad


@pytest.mark.parametrize("swap", [False, True])
def test_a_distance_with_parameters_learns(swap: bool):
    distance = Difference()
    loss = TripletMarginWithDistance(distance_function=distance, margin=5.0, swap=swap)
    triplet = [normal(6, 3).requires_grad_() for _ in range(3)]
    weight = distance.weight.detach().as_subclass(Tensor).clone().requires_grad_()
    expected = nn.TripletMarginWithDistanceLoss(
        distance_function=lambda a, b: (weight * (a - b) ** 2).sum(-1), margin=5.0, swap=swap
    )(*triplet)
    expected.backward()
    cost, cache = loss.forward(tuple(leaf.detach() for leaf in triplet), None)
    torch.testing.assert_close(cost, expected.detach())
    for received, leaf in zip(loss.backward(cache), triplet, strict=True):
        torch.testing.assert_close(received, leaf.grad)
    torch.testing.assert_close(distance.weight.grad, weight.grad)


def test_with_its_default_distance_it_is_triplet_margin():
    triplet = tuple(normal(6, 3) for _ in range(3))
    for distance in (None, PairwiseDistance()):
        loss = TripletMarginWithDistance(distance_function=distance, swap=True)
        assert torch.equal(loss(triplet, None), TripletMargin(swap=True)(triplet, None))


def test_samples_without_a_label_cost_nothing():
    loss = MultiLabelMargin("none")
    cost, cache = loss.forward(normal(3, 4), torch.full((3, 4), -1))
    assert cost.tolist() == [0.0, 0.0, 0.0]
    assert not loss.backward(cache).any()
