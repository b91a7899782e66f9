"""Text: windows of characters."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minigrad.datasets import Text, text
from minigrad.errors import DataError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("To be, or not to be: that is the question.\n" * 5, encoding="utf-8")
    return path


def read(x: torch.Tensor, vocabulary: str) -> list[str]:
    return ["".join(vocabulary[i] for i in row) for row in x.tolist()]


@given(
    content=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=40, max_size=200),
    context=st.integers(1, 6),
    stride=st.none() | st.integers(1, 9),
)
def test_windows_are_pieces_of_the_text(tmp_path_factory, content: str, context: int, stride: int | None):
    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.txt"
    path.write_bytes(content.encode())
    content = content.removeprefix("\ufeff")  # which begins a file, and no text
    data = Text(path, context, stride, validation=0.25, test=0.25).load()
    assert data.vocabulary == "".join(sorted(set(content)))
    assert data.classes == tuple(data.vocabulary)
    quarter = int(len(content) * 0.25 + 0.5)
    half = len(content) - 2 * quarter
    parts = content[:half], content[half : half + quarter], content[half + quarter :]
    for part, (x, y) in zip(parts, (data.train, data.validation, data.test), strict=True):
        begins = range(0, len(part) - context, stride or context)
        assert read(x, data.vocabulary) == [part[i : i + context] for i in begins]
        assert read(y, data.vocabulary) == [part[i + 1 : i + context + 1] for i in begins]
        assert x.dtype == y.dtype == torch.int64


def test_overlapping_windows_take_no_memory(file: Path):
    data = Text(file, context=50, stride=1, validation=0.0).load()
    assert data.train[0].untyped_storage().nbytes() <= 8 * 220


def test_line_ends_and_byte_order_mark_do_not_count(tmp_path: Path):
    path = tmp_path / "windows.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\na\r\nb\r\n")
    assert Text(path, context=2, validation=0.0).load().vocabulary == "\nab"


def test_config_and_repr(file: Path):
    assert repr(Text("a.txt", context=8)) == "Text(path='a.txt', context=8)"
    assert Text(file).config() == {"path": str(file), "context": 64, "stride": None, "validation": 0.1, "test": 0.0}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"path": ""}, ValueError, r"path must name a file\. Received: path=''"),
        ({"path": 3}, TypeError, r"path must be a path\. Received: path=3"),
        ({"path": b"a"}, TypeError, r"path must be a path\. Received: path=b'a'"),
        ({"context": 0}, ValueError, r"context must be an integer from 1 to \d+\. Received: context=0"),
        ({"stride": 0}, ValueError, r"stride must be an integer from 1 to \d+\. Received: stride=0"),
        ({"stride": 2.0}, ValueError, r"stride must be an integer from 1 to \d+\. Received: stride=2\.0"),
        ({"validation": 1}, ValueError, r"validation must be a fraction in \[0, 1\)\. Received: validation=1"),
    ],
)
def test_misuse_is_told(arguments: Any, error: Any, message: str):
    with pytest.raises(error, match=rf"^{message}$"):
        Text(**({"path": "a.txt"} | arguments))


def faulty(path: Path, content: bytes | None, message: str, **arguments: Any) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        Text(path, **arguments).load()
    assert str(caught.value) == message.format(path=path)


def test_faulty_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "text.txt"
    faulty(path, None, "{path} must be a file that can be read. Received: No such file or directory")
    faulty(tmp_path, None, "{path} must be a file. Received: a folder")
    faulty(path, b"", "{path} must hold data. Received: an empty file")
    faulty(path, b"abc", "{path} must have more than context=64 characters in its train part. Received: 3")
    faulty(path, b"ab" * 99, "{path} must have more than context=64 characters in its validation part. Received: 20")
    faulty(
        path,
        b"ab" * 400,
        "{path} must have more than context=64 characters in its test part. Received: 32",
        test=0.04,
    )
    faulty(path, b"caf\xe9!" * 99, "{path} must be a text in UTF-8. Received: byte 0xe9")
    faulty(path, "Wörter".encode("utf-16") * 99, "{path} must be a text in UTF-8. Received: byte 0xff")
    with path.open("wb") as stream:
        stream.truncate(2**26 + 1)
    faulty(path, None, "{path} must have at most 67,108,864 bytes. Received: 67,108,865 bytes")
    os.remove(path)
    os.mkfifo(path)
    faulty(path, None, "{path} must be a file. Received: none")
    os.remove(path)
    monkeypatch.setattr(text, "MAX_ROWS", 50)
    message = (
        "{path} must have at most 50 windows: a larger stride gives fewer. Received: 88 in its train part, stride=1"
    )
    faulty(path, b"ab" * 50, message, context=2, stride=1)


def test_a_path_that_no_system_has(tmp_path: Path):
    with pytest.raises(DataError, match=r"must be a file that can be read\. Received: embedded null byte"):
        Text("a\0b").load()


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(DataError, match=r"must be a file that can be read\. Received: Permission denied$"):
        Text(file).load()
