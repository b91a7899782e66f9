"""Losses under vmap and torch.compile, with two calls at once, and with their arguments left alone."""

from typing import Any

import pytest
import torch
from torch import Tensor

from minigrad.core import Loss
from minigrad.losses import BCE, L1, MSE, NLL, BCEWithLogits, CrossEntropy, Huber, KLDiv, SmoothL1

INDICES = torch.tensor([0, 4, -100, 2])
CASES: dict[str, tuple[Loss, Tensor, Tensor]] = {
    "bce": (BCE(), torch.rand(4, 5), torch.rand(4, 5)),
    "bce_with_logits": (BCEWithLogits(pos_weight=torch.ones(5)), torch.randn(4, 5), torch.rand(4, 5)),
    "mse": (MSE(), torch.randn(4, 5), torch.randn(4, 5)),
    "l1": (L1("sum"), torch.randn(4, 5), torch.randn(4, 5)),
    "smooth_l1": (SmoothL1(), torch.randn(4, 5), torch.randn(4, 5)),
    "huber": (Huber(), torch.randn(4, 5), torch.randn(4, 5)),
    "kl_div": (KLDiv("batchmean"), torch.rand(4, 5).log(), torch.rand(4, 5)),
    "nll": (NLL(), torch.rand(4, 5).log(), INDICES),
    "nll of images": (NLL(torch.rand(5)), torch.rand(4, 5, 2, 3).log(), torch.randint(5, (4, 2, 3))),
    "cross_entropy": (CrossEntropy(), torch.randn(4, 5), INDICES),
    "cross_entropy smooth": (CrossEntropy(torch.rand(5), label_smoothing=0.1), torch.randn(4, 5), INDICES),
    "cross_entropy probabilities": (CrossEntropy(torch.rand(5)), torch.randn(4, 5), torch.rand(4, 5)),
}
cases = pytest.mark.parametrize("name", CASES)


def both(loss: Loss, p: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    cost, cache = loss.forward(p, t)
    return cost, loss.backward(cache)


def assert_close(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, equal_nan=True)


@cases
def test_vmap_gives_the_cost_and_gradient_of_each_sample(name: str):
    loss, p, t = CASES[name]
    p, t = p.unsqueeze(1), t.unsqueeze(1)  # each sample a batch of one
    each = torch.func.vmap(lambda p, t: both(loss, p, t))(p, t)
    assert_close(each[0], torch.stack([both(loss, p[i], t[i])[0] for i in range(4)]))
    assert_close(each[1], torch.stack([both(loss, p[i], t[i])[1] for i in range(4)]))


@cases
def test_it_compiles_without_a_break(name: str):
    loss, p, t = CASES[name]
    torch.compiler.reset()
    compiled = torch.compile(lambda p, t: both(loss, p, t), fullgraph=True, backend="aot_eager")
    assert_close(compiled(p, t), both(loss, p, t))


@cases
def test_arguments_are_left_alone_and_calls_do_not_meet(name: str):
    loss, p, t = CASES[name]
    p_before, t_before = p.clone(), t.clone()
    expected = both(loss, p, t)
    other = p.flip(0)
    _, cache = loss.forward(p, t)
    _, other_cache = loss.forward(other, t)
    grad_other = loss.backward(other_cache)
    assert torch.equal(loss.backward(cache), expected[1])
    assert torch.equal(grad_other, both(loss, other, t)[1])
    assert torch.equal(p, p_before)
    assert torch.equal(t, t_before)
