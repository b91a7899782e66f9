"""Every loss against torch: the cost bit for bit, the gradient against autograd, and both against the plain formula."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad.core import Loss
from minigrad.losses import BCE, L1, MSE, NLL, BCEWithLogits, CrossEntropy, Huber, KLDiv, SmoothL1

W = torch.tensor([0.5, 2.0, 0.0, 1.5, 1.0], dtype=torch.float64)
SHAPES = [(4, 5), (5,), (), (2, 5, 3, 2), (0, 5)]


class Case(NamedTuple):
    make: Callable[..., Loss]
    torchs: Callable[..., Tensor]
    costs: Callable[[Tensor, Tensor], Tensor]  # the plain formula, unreduced
    prediction: Callable[[Tensor], Tensor] = lambda x: x
    target: Callable[[Tensor], Tensor] = lambda x: x


def w(x: Tensor) -> Tensor:
    return W.to(x.dtype)


ELEMENTWISE = {
    "bce": Case(
        BCE,
        F.binary_cross_entropy,
        lambda p, t: -(t * p.log() + (1 - t) * (1 - p).log()),
        prediction=torch.sigmoid,
        target=torch.sigmoid,
    ),
    "bce_with_logits": Case(
        BCEWithLogits,
        F.binary_cross_entropy_with_logits,
        lambda x, t: -(t * x.sigmoid().log() + (1 - t) * (1 - x.sigmoid()).log()),
        target=torch.sigmoid,
    ),
    "mse": Case(MSE, F.mse_loss, lambda p, t: (p - t) ** 2),
    "l1": Case(L1, F.l1_loss, lambda p, t: (p - t).abs()),
    "smooth_l1": Case(
        SmoothL1,
        F.smooth_l1_loss,
        lambda p, t: torch.where((p - t).abs() < 1, (p - t) ** 2 / 2, (p - t).abs() - 0.5),
    ),
    "smooth_l1 narrow": Case(
        lambda reduction="mean": SmoothL1(reduction, 0.3),
        lambda p, t, reduction="mean": F.smooth_l1_loss(p, t, reduction=reduction, beta=0.3),
        lambda p, t: torch.where((p - t).abs() < 0.3, (p - t) ** 2 / 0.6, (p - t).abs() - 0.15),
    ),
    "smooth_l1 sharp": Case(
        lambda reduction="mean": SmoothL1(reduction, 0.0),
        lambda p, t, reduction="mean": F.smooth_l1_loss(p, t, reduction=reduction, beta=0.0),
        lambda p, t: (p - t).abs(),
    ),
    "huber": Case(
        lambda reduction="mean": Huber(reduction, 0.7),
        lambda p, t, reduction="mean": F.huber_loss(p, t, reduction=reduction, delta=0.7),
        lambda p, t: torch.where((p - t).abs() <= 0.7, (p - t) ** 2 / 2, 0.7 * ((p - t).abs() - 0.35)),
    ),
    "kl_div": Case(
        KLDiv,
        lambda x, t, reduction="mean": torch.kl_div(x, t, {"none": 0, "mean": 1, "sum": 2}[reduction]),
        lambda x, t: t * (t.log() - x),
        prediction=lambda x: x.sigmoid().log(),
        target=torch.sigmoid,
    ),
    "kl_div log": Case(
        lambda reduction="mean": KLDiv(reduction, log_target=True),
        lambda x, t, reduction="mean": torch.kl_div(x, t, {"none": 0, "mean": 1, "sum": 2}[reduction], log_target=True),
        lambda x, t: t.exp() * (t - x),
        prediction=lambda x: x.sigmoid().log(),
        target=lambda x: x.sigmoid().log(),
    ),
}
reductions = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
# In one test, as a test costs more than what it does here: reduction, dtype, and whether the costs are weighed.
WAYS: Any = list(itertools.product(["mean", "sum", "none"], [torch.float32, torch.float64], [False, True]))


def reduced(costs: Tensor, reduction: str) -> Tensor:
    return {"mean": costs.mean, "sum": costs.sum, "none": lambda: costs}[reduction]()


def assert_same_cost_and_gradient(
    loss: Loss, cost_of: Callable[[Tensor, Tensor], Tensor], p: Tensor, t: Tensor, weighed: bool, exact: bool = True
) -> None:
    p_of_torch = p.clone().requires_grad_()
    expected = cost_of(p_of_torch, t)
    grad_cost = torch.randn_like(expected) if weighed else None
    expected.backward(torch.ones_like(expected) if grad_cost is None else grad_cost)
    cost, cache = loss.forward(p, t)
    assert cost.dtype == p.dtype
    if exact:
        assert torch.equal(cost, expected.detach()) or (cost.isnan().all() and expected.isnan().all())
    else:
        torch.testing.assert_close(cost, expected.detach(), equal_nan=True)
    eps = torch.finfo(p.dtype).eps
    # Both round at every step, in another order.
    torch.testing.assert_close(
        loss.backward(cache, grad_cost), p_of_torch.grad, rtol=4 * eps, atol=4 * eps, equal_nan=True
    )
    # A cache may be used again.
    once, again = loss.backward(cache, grad_cost), loss.backward(cache, grad_cost)
    torch.testing.assert_close(once, again, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("shape", SHAPES)
def test_elementwise_losses_are_torchs(name: str, shape: tuple[int, ...]):
    for reduction, dtype, weighed in WAYS:
        case = ELEMENTWISE[name]
        p, t = case.prediction(torch.randn(shape, dtype=dtype)), case.target(torch.randn(shape, dtype=dtype))
        loss = case.make(reduction=reduction)
        assert_same_cost_and_gradient(loss, partial(case.torchs, reduction=reduction), p, t, weighed)


@pytest.mark.parametrize("name", ELEMENTWISE)
@reductions
def test_the_formula_in_the_docstring_holds(name: str, reduction: Any):
    case = ELEMENTWISE[name]
    p, t = (f(torch.randn(6, 5, dtype=torch.float64)) for f in (case.prediction, case.target))
    cost, _ = case.make(reduction=reduction).forward(p, t)
    torch.testing.assert_close(cost, reduced(case.costs(p, t), reduction))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_where_prediction_and_target_agree_nothing_jumps(name: str):
    case = ELEMENTWISE[name]
    t = case.target(torch.randn(6, dtype=torch.float64))
    if name in ("mse", "l1", "smooth_l1", "smooth_l1 narrow", "smooth_l1 sharp", "huber"):
        cost, cache = case.make().forward(t.clone(), t)
        assert cost == 0
        assert case.make().backward(cache).abs().max() == 0


@pytest.mark.parametrize("shape", [(5,), (4, 1), (4, 5)])
@pytest.mark.parametrize("pos_shape", [None, (5,), (4, 1), (4, 5)])
def test_weights_of_bce_with_logits(shape: Any, pos_shape: Any):
    for reduction, dtype, weighed in WAYS:
        weight = torch.rand(shape, dtype=dtype)
        pos_weight = None if pos_shape is None else 3 * torch.rand(pos_shape, dtype=dtype)
        x, t = torch.randn(4, 5, dtype=dtype), torch.rand(4, 5, dtype=dtype)
        assert_same_cost_and_gradient(
            BCEWithLogits(weight, reduction, pos_weight),
            partial(F.binary_cross_entropy_with_logits, weight=weight, reduction=reduction, pos_weight=pos_weight),
            x,
            t,
            weighed,
        )


def test_weights_of_bce():
    for reduction, dtype, weighed in WAYS:
        weight = torch.rand(5, dtype=dtype)
        p, t = torch.rand(4, 5, dtype=dtype), torch.rand(4, 5, dtype=dtype)
        assert_same_cost_and_gradient(
            BCE(weight, reduction), partial(F.binary_cross_entropy, weight=weight, reduction=reduction), p, t, weighed
        )


@pytest.mark.parametrize("shape", [(4, 5), (5,), (2, 5, 3), (0, 5)])
@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("weighed", [False, True])
def test_batchmean_of_kl_div(shape: tuple[int, ...], log_target: bool, weighed: bool):
    x, t = torch.randn(shape).sigmoid().log(), torch.rand(shape)
    t = t.log() if log_target else t
    expected = (
        partial(F.kl_div, reduction="batchmean", log_target=log_target)
        if shape[0]
        else lambda x, t: F.kl_div(x, t, reduction="sum", log_target=log_target) / 0
    )
    assert_same_cost_and_gradient(KLDiv("batchmean", log_target), expected, x, t, weighed)


CLASSES = [(4, 5), (5,), (2, 5, 3), (2, 5, 3, 2), (2, 5, 3, 2, 2), (0, 5), (2, 5, 0)]


def class_indices(shape: tuple[int, ...], ignored: int | None = None) -> Tensor:
    t = torch.randint(5, shape[:1] + shape[2:] if len(shape) > 1 else ())
    if ignored is not None and t.numel():
        t = t.clone()
        t.view(-1)[0] = ignored
    return t


@pytest.mark.parametrize("shape", CLASSES)
@pytest.mark.parametrize("weight", [None, W])
@pytest.mark.parametrize("ignored", [None, -100, 3])
def test_nll_is_torchs(shape: Any, weight: Tensor | None, ignored: int | None):
    for reduction, dtype, weighed in WAYS:
        w = None if weight is None else weight.to(dtype)
        x, t = torch.randn(shape, dtype=dtype), class_indices(shape, ignored)
        ignore_index = -100 if ignored is None else ignored
        assert_same_cost_and_gradient(
            NLL(w, ignore_index, reduction),
            partial(F.nll_loss, weight=w, ignore_index=ignore_index, reduction=reduction),
            x,
            t,
            weighed,
        )


@pytest.mark.parametrize("shape", CLASSES)
@pytest.mark.parametrize("weight", [None, W])
@pytest.mark.parametrize("ignored", [None, -100, 3])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_of_indices_is_torchs(
    shape: Any, weight: Tensor | None, ignored: int | None, label_smoothing: float
):
    for reduction, dtype, weighed in WAYS:
        w = None if weight is None else weight.to(dtype)
        x, t = 3 * torch.randn(shape, dtype=dtype), class_indices(shape, ignored)
        ignore_index = -100 if ignored is None else ignored
        options: Any = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
        assert_same_cost_and_gradient(
            CrossEntropy(w, **options),
            partial(F.cross_entropy, weight=w, **options),
            x,
            t,
            weighed,
            # Torch sums the weights of the second part in another order.
            exact=label_smoothing == 0 or weight is None,
        )


@pytest.mark.parametrize("shape", CLASSES)
@pytest.mark.parametrize("weight", [None, W])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_of_probabilities_is_torchs(shape: Any, weight: Tensor | None, label_smoothing: float):
    for reduction, dtype, weighed in WAYS:
        w = None if weight is None else weight.to(dtype)
        x, t = 3 * torch.randn(shape, dtype=dtype), torch.rand(shape, dtype=dtype)
        options: Any = {"reduction": reduction, "label_smoothing": label_smoothing}
        assert_same_cost_and_gradient(
            CrossEntropy(w, **options), partial(F.cross_entropy, weight=w, **options), x, t, weighed
        )


def test_the_formula_of_cross_entropy_holds():
    x, t = torch.randn(6, 5, dtype=torch.float64), torch.rand(6, 5, dtype=torch.float64)
    smooth = 0.8 * t + 0.2 / 5
    p = x.exp() / x.exp().sum(1, keepdim=True)
    loss = CrossEntropy(W, reduction="none", label_smoothing=0.2)
    cost, cache = loss.forward(x, t)
    torch.testing.assert_close(cost, -(W * smooth * p.log()).sum(1))
    torch.testing.assert_close(loss.backward(cache), p * (W * smooth).sum(1, keepdim=True) - W * smooth)

    indices = torch.randint(5, (6,))
    cost, cache = loss.forward(x, indices)
    torch.testing.assert_close(cost, loss.forward(x, F.one_hot(indices, 5).double())[0])
    cost, cache = CrossEntropy().forward(x, indices)
    torch.testing.assert_close(CrossEntropy().backward(cache), (p - F.one_hot(indices, 5)) / 6)


def test_great_scores_do_not_overflow():
    x = torch.tensor([[1e4, -1e4, 0.0]])
    for loss, t in [
        (CrossEntropy(), torch.tensor([1])),
        (CrossEntropy(label_smoothing=0.1), torch.tensor([1])),
        (BCEWithLogits(), torch.tensor([[0.0, 1.0, 0.5]])),
    ]:
        cost, cache = loss.forward(x, t)
        assert cost.isfinite()
        assert loss.backward(cache).isfinite().all()
