"""Whatever a file has become, reading it gives the tree that was written or one CheckpointError."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from minigrad.errors import CheckpointError
from minigrad.files import read_tree, write_tree
from minigrad.files.container import read_tree_only
from tests.files import malformed
from tests.files.malformed import Malformed, put

GENERATORS = [
    malformed.cut_short,
    malformed.flipped,
    malformed.moved,
    malformed.foreign,
    malformed.lengths,
    malformed.spellings,
    malformed.tables,
    malformed.records,
    malformed.trees,
]


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """A file with most of what a file can have."""
    tree = {
        "step": 3,
        "betas": (0.9, float("inf")),
        "weights": [torch.arange(6.0).reshape(2, 3), torch.tensor([True, False])],
        "state": {0: {"average": torch.rand(3).bfloat16(), "raw": b"ab\xff"}},
        "nothing": torch.empty(0, 4, dtype=torch.int64),
        "number": torch.tensor(7, dtype=torch.int16),
    }
    write_tree(tmp_path / "whole", tree, kind="test")
    return (tmp_path / "whole").read_bytes()


def outcome(path: Path) -> BaseException | str:
    """What comes of reading a file."""
    try:
        read_tree(path, kind="test")
    except BaseException as error:
        return error
    return "it was read"


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.__name__)
def test_what_is_malformed_is_refused(generator: Callable[[bytes], Iterator[Malformed]], whole: bytes, tmp_path: Path):
    path = tmp_path / "file"
    for what, content in generator(whole):
        found = outcome(put(path, content))
        assert type(found) is CheckpointError, f"{what}: {found!r}"
        assert str(found).startswith(f"{path}: "), what
        assert len(str(found).encode()) < 3000, what  # and it can be printed


def test_there_are_more_than_twelve_hundred(whole: bytes):
    contents = {content for _, content in malformed.all_malformed(whole)}
    assert len(contents) > 1200
    assert whole not in contents


def test_the_forger_knows_the_format(whole: bytes, tmp_path: Path):
    # A forgery that changes nothing is the file itself: so each forged file fails for what was changed in it.
    table, data = malformed.parts(whole)
    assert malformed.forge(table, data) == whole
    (tmp_path / "file").write_bytes(malformed.forge_tree(whole, table["__metadata__"]["tree"].replace("3", "4", 1)))
    assert read_tree(tmp_path / "file", kind="test")["step"] == 4


def test_no_bit_of_the_header_can_flip_unseen(whole: bytes, tmp_path: Path):
    end = len(whole) - len(malformed.parts(whole)[1])
    for i in range(end):
        path = put(tmp_path / "file", whole[:i] + bytes([whole[i] ^ 1 << (i % 8)]) + whole[i + 1 :])
        with pytest.raises(CheckpointError):
            read_tree_only(path, "test")


def test_an_altered_header_is_told_by_its_checksum(whole: bytes, tmp_path: Path):
    path = put(tmp_path / "file", whole.replace(b'\\"step\\":3', b'\\"step\\":4'))
    with pytest.raises(CheckpointError, match="its header is not as it was written: the checksum differs"):
        read_tree(path, kind="test")


def test_a_boolean_is_true_or_false(whole: bytes, tmp_path: Path):
    # A byte of 2 is neither, and torch would take it for one here and for the other there.
    table, data = malformed.parts(whole)
    begin, end = table["weights[1]"]["data_offsets"]
    data = data[:begin] + b"\2" * (end - begin) + data[end:]
    listed = json.loads(table["__metadata__"]["tensors"])
    listed["weights[1]"]["sha256"] = malformed.digest("weights[1]", "bool", [2], data[begin:end])
    table["__metadata__"]["tensors"] = json.dumps(listed, separators=(",", ":"))
    with pytest.raises(CheckpointError, match="booleans holds something else"):
        read_tree(put(tmp_path / "file", malformed.forge(table, data)), kind="test")


def test_a_later_format_names_who_wrote_it(whole: bytes, tmp_path: Path):
    table, data = malformed.parts(whole)
    table["__metadata__"] |= {"minigrad_format": "2", "minigrad_version": "9.8.7"}
    (tmp_path / "file").write_bytes(malformed.forge(table, data))
    with pytest.raises(CheckpointError, match=r"written in format '2' by minigrad '9\.8\.7'.*reads format '1'"):
        read_tree(tmp_path / "file", kind="test")


def test_what_is_no_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    for path in (
        tmp_path,
        tmp_path / "pipe",
        tmp_path / "circle",
        tmp_path / "missing",
        Path("/dev/null"),
        Path("/dev/zero"),
    ):
        with pytest.raises(CheckpointError) as caught:
            read_tree(path, kind="test")
        assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file"
    write_tree(path, {"weight": torch.rand(100_000)}, kind="test")
    empty = torch.empty

    def shrink(*arguments: Any, **options: Any) -> torch.Tensor:
        os.truncate(path, path.stat().st_size - 5)
        return empty(*arguments, **options)

    monkeypatch.setattr(torch, "empty", shrink)
    with pytest.raises(CheckpointError, match="cut short while it was read"):
        read_tree(path, kind="test")


HUGE = """
import resource, sys
from pathlib import Path
from minigrad.errors import CheckpointError
from minigrad.files import read_tree
from tests.files import malformed

path, folder = Path(sys.argv[1]), Path(sys.argv[2])
whole, count = path.read_bytes(), 0
makers = (malformed.lengths, malformed.records, malformed.tables, malformed.trees, malformed.spellings)
files = [(what, content) for make in makers for what, content in make(whole)]
def read(content):
    try:
        read_tree(malformed.put(folder / "file", content), kind="test")
    except CheckpointError:
        return
    raise SystemExit("it was read")
read(files[0][1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for what, content in files:
    read(content)
print(len(files), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_lies_about_sizes_take_no_memory(whole: bytes, tmp_path: Path):
    (tmp_path / "whole").write_bytes(whole)
    command = [sys.executable, "-c", HUGE, str(tmp_path / "whole"), str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    count, grown = map(int, done.stdout.split())
    assert count > 500
    # The largest of these files has 100 kB, and claims terabytes. Linux counts in units of 1 kB.
    assert grown * (1 if sys.platform == "darwin" else 1024) < 60e6
