"""CTC against torch, against a sum over all alignments, and against differences."""

import itertools
import math
from typing import Any

import pytest
import torch
from minigrad_zoo import CTC
from torch import Tensor, nn

import minigrad
from minigrad.testing import check_gradient

PADDED = torch.tensor([[1, 2, 2, 0], [3, 0, 0, 0], [2, 1, 3, 1]])
LENGTHS = (3, 1, 4)
CONCATENATED = torch.tensor([1, 2, 2, 3, 2, 1, 3, 1])
INPUTS = (10, 4, 9)


def scores(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return 2 * torch.randn(shape, dtype=dtype)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("targets", [PADDED, CONCATENATED], ids=["padded", "concatenated"])
@pytest.mark.parametrize("index_dtype", [torch.int32, torch.int64], ids=str)
@pytest.mark.parametrize("lengths", [tuple, torch.tensor, list])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cost_and_gradient_are_torchs(
    reduction: Any, targets: Tensor, index_dtype: torch.dtype, lengths: Any, dtype: torch.dtype
):
    # A leaf that is normalised: so its gradient is what torch hands on to its log-softmax.
    leaf = scores(10, 3, 5, dtype=dtype).log_softmax(-1).requires_grad_()
    target = (targets.to(index_dtype), lengths(INPUTS), lengths(LENGTHS))
    expected = nn.CTCLoss(reduction=reduction)(leaf, *target)
    loss = CTC(reduction=reduction)
    cost, cache = loss.forward(leaf.detach(), target)
    tolerance = {"rtol": 1e-9, "atol": 1e-9} if dtype == torch.float64 else {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(cost, expected.detach(), **tolerance)
    for grad_cost in (torch.ones_like(cost), torch.randn_like(cost)):
        (wanted,) = torch.autograd.grad(expected, leaf, grad_cost, retain_graph=True)
        torch.testing.assert_close(loss.backward(cache, grad_cost), wanted, **tolerance)
    assert torch.equal(loss.backward(cache), loss.backward(cache, torch.ones_like(cost)))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_gradient_is_that_of_the_cost_of_scores(reduction: Any):
    leaf = scores(10, 3, 5).requires_grad_()
    target = (PADDED, INPUTS, LENGTHS)
    expected = nn.CTCLoss(reduction=reduction)(leaf.log_softmax(-1), *target)
    grad_cost = torch.randn_like(expected)
    expected.backward(grad_cost)
    loss = CTC(reduction=reduction)
    cost, cache = loss.forward(leaf.detach(), target)
    torch.testing.assert_close(cost, expected.detach())
    torch.testing.assert_close(loss.backward(cache, grad_cost), leaf.grad)
    check_gradient(loss, leaf.detach(), target, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("blank", [0, 2])
def test_the_cost_is_a_sum_over_alignments(blank: int):
    x, label = scores(4, 3), [1, 1] if blank == 0 else [0, 1]
    p = x.softmax(-1)
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        merged = [k for k, _ in itertools.groupby(path)]
        if [k for k in merged if k != blank] == label:
            total += math.prod(p[t, k].item() for t, k in enumerate(path))
    cost = CTC(blank, reduction="sum")(x, (torch.tensor(label), (4,), (2,)))
    assert cost.item() == pytest.approx(-math.log(total))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("lengths", [lambda n: (n,), torch.tensor, lambda n: torch.tensor([n]), int], ids=range(4))
def test_one_sequence_comes_without_a_batch(reduction: Any, lengths: Any):
    x = scores(6, 4)
    loss = CTC(reduction=reduction)
    cost, cache = loss.forward(x, (torch.tensor([1, 3]), lengths(6), lengths(2)))
    whole, whole_cache = loss.forward(x.unsqueeze(1), (torch.tensor([[1, 3]]), (6,), (2,)))
    assert cost.shape == ()
    assert torch.equal(cost, whole.squeeze())
    assert torch.equal(loss.backward(cache), loss.backward(whole_cache).squeeze(1))


def test_an_empty_label_sequence_is_all_blanks():
    x = scores(5, 2, 3)
    target = (torch.tensor([[1], [2]]), (5, 5), (0, 1))
    cost, cache = CTC().forward(x, target)
    expected = nn.CTCLoss(reduction="none")(x.log_softmax(-1), *target)
    torch.testing.assert_close(expected[0], -x[:, 0].log_softmax(-1)[:, 0].sum())
    torch.testing.assert_close(cost, expected.mean())  # both are divided by 1
    assert CTC().backward(cache).isfinite().all()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_what_does_not_fit_costs_infinity_or_nothing(reduction: Any):
    x, target = scores(3, 2, 4), (torch.tensor([[1, 1, 2], [1, 2, 3]]), (3, 3), (3, 3))  # 1 1 needs a blank between
    cost, _ = CTC(reduction=reduction).forward(x, target)
    assert cost.flatten()[0] == math.inf
    leaf = x.clone().requires_grad_()
    expected = nn.CTCLoss(reduction=reduction, zero_infinity=True)(leaf.log_softmax(-1), *target)
    expected.backward(torch.ones_like(expected))
    loss = CTC(reduction=reduction, zero_infinity=True)
    cost, cache = loss.forward(x, target)
    torch.testing.assert_close(cost, expected.detach())
    torch.testing.assert_close(loss.backward(cache), leaf.grad)
    assert not loss.backward(cache)[:, 0].any()


def test_beyond_an_inputs_length_there_is_no_gradient():
    _, cache = (loss := CTC()).forward(scores(10, 3, 5), (PADDED, INPUTS, LENGTHS))
    grad = loss.backward(cache)
    assert not grad[4:, 1].any()
    assert grad[:4, 1].abs().sum(-1).min() > 0


def test_a_compiled_step_computes_the_same():
    x, target = scores(10, 3, 5), (PADDED, INPUTS, LENGTHS)

    def step(x: Tensor) -> tuple[Tensor, Tensor]:
        cost, cache = loss.forward(x, target)
        return cost, loss.backward(cache)

    loss = CTC()
    torch._dynamo.reset()
    cost, grad = torch.compile(step, fullgraph=True, backend="eager")(x)
    expected_cost, expected_grad = step(x)
    assert torch.equal(cost, expected_cost)
    assert torch.equal(grad, expected_grad)


X = scores(6, 2, 4, dtype=torch.float32)
GOOD = torch.tensor([[1, 2, 2], [3, 1, 0]])


@pytest.mark.parametrize(
    ("prediction", "target", "error", "message"),
    [
        (
            X,
            GOOD,
            minigrad.DtypeError,
            r"CTC expects a target \(targets, input_lengths, target_lengths\)\. Received: T",
        ),
        (X, (GOOD, (6, 6)), minigrad.DtypeError, r"CTC expects a target .*Received: tuple of 2$"),
        (X, (GOOD.float(), (6, 6), (3, 2)), minigrad.DtypeError, r"CTC expects targets of integers.*torch\.float32$"),
        (
            X,
            (GOOD, (6.0, 6.0), (3, 2)),
            minigrad.DtypeError,
            r"CTC expects input_lengths of integers\. Received: input",
        ),
        (X, (GOOD, (6, 6), None), minigrad.DtypeError, r"CTC expects target_lengths of integers\. Received: target_le"),
        (X, ([[1]], (6, 6), (3, 2)), minigrad.DtypeError, r"CTC expects targets of integers.* Received: list$"),
        (
            X.long(),
            (GOOD, (6, 6), (3, 2)),
            minigrad.DtypeError,
            r"CTC expects a floating-point tensor\. Received: torc",
        ),
        (X[0, 0], (GOOD, (6, 6), (3, 2)), minigrad.ShapeError, r"CTC expects scores \(T, N, C\) or \(T, C\), with C g"),
        (X, (GOOD, (6, 7), (3, 2)), minigrad.ShapeError, r"CTC expects input_lengths from 0 to T=6, .*\[6, 7\], t"),
        (X, (GOOD, (6, 6), (3, -2)), minigrad.ShapeError, r"CTC expects input_lengths .* target_lengths \[3, -2\]$"),
        (
            X,
            (GOOD, (6,), (3, 2)),
            minigrad.ShapeError,
            r"CTC expects as many lengths as sequences, 2\. Received: 1 inp",
        ),
        (
            X,
            (GOOD, (6, 6), (3, 4)),
            minigrad.ShapeError,
            r"CTC expects targets \(N=2, S\), .* Received: targets \(2, 3",
        ),
        (X, (GOOD[0], (6, 6), (3, 2)), minigrad.ShapeError, r"CTC expects targets .* one sequence \(5,\)\. Received"),
        (X, (GOOD + 2, (6, 6), (3, 2)), minigrad.TargetError, r"CTC expects labels from 0 to 3 other.* Received: 4$"),
        (X, (GOOD - 2, (6, 6), (3, 2)), minigrad.TargetError, r"CTC expects labels from 0 to 3 other.* Received: -1$"),
        (X, (GOOD, (6, 6), (3, 3)), minigrad.TargetError, r"CTC expects labels .* other than blank=0\. Received: 0$"),
    ],
)
def test_misuse_is_told(prediction: Tensor, target: Any, error: type, message: str):
    with pytest.raises(error, match=f"^{message}"):
        CTC().forward(prediction, target)


def test_the_blank_must_be_a_class():
    with pytest.raises(ValueError, match=r"^blank must not be negative\. Received: blank=-1$"):
        CTC(blank=-1)
    with pytest.raises(minigrad.ShapeError, match=r"with C greater than blank=4\. Received: shape \(6, 2, 4\)$"):
        CTC(blank=4).forward(X, (GOOD, (6, 6), (3, 2)))
