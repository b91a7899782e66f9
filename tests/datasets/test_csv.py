"""CSV: tables, and everything that may be wrong with one."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minigrad.datasets import CSV, table
from minigrad.errors import DataError
from tests.datasets.test_made import whole

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6).map(str.strip)
LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Nd", "Nl", "No"], exclude_characters="\ufeff"))
TEXTS = LETTERS.map(str.strip).filter(lambda text: text and not is_number(text))
NUMBERS = st.floats(-(2.0**99), 2.0**99, width=32)
ALONE = {"validation": 0.0, "test": 0.0, "standardize": False}


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def written(folder: Path, header: list[str], rows: list[list[Any]], delimiter: str = ",") -> Path:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows(rows)
    path = folder / f"table-{os.getpid()}.csv"
    path.write_bytes(text.getvalue().encode())
    return path


@given(st.data())
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, data: st.DataObject):
    header = data.draw(st.lists(NAMES.filter(bool), min_size=2, max_size=4, unique=True))
    header = [name.replace("\ufeff", "b") for name in header]
    if len(set(header)) < len(header):
        return
    width = len(header) - 1
    at = data.draw(st.integers(0, width))
    x = data.draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=2, max_size=8))
    kinds = data.draw(st.sampled_from([TEXTS, st.integers(-99, 99), NUMBERS]))
    y = data.draw(st.lists(kinds, min_size=len(x), max_size=len(x)))
    task = data.draw(st.sampled_from(["classification", None])) if len(set(map(str, y))) > 1 else None
    rows = [[*row[:at], target, *row[at:]] for row, target in zip(x, y, strict=True)]
    delimiter = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    path = written(tmp_path_factory.getbasetemp(), header, rows, delimiter)
    made = CSV(path, header[at], task=task, delimiter=delimiter, **ALONE)
    if len(set(map(str, y))) == 1 and type(y[0]) is not float:
        with pytest.raises(DataError, match="must have two classes at least"):
            made.load()
        return
    loaded = made.load()
    assert loaded.columns == tuple(name for i, name in enumerate(header) if i != at)
    xs, ys = loaded.train
    if loaded.classes:
        told = [(row, loaded.classes[i]) for row, i in zip(xs.tolist(), ys.tolist(), strict=True)]
        assert sorted(told) == sorted((row, str(target)) for row, target in zip(x, y, strict=True))
        assert list(loaded.classes) == sorted({str(target) for target in y}, key=int if type(y[0]) is int else str)
    else:
        assert type(y[0]) is float
        assert sorted(zip(xs.tolist(), ys.tolist(), strict=True)) == sorted(
            (row, [target]) for row, target in zip(x, y, strict=True)
        )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [f"{i}, {0.1 * i:.1f},{('blue', 'red', 'green')[i % 3]},{i % 2},7" for i in range(60)]
    path = tmp_path / "table.csv"
    path.write_text("\ufeffa, b,colour,odd,same\r\n" + "\r\n\r\n".join(rows) + "\r\n", encoding="utf-8")
    return path


def test_columns_are_standardized_by_the_training_part_alone(file: Path):
    data = CSV(file, "colour").load()
    assert data.columns == ("a", "b", "odd", "same")
    assert data.classes == ("blue", "green", "red")
    assert data.target == "colour"
    x, _ = data.train
    torch.testing.assert_close(x.mean(0), torch.zeros(4), rtol=0, atol=1e-6)
    torch.testing.assert_close(x.std(0, correction=0)[:3], torch.ones(3), rtol=0, atol=1e-6)
    assert data.scale[3] == 1
    assert (len(x), len(data.validation[0]), len(data.test[0])) == (42, 6, 12)
    assert data.test[1].bincount().tolist() == [4, 4, 4]
    back = whole(data)[0].double() * data.scale + data.shift
    assert sorted(back[:, 0].round().tolist()) == list(range(60))


def test_columns_are_taken_in_the_order_asked_for(file: Path):
    data = CSV(file, "odd", columns=["b", "a"], **ALONE).load()
    assert data.columns == ("b", "a")
    assert torch.allclose(data.train[0][:, 0] * 10, data.train[0][:, 1])
    assert data.shift is data.scale is None


def test_the_task_follows_from_the_target_or_is_told(file: Path):
    whole_numbers = CSV(file, "odd", columns=["a"]).load()
    assert (whole_numbers.classes, whole_numbers.train[1].dtype) == (("0", "1"), torch.int64)
    fractions = CSV(file, "b", columns=["a"], **ALONE).load()
    assert (fractions.classes, fractions.train[1].dtype, fractions.train[1].shape) == ((), torch.float32, (60, 1))
    torch.testing.assert_close(fractions.train[1], fractions.train[0] / 10)
    told = CSV(file, "odd", columns=["a"], task="regression", **ALONE).load()
    torch.testing.assert_close(told.train[1], told.train[0] % 2)
    assert CSV(file, "b", columns=["a"], task="classification", test=0.0).load().classes[:2] == ("0.0", "0.1")


def test_integers_are_sorted_as_numbers_and_written_alike(tmp_path: Path):
    path = written(tmp_path, ["x", "y"], [[0, "10"], [0, "9"], [0, "+09"], [0, "-1"]])
    data = CSV(path, "y", **ALONE).load()
    assert data.classes == ("-1", "9", "10")
    assert sorted(data.train[1].tolist()) == [0, 1, 1, 2]


def test_config_and_repr():
    made = CSV("t.csv", "y", columns=["a", "b"], delimiter=";")
    assert repr(made) == "CSV(path='t.csv', target='y', columns=('a', 'b'), delimiter=';')"
    assert repr(CSV(**made.config())) == repr(made)
    assert CSV(Path("t.csv"), "y").config()["path"] == "t.csv"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"path": None}, TypeError, r"path must be a path\. Received: path=None"),
        ({"target": 3}, TypeError, r"target must be the name of a column\. Received: target=3"),
        ({"columns": "ab"}, TypeError, r"columns must be the names of columns\. Received: columns='ab'"),
        ({"columns": [1]}, TypeError, r"columns must be the names of columns\. Received: columns=\[1\]"),
        ({"columns": []}, ValueError, r"columns must be different ones, .* target 'y'\. Received: columns=\[\]"),
        ({"columns": ["a", "a"]}, ValueError, r"columns must be different ones, .* Received: columns=\['a', 'a'\]"),
        ({"columns": ["a", "y"]}, ValueError, r"columns must be .* none of them the target 'y'\. Received: .*"),
        ({"task": "cluster"}, ValueError, r"task must be 'classification' or 'regression'\. Received: task='cluster'"),
        ({"delimiter": ""}, ValueError, r"delimiter must be one character, .* Received: delimiter=''"),
        ({"delimiter": ",,"}, ValueError, r"delimiter must be one character, .* Received: delimiter=',,'"),
        ({"delimiter": '"'}, ValueError, r"delimiter must be one character, .* Received: delimiter='\"'"),
        ({"delimiter": "\n"}, ValueError, r"delimiter must be one character, .* Received: delimiter='\\n'"),
        ({"delimiter": 1}, ValueError, r"delimiter must be one character, .* Received: delimiter=1"),
        ({"test": 1.5}, ValueError, r"test must be a fraction in \[0, 1\)\. Received: test=1\.5"),
        ({"seed": 0.5}, ValueError, r"seed must be an integer .* Received: seed=0\.5"),
    ],
)
def test_misuse_is_told(arguments: Any, error: Any, message: str):
    with pytest.raises(error, match=rf"^{message}$"):
        CSV(**({"path": "t.csv", "target": "y"} | arguments))


FAULTY = {
    "empty file": (b"", "{path} must hold data. Received: an empty file"),
    "empty lines": (b"\n\n\n", "{path} must have a line of column names. Received: empty lines"),
    "a mark alone": (b"\xef\xbb\xbf", "{path} must have a line of column names. Received: empty lines"),
    "no rows": (b"a,y\n", "{path} must have rows below the line of column names. Received: none"),
    "no target": (b"a,b\n1,2\n", "{path} must have a column 'y'. Received: columns a, b"),
    "no target, but one like it": (b"a,Y1y\n1,2\n", "{path} must have a column 'y'. Received: columns a, Y1y"),
    "target alone": (b"y\n1\n", "{path} must have a column besides the target. Received: 'y' alone"),
    "name twice": (b"a,y,a\n1,2,3\n", "{path}, line 1: each column must have a name of its own. Received: 'a' twice"),
    "no name": (b",y\n1,2\n", "{path}, line 1: each column must have a name. Received: none for column 1"),
    "short row": (b"a,y\n1,2\n1\n", "{path}, line 3: a row must have 2 cells, one for each column. Received: 1"),
    "long row": (b"a,y\n\n1,2,\n", "{path}, line 3: a row must have 2 cells, one for each column. Received: 3"),
    "text": (
        b"a,y\n1,2\nthree,4\n",
        "{path}, line 3, column 'a': a cell must be a finite number, of float32. Received: 'three'",
    ),
    "NaN": (b"a,y\nNaN,2\n", "{path}, line 2, column 'a': a cell must be a finite number, of float32. Received: 'NaN'"),
    "inf": (
        b"a,y\n-inf,2\n",
        "{path}, line 2, column 'a': a cell must be a finite number, of float32. Received: '-inf'",
    ),
    "huge": (
        b"a,y\n1e39,2\n",
        "{path}, line 2, column 'a': a cell must be a finite number, of float32. Received: '1e39'",
    ),
    "1_0": (b"a,y\n1_0,2\n", "{path}, line 2, column 'a': a cell must be a finite number, of float32. Received: '1_0'"),
    "gap": (
        b"a,y\n ,2\n",
        "{path}, line 2, column 'a': a cell must be a finite number, of float32. Received: an empty cell",
    ),
    "long text": (
        b"a,y\n" + b"z" * 99 + b",2\n",
        "{path}, line 2, column 'a': a cell must be a finite number, of float32. Received: '" + "z" * 37 + "...'",
    ),
    "gap in the target": (
        b"a,y\n1,b\n2,\n",
        "{path}, line 3, column 'y': a cell must not be empty. Received: an empty cell",
    ),
    "NaN in the target": (
        b"a,y\n1,0.5\n2,nan\n",
        "{path}, line 3, column 'y': a cell must be a finite number, of float32. Received: 'nan'",
    ),
    "one class": (b"a,y\n1,b\n2,b\n", "{path}: column 'y' must have two classes at least. Received: 'b' alone"),
    "bad quotes": (
        b'a,y\n1,2\n"3"4,5\n',
        "{path}, line 3: a row must be well-formed CSV. Received: ',' expected after '\"'",
    ),
    "open quotes": (
        b'a,y\n1,2\n"3,4\n',
        "{path}, line 3: a row must be well-formed CSV. Received: unexpected end of data",
    ),
    "not UTF-8": (b"a,y\n1,caf\xe9\n", "{path} must be a text in UTF-8. Received: byte 0xe9"),
    "UTF-16": ("a,y\n1,2\n".encode("utf-16"), "{path} must be a text in UTF-8. Received: byte 0xff"),
    "two rows, no validation": (b"a,y\n1,b\n2,c\n", "validation=0.1 of 2 rows must be one at least. Received: none"),
    "a cell without end": (
        b"a,y\n" + b"9" * 200_000 + b",2\n",
        "{path}, line 2: a row must be well-formed CSV. Received: field larger than field limit (131072)",
    ),
}


@pytest.mark.parametrize("case", FAULTY)
def test_faulty_files_are_told(case: str, tmp_path: Path):
    content, message = FAULTY[case]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        CSV(path, "y").load()
    assert str(caught.value) == message.format(path=path)


def faulty(path: Path, message: str, **arguments: Any) -> None:
    with pytest.raises(DataError) as caught:
        CSV(path, **({"target": "odd"} | arguments)).load()
    assert str(caught.value) == message.format(path=path)


def test_the_nearest_name_is_told(file: Path):
    shown = "Received: columns a, b, colour, odd, same"
    faulty(file, "{path} must have a column 'color'. Did you mean 'colour'? " + shown, target="color")
    faulty(file, "{path} must have a column 'sane'. Did you mean 'same'? " + shown, columns=["a", "sane"])


def test_a_regression_needs_numbers(file: Path):
    message = "{path}, line 2, column 'colour': a cell must be a finite number, of float32. Received: 'blue'"
    faulty(file, message, target="colour", columns=["a"], task="regression")


def test_many_different_texts_or_integers_are_no_classes_until_it_is_said(tmp_path: Path):
    path = written(tmp_path, ["x", "odd"], [[i, i] for i in range(101)])
    message = "{path}: task must be said where column 'odd' has more than 100 different texts or integers. "
    faulty(path, message + "Received: 101, task=None")
    assert len(CSV(path, "odd", task="classification").load().classes) == 101


def test_what_is_no_file_and_what_is_too_much(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    missing = tmp_path / "missing.csv"
    faulty(missing, "{path} must be a file that can be read. Received: No such file or directory")
    faulty(tmp_path, "{path} must be a file. Received: a folder")
    with missing.open("wb") as stream:
        stream.truncate(2**30 + 1)
    faulty(missing, "{path} must have at most 1,073,741,824 bytes. Received: 1,073,741,825 bytes")
    monkeypatch.setattr(table, "MAX_ROWS", 50)
    faulty(file, "{path} must have at most 50 rows. Received: more", columns=["a"])


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    faulty(file, "{path} must be a file that can be read. Received: Permission denied")


def test_a_quoted_cell_may_have_several_lines(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_bytes(b'a,y\n1,"b\nb"\n2,c\n?,c\n')
    faulty(path, "{path}, line 5, column 'a': a cell must be a finite number, of float32. Received: '?'", target="y")


def test_a_number_that_lies_too_far_from_the_training_part_is_told(tmp_path: Path):
    rows = "".join(f"{1 + i * 1e-6},{i % 2}\n" for i in range(40))
    (tmp_path / "far.csv").write_text(f"x,t\n{rows}3e38,0\n")
    said = []
    for seed in range(8):
        try:
            data = CSV(tmp_path / "far.csv", "t", seed=seed).load()
        except DataError as error:
            said.append(str(error))
        else:
            assert all(x.isfinite().all() for x, _ in (data.train, data.validation, data.test))
    assert any("Received: 3e+38 in column 1, of mean 1.0" in text for text in said)
