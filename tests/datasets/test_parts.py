"""The split: disjoint, complete, of the sizes that were asked for, fair to every class, and the same everywhere."""

import hashlib
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minigrad.datasets.parts import MAX_ROWS, part_sizes, row_parts
from minigrad.datasets.scaling import scaled, standard
from minigrad.errors import DataError

FRACTIONS = st.floats(0, 0.45)


@given(rows=st.integers(20, 300), validation=FRACTIONS, test=FRACTIONS, seed=st.integers(0, 2**63 - 1), kinds=st.data())
def test_every_row_is_in_one_part(rows: int, validation: float, test: float, seed: int, kinds: st.DataObject):
    classes = kinds.draw(st.none() | st.lists(st.integers(-3, 3), min_size=rows, max_size=rows).map(torch.tensor))
    if any(0 < fraction * rows < 0.5 for fraction in (validation, test)):
        with pytest.raises(DataError, match=r"must be one at least\. Received: none$"):
            part_sizes(rows, validation, test)
        return
    sizes = part_sizes(rows, validation, test)
    parts = row_parts(rows, validation, test, seed, classes)
    assert tuple(map(len, parts)) == sizes
    assert torch.cat(parts).sort().values.tolist() == list(range(rows))
    assert abs(sizes[1] - validation * rows) <= 0.5
    assert abs(sizes[2] - test * rows) <= 0.5
    again = row_parts(rows, validation, test, seed, classes)
    assert all(map(torch.equal, parts, again))


@given(counts=st.lists(st.integers(1, 200), min_size=2, max_size=6), seed=st.integers(0, 99))
def test_every_part_has_its_share_of_every_class(counts: list[int], seed: int):
    rows = sum(counts)
    if rows < 20:
        return
    classes = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    for part, share in zip(row_parts(rows, 0.25, 0.25, seed, classes), (0.5, 0.25, 0.25), strict=True):
        held = classes[part].bincount(minlength=len(counts))
        assert all(abs(h - share * count) <= 2 for h, count in zip(held.tolist(), counts, strict=True))


def test_a_class_of_one_row_is_learned_from():
    classes = torch.tensor([0] * 50 + [1])
    for seed in range(20):
        train, _, _ = row_parts(51, 0.1, 0.2, seed, classes)
        assert 50 in train.tolist()


def test_another_seed_draws_another_split():
    one, other = (row_parts(100, 0.1, 0.2, seed)[2].tolist() for seed in (0, 1))
    assert one != other
    assert one != sorted(one)
    # With classes too, the rows of a class are drawn.
    classes = torch.arange(100) % 2
    one, other = (set(row_parts(100, 0.1, 0.2, seed, classes)[2].tolist()) for seed in (0, 1))
    assert one != other


def test_too_many_rows_are_refused():
    with pytest.raises(DataError, match=r"^A dataset has at most 10,000,000 rows\. Received: 10,000,001$"):
        part_sizes(MAX_ROWS + 1, 0, 0)


def test_scaling():
    rows = torch.randn(50, 3, dtype=torch.float64) * 7 + 1000
    rows[:, 1] = 0.1  # a mean of these is rounded
    shift, scale = standard(rows)
    x = scaled(rows, shift, scale)
    assert x.dtype == torch.float32
    assert scale[1] == 1
    assert x[:, 1].abs().max() < 1e-12
    torch.testing.assert_close(x[:, [0, 2]].mean(0), torch.zeros(2), rtol=0, atol=1e-5)
    torch.testing.assert_close(x[:, [0, 2]].std(0, correction=0), torch.ones(2), rtol=0, atol=1e-5)
    assert torch.equal(scaled(rows, None, None), rows.float())
    tiny = torch.tensor([[0.0], [1e-300]], dtype=torch.float64)
    assert scaled(tiny, *standard(tiny)).isfinite().all()


PRINT = """
import hashlib, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from minigrad.datasets import CSV, Digits, Iris, Moons, Spirals, Text
seen = hashlib.sha256()
table, text = map(Path, sys.argv[1:])
for made in (Moons(), Spirals(classes=3), Iris(), Digits(), CSV(table, "kind"), Text(text, context=7, test=0.1)):
    data = made.load()
    for x, y in (data.train, data.validation, data.test):
        seen.update(x.contiguous().numpy().tobytes() + y.contiguous().numpy().tobytes())
    seen.update(repr((data.columns, data.classes, data.vocabulary, data.shift)).encode())
print(seen.hexdigest())
"""


def test_every_process_loads_the_same(tmp_path):
    table, text = tmp_path / "table.csv", tmp_path / "text.txt"
    table.write_text("a,kind\n" + "".join(f"{i},{'xyz'[i % 3]}\n" for i in range(50)))
    text.write_text("Many a mickle makes a muckle. " * 9)
    seen = set()
    for seed in ("0", "1", "12345"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PRINT, str(table), str(text)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seen.add(done.stdout)
    assert len(seen) == 1
    assert len(seen.pop().strip()) == hashlib.sha256().digest_size * 2
