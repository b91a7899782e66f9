"""Every optimizer keeps every law; those that torch lacks follow their papers' formulas step by step."""

from collections.abc import Callable
from typing import Any

import minigrad_optimizers
import pytest
import torch
from minigrad_optimizers import LARS, Lion, Lookahead, Muon
from torch import Tensor

import minigrad
from minigrad.testing import parametrize_with_checks

STEPS = 12


@parametrize_with_checks([getattr(minigrad_optimizers, name) for name in minigrad_optimizers.__all__])
def test_every_optimizer_keeps_every_law(check: Callable[[], None]):
    check()


@pytest.mark.parametrize("name", minigrad_optimizers.__all__)
def test_every_optimizer_is_found_by_name(name: str):
    assert minigrad.optimizer(f"optimizers:{name.lower()}") is getattr(minigrad_optimizers, name)


def _walk(optimizer: minigrad.Optimizer, parameter: minigrad.Parameter) -> list[tuple[Tensor, Tensor]]:
    """Pairs of a gradient and the parameter after it."""
    generator = torch.Generator().manual_seed(3)
    way = []
    for _ in range(STEPS):
        gradient = torch.randn(parameter.shape, dtype=torch.float64, generator=generator)
        parameter.accumulate(gradient.clone())
        optimizer.step()
        optimizer.zero_grad()
        way.append((gradient, parameter.detach().clone()))
    return way


def _start(role: str = "weight") -> tuple[minigrad.Parameter, Tensor]:
    start = torch.linspace(-1, 2, 6, dtype=torch.float64).reshape(2, 3)
    return minigrad.Parameter(start.clone(), role=role), start


@pytest.mark.parametrize("maximize", [False, True])
def test_lion_follows_its_paper(maximize: bool):
    parameter, theta = _start()
    m = torch.zeros_like(theta)
    for gradient, after in _walk(Lion([parameter], 0.1, (0.8, 0.95), 0.2, maximize=maximize), parameter):
        g = -gradient if maximize else gradient
        theta = theta - 0.1 * (torch.sign(0.8 * m + (1 - 0.8) * g) + 0.2 * theta)
        m = 0.95 * m + (1 - 0.95) * g
        torch.testing.assert_close(after, theta, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("role", ["weight", "bias"])
def test_lars_follows_its_paper_and_leaves_biases_their_rate(role: str):
    parameter, theta = _start(role)
    v = torch.zeros_like(theta)
    for g, after in _walk(LARS([parameter], 0.5, 0.9, 0.1, 0.02, 1e-6), parameter):
        rate = 0.02 * theta.norm() / (g.norm() + 0.1 * theta.norm() + 1e-6)
        v = 0.9 * v + (0.5 * g if role == "bias" else 0.5 * rate * (g + 0.1 * theta))
        theta = theta - v
        torch.testing.assert_close(after, theta, rtol=1e-12, atol=1e-12)


def test_lars_moves_what_is_zero():
    parameter = minigrad.Parameter(torch.zeros(2))
    parameter.accumulate(torch.ones(2))
    LARS([parameter], lr=0.5).step()
    assert parameter.tolist() == [-0.5, -0.5]


@pytest.mark.parametrize("base", [{"name": "sgd", "lr": 0.1, "momentum": 0.9}, {"name": "adam", "lr": 0.05}, "adam"])
def test_lookahead_goes_back_every_k_steps(base: Any):
    (parameter, slow), (twin, _) = _start(), _start()
    inner = minigrad.build(base, params=[twin])
    optimizer = Lookahead([parameter], base, k=3, alpha=0.3)
    for i, (gradient, after) in enumerate(_walk(optimizer, parameter)):
        twin.accumulate(gradient)
        inner.step()
        inner.zero_grad()
        if (i + 1) % 3 == 0:
            slow = slow + 0.3 * (twin.detach() - slow)
            twin.copy_(slow)
        torch.testing.assert_close(after, twin.detach(), rtol=1e-12, atol=1e-12)


def test_lookahead_is_scheduled_as_its_base_is():
    parameter, _ = _start()
    optimizer = Lookahead([parameter], {"name": "sgd", "lr": 0.8})
    schedule = minigrad.ExponentialLR(optimizer, gamma=0.5)
    schedule.step()
    parameter.accumulate(torch.ones_like(parameter.detach()))
    before = parameter.detach().clone()
    optimizer.step()
    torch.testing.assert_close(before - parameter.detach(), torch.full_like(before, 0.4))


def test_muon_takes_matrices_only():
    with pytest.raises(ValueError, match=r"matrices only\. Received: shape=\(3,\)"):
        Muon([minigrad.Parameter(torch.zeros(3))])


MISUSE: list[tuple[str, dict[str, Any], str]] = [
    *((name, {"lr": -1}, "lr=-1") for name in minigrad_optimizers.__all__ if name != "Lookahead"),
    ("Adamax", {"betas": (0.9, 1.0)}, r"betas=\(0\.9, 1\.0\)"),
    ("NAdam", {"momentum_decay": -1}, "momentum_decay=-1"),
    ("Adadelta", {"rho": 1.5}, r"rho=1\.5"),
    ("Rprop", {"etas": (1.2, 0.5)}, "etas"),
    ("Adafactor", {"d": 0.5}, r"d=0\.5"),
    ("Adafactor", {"beta2_decay": 0.5}, "beta2_decay"),
    ("Adafactor", {"eps": (-1, 0.1)}, "eps"),
    ("Muon", {"ns_steps": 100}, "ns_steps=100"),
    ("Muon", {"ns_coefficients": (1, 2)}, "three numbers"),
    ("Muon", {"adjust_lr_fn": "none"}, "adjust_lr_fn='none'"),
    ("LARS", {"momentum": 1}, "momentum=1"),
    ("Lookahead", {"k": 0}, "k=0"),
    ("Lookahead", {"alpha": 2}, "alpha=2"),
    ("Lookahead", {"base": "adamm"}, "Did you mean 'adam'"),
]


@pytest.mark.parametrize(("name", "options", "message"), MISUSE)
def test_misuse_is_one_sentence(name: str, options: dict[str, Any], message: str):
    with pytest.raises((ValueError, LookupError), match=message):
        getattr(minigrad_optimizers, name)([minigrad.Parameter(torch.zeros(2, 2))], **options)
