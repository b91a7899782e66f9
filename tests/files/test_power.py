"""Power may fail at any moment: the old file is there, or the new one, whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from minigrad.files import write_file, write_tree
from tests.files.power import Call, recorded, violations

OLD = b"old content, whole"


def write_bytes(path: Path) -> None:
    write_file(path, b"new content, " * 5)


def write_tensors(path: Path) -> None:
    write_tree(path, {"weight": torch.ones(5), "step": 1, "mask": torch.tensor([True])}, kind="test")


@pytest.fixture(params=[write_bytes, write_tensors], ids=["write_file", "write_tree"])
def write(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """A way to write a file."""
    return request.param


@pytest.mark.parametrize("existing", [True, False], ids=["replaced", "new"])
@pytest.mark.parametrize("left_over", [True, False], ids=["after a crash", "clean"])
def test_power_may_fail_at_any_moment(
    write: Callable[[Path], None], existing: bool, left_over: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = {"file": OLD} if existing else {}
    if left_over:
        before |= {f".file.1-{'0' * 12}.tmp": b"half"}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    calls = recorded(lambda: write(tmp_path / "file"), tmp_path, monkeypatch)
    assert {call.what for call in calls} >= {"create", "write", "fsync", "rename"}
    assert violations(before, calls, "file", (tmp_path / "file").read_bytes()) == []


CREATE, WRITE, SYNC, RENAME, SYNC_FOLDER = (
    Call("create", "tmp"),
    Call("write", "tmp", b"new"),
    Call("fsync", "tmp"),
    Call("rename", "tmp", "file"),
    Call("fsync", ""),
)


@pytest.mark.parametrize(
    "calls",
    [
        [Call("create", "file"), Call("write", "file", b"new"), Call("fsync", "file"), SYNC_FOLDER],
        [CREATE, WRITE, RENAME, SYNC_FOLDER],
        [CREATE, WRITE, RENAME, Call("fsync", "file"), SYNC_FOLDER],
        [CREATE, SYNC, WRITE, RENAME, SYNC_FOLDER],
        [CREATE, WRITE, SYNC, RENAME],
        [CREATE, WRITE, SYNC, SYNC_FOLDER, RENAME],
        [CREATE, WRITE, SYNC, Call("unlink", "file"), RENAME, SYNC_FOLDER],
    ],
    ids=[
        "in place",
        "no sync",
        "sync too late",
        "sync too early",
        "no sync of the folder",
        "folder too early",
        "a gap",
    ],
)
def test_the_model_finds_every_wrong_order(calls: list[Call]):
    assert violations({"file": OLD}, calls, "file", b"new")


def test_the_model_lets_the_right_order_pass():
    assert violations({"file": OLD}, [CREATE, WRITE, SYNC, RENAME, SYNC_FOLDER], "file", b"new") == []
