"""CSVLog and JSONLLog: what stands in the files, when, and that a killed and resumed run ends with the same bytes."""

import csv
import errno
import json
import math
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch

import minigrad
from minigrad.callbacks import CSVLog, JSONLLog, read_jsonl
from minigrad.core import Callback, Run
from tests.callbacks.problem import data, fit, hand_made, tell

LOGS = [("csv_log", "history.csv"), ("jsonl_log", "history.jsonl")]
MORE = [{"name": "gradient_statistics", "every": 2}, "learning_rate_log"]


def logged(folder: Path, *callbacks: Any, **options: Any) -> minigrad.History:
    options = {"checkpoint": folder, "validation": data(), "metrics": ["accuracy", "confusion_matrix"]} | options
    return fit(*callbacks, **options)


def test_json_lines_are_the_history(tmp_path: Path):
    history = logged(tmp_path, "jsonl_log", *MORE)
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == history.rows == read_jsonl(tmp_path / "history.jsonl")
    assert list(json.loads(lines[0]))[:3] == ["step", "epoch", "cost"]


def test_the_table_is_the_history(tmp_path: Path):
    history = logged(tmp_path, *MORE, "csv_log")
    frame = pandas.read_csv(tmp_path / "history.csv")
    assert list(frame.columns) == history.columns
    for name in history.columns:
        cells = [cell for cell in frame[name] if isinstance(cell, str) or not math.isnan(cell)]
        assert [json.loads(cell) if isinstance(cell, str) else cell for cell in cells] == history[name]
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["val_cost"] for row in rows][:3] == ["", "", repr(history["val_cost"][0])]


def test_the_place_in_the_list_makes_no_difference(tmp_path: Path):
    first, last = tmp_path / "first", tmp_path / "last"
    logged(first, "csv_log", "jsonl_log", *MORE)
    logged(last, *MORE, "jsonl_log", "csv_log")
    # Whoever comes first adds its columns first, so only the callbacks that add must be in one order.
    for _, name in LOGS:
        assert (first / name).read_bytes() == (last / name).read_bytes()


class Looks(Callback):
    """How many rows are in the file after each update."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: list[int] = []

    def on_step_end(self, run: Run) -> None:
        self.seen.append(len(self.path.read_bytes().splitlines()))


@pytest.mark.parametrize(("every", "expected"), [(1, [0, 1, 2, 3, 4, 5]), (3, [0, 0, 0, 3, 3, 3])])
def test_rows_are_written_as_soon_as_they_are_complete(every: int, expected: list[int], tmp_path: Path):
    looks = Looks(tmp_path / "deep" / "costs.jsonl")
    fit(JSONLLog("deep/costs.jsonl", every), looks, checkpoint=tmp_path, epochs=2)
    assert looks.seen == expected
    assert len(read_jsonl(looks.path)) == 6


def test_a_run_that_fails_has_its_rows_in_the_file(tmp_path: Path):
    class Fails(Callback):
        def on_step_end(self, run: Run) -> None:
            if run.step == 4:
                raise OSError("by intent")

    with pytest.raises(OSError, match="by intent"):
        fit(JSONLLog(tmp_path / "h.jsonl"), CSVLog(tmp_path / "h.csv"), Fails())
    assert [row["step"] for row in read_jsonl(tmp_path / "h.jsonl")] == [0, 1, 2, 3]
    assert len((tmp_path / "h.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize(("value", "text", "cell"), [(math.nan, "NaN", "nan"), (-math.inf, "-Infinity", "-inf")])
def test_what_is_not_finite(value: float, text: str, cell: str, tmp_path: Path):
    run = hand_made(tmp_path)
    for log in (JSONLLog(), CSVLog()):
        run.step, run.rows = 0, []
        log.on_fit_start(run)
        tell(log, run, cost=torch.tensor(value), deep=[1.0, [value]], flag=True)
        log.on_fit_end(run)
    (line,) = (tmp_path / "history.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=pytest.fail) == {
        "step": 0,
        "epoch": 0,
        "cost": text,
        "deep": [1.0, [text]],
        "flag": True,
    }
    assert repr(read_jsonl(tmp_path / "history.jsonl")[0]["cost"]) == repr(value)
    expected = f'step,epoch,cost,deep,flag\n0,0,{cell},"[1.0, [""{text}""]]",True\n'
    assert (tmp_path / "history.csv").read_text() == expected


def test_new_columns_get_a_longer_header(tmp_path: Path):
    run, log = hand_made(tmp_path), CSVLog()
    log.on_fit_start(run)
    for values in ({}, {"b": 1}, {}, {"a, x": "two, three", "b": 2}):
        tell(log, run, **values)
    log.on_fit_end(run)
    expected = 'step,epoch,cost,b,"a, x"\n0,0,1.0,,\n1,0,1.0,1,\n2,0,1.0,,\n3,0,1.0,2,"two, three"\n'
    assert (tmp_path / "history.csv").read_text() == expected


def test_texts_may_have_several_lines(tmp_path: Path):
    run, log = hand_made(tmp_path), CSVLog()
    log.on_fit_start(run)
    for values in ({"a\nb": 'one\ntwo "2"\n'}, {"a\nb": "three"}, {"c": 1}, {"c": 2}):
        tell(log, run, **values)
    log.on_fit_end(run)
    table = [["step", "epoch", "cost", "a\nb", "c"], ["0", "0", "1.0", 'one\ntwo "2"\n', ""]]
    table += [["1", "0", "1.0", "three", ""], ["2", "0", "1.0", "", "1"], ["3", "0", "1.0", "", "2"]]
    with (tmp_path / "history.csv").open(newline="") as file:
        assert list(csv.reader(file)) == table
    rows = [{name: text for name, text in zip(table[0], cells, strict=True) if text} for cells in table[1:]]
    content = (tmp_path / "history.csv").read_bytes()
    assert list(log.decode(content)) == rows
    assert list(log.decode(content + b'4,0,1.0,"torn\n')) == rows


CHILD = """
import os, signal, sys
from pathlib import Path
from minigrad.core import Callback
from tests.callbacks.test_logs import MORE, logged

class Killer(Callback):
    def on_step_end(self, run):
        if run.step == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

    on_epoch_end = on_step_end

logged(Path(sys.argv[1]), "csv_log", "jsonl_log", *MORE, Killer())
"""


class Killer(Callback):
    """In the child it kills; here only its name counts."""


@pytest.mark.parametrize("kill", [1, 3, 4, 5, 7, 9])
def test_a_killed_and_resumed_run_ends_with_the_same_bytes(kill: int, tmp_path: Path):
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", CHILD, tmp_path, str(kill)], cwd=root, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    logged(tmp_path, "csv_log", "jsonl_log", *MORE, Killer(), resume=True)
    logged(tmp_path / "whole", "csv_log", "jsonl_log", *MORE, Killer())
    for _, name in LOGS:
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


TORN = [
    b'{"step": 5, "cos',
    b'{"step": 5, "cost": 1.0}',
    b"\0" * 40,
    b'{"step": 5}\n\xff\xfe\n',
    b"5,0,1.",
    b"[]\n",
    b"",
]


@pytest.mark.parametrize("torn", TORN)
@pytest.mark.parametrize(("name", "file"), LOGS)
@pytest.mark.parametrize("remembered", [0, 2, 4])
def test_the_file_is_cut_back_to_the_updates_that_were_made(
    remembered: int, name: str, file: str, torn: bytes, tmp_path: Path
):
    """Rows that the run no longer remembers are taken from the file, as far as they are whole."""

    def values(step: int) -> dict[str, Any]:
        return {"cost": math.nan if step == 1 else step / 3} | ({"val_cost": [0.1, step]} if step in (2, 5) else {})

    whole, log = hand_made(tmp_path), minigrad.callback(name)()
    log.on_fit_start(whole)
    for step in range(4):
        tell(log, whole, **values(step))
    log.on_fit_end(whole)
    expected = (tmp_path / file).read_bytes()

    (tmp_path / file).unlink()
    killed, log = hand_made(tmp_path), minigrad.callback(name)()
    log.on_fit_start(killed)
    for step in range(7):
        tell(log, killed, **values(step), **({"late": 1} if step > 4 else {}))
    log.on_fit_end(killed)
    with (tmp_path / file).open("ab") as content:
        content.write(torn)

    resumed, log = hand_made(tmp_path), minigrad.callback(name)()
    resumed.step = 4
    resumed.rows = [{"step": step, "epoch": 0, **values(step)} for step in range(4 - remembered, 4)]
    log.on_fit_start(resumed)
    log.on_fit_end(resumed)
    assert (tmp_path / file).read_bytes() == expected


def test_a_last_line_that_was_cut_off_does_not_count():
    # 0.2 may be what is left of 0.25, and it could not be told.
    assert list(CSVLog().decode(b"step,cost\n0,0.5\n1,0.2")) == [{"step": "0", "cost": "0.5"}]
    assert list(JSONLLog().decode(b'{"step": 0}\n{"step": 1}')) == [{"step": 0}]


@pytest.mark.parametrize(("name", "file"), LOGS)
def test_a_fresh_run_begins_a_fresh_file(name: str, file: str, tmp_path: Path):
    (tmp_path / file).write_text("step,epoch,cost\n0,0,99.0\n")
    fit({"name": name, "path": tmp_path / file}, epochs=1)
    content = (tmp_path / file).read_bytes()
    assert b"99.0" not in content
    log = minigrad.callback(name)(tmp_path / file)
    for _ in range(2):  # one log in two runs
        fit(log, epochs=1)
        assert (tmp_path / file).read_bytes() == content


def test_a_run_without_updates_leaves_an_empty_file(tmp_path: Path):
    fit(CSVLog(tmp_path / "h.csv"), JSONLLog(tmp_path / "h.jsonl"), epochs=0)
    assert (tmp_path / "h.csv").read_bytes() == (tmp_path / "h.jsonl").read_bytes() == b""


def test_a_full_disk_ends_the_run_and_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    room, real = 200, Path.open

    class Disk:
        """A file on a disk with little room."""

        def __init__(self, path: Path) -> None:
            self.file = real(path, "ab", buffering=0)

        def write(self, content: bytes) -> int:
            left = room - os.fstat(self.file.fileno()).st_size
            if left <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.file.write(bytes(content)[:left])

        def close(self) -> None:
            self.file.close()

    def opened(path: Path, mode: str = "r", **options: Any) -> Any:
        return Disk(path) if mode == "ab" else real(path, mode, **options)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OSError, match="No space left") as caught:
        fit(JSONLLog(tmp_path / "h.jsonl"))
    assert caught.value.__notes__[0].startswith("In callback JSONLLog.on_step_end, after ")
    rows = read_jsonl(tmp_path / "h.jsonl")
    assert [row["step"] for row in rows] == list(range(len(rows)))
    assert 0 < len(rows) < 9


def test_a_folder_that_cannot_be_is_told_before_the_first_update(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as caught:
        fit(CSVLog(tmp_path / "file" / "h.csv"))
    assert caught.value.history.rows == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("cls", [CSVLog, JSONLLog])
def test_arguments_that_cannot_be_are_refused(cls: Any):
    with pytest.raises(ValueError, match=r"every must be a whole number, at least 1\. Received: every=0"):
        cls(every=0)


def test_a_log_that_was_used_can_be_pickled(tmp_path: Path):
    log = CSVLog(str(tmp_path / "h.csv"))
    fit(log, epochs=1)
    assert repr(pickle.loads(pickle.dumps(log))) == repr(log)
