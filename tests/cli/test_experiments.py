"""The commands for experiments, as they are typed, and the examples that they ship with."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

import minigrad
from minigrad.cli import main
from minigrad.experiments import EXAMPLES, Predictions, RunFolder, curves, train
from tests.experiments.samples import LEAVE_OUT, files_in, write


@dataclass
class Result:
    exit_code: int
    stdout: str
    stderr: str


Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return Result(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def run(call: Call, tmp_path: Path) -> RunFolder:
    """A folder that a small experiment was trained into."""
    return train(write(tmp_path), progress=False).folder


def typed(folder: Path, *words: str) -> Result:
    """What the installed command does, in a process of its own."""
    command = Path(sys.executable).with_name("minigrad")
    done = subprocess.run([command, *words], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
def test_every_command_as_it_is_typed(tmp_path: Path):
    written = typed(tmp_path, "init", "xor")
    assert written == Result(0, "Written: xor.toml. Train it: minigrad train xor.toml\n", "")
    trained = typed(tmp_path, "train", "xor.toml", "--no-progress")
    assert (trained.exit_code, trained.stderr) == (0, "")
    assert trained.stdout.splitlines()[-1] == "The run is in runs/xor"
    assert "binary_accuracy 1" in trained.stdout
    (tmp_path / "new.csv").write_text("a,b\n0,1\n1,1\n")
    predicted = typed(tmp_path, "predict", "runs/xor", "new.csv")
    assert (predicted.exit_code, predicted.stderr) == (0, "")
    assert [line.split(",")[0] for line in predicted.stdout.splitlines()] == ["prediction", "1", "0"]
    evaluated = typed(tmp_path, "evaluate", "runs/xor", "--on", "train")
    assert evaluated.stdout.startswith("train, 4 rows: cost 0.00")
    shown = typed(tmp_path, "show", "runs/xor")
    assert "Linear(in_features=2" in shown.stdout
    assert "█" in shown.stdout
    compared = typed(tmp_path, "compare", "runs/xor", "runs/xor")
    assert compared.exit_code == 0
    assert [result.stderr for result in (shown, compared, evaluated)] == [""] * 3
    refused = typed(tmp_path, "train", "xor.toml", "--set", "optimizer.lr=-1")
    assert refused == Result(2, "", "minigrad: xor.toml: optimizer.lr: lr must not be negative. Received: lr=-1.0\n")


def test_digits_are_read_as_well_as_the_example_says(call: Call, tmp_path: Path):
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_digits

    assert call("init", "digits").exit_code == 0
    trained = call("train", "digits.toml", "--json")
    assert (trained.exit_code, trained.stderr) == (0, "")
    report = json.loads(trained.stdout)
    assert report["result"]["test"]["accuracy"] >= 0.97
    source = load_digits()
    with (tmp_path / "new.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*reversed(source.feature_names), "digit"])
        rows.writerows([*reversed(source.data[i]), source.target[i]] for i in range(100))
    predicted = call("predict", report["folder"], "new.csv", "--json")
    predictions = json.loads(predicted.stdout)["predictions"]
    right = sum(row["prediction"] == str(source.target[i]) for i, row in enumerate(predictions))
    assert (len(predictions), predicted.stderr) == (100, "")
    assert right >= 97
    assert sum(predictions[0][f"p({digit})"] for digit in range(10)) == pytest.approx(1)
    evaluated = json.loads(call("evaluate", report["folder"], "--json").stdout)
    assert evaluated["accuracy"] == report["result"]["test"]["accuracy"]
    assert evaluated["rows"] == 359


@pytest.mark.slow
def test_digits_killed_and_resumed_end_with_the_same_bytes(call: Call, tmp_path: Path):
    pytest.importorskip("sklearn")
    call("init", "digits")
    whole = Path(json.loads(call("train", "digits.toml", "--json", "--out", "whole").stdout)["folder"])
    command = [Path(sys.executable).with_name("minigrad"), "train", "digits.toml", "--no-progress"]
    history = tmp_path / "runs/digits/history.jsonl"
    for rows, words in ((50, []), (300, ["--resume"]), (600, ["--resume"])):
        with subprocess.Popen([*command, *words], cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
            while not history.exists() or history.read_bytes().count(b"\n") < rows:
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
    resumed = typed(tmp_path, "train", "digits.toml", "--resume", "--no-progress")
    assert (resumed.exit_code, resumed.stderr) == (0, "")
    for name in ("experiment.toml", "history.jsonl", "checkpoint.safetensors", "best.safetensors", "model.safetensors"):
        assert (tmp_path / "runs/digits" / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.slow
def test_the_transformer_writes_as_well_as_the_example_says(call: Call, tmp_path: Path):
    call("init", "chargpt")
    report = json.loads(call("train", "chargpt.toml", "--json").stdout)
    assert report["result"]["validation"]["perplexity"] < 1.5
    (tmp_path / "begin.txt").write_text("The owl has two figs and finds three more:")
    written = call("predict", report["folder"], "begin.txt", "--length", "11", "--temperature", "0.1").stdout
    # It knows what is counted and that a number comes first, if not always which one.
    assert re.fullmatch(r".* more: [a-z]+ figs[\s\S]*", written)


def test_xor_is_solved_as_the_example_says(call: Call):
    call("init", "xor")
    report = json.loads(call("train", "xor.toml", "--json").stdout)
    assert report["result"]["train"]["cost"] < 0.01
    assert report["result"]["train"]["binary_accuracy"] == 1


def test_a_little_of_the_transformer(call: Call, tmp_path: Path):
    written = call("init", "chargpt")
    assert written.stdout.startswith("Written: chargpt.toml, chargpt.txt.")
    few = ["train.steps=30", "train.validate_every=30", "data.stride=64", "schedule.T_max=30"]
    report = json.loads(call("train", "chargpt.toml", "--json", *(w for s in few for w in ("--set", s))).stdout)
    assert report["result"]["validation"]["perplexity"] < 14  # who guesses has 28
    (tmp_path / "begin.txt").write_text("The owl")
    command = ["predict", report["folder"], "begin.txt", "--length", "100"]
    first, again, other = call(*command), call(*command), call(*command, "--seed", "1")
    assert first.stdout.startswith("The owl")
    assert len(first.stdout) == len("The owl") + 100 + 1
    assert first.stdout == again.stdout != other.stdout
    assert json.loads(call(*command, "--json").stdout)["prompt"] == "The owl"
    bold = call(*command, "--temperature", "1e-6").stdout
    assert bold == call(*command, "--temperature", "1e-6", "--seed", "5").stdout
    assert bold == call(*command, "--temperature", "1e-320").stdout
    (tmp_path / "begin.txt").write_text("Q&A")
    assert call(*command).stderr.endswith("characters that the run knows. Received: '&AQ'\n")
    (tmp_path / "begin.txt").write_text("")
    assert call(*command).exit_code == 2
    for words in (["--length", "-1"], ["--temperature", "0"], ["--temperature", "nan"], ["--seed", "-1"]):
        assert call("predict", report["folder"], "begin.txt", *words).exit_code == 2


def test_the_example_says_how_many_characters_its_text_has():
    examples = files("minigrad.experiments") / "examples"
    text = (examples / "chargpt.txt").read_text()
    assert f"num_embeddings = {len(set(text))}" in (examples / "chargpt.toml").read_text()


def test_an_example_is_written_over_nothing(call: Call, tmp_path: Path):
    for name, written in EXAMPLES.items():
        assert call("init", name).exit_code == 0
        before = files_in(tmp_path)
        assert set(written) <= before.keys()
        refused = call("init", name)
        assert (refused.exit_code, refused.stderr) == (
            2,
            f"minigrad: {written[0]} is there already; --force writes over it\n",
        )
        (tmp_path / written[-1]).write_text("mine")
        assert call("init", name).exit_code == 2
        assert (tmp_path / written[-1]).read_text() == "mine"
        assert call("init", name, "--force").exit_code == 0
        assert files_in(tmp_path) == before


def test_an_example_may_have_another_name_and_place(call: Call, tmp_path: Path):
    assert call("init", "chargpt", "deep/mine.toml").exit_code == 2
    (tmp_path / "deep").mkdir()
    assert call("init", "chargpt", "deep/mine.toml").stdout.endswith("Train it: minigrad train deep/mine.toml\n")
    assert set(files_in(tmp_path)) == {"deep/mine.toml", "deep/chargpt.txt"}
    assert call("init", "digit").stderr == (
        "minigrad: An example is one of xor, digits, chargpt. Did you mean 'digits'? Received: 'digit'\n"
    )


def test_a_training_tells_its_result_and_its_folder(call: Call, tmp_path: Path):
    write(tmp_path)
    result = call("train", "sound.toml")
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["train", "validation", "test", "The run is in runs/sound"]
    assert "step 9/9" in result.stderr
    assert call("train", "sound.toml", "--no-progress", "--out", "other").stderr == ""
    again = call("train", "sound.toml", "--resume")
    assert again.stdout.startswith("The run has come to its end already; nothing is left to do.\ntrain: ")


def test_a_program_gets_one_object_and_nothing_else(call: Call, tmp_path: Path):
    write(tmp_path)
    result = call("train", "sound.toml", "--json", "--set", "train.epochs=2", "--device", "cpu")
    report = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert report["folder"] == "runs/sound"
    assert (report["status"], report["steps"], report["epochs"]) == ("complete", 6, 2)
    assert set(report["result"]) == {"train", "validation", "test"}


def test_a_training_that_fails_exits_with_1(call: Call, tmp_path: Path):
    write(tmp_path)
    result = call("train", "sound.toml", "--set", "optimizer.lr=1e38", "--no-progress")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("minigrad: runs/sound: the training has failed: The cost must stay finite.")
    assert result.stderr.count("\n") == 1
    assert "failed" in call("show", "runs/sound").stdout


def test_ctrl_c_exits_with_130_and_says_how_to_go_on(tmp_path: Path):
    write(tmp_path, {"train.epochs": 100_000, "checkpoint.every": 1000})
    # A shell may have told its children to ignore Ctrl-C.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from minigrad.cli import main; main(['train', 'sound.toml', '--no-progress'])"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            history = tmp_path / "runs/sound/history.jsonl"
            while not (history.exists() and history.stat().st_size):
                assert process.poll() is None
                time.sleep(0.05)
            os.kill(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Go on: minigrad train runs/sound/experiment.toml --out runs/sound --resume" in err
    assert (tmp_path / "runs/sound/checkpoint.safetensors").exists()


def test_new_rows_are_judged_in_any_order_of_columns(call: Call, run: RunFolder, tmp_path: Path):
    (tmp_path / "a.csv").write_text("x1,x2\n0.5,-0.25\n1,2\n")
    (tmp_path / "b.csv").write_text("moon,x2,x1\nupper,-0.25,0.5\n?,2,1\n\n")
    first = call("predict", "runs/sound", "a.csv")
    assert first.exit_code == 0
    lines = list(csv.DictReader(first.stdout.splitlines()))
    assert list(lines[0]) == ["prediction", "p(upper)", "p(lower)"]
    for line in lines:
        upper, lower = float(line["p(upper)"]), float(line["p(lower)"])
        assert upper + lower == pytest.approx(1)
        assert line["prediction"] == ("upper" if upper > lower else "lower")
    assert call("predict", "runs/sound", "b.csv").stdout == first.stdout
    written = call("predict", "runs/sound", "a.csv", "--out", "out.csv")
    assert (written.stdout, (tmp_path / "out.csv").read_text()) == ("", first.stdout)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "must hold data. Received: an empty file"),
        ("\n\n", "must have a line of column names"),
        ("x1,x2\n", "must have rows below the line of column names"),
        ("x1\n1\n", "columns are missing: x2. Received: x1"),
        ("x1,x2,x3\n1,2,3\n", "a column is unknown. Received: 'x3'"),
        ("x11,x2\n1,2\n", "a column is unknown. Did you mean 'x1'? Received: 'x11'"),
        ("x1,x2,x1\n1,2,3\n", "Received: 'x1' twice"),
        ("x1,y2\n1,2\n", "has 2 faults:\n  a column is unknown"),
        ("x1,x2\n1\n", "line 2: a row must have 2 cells, one for each column. Received: 1"),
        ("x1,x2\n1,2,3\n", "line 2: a row must have 2 cells, one for each column. Received: 3"),
        ("x1,x2\n1,2\n1,two\n", "line 3, column 'x2': a cell must be a finite number, of float32. Received: 'two'"),
        ("x1,x2\n1,nan\n", "line 2, column 'x2': a cell must be a finite number"),
        ("x1,x2\n1,\n", "a finite number, of float32. Received: an empty cell"),
        ('x1,x2\n1,"2\n', "a row must be well-formed CSV"),
        (b"x1,x2\n\xff,1\n", "must be a text in UTF-8"),
        (b"x1,x2\n\x00,1\n", "new.csv"),
    ],
    ids=range(16),
)
def test_rows_that_the_run_does_not_know_are_told(
    call: Call, run: RunFolder, tmp_path: Path, content: str | bytes, text: str
):
    (tmp_path / "new.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    result = call("predict", "runs/sound", "new.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["predict", "runs/nowhere", "new.csv"], "runs/nowhere: a run's folder holds experiment.toml"),
        (["predict", "runs", "new.csv"], "runs: a run's folder holds experiment.toml. Received: a folder without one"),
        (["predict", "sound.toml", "new.csv"], "Received: a file"),
        (
            ["predict", "runs/sound", "nowhere.csv"],
            "nowhere.csv must be a file that can be read",
        ),
        (["predict", "runs/sound", "runs"], "Received: a folder"),
        (["predict", "runs/sound", "new.csv", "--out", "nowhere/out.csv"], "nowhere/out.csv cannot be written"),
        (["evaluate", "runs/nowhere"], "a run's folder holds experiment.toml"),
        (["evaluate", "runs/sound", "--on", "tests"], "--on must be train, validation, test. Did you mean 'test'?"),
        (["evaluate", "runs/sound", "--device", "gpu"], "train.device: device must be one"),
        (["show", "runs/nowhere"], "a run's folder holds experiment.toml"),
        (["compare", "runs/sound"], "compare puts two runs or more beside each other"),
        (["compare", "runs/sound", "runs/nowhere"], "a run's folder holds experiment.toml"),
        (["train"], "Missing argument"),
    ],
    ids=range(13),
)
def test_commands_tell_what_they_cannot_use(call: Call, run: RunFolder, tmp_path: Path, words: list[str], text: str):
    (tmp_path / "new.csv").write_text("x1,x2\n1,2\n")
    result = call(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_part_that_the_data_lack_is_told(call: Call):
    call("init", "xor")
    call("train", "xor.toml", "--json", "--set", "train.steps=1")
    assert "the data have train only. Received: --on test" in call("evaluate", "runs/xor").stderr


def test_a_damaged_model_is_told(call: Call, run: RunFolder):
    content = bytearray(run.model.read_bytes())
    content[-3] ^= 1
    run.model.write_bytes(content)
    result = call("evaluate", "runs/sound")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "model.safetensors" in result.stderr


def test_a_run_is_shown_to_people_and_to_programs(call: Call, run: RunFolder):
    shown = call("show", "runs/sound")
    assert shown.stdout.startswith("runs/sound: complete, 9 updates, 3 epochs\n")
    assert "Linear(in_features=2" in shown.stdout
    assert "val_accuracy" in shown.stdout
    assert "\nseed: 1\n" in shown.stdout
    facts = json.loads(call("show", "runs/sound", "--json").stdout)
    assert facts["status"] == "complete"
    assert facts["settings"]["optimizer"]["lr"] == 0.1
    assert facts["provenance"]["threads"] == 1
    assert facts["result"]["test"].keys() == {"cost", "accuracy"}


def test_runs_are_compared_by_what_differs(call: Call, run: RunFolder):
    call("train", "sound.toml", "--json", "--set", "optimizer.lr=0.2", "--set", "net[1]=tanh")
    compared = json.loads(call("compare", "runs/sound", "runs/sound-2", "--json").stdout)
    assert compared["folders"] == ["runs/sound", "runs/sound-2"]
    assert compared["settings"] == {
        "net[1].name": ["minigrad:relu", "minigrad:tanh"],
        "optimizer.lr": [0.1, 0.2],
    }
    assert compared["results"]["status"] == ["complete", "complete"]
    assert compared["results"]["test.cost"][0] == run.record()["result"]["test"]["cost"]
    lines = call("compare", "runs/sound", "runs/sound-2").stdout.splitlines()
    assert lines[0].split() == ["runs/sound", "runs/sound-2"]
    assert ["optimizer.lr", "0.1", "0.2"] in [line.split() for line in lines]


def test_numbers_are_predicted_too(call: Call, tmp_path: Path):
    (tmp_path / "line.csv").write_text("a;b;y\n" + "".join(f"{i};{i % 3};{2 * i + 1}\n" for i in range(30)))
    data = {"name": "csv", "path": "line.csv", "target": "y", "task": "regression", "delimiter": ";"}
    net = [{"name": "linear", "in_features": 2, "out_features": 1}]
    changes = {"net": net, "data": data, "loss": "mse", "metrics": [], "schedule": LEAVE_OUT}
    changes |= {"train.epochs": 200, "checkpoint.every": 1000}
    write(tmp_path, changes, "line.toml")
    assert call("train", "line.toml", "--no-progress").exit_code == 0
    (tmp_path / "new.csv").write_text("b;a\n1;2\n0;12\n")
    header, *numbers = call("predict", "runs/line", "new.csv").stdout.splitlines()
    assert header == "prediction"
    assert [float(number) for number in numbers] == pytest.approx([5, 25], abs=0.1)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("run.json", '{"status": "complete", "stopped": null}', "stopped must be a str. Received: None"),
        ("run.json", '{"status": "complete", "result": [1]}', "result must be a dict. Received: [1]"),
        ("run.json", '{"provenance": "here"}', "provenance must be a dict. Received: 'here'"),
        ("history.jsonl", '{"step": 0}\n', "a row has a step and an epoch. Received: {'step': 0}"),
        ("history.jsonl", '{"step": 0, "epoch": "x"}\n', "a row has a step and an epoch"),
        ("model.safetensors", "", "it is no safetensors file"),
    ],
)
def test_a_damaged_run_is_told_before_anything_is_shown(run: RunFolder, call: Call, name: str, content: str, text: str):
    (run.path / name).write_text(content)
    result = call("show", str(run.path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr


def test_a_short_record_does_for_a_run_that_has_ended(run: RunFolder, call: Call):
    run.record_file.write_text('{"status": "complete"}')
    assert call("train", "sound.toml", "--resume", "--json").exit_code == 0


def test_a_model_without_the_notes_of_a_run_is_told(run: RunFolder, call: Call, tmp_path: Path):
    minigrad.save(minigrad.load(run.model), run.model)
    (tmp_path / "new.csv").write_text("x1,x2\n1,2\n")
    for words in (("show", str(run.path)), ("predict", str(run.path), "new.csv")):
        result = call(*words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "a run's model says how rows are read. Received: one without columns, target" in result.stderr


def test_numbers_that_are_not_finite_are_null_in_json():
    predictions = Predictions(["prediction", "p(a)"], [["a", float("nan")], ["b", float("inf")], ["a", 0.5]])
    assert [row["p(a)"] for row in predictions.as_dict()["predictions"]] == [None, None, 0.5]


def test_curves_of_the_largest_numbers():
    rows = [{"step": 0, "cost": -1.7e308}, {"step": 1, "cost": 1.7e308}, {"step": 2, "cost": 10**400}]
    assert curves(rows, 2)["cost"][0] == "▁█"
    assert curves([{"cost": 1.7e308}] * 4, 2)["cost"][0] == "▁▁"
