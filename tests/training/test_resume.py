"""A killed run that is resumed is the run that was never killed; and a checkpoint of another run is told."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from minigrad import Callback, Metric
from minigrad.errors import CheckpointError
from minigrad.files import read_tree
from minigrad.layers import Linear, Sequential
from minigrad.losses import MSE
from minigrad.optimizers import SGD, Adam
from minigrad.training import Checkpoint, fit

ROOT = Path(__file__).parents[2]
X = torch.linspace(-1, 1, 12).reshape(12, 1)
Y = 2 * X + 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked")
@pytest.mark.parametrize("scenario", ["rows", "weighted, accumulated", "dataset", "loader", "noisy stream"])
def test_killed_at_any_moment_and_resumed_every_byte_is_the_same(scenario):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.resuming", scenario, "10"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "32 kills\n"


def small(folder=None, net=None, optimizer=None, **options):
    torch.manual_seed(0)
    net = Linear(1, 1) if net is None else net
    optimizer = SGD(net.parameters(), lr=0.1) if optimizer is None else optimizer(net.parameters())
    options = {"epochs": 2, "batch_size": 4, "progress": False, "checkpoint": folder, **options}
    return fit(net, MSE(), optimizer, (X, Y), **options)


def test_a_run_can_be_made_longer(tmp_path):
    whole = small(epochs=5, seed=1)
    small(tmp_path, seed=1)
    assert small(tmp_path, seed=1, epochs=5, resume=True).rows == whole.rows


def test_what_is_complete_stays_as_it_is(tmp_path):
    first = small(tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    assert small(tmp_path, resume=True).rows == first.rows
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_there_may_be_nothing_to_resume(tmp_path):
    assert len(small(tmp_path / "new" / "deep", resume=True)) == 6


def test_the_newest_are_kept_and_the_best(tmp_path):
    checkpoint = Checkpoint(tmp_path, every=1, keep=3, best="val_cost")
    history = small(checkpoint, validation=(X, Y), validate_every=1)
    assert [path.name for path in checkpoint.kept()] == [f"checkpoint-{n:09d}.safetensors" for n in (4, 5, 6)]
    assert checkpoint.kept()[-1].read_bytes() == checkpoint.newest.read_bytes()
    best = min(range(6), key=history["val_cost"].__getitem__)
    checkpoint.newest.write_bytes(checkpoint.best_file.read_bytes())
    seen = []

    class Look(Callback):
        def on_fit_start(self, run):
            seen.append((run.step, run.epoch, len(run.rows)))

    again = small(checkpoint, validation=(X, Y), validate_every=1, resume=True, callbacks=[Look()])
    assert again.rows == history.rows
    assert seen == [(best + 1, (best + 1) // 3, best + 1)]


class Counts(Callback):
    """Remembers how many updates it has seen."""

    def __init__(self):
        self.count = 0

    def on_step_end(self, run):
        self.count += 1

    def state_dict(self):
        return {"count": self.count} if self.count else {}

    def load_state_dict(self, state_dict):
        self.count = state_dict["count"]


def test_callbacks_that_remember_must_be_there_and_others_may_come(tmp_path):
    small(tmp_path, callbacks=[Counts()])
    with pytest.raises(CheckpointError, match=r"what a Counts remembers, so .* Received: callbacks=\[\]"):
        small(tmp_path, resume=True)
    first, second = Counts(), Counts()
    small(tmp_path, resume=True, epochs=3, callbacks=[first, second])
    assert (first.count, second.count) == (9, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 3}, "batch_size=4. Received: batch_size=3"),
        ({"shuffle": False}, "shuffle=True. Received: shuffle=False"),
        ({"seed": 3}, "seed=None. Received: seed=3"),
        ({"accumulate": 2}, "accumulate=1. Received: accumulate=2"),
        ({"clip": 1.0}, "clip=None. Received: clip=1.0"),
        ({"optimizer": Adam}, "optimizer='SGD'. Received: optimizer='Adam'"),
        ({"metrics": ["mae"]}, r"metrics=\[\]. Received: metrics=\['MeanAbsoluteError'\]"),
        ({"schedule": {"name": "exponential", "gamma": 0.9}}, "schedule=False. Received: schedule=True"),
        ({"net": Sequential(Linear(1, 1))}, r"is the checkpoint of another run: [\s\S]*missing"),
        ({"net": Linear(1, 1, dtype=torch.float64)}, "resumed in their own dtype; .* is torch.float32"),
    ],
)
def test_a_checkpoint_of_another_run_is_told(tmp_path, changes, message):
    small(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        small(tmp_path, resume=True, **changes)


def test_a_damaged_checkpoint_is_told(tmp_path):
    small(tmp_path)
    file = tmp_path / "checkpoint.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors"):
        small(tmp_path, resume=True)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"every": 0}, "every=0"), ({"keep": 0}, "keep=0"), ({"mode": "best"}, "mode='best'"),
])  # fmt: skip
def test_a_policy_that_cannot_be_is_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        Checkpoint("folder", **arguments)


def test_a_signal_that_somebody_handles_is_left_to_them(tmp_path):
    seen = []
    previous = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:

        class Interrupts(Callback):
            def on_step_end(self, run):
                os.kill(os.getpid(), signal.SIGINT)

        assert small(callbacks=[Interrupts()]).stopped == ""
        assert len(seen) == 6
    finally:
        signal.signal(signal.SIGINT, previous)


def test_what_early_stopping_ended_stays_ended(tmp_path):
    early = {"name": "early_stopping", "monitor": "cost", "patience": 2, "min_delta": 1e9}
    first = small(tmp_path, callbacks=[early], epochs=9)
    again = small(tmp_path, callbacks=[early], epochs=9, resume=True)
    assert (again.rows, again.stopped) == (first.rows, first.stopped)
    assert len(first) == 3


def test_no_number_is_never_the_best(tmp_path):
    class Third(Metric):
        """NaN twice, and then a number."""

        higher_is_better = True

        def __init__(self):
            self.times = 0

        def reset(self):
            pass

        def update(self, prediction, target):
            pass

        def compute(self):
            self.times += 1
            return float("nan") if self.times < 3 else -self.times / 10

    best = Checkpoint(tmp_path, every=100, best="val_third")
    small(best, validation=(X, Y), validate_every=1, metrics=[Third()])
    assert read_tree(best.best_file, kind="checkpoint")["step"] == 3
