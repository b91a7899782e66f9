"""Laws for schedules: the rates that they set, and when."""

import io
import math

import torch

from minigrad.core import Schedule
from minigrad.testing.law import demand, law
from minigrad.testing.trial import Trial

STEPS = 8
METRICS = (1.0, 0.5, 0.5, 0.7, 0.7, 0.7, 0.2, 0.3)  # for those that watch one: it falls, stays, rises and falls


def rates(schedule: Schedule) -> list[float]:
    """The rate of each group, as it stands."""
    return [group.lr for group in schedule.optimizer.groups]  # type: ignore[attr-defined]


def alike(one: list[float], other: list[float]) -> bool:
    """Whether two lists of rates are equal up to rounding."""
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15) for a, b in zip(one, other, strict=True))


@law(Schedule)
def rates_follow_the_formula(trial: Trial) -> None:
    """At each step, from 0 on, every group has the rate that `rate` gives for its own first rate."""
    schedule: Schedule = trial.made()
    for step in range(STEPS):
        expected = [schedule.rate(base, step) for base in schedule.base_lrs]
        rule = f"At step {step} each group has the rate of the formula, {expected}."
        demand(alike(rates(schedule), expected), rule, str(rates(schedule)))
        schedule.step(METRICS[step])


@law(Schedule)
def rates_are_rates(trial: Trial) -> None:
    """Every rate is a finite number, not negative."""
    schedule: Schedule = trial.made()
    for step in range(STEPS):
        sound = all(isinstance(rate, float) and math.isfinite(rate) and rate >= 0 for rate in rates(schedule))
        demand(sound, f"At step {step} each rate is a finite float, not negative.", str(rates(schedule)))
        schedule.step(METRICS[step])


@law(Schedule)
def rate_is_pure(trial: Trial) -> None:
    """`rate` is a function of its arguments: asking for a rate changes nothing, in whatever order it is asked."""
    schedule: Schedule = trial.made()
    before = dict(vars(schedule))
    forwards = [schedule.rate(0.5, step) for step in range(STEPS)]
    backwards = [schedule.rate(0.5, step) for step in reversed(range(STEPS))][::-1]
    demand(alike(forwards, backwards), "The same question gets the same answer.", f"{backwards}, before {forwards}")
    changed = [name for name, value in vars(schedule).items() if before.get(name) != value]
    demand(not changed, "Asking for a rate changes nothing.", f"changed: {', '.join(changed)}")


@law(Schedule)
def schedule_resumes(trial: Trial) -> None:
    """A schedule that loads another one's state dict, saved and read again, goes on as that one does."""
    schedule: Schedule = trial.made()
    for metric in METRICS[:4]:
        schedule.step(metric)
    file = io.BytesIO()
    torch.save(schedule.state_dict(), file)
    file.seek(0)
    successor: Schedule = trial.made()
    successor.load_state_dict(torch.load(file, weights_only=True))
    for step, metric in enumerate(METRICS[4:], start=4):
        rule = f"Resumed at step 4, the rates of step {step} are {rates(schedule)}."
        demand(alike(rates(successor), rates(schedule)), rule, str(rates(successor)))
        schedule.step(metric)
        successor.step(metric)
