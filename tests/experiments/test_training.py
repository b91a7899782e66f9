"""Experiments trained into folders: what they hold, how they go on, and that the same comes out each time."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

import minigrad
from minigrad.errors import CheckpointError, ConfigError, NonFiniteError
from minigrad.experiments import RunFolder, TrainingError, read_plan, train, training
from minigrad.experiments.folder import locked
from minigrad.experiments.journal import Journal
from minigrad.experiments.looking import look
from tests.experiments.samples import LEAVE_OUT, LINEAR, files_in, write

# What must be equal to the byte whenever the same experiment is run.
SAME = ("experiment.toml", "history.jsonl", "checkpoint.safetensors", "model.safetensors")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def go(file: Path, **options: Any) -> Any:
    return train(file, progress=False, **options)


def assert_same(one: Path, other: Path) -> None:
    for name in SAME:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_run_s_folder_holds_all_that_it_promises(tmp_path: Path):
    outcome = go(write(tmp_path))
    folder = tmp_path / "runs" / "sound"
    assert outcome.folder.path.resolve() == folder
    assert set(files_in(folder)) == {*SAME, "log.txt", "run.json"}
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [(row["step"], row["epoch"]) for row in rows] == [(i, i // 3) for i in range(9)]
    assert all("lr" in row for row in rows)
    assert {"val_cost", "val_accuracy"} <= rows[-1].keys()
    assert (outcome.status, outcome.steps, outcome.epochs) == ("complete", 9, 3)
    assert set(outcome.result) == {"train", "validation", "test"}
    assert set(outcome.result["test"]) == {"cost", "accuracy"}
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "complete"
    assert record["provenance"]["torch"] == torch.__version__
    assert record["result"] == outcome.result
    log = (folder / "log.txt").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d  \S", line) for line in log)
    assert log[-1].endswith("ends after 9 updates")


def test_the_model_is_the_trained_net_and_knows_how_rows_are_read(tmp_path: Path):
    go(write(tmp_path))
    file = tmp_path / "runs" / "sound" / "model.safetensors"
    net, notes = minigrad.load(file), RunFolder(file.parent).notes
    assert [type(layer).__name__ for layer in net] == ["Linear", "ReLU", "Linear"]
    assert notes["columns"] == ["x1", "x2"]
    assert notes["classes"] == ["upper", "lower"]
    assert notes["result"]["test"].keys() == {"cost", "accuracy"}
    x, y = minigrad.dataset("moons")(n=60).load().test
    assert minigrad.CrossEntropy()(net(x), y).item() == pytest.approx(notes["result"]["test"]["cost"], abs=1e-6)
    times = re.compile(rb"20\d\d-\d\d-\d\dT")
    assert not times.search(file.read_bytes())


def test_it_is_the_same_as_by_hand(tmp_path: Path):
    go(write(tmp_path, {"schedule": LEAVE_OUT, "callbacks": []}))
    torch.manual_seed(1)
    net = minigrad.Sequential(minigrad.Linear(2, 3), minigrad.ReLU(), minigrad.Linear(3, 2))
    data = minigrad.dataset("moons")(n=60).load()
    sgd = minigrad.SGD(net.parameters(), lr=0.1)
    history = minigrad.fit(
        net, "cross_entropy", sgd, data.train, epochs=3, batch_size=16, seed=1, validation=data.validation,
        metrics=["accuracy"], progress=False,
    )  # fmt: skip
    run = RunFolder(tmp_path / "runs" / "sound")
    assert run.rows() == history.rows
    for name, tensor in run.net().state_dict().items():
        assert torch.equal(tensor, net.state_dict()[name]), name


def test_the_experiment_as_run_is_complete_and_gives_the_same_run(tmp_path: Path):
    go(write(tmp_path))
    tables = tomllib.loads((tmp_path / "runs/sound/experiment.toml").read_text())
    assert tables["net"][0] == {**LINEAR, "name": "minigrad:linear", "bias": True}
    assert tables["optimizer"]["momentum"] == 0.0
    assert tables["train"]["shuffle"] is True
    again = go(tmp_path / "runs/sound/experiment.toml")
    assert again.folder.path.name == "sound-2"
    assert_same(tmp_path / "runs/sound", tmp_path / "runs/sound-2")
    assert read_plan(tmp_path / "runs/sound/experiment.toml").tables == tables


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": {"name": "adam", "betas": [0.8, 0.99]}},
        {"loss": {"name": "cross_entropy", "weight": [0.25, 0.75]}},
        {"net.1": {"name": "relu", "id": "a"}, "net.3": {"name": "residual", "body": {"ref": "a"}}},
        {"net.1": {"name": "residual", "body": [{**LINEAR, "in_features": 3}, "tanh"]}},
        {"train": {"steps": 5, "batch_size": 8, "accumulate": 2, "clip": 0.5, "validate_every": 2, "threads": 1}},
        {"train.dtype": "float64"},
        {"schedule": {"name": "plateau", "patience": 1, "every": "epoch"}},
        {"schedule": {"name": "sequential_lr", "milestones": [2], "schedulers": [
            {"name": "warmup", "total_iters": 2}, {"name": "cosine", "T_max": 10}]}},
        {"callbacks": [{"name": "early_stopping", "patience": 1, "min_delta": 1.0}]},
        {"callbacks": [{"name": "csv_log", "path": "logs/all.csv"}, "gradient_statistics"]},
        {"checkpoint": {"every": 2, "keep": 2, "best": "val_accuracy", "mode": "max"}},
        {"train.batch_size": LEAVE_OUT, "train.shuffle": False},
    ],
    ids=range(12),
)  # fmt: skip
def test_whatever_is_set_comes_back_from_the_complete_file(tmp_path: Path, changes: dict[str, Any]):
    first = go(write(tmp_path, changes))
    again = go(first.folder.experiment)
    assert again.steps == first.steps
    assert_same(first.folder.path, again.folder.path)


def test_settings_go_before_the_file_and_device_before_both(tmp_path: Path):
    file = write(tmp_path)
    settings = ["optimizer.lr=0.5", "net[1]=tanh", "loss.label_smoothing=0.1", "train.epochs=1", "train.device=cuda"]
    plan = read_plan(file, settings, device="cpu")
    assert plan.tables["optimizer"]["lr"] == 0.5
    assert plan.tables["net"][1] == {"name": "minigrad:tanh"}
    assert plan.tables["loss"]["label_smoothing"] == 0.1
    assert plan.tables["train"]["epochs"] == 1
    assert plan.tables["train"]["device"] == "cpu"


def test_reading_a_plan_leaves_torch_alone(tmp_path: Path):
    file, before = write(tmp_path), torch.get_rng_state()
    read_plan(file)
    assert torch.equal(before, torch.get_rng_state())
    go(file)
    assert torch.equal(before, torch.get_rng_state())


def test_each_run_has_a_folder_of_its_own(tmp_path: Path):
    file = write(tmp_path, {"train.epochs": 1})
    (tmp_path / "runs/sound-2").mkdir(parents=True)
    (tmp_path / "runs/sound-2/note").write_text("mine")
    assert [go(file).folder.path.name for _ in range(3)] == ["sound", "sound-3", "sound-4"]
    assert files_in(tmp_path / "runs/sound-2") == {"note": b"mine"}


def test_a_folder_that_holds_something_is_not_trained_into(tmp_path: Path):
    file = write(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/note").write_text("mine")
    for out, resume in (("out", False), ("out", True), ("sound.toml", False)):
        with pytest.raises(ConfigError, match="--out must be a new or an empty folder; choose another one"):
            go(file, out=Path(out), resume=resume)
    assert files_in(tmp_path / "out") == {"note": b"mine"}
    go(file, out=Path("new/deep"))
    with pytest.raises(ConfigError, match="--resume goes on with the run that it holds"):
        go(file, out=Path("new/deep"))


def test_an_experiment_without_a_run_is_not_resumed(tmp_path: Path):
    with pytest.raises(ConfigError, match="Received: none in runs; leave --resume out"):
        go(write(tmp_path), resume=True)


def test_a_run_that_is_complete_says_so(tmp_path: Path):
    file = write(tmp_path)
    first = go(file)
    before = files_in(tmp_path)
    again = go(file, resume=True)
    assert again.was_done
    assert again.result == first.result
    assert files_in(tmp_path) == before


def test_a_run_is_resumed_as_it_was_begun(tmp_path: Path):
    file = write(tmp_path)
    go(file)
    with pytest.raises(ConfigError, match=r"begun otherwise:\n  optimizer.lr: 0.1 then, 0.2 now"):
        go(file, resume=True, settings=["optimizer.lr=0.2"])


@pytest.mark.parametrize(("key", "short", "long"), [("epochs", 2, 5), ("steps", 6, 15)])
def test_a_run_may_go_on_for_longer_than_it_was_begun(tmp_path: Path, key: str, short: int, long: int):
    file, longer = write(tmp_path, {"train.epochs": LEAVE_OUT, f"train.{key}": short}), [f"train.{key}={long}"]
    whole = go(file, settings=longer, out=Path("whole"))
    folder = go(file).folder
    outcome = go(file, resume=True, settings=longer)
    assert (outcome.folder, outcome.status, outcome.steps) == (folder, "complete", 15)
    assert outcome.result == whole.result
    assert_same(whole.folder.path, folder.path)
    assert go(folder.experiment, resume=True, out=folder.path).was_done
    with pytest.raises(ConfigError, match=rf"begun otherwise:\n  train.{key}: {long} then, {short} now"):
        go(file, resume=True)


@pytest.mark.parametrize("step", ["write_file", "_trained"])
def test_a_kill_while_it_is_lengthened_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str):
    class Killed(BaseException):
        pass

    def kill(*arguments: Any) -> Any:
        raise Killed

    file, longer = write(tmp_path, {"train.epochs": 2}), ["train.epochs=5"]
    whole, short = (go(file, out=Path(out), settings=settings) for out, settings in (("whole", longer), ("short", ())))
    ends = [("again", longer), *([("as it was", ())] if step != "_trained" else [])]  # by then it is a longer one
    for end, settings in ends:
        shutil.copytree("short", end)
        with monkeypatch.context() as patch:
            patch.setattr(training, step, kill)
            with pytest.raises(Killed):
                go(file, out=Path(end), resume=True, settings=longer)
        outcome = go(file, out=Path(end), resume=True, settings=settings)
        assert outcome.status == "complete"
        assert_same((whole if settings else short).folder.path, Path(end))


def test_a_run_that_a_callback_stopped_is_not_lengthened(tmp_path: Path):
    stop = {"name": "early_stopping", "monitor": "val_cost", "patience": 1, "min_delta": 10.0}
    file = write(tmp_path, {"train.epochs": 5, "callbacks": [stop]})
    first = go(file)
    assert first.status == "stopped"
    before = files_in(tmp_path)
    again = go(file, resume=True, settings=["train.epochs=50"])
    assert (again.was_done, again.stopped) == (True, first.stopped)
    assert files_in(tmp_path) == before


def test_the_newest_run_is_resumed(tmp_path: Path):
    file = write(tmp_path, {"train.epochs": 1})
    for _ in range(11):
        newest = go(file)
    assert newest.folder.path.name == "sound-11"
    (tmp_path / "runs/sound-x").mkdir()
    (tmp_path / "runs/sound-12").mkdir()  # empty: no run was begun
    assert go(file, resume=True).folder.path.name == "sound-11"


def test_two_processes_do_not_train_into_one_folder(tmp_path: Path):
    file = write(tmp_path)
    folder = go(file).folder.path
    opened = os.open(folder, os.O_RDONLY)
    fcntl.flock(opened, fcntl.LOCK_EX)
    with pytest.raises(ConfigError, match="another process is training into this folder"):
        go(file, resume=True)
    os.close(opened)
    assert go(file, resume=True).was_done


def test_data_files_are_kept_with_the_run(tmp_path: Path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/abc.txt").write_text("abcabd" * 100)
    net = [{"name": "embedding", "num_embeddings": 4, "embedding_dim": 4}, {"name": "transpose", "dim0": 1, "dim1": 2}]
    data = {"name": "text", "path": "texts/abc.txt", "context": 8}
    file = write(tmp_path, {"net": net, "data": data})
    folder = go(file).folder
    (tmp_path / "texts/abc.txt").unlink()
    assert (folder.path / "data/abc.txt").read_text() == "abcabd" * 100
    assert tomllib.loads(folder.experiment.read_text())["data"]["path"] == "data/abc.txt"
    again = go(folder.experiment)
    assert_same(folder.path, again.folder.path)
    assert (again.folder.path / "data/abc.txt").exists()
    (tmp_path / "texts/abc.txt").write_text("abcabx" * 100)
    with pytest.raises(ConfigError, match=r"with the data that it was begun with\. Received: .*abc.txt, which differs"):
        go(file, resume=True, out=folder.path)


def test_a_cost_that_is_no_number_ends_the_run(tmp_path: Path):
    with pytest.raises(TrainingError, match="The cost must stay finite") as raised:
        go(write(tmp_path, {"optimizer.lr": 1e38, "schedule": LEAVE_OUT}))
    assert isinstance(raised.value.__cause__, NonFiniteError)
    folder = RunFolder(tmp_path / "runs/sound")
    assert folder.record()["status"] == "failed"
    assert not folder.model.exists()
    with pytest.raises(ConfigError, match="the run has not come to its end: minigrad train"):
        folder.net()


def test_a_callback_that_stops_leaves_a_complete_run(tmp_path: Path):
    file = write(tmp_path, {"callbacks": [{"name": "early_stopping", "patience": 1, "min_delta": 9.0}]})
    outcome = go(file)
    assert outcome.status == "stopped"
    assert outcome.epochs == 2
    assert "val_cost was not better" in outcome.stopped
    assert go(file, resume=True).was_done


def test_a_stopped_run_whose_end_was_lost_is_not_trained_further(tmp_path: Path):
    file = write(tmp_path, {"callbacks": [{"name": "early_stopping", "patience": 1, "min_delta": 9.0}]})
    folder = go(file).folder
    before = {name: (folder.path / name).read_bytes() for name in SAME}
    folder.model.unlink()
    folder.write_record(folder.record() | {"status": "running"})
    assert go(file, resume=True).status == "stopped"
    assert {name: (folder.path / name).read_bytes() for name in SAME} == before


def test_a_killed_run_does_not_say_that_it_is_running(tmp_path: Path):
    folder = go(write(tmp_path)).folder
    assert folder.status() == "complete"
    folder.write_record(folder.record() | {"status": "running"})
    assert look(folder)["status"] == "broken off"
    with locked(folder):
        assert look(folder)["status"] == folder.status() == "running"


def test_a_time_limit_is_that_of_a_session(tmp_path: Path):
    file = write(tmp_path, {"callbacks": [{"name": "time_limit", "seconds": 1e-9}]})
    steps = [go(file, resume=session > 0).steps for session in range(9)]
    assert steps == list(range(1, 10))
    assert not go(file, resume=True).was_done  # the last update, too, was at the limit
    limited = go(file, resume=True, out=Path("runs/sound"))
    assert limited.status in ("complete", "stopped")
    free = go(write(tmp_path, {"callbacks": []}, "free.toml"))
    assert limited.folder.rows() == free.folder.rows()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(ConfigError, match="the folder cannot be made"):
        go(write(tmp_path))


def test_the_journal_goes_on_after_an_interruption(tmp_path: Path):
    journal = Journal(tmp_path / "log.txt")
    assert journal.state_dict() == {"stopped": ""}


CHILD = """
import os, signal, sys
from pathlib import Path
from minigrad.core import Callback
from minigrad.experiments import train
from minigrad.experiments.journal import Journal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have switched it off
at, what = int(sys.argv[1]), sys.argv[2]
tell = Journal.on_{event} if hasattr(Journal, "on_{event}") else None

def kill(self, run):
    if run.step == at:
        os.kill(os.getpid(), getattr(signal, what))
    if tell:
        tell(self, run)

Journal.on_{event} = kill
outcome = train(Path("sound.toml"), progress=False, resume="resume" in sys.argv)
print(outcome.status)
"""
SLOW = {"train.epochs": 4, "checkpoint.every": 2, "net.1": {"name": "dropout", "p": 0.3}}


def child(event: str, step: int, kind: str) -> subprocess.CompletedProcess[str]:
    """Train in a process that gives itself a signal when the event comes after so many updates."""
    code = CHILD.replace("{event}", event)
    command = [sys.executable, "-c", code, str(step), kind]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("event", "step"),
    [("step_end", 1), ("step_end", 5), ("checkpoint", 6), ("validation_end", 9), ("step_end", 12), ("fit_end", 12)],
)
def test_killed_and_resumed_it_ends_with_the_same_bytes(tmp_path: Path, event: str, step: int):
    file = write(tmp_path, SLOW)
    whole = go(file, out=Path("whole")).folder.path
    done = child(event, step, "SIGKILL")
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder = tmp_path / "runs/sound"
    assert not (folder / "model.safetensors").exists()
    outcome = go(file, resume=True)
    assert outcome.status == "complete"
    assert_same(whole, folder)
    assert len(json.loads((folder / "run.json").read_text())["sessions"]) == 2


def test_interrupted_it_ends_in_order_and_goes_on(tmp_path: Path):
    file = write(tmp_path, SLOW)
    whole = go(file, out=Path("whole")).folder.path
    done = child("step_end", 5, "SIGINT")
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
    folder = RunFolder(tmp_path / "runs/sound")
    assert folder.record()["status"] == "interrupted"
    assert len(folder.rows()) == 5
    assert go(file, resume=True).status == "complete"
    assert_same(whole, folder.path)


def test_the_seed_of_hashes_makes_no_difference(tmp_path: Path):
    write(tmp_path, SLOW)
    code = "from pathlib import Path; from minigrad.experiments import train; train(Path('sound.toml'), progress=False)"
    started = [
        subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("0", "1", "12345", "random", "4294967295")
    ]
    assert [process.wait(timeout=120) for process in started] == [0] * 5
    folders = sorted((tmp_path / "runs").iterdir())
    assert len(folders) == 5
    for other in folders[1:]:
        assert_same(folders[0], other)


# Takes twenty folders as soon as the file `go` is there.
TAKER = """
import pathlib
from minigrad.experiments.folder import new_folder
print("ready", flush=True)
while not pathlib.Path("go").exists(): pass
for _ in range(20): print(new_folder("run").path.name)
"""


def test_no_two_processes_get_the_same_new_folder(tmp_path: Path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run-3").write_text("somebody's file")
    started = [subprocess.Popen([sys.executable, "-c", TAKER], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.stdout.readline() for process in started if process.stdout] == ["ready\n"] * 4
    (tmp_path / "go").touch()
    taken = [name for process in started for name in process.communicate(timeout=120)[0].split()]
    assert sorted(taken) == sorted(["run", "run-2", *(f"run-{number}" for number in range(4, 82))])


def test_a_folder_that_a_run_has_filled_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file, out = write(tmp_path), tmp_path / "out"
    loading = training.load_data

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(training, "load_data", loading)
        go(file, out=out)
        return loading(*arguments)

    monkeypatch.setattr(training, "load_data", meanwhile)
    with pytest.raises(ConfigError, match="--out must be a new or an empty folder; --resume goes on with"):
        go(file, out=out)
    assert len(json.loads((out / "run.json").read_text())["sessions"]) == 1


def test_a_lock_ends_with_its_process(tmp_path: Path):
    write(tmp_path, SLOW)
    code = CHILD.replace("{event}", "step_end")
    stopped = subprocess.Popen([sys.executable, "-c", code, "3", "SIGSTOP"])
    folder = tmp_path / "runs/sound"
    while not (folder / "history.jsonl").exists() or (folder / "history.jsonl").read_bytes().count(b"\n") < 2:
        assert stopped.poll() is None
        time.sleep(0.02)
    with pytest.raises(ConfigError, match="another process"):
        go(tmp_path / "sound.toml", resume=True)
    stopped.kill()
    stopped.wait()
    assert go(tmp_path / "sound.toml", resume=True).status == "complete"


def disk_that_is_full(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_also_where_the_record_cannot_be_written_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(RunFolder, "write_record", disk_that_is_full)
    with pytest.raises(TrainingError, match=r"the training has failed: .*No space left on device"):
        go(write(tmp_path))


def test_a_run_with_a_damaged_checkpoint_keeps_its_weights_when_it_is_to_be_longer(tmp_path: Path):
    folder = go(write(tmp_path)).folder
    folder.checkpoint.write_bytes(folder.checkpoint.read_bytes()[:-1])
    before = files_in(folder.path)
    with pytest.raises(CheckpointError, match="cut short"):
        go(tmp_path / "sound.toml", resume=True, settings=["train.epochs=9"])
    assert files_in(folder.path) == before
