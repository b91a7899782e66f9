"""`minigrad xor` on the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from minigrad.cli import main


@dataclass
class Result:
    exit_code: int
    stdout: str
    stderr: str


Call = Callable[..., Result]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(["xor", *arguments])
        return Result(ended.value.code, *capsys.readouterr())

    return run


def test_a_person_gets_tables_and_a_verdict(call: Call):
    result = call("--steps", "20", "--log-every", "5")
    assert result.exit_code == 0
    assert "0.7434073090553284" in result.stdout
    assert "The parity holds" in result.stdout
    assert result.stderr == ""


def test_a_program_gets_one_object_and_nothing_else(call: Call):
    result = call("--steps", "20", "--json", "--seed", "3", "--dtype", "float64", "--hidden", "4", "--lr", "0.5")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["seed"], report["steps"]) == (3, 20)
    assert report["pipelines"]["torch"]["bit_identical"] is True
    assert report["pipelines"]["manual"]["max_weight_difference"] < 1e-12
    assert result.stderr == ""


@pytest.mark.slow
def test_the_published_costs_come_out(call: Call):
    result = call("--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["seed"], report["steps"]) == (777, 10_001)
    pipeline = report["pipelines"]["torch"]
    assert pipeline["first_cost"] == 0.7434073090553284
    assert pipeline["last_cost"] == 0.0012345178984105587
    assert pipeline["bit_identical"] is True
    assert pipeline["solved"] is True


def test_a_broken_parity_exits_with_1(call: Call):
    result = call("--seed", "6", "--steps", "300")
    assert result.exit_code == 1
    assert "The parity does not hold" in result.stdout
    machine = call("--seed", "6", "--steps", "300", "--json")
    assert machine.exit_code == 1
    assert json.loads(machine.stdout)["pipelines"]["manual"]["max_cost_difference"] > 1e-5


def test_an_object_has_null_where_there_is_no_number(call: Call):
    result = call("--hidden", "50", "--steps", "20", "--json")
    assert result.exit_code == 1
    assert "NaN" not in result.stdout
    assert json.loads(result.stdout)["pipelines"]["manual"]["max_cost_difference"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("--steps", "0"),
        ("--steps", "-5"),
        ("--hidden", "0"),
        ("--log-every", "0"),
        ("--lr", "-1"),
        ("--lr", "nan"),
        ("--lr", "inf"),
        ("--dtype", "int8"),
        ("--device", "abacus"),
        ("--device", "cuda:99"),
        ("--seed", str(2**70)),
        ("--plot", "xor.gif"),
        ("--plot", "/nowhere/at/all/xor.png"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_bad_input_gets_one_sentence_and_exits_with_2(call: Call, arguments: tuple[str, str], as_json: bool):
    result = call(*arguments, *(["--json"] if as_json else []))
    assert result.exit_code == 2
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("minigrad: ")
    assert "Received: " in line


@pytest.mark.parametrize("arguments", [("--steps", "many"), ("--lr", "fast"), ("--unknown",)])
def test_what_cannot_be_read_exits_with_2(call: Call, arguments: tuple[str, ...]):
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize("as_json", [False, True])
def test_a_picture_is_written(call: Call, as_json: bool, tmp_path: Path):
    result = call("--steps", "5", "--plot", str(tmp_path / "xor.svg"), *(["--json"] if as_json else []))
    assert result.exit_code == 0
    assert (tmp_path / "xor.svg").exists()
    assert "The picture is in" in result.stderr
    if as_json:
        json.loads(result.stdout)


def test_without_matplotlib_nothing_runs(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr("minigrad.cli.xor.run", lambda *_: pytest.fail("ran before the picture was checked"))
    result = call("--plot", str(tmp_path / "xor.png"))
    assert result.exit_code == 2
    assert "needs matplotlib" in result.stderr


def test_a_person_at_a_terminal_sees_a_bar(call: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = call("--steps", "60", "--json")
    assert "torch.nn" in result.stderr
    assert "hand-written" in result.stderr
    json.loads(result.stdout)


def test_torch_is_left_as_it_was(call: Call):
    before = torch.get_rng_state()
    call("--steps", "3")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_terminal_that_knows_only_ascii_is_served():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", "from minigrad.cli import main; main(['xor', '--steps', '2'])"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "The parity holds" in done.stdout
