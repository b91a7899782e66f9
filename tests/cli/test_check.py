"""`minigrad plugins check` and `minigrad gradcheck`, from the file a person wrote to the verdict."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from minigrad.cli import main

RIGHT = '''
"""A file of one's own."""
import torch
from minigrad import Activation


class Cube(Activation):
    r"""The cube: $y = x^3$, whose derivative is $3 x^2$."""

    def forward(self, x):
        return x * x * x, x

    def backward(self, grad_output, cache):
        return 3 * cache * cache * grad_output
'''


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """A file with one right component; what was imported from it is forgotten after the test."""
    path = tmp_path / "my_layers_for_check.py"
    path.write_text(RIGHT)
    yield path
    sys.modules.pop(path.stem, None)


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_right_layer_of_ones_own_keeps_every_law(mine: Path, capsys: pytest.CaptureFixture[str]):
    assert _run("gradcheck", f"{mine}:Cube") == 0
    out = capsys.readouterr().out
    assert " 0 failed" in out
    assert "gradient " in out


def test_a_wrong_one_is_diagnosed(mine: Path, capsys: pytest.CaptureFixture[str]):
    mine.write_text(RIGHT.replace("3 * cache", "-3 * cache"))
    assert _run("gradcheck", f"{mine}:Cube") == 1
    assert "the sign is flipped" in capsys.readouterr().out


def test_the_json_is_one_object(mine: Path, capsys: pytest.CaptureFixture[str]):
    mine.write_text(RIGHT.replace("3 * cache", "6 * cache"))
    assert _run("gradcheck", f"{mine}:Cube", "--json") == 1
    results = json.loads(capsys.readouterr().out)["Cube"]
    (gradient,) = [result for result in results if result["law"] == "gradient"]
    assert gradient["verdict"] == "failed"
    assert set(gradient) == {"law", "component", "verdict", "message", "diagnosis"}


@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        ("{}", RIGHT, "must be FILE.py:Class"),
        ("{}x:Cube", RIGHT, "must be FILE.py:Class"),
        ("no/{}:Cube", RIGHT, "There is no file"),
        ("{}:Cub", RIGHT, "Did you mean 'Cube'?"),
        ("{}:torch", RIGHT, "has Cube."),
        ("{}:Cube", "1 / 0", "ZeroDivisionError"),
        ("{}:Cube", "raise SystemExit(3)", "SystemExit"),
        ("{}:Cube", "def", "SyntaxError"),
    ],
)
def test_what_cannot_be_checked_is_told_in_a_sentence(
    mine: Path, capsys: pytest.CaptureFixture[str], target: str, source: str, message: str
):
    mine.write_text(source)
    assert _run("gradcheck", target.format(mine)) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""
    assert source == RIGHT or mine.stem not in sys.modules


def test_a_registered_component_is_checked_by_any_of_its_names(capsys: pytest.CaptureFixture[str]):
    for name in ("identity", "minigrad:identity"):
        assert _run("--no-plugins", "plugins", "check", name) == 0
        assert "Identity()" in capsys.readouterr().out


def test_an_installed_plugin_is_checked_whole(capsys: pytest.CaptureFixture[str]):
    assert _run("plugins", "check", "swish", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)) == ["swish:swish"]


def test_an_unknown_plugin_is_told(capsys: pytest.CaptureFixture[str]):
    assert _run("--no-plugins", "plugins", "check", "identidy") == 2
    assert "Did you mean 'identity'?" in capsys.readouterr().err
