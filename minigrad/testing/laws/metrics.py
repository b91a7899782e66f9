"""Laws for metrics: what they sum up, forget, and give."""

import copy
import io
import json
import math
import pickle
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Metric
from minigrad.testing.compare import first_difference
from minigrad.testing.law import demand, law
from minigrad.testing.trees import describe, map_tensors
from minigrad.testing.trial import Trial

Pair = tuple[Any, Any]


def batches(trial: Trial, sizes: list[int]) -> list[Pair]:
    """The case's examples, cut into batches."""
    dim = trial.case.batch_dim or 0
    starts = [sum(sizes[:i]) for i in range(len(sizes))]

    def part(value: Any, start: int, size: int) -> Any:
        return map_tensors(lambda tensor: tensor.narrow(dim, start, size), value)

    prediction, target = trial.inputs(torch.float32)
    cuts = list(zip(starts, sizes, strict=True))
    return [(part(prediction, start, size), part(target, start, size)) for start, size in cuts]


def rows(trial: Trial) -> int:
    """How many examples the case has."""
    first: Tensor = trial.inputs(torch.float32)[0]
    return first.shape[trial.case.batch_dim or 0]


def value_of(metric: Metric, pairs: list[Pair]) -> Any:
    """The value after some batches more."""
    for prediction, target in pairs:
        metric.update(prediction, target)
    return metric.compute()


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal up to rounding; NaN is equal to NaN."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


@law(Metric)
def value_is_plain(trial: Trial) -> None:
    """The value is a number, of which `higher_is_better` says which way is good, or nested lists of numbers."""
    metric: Metric = trial.made()
    for value in (value_of(metric, batches(trial, [rows(trial)])), trial.made().compute()):
        plain = isinstance(value, list) or type(value) in (float, int)
        demand(plain, "compute gives a Python number, or nested lists of them.", describe(value))
        json.dumps(value)
        way = metric.higher_is_better
        rule = "higher_is_better is True or False for a number, and None for lists."
        demand((way is None) == isinstance(value, list), rule, f"{way} for {value}")


@law(Metric)
def batches_do_not_matter(trial: Trial) -> None:
    """However the examples are cut into batches, the value is the same."""
    total = rows(trial)
    whole = value_of(trial.made(), batches(trial, [total]))
    for sizes in ([1] * total, [1, total - 1], [total - 2, 2]):
        value = value_of(trial.made(), batches(trial, sizes))
        demand(alike(value, whole), f"In batches of {sizes} the value is that of all at once, {whole}.", str(value))


@law(Metric)
def reset_forgets(trial: Trial) -> None:
    """After a `reset` the value is that of what came since, and two metrics share no sums."""
    half = rows(trial) // 2
    one, two = batches(trial, [half, rows(trial) - half])
    metric: Metric = trial.made()
    empty = metric.compute()
    fresh = value_of(trial.made(), [two])
    value_of(metric, [one])
    metric.reset()
    demand(alike(metric.compute(), empty), f"After a reset the value is that of a new metric, {empty}.")
    value = value_of(metric, [two])
    demand(alike(value, fresh), f"After a reset the value is that of what came since, {fresh}.", str(value))


@law(Metric)
def call_keeps_the_sums(trial: Trial) -> None:
    """Calling a metric gives the value of that batch alone, and changes no sum."""
    half = rows(trial) // 2
    one, two = batches(trial, [half, rows(trial) - half])
    metric: Metric = trial.made()
    before, alone = value_of(metric, [one]), value_of(trial.made(), [two])
    value = metric(*two)
    demand(alike(value, alone), f"A call gives the value of its batch alone, {alone}.", str(value))
    after = metric.compute()
    demand(alike(after, before), f"A call changes no sum: the value is still {before}.", str(after))


@law(Metric)
def metric_resumes(trial: Trial) -> None:
    """A metric that loads another one's state dict, saved and read again, or is a copy of it, goes on as that one."""
    half = rows(trial) // 2
    one, two = batches(trial, [half, rows(trial) - half])
    metric: Metric = trial.made()
    value_of(metric, [one])
    file = io.BytesIO()
    torch.save(metric.state_dict(), file)
    file.seek(0)
    loaded: Metric = trial.made()
    loaded.load_state_dict(torch.load(file, weights_only=True))
    successors = {"one that loaded its state dict": loaded, "a deep copy": copy.deepcopy(metric)}
    if "<locals>" not in type(metric).__qualname__:
        successors["one that was pickled"] = pickle.loads(pickle.dumps(metric))
    whole = value_of(metric, [two])
    for how, successor in successors.items():
        value = value_of(successor, [two])
        demand(alike(value, whole), f"The value of {how} is that of the metric itself, {whole}.", str(value))


@law(Metric)
def metric_leaves_its_arguments(trial: Trial) -> None:
    """`update` changes neither prediction nor target."""
    pair, before = trial.inputs(torch.float32), trial.inputs(torch.float32)
    trial.made().update(*pair)
    difference = first_difference(list(pair), list(before), 0.0, 0.0)
    demand(difference is None, "update must change neither of its arguments.", str(difference))
