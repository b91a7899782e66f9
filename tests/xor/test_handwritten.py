"""The hand-written pipeline: its derivatives against autograd, and the facts that are known of it."""

from itertools import islice

import pytest
import torch

from minigrad.xor import four_rows, handwritten_pipeline, seven_rows

ROWS = pytest.mark.parametrize("rows", [four_rows, seven_rows])


def weights_of(seed: int, hidden: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, hidden, dtype=torch.float64),
        torch.nn.Sigmoid(),
        torch.nn.Linear(hidden, 1, dtype=torch.float64),
        torch.nn.Sigmoid(),
    )
    return dict(net.named_parameters())


def predict(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    a1 = torch.sigmoid(torch.nn.functional.linear(x, weights["0.weight"], weights["0.bias"]))
    return torch.sigmoid(torch.nn.functional.linear(a1, weights["2.weight"], weights["2.bias"]))


@ROWS
@pytest.mark.parametrize("hidden", [1, 2, 5])
def test_one_step_is_that_of_autograd_on_the_summed_cost(rows, hidden: int):
    x, y = rows(dtype=torch.float64)
    weights = weights_of(777, hidden)
    cost = torch.nn.functional.binary_cross_entropy(predict(x, weights), y, reduction="sum")
    grads = dict(zip(weights, torch.autograd.grad(cost, list(weights.values())), strict=True))

    printed, after = next(handwritten_pipeline(x, y, hidden=hidden, lr=0.5, seed=777))

    assert printed.item() == pytest.approx(cost.item() / len(x), abs=1e-12)
    for name, weight in weights.items():
        divisor = len(x) if name.endswith("bias") else 1
        # The epsilon of 1e-7 makes each gradient smaller by about four parts in ten million.
        torch.testing.assert_close(after[name], weight - 0.5 * grads[name] / divisor, rtol=0, atol=1e-6)


def test_on_four_rows_it_is_the_mean_cost_with_two_rates():
    x, y = four_rows()
    weights = weights_of(777, 2)
    torch.manual_seed(777)
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sigmoid(), torch.nn.Linear(2, 1), torch.nn.Sigmoid())
    named = dict(net.named_parameters())
    optimizer = torch.optim.SGD(
        [
            {"params": [named[name] for name in weights if name.endswith("weight")], "lr": 4.0},
            {"params": [named[name] for name in weights if name.endswith("bias")], "lr": 1.0},
        ]
    )
    for printed, _ in islice(handwritten_pipeline(x, y, seed=777), 400):
        optimizer.zero_grad()
        cost = torch.nn.functional.binary_cross_entropy(net(x), y)
        cost.backward()
        optimizer.step()
        assert printed.item() == pytest.approx(cost.item(), abs=2e-6)


def test_earlier_weights_are_not_changed_by_later_steps():
    pipeline = handwritten_pipeline(*four_rows())
    _, first = next(pipeline)
    kept = {name: weight.clone() for name, weight in first.items()}
    next(pipeline)
    assert all(torch.equal(first[name], kept[name]) for name in kept)


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    next(handwritten_pipeline(*four_rows()))
    assert torch.equal(torch.get_rng_state(), before)
