"""One Sequential is both pipelines."""

import torch

from minigrad import Sequential
from minigrad.xor import as_handwritten, as_torch, four_rows, seven_rows, xor_net


def test_one_sigmoid_object_stands_twice():
    net = xor_net()
    assert isinstance(net, Sequential)
    assert net[1] is net[3]


def test_weights_are_those_of_torch_with_the_same_seed():
    net = xor_net(3, seed=5, dtype=torch.float64)
    torch.manual_seed(5)
    linears = torch.nn.Linear(2, 3, dtype=torch.float64), torch.nn.Linear(3, 1, dtype=torch.float64)
    for ours, theirs in zip((net[0], net[2]), linears, strict=True):
        assert torch.equal(ours.weight, theirs.weight)
        assert torch.equal(ours.bias, theirs.bias)


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    xor_net()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_two_differ_in_who_divides_by_n():
    x, y = seven_rows(dtype=torch.float64)
    start, mean, summed = (xor_net(dtype=torch.float64) for _ in range(3))
    cost_of_mean, _ = next(as_torch(mean, x, y))
    cost_of_sum, _ = next(as_handwritten(summed, x, y))
    torch.testing.assert_close(cost_of_mean, cost_of_sum, rtol=1e-15, atol=0)
    for (name, before), after_mean, after_sum in zip(
        start.named_parameters(), mean.parameters(), summed.parameters(), strict=True
    ):
        n = 1 if name.endswith("bias") else 7
        torch.testing.assert_close(after_sum - before, n * (after_mean - before), rtol=1e-5, atol=0)


def test_the_printed_cost_is_the_mean():
    cost, _ = next(as_handwritten(xor_net(), *four_rows()))
    assert cost.item() == 0.7434073090553284
