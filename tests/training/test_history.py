"""The history: columns, files, pictures, and the form in which a checkpoint holds it."""

import csv
import math
import sys

import pytest
import torch

from minigrad import Callback
from minigrad.callbacks import CSVLog
from minigrad.errors import MissingExtraError
from minigrad.layers import Linear
from minigrad.training import History, fit
from minigrad.training.history import Packing, from_columns, settle

ROWS = [
    {"step": 0, "epoch": 0, "cost": 0.7},
    {"step": 1, "epoch": 0, "cost": 0.5, "val_cost": 0.6, "val_confusion_matrix": [[1, 2], [3, 4]]},
    {"step": 2, "epoch": 1, "cost": 0.1 + 0.2},
    {"step": 3, "epoch": 1, "cost": 0.25, "val_cost": 0.4, "val_confusion_matrix": [[2, 1], [3, 4]], "lr": 1},
]


def test_columns_have_the_values_and_none_where_there_is_none():
    history = History(ROWS)
    assert history.columns == ["step", "epoch", "cost", "val_cost", "val_confusion_matrix", "lr"]
    assert history.to_dict()["val_cost"] == [None, 0.6, None, 0.4]
    assert history["val_cost"] == [0.6, 0.4]
    assert (len(history), list(history)) == (4, ROWS)
    with pytest.raises(KeyError, match=r"The history has step, epoch, .* Received: 'accuracy'"):
        history["accuracy"]


def test_a_table_says_what_the_rows_say(tmp_path):
    History(ROWS).to_csv(tmp_path / "history.csv")
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text().splitlines()))
    assert [float(row["cost"]) for row in rows] == [row["cost"] for row in ROWS]
    assert [row["val_confusion_matrix"] for row in rows] == ["", "[[1, 2], [3, 4]]", "", "[[2, 1], [3, 4]]"]


def test_a_table_is_that_of_a_log(tmp_path):
    class Odd(Callback):
        def on_step_end(self, run):
            odd = {
                "tensor": torch.tensor([1.5]),
                "nan": [float("nan")],
                "tuple": (1, 2),
                "text": "a,\n'b\"",
                "none": None,
            }
            run.rows[-1].update(odd)

    x = torch.ones(2, 1)
    log = CSVLog(tmp_path / "log.csv")
    history = fit(Linear(1, 1), "mse", "sgd", (x, x), steps=2, callbacks=[Odd(), log], progress=False)
    history.to_csv(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_bytes() == (tmp_path / "log.csv").read_bytes()


def test_a_frame_has_a_row_per_update():
    frame = History(ROWS).to_frame()
    assert frame.index.tolist() == [0, 1, 2, 3]
    assert frame["val_cost"].dropna().tolist() == [0.6, 0.4]
    assert len(History([]).to_frame()) == 0


@pytest.mark.parametrize(("method", "package"), [("to_frame", "pandas"), ("plot", "matplotlib")])
def test_what_is_not_installed_is_named(monkeypatch, method, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package} is needed here.*pip install"):
        getattr(History(ROWS), method)()


def test_a_notebook_has_a_picture_or_at_least_the_text(monkeypatch):
    assert "<svg" in History(ROWS)._repr_html_()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert History(ROWS, "interrupted")._repr_html_().startswith("<code>History(steps=4, epochs=2, cost=0.7 to 0.25")


def test_the_picture_is_drawn_by_its_suffix(tmp_path):
    for rows in (ROWS, ROWS[:1], []):
        figure = History(rows).plot(tmp_path / "a.svg")
        assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    History(ROWS).plot(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    lines = History(ROWS).plot().axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["cost", "val_cost"]
    assert list(lines[1].get_xdata()) == [2, 4]
    assert figure.axes


def test_the_end_is_told():
    assert repr(History([])) == "History(steps=0)"
    assert repr(History(ROWS, "no time left")).endswith("val_cost=0.4, lr=1, stopped='no time left')")


def test_packing_keeps_every_value_and_its_type():
    rows = [*ROWS, {"step": 4, "epoch": 2, "cost": math.inf, "text": "a"}, {"step": 5, "epoch": 2, "cost": 5e-324}]
    again = from_columns(Packing().pack(rows))
    assert again == rows
    assert [{name: type(value) for name, value in row.items()} for row in again] == [
        {name: type(value) for name, value in row.items()} for row in rows
    ]
    assert from_columns(Packing().pack([])) == []


def test_costs_are_read_once_and_exactly():
    value = torch.tensor(0.1)
    rows = [{"step": 0, "epoch": 0, "cost": value}, {"step": 1, "epoch": 0, "cost": 0.5}]
    settle(rows)
    assert [row["cost"] for row in rows] == [value.item(), 0.5]


def test_a_growing_history_is_packed_as_if_it_were_packed_at_once():
    packing, rows = Packing(), []
    for row in [*ROWS, {"step": 4, "cost": 1}, {"step": 5, "cost": 2.5}]:
        rows.append(dict(row))
        assert from_columns(packing.pack(rows)) == rows
        rows[-1]["late"] = len(rows)  # the newest row may still change
        assert from_columns(packing.pack(rows)) == rows
        del rows[-1]["late"]
        assert from_columns(packing.pack(rows)) == rows
