"""NPZ: arrays, and everything that may be wrong with their file."""

import io
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from minigrad.datasets import NPZ, npz
from minigrad.errors import DataError
from tests.datasets.test_made import whole

ALONE = {"validation": 0.0, "test": 0.0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "arrays.npz"


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f8", "longdouble"])
def test_floats(path: Path, save: Any, dtype: str):
    x = numpy.arange(60).reshape(10, 3, 2).astype(dtype)
    save(path, x=x, y=numpy.linspace(0, 1, 10))
    data = NPZ(path, **ALONE).load()
    order = (data.train[0][:, 0, 0] / 6).long()
    assert torch.equal(data.train[0], torch.from_numpy(x.astype("float32"))[order])
    assert data.train[1].shape == (10, 1)
    torch.testing.assert_close(data.train[1][:, 0], order / 9)
    assert data.classes == ()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64", ">i2", "bool"])
def test_integers(path: Path, dtype: str):
    numpy.savez(
        path, inputs=numpy.arange(20).reshape(10, 2).astype(dtype), targets=(numpy.arange(10) % 2).astype(dtype)
    )
    data = NPZ(path, "inputs", "targets", validation=0.2, test=0.2).load()
    x, y = whole(data)
    assert x.dtype == y.dtype == torch.int64
    assert data.classes == ("0", "1")
    assert data.target == "targets"
    assert data.test[1].bincount().tolist() == [1, 1]
    expected = numpy.arange(20).reshape(10, 2).astype(dtype).astype("int64")
    assert sorted(x.tolist()) == sorted(expected.tolist())


def test_an_array_by_columns(path: Path):
    x = numpy.asfortranarray(numpy.arange(30.0).reshape(10, 3))
    numpy.savez(path, x=x, y=numpy.arange(10) % 2)
    train, _ = NPZ(path, **ALONE).load().train
    assert sorted(train.tolist()) == x.tolist()


def test_config_and_repr():
    made = NPZ("a.npz", y="labels", seed=3)
    assert repr(made) == "NPZ(path='a.npz', y='labels', seed=3)"
    assert repr(NPZ(**made.config())) == repr(made)


def test_misuse_is_told():
    with pytest.raises(TypeError, match=r"^path must be a path\. Received: path=None$"):
        NPZ(None)
    with pytest.raises(TypeError, match=r"^x must be the name of an array\. Received: x=1$"):
        NPZ("a.npz", x=1)
    with pytest.raises(ValueError, match=r"^test must be a fraction in \[0, 1\)\. Received: test=1$"):
        NPZ("a.npz", test=1)


GOOD = {"x": numpy.zeros((20, 2)), "y": numpy.arange(20) % 2}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": None}, r"must have an array 'x'\. Received: arrays y"),
        ({"y": numpy.arange(19) % 2}, r": 'x' and 'y' must have a row for each example\. Received: 20 and 19 rows"),
        ({"x": numpy.zeros((0, 2)), "y": numpy.zeros(0)}, r": 'x' and 'y' must have a row .* Received: 0 and 0 rows"),
        ({"x": numpy.array(3.0)}, r": array 'x' must hold rows of numbers\. Received: shape \(\) of float64"),
        ({"x": numpy.zeros(20, complex)}, r": array 'x' must hold rows of numbers\. Received: .* of complex128"),
        ({"x": numpy.array(["a"] * 20)}, r": array 'x' must hold rows of numbers\. Received: .* of <U1"),
        ({"y": numpy.array([0.5, numpy.nan] * 10)}, r": array 'y' must hold finite numbers, .* Received: nan at \[1\]"),
        ({"x": numpy.full((20, 1, 2), 1e39)}, r": array 'x' must hold finite .* Received: 1e\+39 at \[0, 0, 0\]"),
        (
            {"x": numpy.full(20, 2**63, "uint64")},
            r": array 'x' must hold integers of int64\. Received: 9223372036854775808",
        ),
        ({"y": numpy.arange(20) - 1}, r": integers in 'y' are classes, .* below 1,000,000\. Received: from -1 to 18"),
        ({"y": numpy.arange(20) + 10**6}, r": integers in 'y' are classes, .* Received: from 1000000 to 1000019"),
        ({"x": numpy.array([{}] * 20)}, r" must be a file of numpy\.savez\. Received: .* an array of Python objects"),
    ],
)
def test_faulty_arrays_are_told(path: Path, arrays: dict[str, Any], message: str):
    given = {name: array for name, array in (GOOD | arrays).items() if array is not None}
    numpy.savez(path, **given)
    with pytest.raises(DataError, match=rf"^.*arrays\.npz ?{message.strip()}$"):
        NPZ(path).load()


def npy(header: bytes, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    return b"\x93NUMPY" + version + size + header + body


class Planted:
    """What unpickling would run."""

    def __reduce__(self):
        return (pytest.fail, ("the file was executed",))


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"\x93NUMPY",
        b"no array",
        npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000000)}"),
        npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (20, 2)}", b"\0" * 319),
        npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (20, 2)}", b"\0" * 321),
        npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-4, -10)}", b"\0" * 320),
        npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}", b"\0" * 320),
        npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (20, 2.0)}", b"\0" * 320),
        npy(b"{'descr': '|V0', 'fortran_order': False, 'shape': (20, 2)}"),
        npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (20,)}", b"\0" * 160),
        npy(b"{'descr': __import__('os').abort(), 'fortran_order': False, 'shape': (20, 2)}"),
        npy(b"(" * 60_000),
        npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (20, 2)}", b"\0" * 320, b"\x03\x00"),
    ],
)
def test_hostile_arrays_are_told(path: Path, member: bytes):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member)
        archive.writestr("y.npy", npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (20, 2)}", b"\0" * 320))
    with pytest.raises(DataError, match=r"must be a file of numpy\.savez\. Received: |must hold rows of numbers"):
        NPZ(path).load()


def test_objects_are_never_unpickled(path: Path):
    numpy.savez(path, x=numpy.array([Planted()] * 20), y=numpy.zeros(20))
    with pytest.raises(DataError, match="an array of Python objects"):
        NPZ(path).load()


def test_what_is_no_archive_and_what_is_too_large(path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(DataError, match=r"must be a file that can be read\. Received: No such file or directory$"):
        NPZ(path).load()
    for content in (b"PK", b"not an archive" * 50):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"must be a file of numpy\.savez\. Received: BadZipFile: "):
            NPZ(path).load()
    single = io.BytesIO()
    numpy.save(single, numpy.zeros(3))
    path.write_bytes(single.getvalue())
    with pytest.raises(DataError, match=r"must be a file of numpy\.savez\. Received: BadZipFile: "):
        NPZ(path).load()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../etc/passwd", "x")
    with pytest.raises(DataError, match=r"must have an array 'x'\. Received: arrays \.\./\.\./etc/passwd$"):
        NPZ(path).load()
    monkeypatch.setattr(npz, "MAX_BYTES", 400)
    numpy.savez_compressed(path, **GOOD)
    with pytest.raises(DataError, match=r": array 'x' must have at most 400 bytes\. Received: 448 bytes$"):
        NPZ(path).load()


def test_damaged_files_are_told_or_read_as_they_were(path: Path):
    numpy.savez_compressed(path, **GOOD)
    good, draw = path.read_bytes(), random.Random(0)
    expected = NPZ(path).load()
    told = 0
    for _ in range(300):
        content = bytearray(good)
        if draw.random() < 0.3:
            del content[draw.randrange(len(content)) :]
        else:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content or b"\0")
        try:
            data = NPZ(path).load()
        except DataError:
            told += 1
        else:
            assert torch.equal(data.train[0], expected.train[0])
            assert torch.equal(data.train[1], expected.train[1])
    assert told > 100
