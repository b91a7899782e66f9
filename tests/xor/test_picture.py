"""The picture is written as its suffix says, or refused in a sentence."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.image import imread

from minigrad.errors import ConfigError
from minigrad.xor import Report, Settings, check_picture, run, save_picture


@pytest.fixture
def report() -> Report:
    return run(Settings(steps=30))


def test_a_png(report: Report, tmp_path: Path):
    save_picture(report, tmp_path / "xor.PNG")
    height, width, _ = imread(tmp_path / "xor.PNG", format="png").shape
    assert (width, height) == (1650, 1260)


def test_an_svg_says_what_it_shows(report: Report, tmp_path: Path):
    save_picture(report, tmp_path / "xor.svg")
    text = " ".join(ElementTree.parse(tmp_path / "xor.svg").getroot().itertext())
    for words in (
        "XOR: seed 777, 30 steps",
        "torch.nn, reference",
        "torch.nn, minigrad",
        "hand-written, reference",
        "hand-written, minigrad",
        "not solved (50% right)",
        "cost (log scale)",
        "target 1",
        "prediction",
    ):
        assert words in text


@pytest.mark.parametrize("settings", [Settings(steps=1), Settings(steps=5, lr=1e6, hidden=9), Settings(steps=2, lr=0)])
def test_odd_runs_can_be_drawn(settings: Settings, tmp_path: Path):
    save_picture(run(settings), tmp_path / "xor.png")
    assert (tmp_path / "xor.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", ["xor.bmp", "xor", "xor.png.txt"])
def test_another_suffix_is_refused(name: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"must end in \.png or \.svg\. Received: plot="):
        check_picture(tmp_path / name)


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"cannot be written: .*Received: plot="):
        check_picture(tmp_path / "missing" / "xor.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        check_picture(tmp_path / "folder.png")


def test_checking_leaves_no_trace(tmp_path: Path):
    check_picture(tmp_path / "new.png")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "old.png").write_text("kept")
    check_picture(tmp_path / "old.png")
    assert (tmp_path / "old.png").read_text() == "kept"


def test_without_matplotlib_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"pip install 'minigrad-torch\[plot\]'"):
        check_picture(tmp_path / "xor.png")
