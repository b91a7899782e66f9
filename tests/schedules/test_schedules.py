"""Every schedule against torch's, over more steps than one period."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch

import minigrad.schedules as rooms
from minigrad.core import Parameter, Schedule
from minigrad.optimizers import SGD
from minigrad.schedules import LinearLR, OneCycleLR, ReduceLROnPlateau, SequentialLR, StepLR

CASES: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 4, "gamma": 0.7}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.9, "total_iters": 7}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 25, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 4, "steps_per_epoch": 8, "pct_start": 0.4, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31, "three_phase": True, "div_factor": 10, "final_div_factor": 100}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31, "base_momentum": 0.7, "max_momentum": 0.9}),
]
METRICS = [
    1.0,
    0.9,
    0.9,
    0.91,
    0.89,
    0.8999,
    0.89,
    0.95,
    0.95,
    0.95,
    0.5,
    0.5,
    0.5,
    0.5,
    0.5,
    0.4999,
    0.5,
    0.5,
    0.5,
    0.5,
]


def _groups(of: Callable[[torch.Tensor], Any]) -> list[dict[str, Any]]:
    return [{"params": [of(torch.zeros(1))]}, {"params": [of(torch.zeros(1))], "lr": 0.3}]


def _pair(name: str, options: dict[str, Any]) -> tuple[SGD, Any, Any, Any]:
    ours = SGD(_groups(Parameter), lr=0.1, momentum=0.9)
    theirs = torch.optim.SGD(_groups(torch.nn.Parameter), lr=0.1, momentum=0.9)
    schedule, twin = getattr(rooms, name)(ours, **options), getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    theirs.step()  # torch warns of a schedule that steps before its optimizer
    return ours, schedule, theirs, twin


@pytest.mark.parametrize(("name", "options"), CASES)
def test_rates_and_momenta_are_torchs(name: str, options: dict[str, Any]) -> None:
    ours, schedule, theirs, twin = _pair(name, options)
    for _ in range(30):
        for group, torch_group in zip(ours.groups, theirs.param_groups, strict=True):
            assert group.lr == pytest.approx(torch_group["lr"], rel=1e-9, abs=1e-12)
            assert group.momentum == pytest.approx(torch_group["momentum"], rel=1e-9)
        schedule.step()
        twin.step()


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 1, "cooldown": 2, "factor": 0.5},
        {"patience": 0, "min_lr": 0.02, "factor": 0.3},
        {"patience": 1, "threshold": 0.05, "threshold_mode": "abs"},
        {"patience": 1, "mode": "max"},
        {"patience": 1, "mode": "max", "threshold_mode": "abs"},
        {"patience": 0, "eps": 0.05},
    ],
)
def test_plateaus_are_torchs(options: dict[str, Any]) -> None:
    ours, schedule, theirs, twin = _pair("ReduceLROnPlateau", options)
    for metric in METRICS:
        schedule.step(metric)
        twin.step(metric)
        lrs = [group.lr for group in ours.groups]
        assert lrs == pytest.approx([group["lr"] for group in theirs.param_groups], rel=1e-9)


def test_a_chain_is_torchs() -> None:
    ours, _, theirs, _ = _pair("StepLR", {"step_size": 100})
    chain = SequentialLR(ours, [LinearLR(ours, 0.1, total_iters=4), StepLR(ours, 3, 0.5)], [4])
    parts = torch.optim.lr_scheduler
    twin = parts.SequentialLR(theirs, [parts.LinearLR(theirs, 0.1, total_iters=4), parts.StepLR(theirs, 3, 0.5)], [4])
    theirs.step()
    for _ in range(15):
        assert [g.lr for g in ours.groups] == pytest.approx([g["lr"] for g in theirs.param_groups], rel=1e-9)
        chain.step()
        twin.step()


@pytest.mark.parametrize(("name", "options"), [*CASES, ("ReduceLROnPlateau", {"patience": 1, "cooldown": 1})])
def test_a_restored_schedule_goes_on_as_if_never_interrupted(name: str, options: dict[str, Any]) -> None:
    ours, schedule, _, _ = _pair(name, options)
    twin_optimizer, twin, _, _ = _pair(name, options)
    for metric in METRICS[:9]:
        schedule.step(metric)
    twin.load_state_dict(schedule.state_dict())
    for metric in METRICS[9:]:
        assert [g.lr for g in twin_optimizer.groups] == [g.lr for g in ours.groups]
        schedule.step(metric)
        twin.step(metric)


@pytest.mark.parametrize("name", rooms.__all__)
def test_arguments_are_torchs(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(room, name)) for room in (rooms, torch.optim.lr_scheduler))
    for argument in ours.parameters.values():
        default = theirs.parameters[argument.name].default
        assert argument.default == default or (argument.default, default) == (0.0, 0)
    assert set(theirs.parameters) - set(ours.parameters) <= {"last_epoch"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: StepLR(o, 0), "step_size=0"),
        (lambda o: LinearLR(o, 0.0), "start_factor=0.0"),
        (lambda o: LinearLR(o, total_iters=0), "total_iters=0"),
        (lambda o: OneCycleLR(o, 0.1), "total_steps"),
        (lambda o: OneCycleLR(o, 0.1, total_steps=-1), "must be positive"),
        (lambda o: OneCycleLR(o, 0.1, 10, pct_start=2), "pct_start=2"),
        (lambda o: OneCycleLR(o, 0.1, 10, anneal_strategy="square"), "anneal_strategy='square'"),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), "factor=1.0"),
        (lambda o: ReduceLROnPlateau(o, mode="least"), "mode='least'"),
        (lambda o: ReduceLROnPlateau(o).step(), "Received: None"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)], [3]), "one fewer"),
        (lambda o: OneCycleLR(o, 0.1, 1).rate(0.1, 2), "ends after 1 steps. Received: step 2"),
    ],
)
def test_misuse_is_one_sentence(make: Callable[[SGD], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(SGD([Parameter(torch.zeros(1))], momentum=0.9))


def test_only_an_optimizer_is_scheduled() -> None:
    with pytest.raises(TypeError, match=r"Received: builtins\.list$"):
        StepLR([], 1)  # type: ignore[arg-type]


def test_an_argument_that_is_not_stored_is_named_at_once() -> None:
    class Forgetful(Schedule):
        def __init__(self, optimizer: SGD, speed: float) -> None:
            super().__init__(optimizer)

        def rate(self, base: float, step: int) -> float:
            return base

    with pytest.raises(AttributeError, match=r"self\.speed"):
        Forgetful(SGD([Parameter(torch.zeros(1))]), 1.0)


def test_a_chain_hands_on_metrics_and_momenta():
    ours, _, _, _ = _pair("StepLR", {"step_size": 100})
    parts = [LinearLR(ours, 0.5, total_iters=2), ReduceLROnPlateau(ours, patience=0)]
    chain = SequentialLR(ours, parts, [3])
    for metric in (1.0, 1.0, 1.0, 1.0, 1.0):
        chain.step(metric)
    assert ours.groups[0].lr == pytest.approx(0.1 * 0.1 * 0.1)
    restored = SequentialLR(ours, [LinearLR(ours, 0.5, total_iters=2), ReduceLROnPlateau(ours, patience=0)], [3])
    restored.load_state_dict(chain.state_dict())
    assert [group.lr for group in ours.groups] == pytest.approx([0.001, 0.003])
    cycled = SequentialLR(ours, [LinearLR(ours, 0.5, total_iters=2), OneCycleLR(ours, 0.5, 10)], [2])
    for _ in range(2):
        cycled.step()
    assert ours.groups[0].momentum == 0.95


def test_a_loop_may_go_on_after_the_last_update_of_one_cycle() -> None:
    ours = SGD([Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    schedule = OneCycleLR(ours, 0.1, 5)
    rates = []
    for _ in range(5):
        rates.append(ours.lr)
        schedule.step()
    assert ours.lr == rates[-1] == min(rates)
    with pytest.raises(ValueError, match="ends after 5 steps"):
        schedule.step()


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize(("steps", "pct_start"), [(10, 0.1), (2, 0.5), (1, 1.0)])
def test_one_cycle_whose_rise_is_one_step_begins_at_the_top(steps: int, pct_start: float, three_phase: bool) -> None:
    sgd = SGD([Parameter(torch.zeros(1))], momentum=0.9)
    schedule = OneCycleLR(sgd, 0.5, steps, pct_start=pct_start, three_phase=three_phase)
    assert (sgd.lr, sgd.momentum) == (0.5, 0.85)
    rates = [schedule.rate(0.1, step) for step in range(steps)]
    assert rates == sorted(rates, reverse=True)


def test_an_optimizer_of_torch_is_told_from_ours() -> None:
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    with pytest.raises(
        TypeError, match=r"^StepLR expects an optimizer of minigrad\. Received: torch\.optim\.sgd\.SGD$"
    ):
        StepLR(theirs, 2)  # type: ignore[arg-type]
