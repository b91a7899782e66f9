"""torch's own optimizers, schedulers and clipping work on `net.parameters()` as they are, and give torch's results."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from minigrad.activations import Tanh
from minigrad.layers import Linear, Sequential
from minigrad.losses import MSE

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.05, amsgrad=True),
    "Adam foreach": lambda p: torch.optim.Adam(p, lr=0.05, foreach=True),
    "AdamW fused": lambda p: torch.optim.AdamW(p, lr=0.05, fused=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.05, centered=True),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "NAdam": lambda p: torch.optim.NAdam(p, lr=0.05),
    "Rprop": lambda p: torch.optim.Rprop(p, lr=0.05),
}
SCHEDULERS: dict[str, Callable[[Any], Any] | None] = {
    "none": None,
    "StepLR": lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.5),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=12),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.2, total_steps=13, cycle_momentum=False),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("clip", [None, 0.3])
def test_they_train_a_net_as_they_train_a_module(optimizer: str, scheduler: str, clip: float | None):
    net = Sequential(Linear(3, 4), Tanh(), Linear(4, 1)).to(torch.float64)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).to(torch.float64)
    module.load_state_dict(net.state_dict())
    ours, theirs = OPTIMIZERS[optimizer](net.parameters()), OPTIMIZERS[optimizer](module.parameters())
    make = SCHEDULERS[scheduler]
    schedulers = [make(ours), make(theirs)] if make else []
    loss, loss_of_torch = MSE(), nn.MSELoss()
    x, t = torch.randn(8, 3, dtype=torch.float64), torch.randn(8, 1, dtype=torch.float64)
    for _ in range(12):
        prediction, cache = net.forward(x)
        cost, loss_cache = loss.forward(prediction, t)
        net.backward_parameters(loss.backward(loss_cache), cache)
        cost_of_torch = loss_of_torch(module(x), t)
        cost_of_torch.backward()
        if clip is not None:
            norm = nn.utils.clip_grad_norm_(net.parameters(), clip)
            torch.testing.assert_close(norm, nn.utils.clip_grad_norm_(module.parameters(), clip))
        for each in (ours, theirs):
            each.step()
            each.zero_grad()
        for schedule in schedulers:
            schedule.step()
        torch.testing.assert_close(cost, cost_of_torch.detach(), rtol=1e-9, atol=1e-12)
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"]
    for one, other in zip(net.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(one.detach(), other.detach(), rtol=1e-9, atol=1e-12)


def test_clipping_changes_the_gradient_in_place():
    net = Linear(3, 2)
    y, cache = net.forward(torch.randn(4, 3))
    net.backward(torch.ones_like(y), cache)
    before = net.weight.grad.norm()
    nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    assert net.weight.grad.norm() < before
    total = torch.stack([parameter.grad.norm() for parameter in net.parameters()]).norm()
    torch.testing.assert_close(total, torch.tensor(0.1), rtol=1e-4, atol=0)
    nn.utils.clip_grad_value_(net.parameters(), 0.01)
    assert max(parameter.grad.abs().max().item() for parameter in net.parameters()) <= 0.01
