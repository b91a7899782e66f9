"""A killed run that is resumed is the run that was never killed; and a checkpoint of another run is told."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from minigrad import Callback, Metric
from minigrad.core import Parameter
from minigrad.errors import CheckpointError
from minigrad.files import read_tree
from minigrad.layers import Dropout, Linear, Sequential
from minigrad.losses import L1, MSE
from minigrad.optimizers import SGD, Adam
from minigrad.registry import build
from minigrad.schedules import LinearLR
from minigrad.training import Checkpoint, fit
from tests.training.resuming import forked

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
    return fit(net, options.pop("loss", MSE()), optimizer, (X, Y), **options)


def test_a_run_can_be_made_longer(tmp_path):
    whole = small(epochs=5, seed=1)
    small(tmp_path, seed=1)
    assert small(tmp_path, seed=1, epochs=5, resume=True).rows == whole.rows


def test_what_is_complete_stays_as_it_is(tmp_path):
    first = small(tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    assert small(tmp_path, resume=True).rows == first.rows
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize("fewer", [{"epochs": 1}, {"epochs": None, "steps": 1}])
def test_a_run_that_has_made_more_than_is_asked_for_is_complete(tmp_path, fewer):
    first = small(tmp_path)
    assert small(tmp_path, resume=True, **fewer).rows == first.rows


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
        ({"schedule": {"name": "exponential", "gamma": 0.9}}, "schedule=None. Received: schedule='ExponentialLR'"),
        ({"optimizer": lambda p: SGD(p, lr=0.2)}, "optimizer.lr=0.1. Received: optimizer.lr=0.2"),
        (
            {"optimizer": lambda p: SGD([{"params": list(p)}, {"params": [Parameter(X)]}])},
            "optimizer.0=None. Received: optimizer.0='SGD'",
        ),
        ({"loss": L1()}, "loss='MSE'. Received: loss='L1'"),
        ({"loss": MSE(reduction="sum")}, "loss.reduction='mean'. Received: loss.reduction='sum'"),
        ({"validation": (X, Y)}, "validates=False. Received: validates=True"),
        ({"net": Sequential(Linear(1, 1))}, "net='Linear'. Received: net='Sequential'"),
        ({"net": Linear(1, 2)}, "net.out_features=1. Received: net.out_features=2"),
        ({"net": Linear(1, 1, dtype=torch.float64)}, "resumed in their own dtype; .* is torch.float32"),
    ],
)
def test_a_checkpoint_of_another_run_is_told(tmp_path, changes, message):
    small(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        small(tmp_path, resume=True, **changes)


def test_changes_within_a_net_a_schedule_and_a_metric_are_told(tmp_path):
    def run(p=0.1, gamma=0.9, logits=True, best="cost", **options):
        net = Sequential(Linear(1, 1), Dropout(p))
        options |= {"metrics": [{"name": "binary_accuracy", "logits": logits}], "checkpoint": tmp_path}
        options |= {
            "schedule": {"name": "exponential_lr", "gamma": gamma},
            "checkpoint": Checkpoint(tmp_path, best=best),
        }
        small(net=net, loss="bce_with_logits", validation=(X, (Y > 0).float()), **options)

    run()
    run(resume=True, epochs=3)
    for name, then, now in [("net.layers.1.p", 0.1, 0.5), ("schedule.gamma", 0.9, 0.5), ("best", "cost", "val_cost")]:
        message = re.escape(f"was written with {name}={then!r}. Received: {name}={now!r}")
        with pytest.raises(CheckpointError, match=message):
            run(resume=True, **{name.split(".")[-1]: now})
    with pytest.raises(CheckpointError, match=r"metric\.binary_accuracy\.logits=True\. Received: .*=False"):
        run(resume=True, logits=False)


def test_an_optimizer_that_is_used_on_goes_on_from_where_the_file_is(tmp_path):
    whole = small(epochs=4, seed=1, schedule={"name": "linear_lr", "total_iters": 30})
    for make in (lambda p: SGD(p, lr=0.1), lambda p: SGD(p, lr=0.1, momentum=0.5)):
        folder = tmp_path / str(id(make))
        net = Linear(1, 1)
        optimizer = make(net.parameters())
        schedule = LinearLR(optimizer, total_iters=30)
        options = {"net": net, "optimizer": lambda _, made=optimizer: made, "schedule": schedule, "seed": 1}
        small(folder, epochs=2, **options)
        assert optimizer.lr != pytest.approx(0.1 / 3)
        longer = small(folder, epochs=4, resume=True, **options)
        assert len(longer) == len(whole)


class Halves(Callback):
    """Halves the learning rate at the fifth update."""

    def on_step_end(self, run):
        if run.step == 5:
            run.optimizer.lr *= 0.5


class Falls(Callback):
    """Falls over at an update."""

    def __init__(self, at):
        self.at = at

    def on_step_end(self, run):
        if run.step == self.at:
            raise SystemExit


@pytest.mark.parametrize("optimizer", ["sgd", "lookahead"])
@pytest.mark.parametrize("schedule", [None, {"name": "exponential_lr", "gamma": 0.9}], ids=["plain", "scheduled"])
def test_a_rate_that_a_callback_has_changed_is_kept(tmp_path, optimizer, schedule):
    def run(name, resume=False, at=0):
        options = {"epochs": 4, "schedule": schedule, "schedule_every": "epoch", "resume": resume, "seed": 1}
        spec = {"name": optimizer} if optimizer == "sgd" else {"name": optimizer, "base": "sgd", "k": 2}
        checkpoint = Checkpoint(tmp_path / name, every=1)
        small(
            checkpoint,
            optimizer=lambda p: build({**spec, "kind": "optimizer"}, params=p),
            callbacks=[Halves(), Falls(at)],
            **options,
        )
        return checkpoint.newest.read_bytes()

    with pytest.raises(SystemExit):
        run("fell", at=8)
    assert run("fell", resume=True) == run("whole")


def test_a_state_that_cannot_be_taken_over_is_told(tmp_path):
    class Other(Counts):
        def load_state_dict(self, state_dict):
            self.count = state_dict["number"]

    Other.__name__ = "Counts"
    small(tmp_path, callbacks=[Counts()])
    with pytest.raises(CheckpointError, match="is the checkpoint of another run: KeyError: 'number'"):
        small(tmp_path, resume=True, callbacks=[Other()])


def test_a_number_that_a_killed_run_has_not_given_is_given(tmp_path):
    checkpoint = Checkpoint(tmp_path, every=1, keep=3)
    small(checkpoint)
    names = [path.name for path in checkpoint.kept()]
    checkpoint.kept()[-1].unlink()
    (tmp_path / "checkpoint-mine.safetensors").touch()
    small(checkpoint, resume=True)
    assert [path.name for path in checkpoint.kept()] == names
    assert checkpoint.kept()[-1].read_bytes() == checkpoint.newest.read_bytes()


@pytest.mark.parametrize("resume", [False, True])
def test_numbered_files_without_a_newest_are_not_run_over(tmp_path, resume):
    checkpoint = Checkpoint(tmp_path, every=1, keep=2)
    small(checkpoint)
    checkpoint.newest.unlink()
    with pytest.raises(
        CheckpointError, match=r"no checkpoint\.safetensors: .* Received: checkpoint-000000006\.safetensors"
    ):
        small(checkpoint, resume=resume)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="locks are those of POSIX")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("resume", [False, True])
def test_two_runs_never_share_a_folder(tmp_path, resume):
    class Tries(Callback):
        """Tries to run in the same folder, in a process of its own and in a thread."""

        def on_fit_start(self, run):
            self.told = forked(self.another), self.in_a_thread()

        def another(self):
            with pytest.raises(CheckpointError, match=r"another run is going on in this folder$"):
                small(tmp_path, resume=resume)

        def in_a_thread(self):
            with ThreadPoolExecutor() as pool:
                pool.submit(self.another).result()

    tries = Tries()
    small(tmp_path, callbacks=[tries])
    assert tries.told == (0, None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="locks are those of POSIX")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_lives_on_holds_no_folder(tmp_path):
    class Forks(Callback):
        """Leaves a child behind, as a data loader may."""

        def on_fit_start(self, run):
            self.child = os.fork()
            if self.child == 0:
                signal.pause()

    forks = Forks()
    small(tmp_path, callbacks=[forks])
    try:
        assert len(small(tmp_path, epochs=3, resume=True)) == 9
    finally:
        os.kill(forks.child, signal.SIGKILL)
        os.waitpid(forks.child, 0)


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
