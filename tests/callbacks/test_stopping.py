"""EarlyStopping, BestCheckpoint and TimeLimit: when they act, and that a column that cannot be is told."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import minigrad
from minigrad.callbacks import BestCheckpoint, EarlyStopping, TimeLimit
from minigrad.core import Callback, Run
from minigrad.errors import ConfigError
from minigrad.metrics import Accuracy, ConfusionMatrix
from tests.callbacks.problem import classifier, data, fit, hand_made, tell

NAN = math.nan


def stopped_after(stopping: EarlyStopping, values: list[float], **options: Any) -> int | None:
    """After how many values the run is stopped."""
    run = hand_made(**options)
    stopping.on_fit_start(run)
    for value in values:
        tell(stopping, run, **{stopping.monitor: value})
        if run.stopped:
            return run.step
    return None


@pytest.mark.parametrize(
    ("options", "values", "expected"),
    [
        ({"patience": 1}, [3, 2, 1, 1], 4),
        ({"patience": 1}, [3, 2, 1, 0.5], None),
        ({"patience": 2}, [3, 4, 2, 4, 4], 5),
        ({"patience": 2}, [3, 3, 2, 3, 3], 5),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.5], 2),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.4, 1.8], None),
        ({"patience": 2}, [NAN, NAN], 2),
        ({"patience": 2}, [NAN, 1, NAN, NAN], 4),
        ({"patience": 2}, [math.inf, 5, 4], None),
        ({"patience": 1, "mode": "max"}, [1, 2, 2], 3),
        ({"patience": 1, "mode": "max", "min_delta": 0.5}, [1, 2, 2.4], 3),
        ({"patience": 1, "monitor": "cost"}, [3, 2, 2], 3),
        ({"patience": 1, "monitor": "score", "mode": "max"}, [3, 4, 4], 3),
    ],
)
def test_a_run_stops_after_so_many_values_without_a_new_best(options: Any, values: Any, expected: int | None):
    assert stopped_after(EarlyStopping(**options), values) == expected


@pytest.mark.parametrize("cut", range(6))
def test_a_resumed_one_goes_on_waiting(cut: int):
    values = [3.0, 2.0, 2.5, 4.0, NAN, 1.0]
    run, first = hand_made(), EarlyStopping(patience=3)
    first.on_fit_start(run)
    for value in values[:cut]:
        tell(first, run, val_cost=value)
    second = EarlyStopping(patience=3)
    second.load_state_dict(first.state_dict())
    second.on_fit_start(run)
    for value in values[cut:]:
        if not run.stopped:
            tell(second, run, val_cost=value)
    assert run.step == 5


def test_a_metric_knows_which_way_is_better():
    metrics = {"accuracy": Accuracy()}
    assert stopped_after(EarlyStopping("val_accuracy", 1), [0.1, 0.2, 0.2], metrics=metrics) == 3
    assert stopped_after(EarlyStopping("val_accuracy", 1, mode="min"), [0.2, 0.1, 0.2], metrics=metrics) == 3
    assert stopped_after(EarlyStopping("accuracy", 1), [0.1, 0.2], metrics=metrics, validates=False) is None


def test_why_it_stopped_is_said():
    run = hand_made()
    stopping = EarlyStopping(patience=2)
    stopping.on_fit_start(run)
    for value in (0.5, 0.75, 0.5):
        tell(stopping, run, val_cost=value)
    assert run.stopped == "val_cost was not better than 0.5 for 2 values in a row"


@pytest.mark.parametrize("cls", [EarlyStopping, BestCheckpoint])
@pytest.mark.parametrize(
    ("options", "run", "message"),
    [
        ({"monitor": "val_acuracy"}, {"validates": True}, "Did you mean 'val_accuracy'? Received: monitor="),
        ({"monitor": "loss"}, {}, "cost, accuracy, val_cost, val_accuracy; for another one, mode must be given"),
        ({}, {"validates": False}, "cost, accuracy; .* Received: monitor='val_cost'"),
        ({"mode": "min"}, {"validates": False}, "Received: monitor='val_cost'"),
        ({"monitor": "accuracy"}, {"validates": True}, "Did you mean 'val_accuracy'?"),
    ],
)
def test_a_column_that_cannot_be_is_told_at_the_start(cls: Any, options: Any, run: Any, message: str):
    made = hand_made(metrics={"accuracy": Accuracy()}, **run)
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        cls(**options).on_fit_start(made)


def test_a_column_that_nobody_adds_is_told_at_the_end_of_the_first_pass():
    with pytest.raises(ConfigError, match=r"of the history: cost\. Received: monitor='score'\n") as caught:
        fit(EarlyStopping("score", mode="min"))
    assert caught.value.__notes__ == ["In callback EarlyStopping.on_epoch_end, after 3 updates."]
    with pytest.raises(ConfigError, match=r"Did you mean 'val_cost'\? Received: monitor='val_costs'\n"):
        fit(EarlyStopping("val_costs", mode="min"), validation=data())


def test_only_single_numbers_are_watched():
    run = hand_made(metrics={"confusion_matrix": ConfusionMatrix()}, validates=True)
    with pytest.raises(ConfigError, match=r"^EarlyStopping watches a single number\. Received: monitor="):
        EarlyStopping("val_confusion_matrix").on_fit_start(run)
    stopping = EarlyStopping("val_confusion_matrix", mode="min")
    stopping.on_fit_start(run)
    with pytest.raises(ConfigError, match=re.escape("Received: val_confusion_matrix = [[1, 2]]")):
        tell(stopping, run, val_confusion_matrix=[[1, 2]])


class Weights(Callback):
    """Takes the weights down at each validation."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def on_validation_end(self, run: Run) -> None:
        self.taken.append({name: tensor.clone() for name, tensor in run.net.state_dict().items()})


@pytest.mark.parametrize("restore_best", [True, False])
def test_the_best_weights_are_put_back(restore_best: bool):
    net, weights = classifier(), Weights()
    # The largest cost is "the best", so that it is not the last.
    stopping = EarlyStopping("val_cost", patience=3, mode="max", restore_best=restore_best)
    history = fit(stopping, weights, net=net, validation=data(), epochs=9)
    assert history.stopped == f"val_cost was not better than {max(history['val_cost']):.6g} for 3 values in a row"
    best = history["val_cost"].index(max(history["val_cost"]))
    assert best == len(weights.taken) - 4
    expected = weights.taken[best if restore_best else -1]
    assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())


def test_a_checkpoint_holds_the_weights_of_its_own_step(tmp_path: Path):
    stopping = {"name": "early_stopping", "patience": 2, "mode": "max", "restore_best": True}
    fit(stopping, validation=data(), checkpoint=tmp_path, epochs=2)
    resumed = fit(stopping, validation=data(), checkpoint=tmp_path, epochs=5, resume=True)
    whole = fit(stopping, validation=data(), epochs=5)
    assert resumed.rows == whole.rows
    assert resumed.stopped == whole.stopped


def test_the_best_state_of_a_run_is_a_file_that_it_goes_on_from(tmp_path: Path):
    weights = Weights()
    best = BestCheckpoint("deep/best.safetensors", mode="max")
    history = fit(weights, best, validation=data(), checkpoint=tmp_path)
    at = history["val_cost"].index(max(history["val_cost"]))
    (tmp_path / "other").mkdir()
    (tmp_path / "deep" / "best.safetensors").rename(tmp_path / "other" / "checkpoint.safetensors")
    net = classifier()
    resumed = fit(Weights(), best, net=net, validation=data(), checkpoint=tmp_path / "other", resume=True)
    assert resumed.rows == history.rows
    assert at < 2
    assert all(torch.equal(tensor, weights.taken[-1][name]) for name, tensor in net.state_dict().items())


def test_only_a_new_best_is_written(tmp_path: Path):
    written: list[tuple[int, Path]] = []
    run = hand_made(tmp_path, save=lambda path: written.append((run.step, path)))
    best = BestCheckpoint()
    best.on_fit_start(run)
    for value in (3.0, NAN, 2.0, 2.0, 5.0, 1.0):
        tell(best, run, val_cost=value)
    path = tmp_path / "best-checkpoint.safetensors"
    assert written == [(1, path), (3, path), (6, path)]


def test_a_time_limit_ends_the_run_in_order(monkeypatch: pytest.MonkeyPatch):
    clock = iter([100.0, 101.0, 104.0, 105.5, 106.0])
    monkeypatch.setattr("minigrad.callbacks.time_limit.time.monotonic", lambda: next(clock))
    run, limit = hand_made(), TimeLimit(seconds=5)
    limit.on_fit_start(run)
    for expected in ("", "", "the time limit of 5 seconds was reached"):
        tell(limit, run)
        assert run.stopped == expected


def test_a_run_that_is_out_of_time_has_its_checkpoint(tmp_path: Path):
    history = fit(TimeLimit(seconds=1e-9), checkpoint=tmp_path)
    assert len(history) == 1
    assert history.stopped == "the time limit of 1e-09 seconds was reached"
    assert (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(patience=1.5), "patience must be a whole number, at least 1. Received: patience=1.5"),
        (lambda: EarlyStopping(patience=0), "patience must be a whole number, at least 1. Received: patience=0"),
        (lambda: EarlyStopping(min_delta=-1), "min_delta must not be negative. Received: min_delta=-1"),
        (lambda: EarlyStopping(min_delta=NAN), "min_delta must not be negative. Received: min_delta=nan"),
        (lambda: EarlyStopping(mode="best"), "mode must be 'min' or 'max'. Received: mode='best'"),  # type: ignore[arg-type]
        (lambda: BestCheckpoint(mode="up"), "mode must be 'min' or 'max'. Received: mode='up'"),  # type: ignore[arg-type]
        (lambda: TimeLimit(0), "seconds must be positive. Received: seconds=0"),
        (lambda: TimeLimit(NAN), "seconds must be positive. Received: seconds=nan"),
    ],
)
def test_arguments_that_cannot_be_are_refused(make: Any, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_names():
    assert repr(minigrad.callback("time_limit")(seconds=60)) == "TimeLimit(seconds=60)"
    names = ["early_stopping", "best_checkpoint", "csv_log", "jsonl_log", "learning_rate_log", "gradient_statistics"]
    names += ["activation_statistics", "non_finite_guard"]
    assert all(minigrad.callback(name).__module__.startswith("minigrad.callbacks.") for name in names)
