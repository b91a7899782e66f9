r"""The container: a safetensors file in which every byte is covered by a checksum.

```text
8 bytes   the length n of the header, little-endian
n bytes   the header, JSON, filled up with spaces to a multiple of 8
          {"__metadata__": {"header_sha256": ..., "format": "pt", "minigrad_format": "1", "minigrad_version": ...,
                            "kind": ..., "tree": ..., "tensors": ...},
           "0.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}, ...}
the rest  the tensors, one after the other, without gaps
```

`tree` is any JSON value, as text. `tensors` says of each tensor its dtype, shape and SHA-256; what safetensors wants to
know of it follows from that. `header_sha256` is the digest of the length and the header, taken with zeros in its own
place. There is one spelling for each content: a reader makes the header again from what it understood, and refuses the
file if the bytes differ.
"""

import hashlib
import json
import math
import os
import stat
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import torch
from torch import Tensor

from minigrad._version import __version__
from minigrad.errors import CheckpointError
from minigrad.files.canonical import read_json, write_json
from minigrad.files.writing import CHUNK, Part, write_parts

FORMAT = "1"
# What the safetensors library reads.
MAX_HEADER = 100_000_000
_START = b'{"__metadata__":{"header_sha256":"'
_DIGITS = 64
_KEYS = ("header_sha256", "format", "minigrad_format", "minigrad_version", "kind", "tree", "tensors")

# Each dtype, what safetensors calls it, and the bytes of one element. Complex numbers of 128 bits it has no word for:
# they are stored as pairs of float64.
_DTYPES = {
    torch.float64: ("F64", 8),
    torch.float32: ("F32", 4),
    torch.float16: ("F16", 2),
    torch.bfloat16: ("BF16", 2),
    torch.float8_e4m3fn: ("F8_E4M3", 1),
    torch.float8_e5m2: ("F8_E5M2", 1),
    torch.complex64: ("C64", 8),
    torch.complex128: ("F64", 16),
    torch.int64: ("I64", 8),
    torch.int32: ("I32", 4),
    torch.int16: ("I16", 2),
    torch.int8: ("I8", 1),
    torch.uint64: ("U64", 8),
    torch.uint32: ("U32", 4),
    torch.uint16: ("U16", 2),
    torch.uint8: ("U8", 1),
    torch.bool: ("BOOL", 1),
}
_BY_NAME = {str(dtype).removeprefix("torch."): dtype for dtype in _DTYPES}


@dataclass(frozen=True)
class Record:
    """What a header says of one tensor."""

    dtype: str
    shape: list[int]
    sha256: str

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return math.prod(self.shape) * _DTYPES[_BY_NAME[self.dtype]][1]

    def entry(self, begin: int) -> dict[str, Any]:
        """What safetensors wants to know of it."""
        tag = _DTYPES[_BY_NAME[self.dtype]][0]
        shape = [*self.shape, 2] if self.dtype == "complex128" else self.shape
        return {"dtype": tag, "shape": shape, "data_offsets": [begin, begin + self.nbytes]}


@dataclass(frozen=True)
class Header:
    """All that a header says."""

    kind: str
    written_by: str
    tree: str
    records: dict[str, Record]

    @property
    def nbytes(self) -> int:
        """How many bytes the tensors take."""
        return sum(record.nbytes for record in self.records.values())

    def encode(self) -> bytes:
        """The length and the header, as they stand in the file."""
        records = write_json({name: asdict(record) for name, record in self.records.items()})
        values = ("0" * _DIGITS, "pt", FORMAT, self.written_by, self.kind, self.tree, records)
        table: dict[str, Any] = {"__metadata__": dict(zip(_KEYS, values, strict=True))}
        begin = 0
        for name, record in self.records.items():
            table[name] = record.entry(begin)
            begin += record.nbytes
        text = write_json(table).encode()
        text += b" " * (-len(text) % 8)
        return _sealed(struct.pack("<Q", len(text)) + text)


def write_container(path: str | os.PathLike[str], kind: str, tree: Any, tensors: Mapping[str, Tensor]) -> None:
    """Write a JSON value and tensors into one file, whole and durable or not at all.

    Args:
        path: Where to write.
        kind: What sort of file it is: a reader must ask for the same.
        tree: Any JSON value.
        tensors: By name, of any device, strided, of any dtype that has a name in safetensors, and complex128.

    Raises:
        TypeError: If a tensor is of a sort that cannot be stored.
        ValueError: If a name cannot be, or the header is too large.
        RuntimeError: If another thread or process changes a tensor meanwhile; what stood there is still there.
        OSError: If the file cannot be written; what stood there is still there.
    """
    stored = {name: _stored(name, tensor) for name, tensor in tensors.items()}
    # The larger elements first: so each begins at a multiple of its size, whatever the shapes.
    stored = dict(sorted(stored.items(), key=lambda item: -_alignment(item[1])))
    records = {name: _record(name, tensor) for name, tensor in stored.items()}
    header = Header(kind, __version__, write_json(tree), records).encode()
    if len(header) - 8 > MAX_HEADER:
        raise ValueError(
            f"All that is no tensor must fit into {MAX_HEADER:,} bytes; put long lists of numbers into tensors. "
            f"Received: {len(header) - 8:,} bytes"
        )
    write_parts(path, _parts(header, stored, records))


def read_container(path: str | os.PathLike[str], kind: str) -> tuple[Any, dict[str, Tensor]]:
    """The JSON value and the tensors of a file, on the CPU, when every byte of it is as it was written.

    Raises:
        CheckpointError: If it is not; it names the file and what is wrong.
    """
    with naming(path), _opened(path) as file:
        header = _read_header(file, kind)
        return read_json(header.tree, "its tree"), {
            name: _read_tensor(file, name, record) for name, record in header.records.items()
        }


def read_tree_only(path: str | os.PathLike[str], kind: str) -> Any:
    """The JSON value of a file; the header is checked, and the size of the file, but not the tensors.

    Raises:
        CheckpointError: If something is wrong; it names the file and what it is.
    """
    with naming(path), _opened(path) as file:
        return read_json(_read_header(file, kind).tree, "its tree")


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let whatever is found to be wrong with a file bear the file's name.

    Raises:
        CheckpointError: In place of one without the name, and of an OSError.
    """
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error.__cause__
    except OSError as error:
        raise CheckpointError(f"{os.fspath(path)}: it cannot be read: {error.strerror or error}") from error


def _sealed(header: bytes) -> bytes:
    """The header with its digest in the place of whatever stands there."""
    begin, end = 8 + len(_START), 8 + len(_START) + _DIGITS
    blank = header[:begin] + b"0" * _DIGITS + header[end:]
    return header[:begin] + hashlib.sha256(blank).hexdigest().encode() + header[end:]


# Writing.


def _stored(name: str, tensor: Tensor) -> Tensor:
    """The tensor as it goes into the file: on the CPU, in one piece."""
    tensor = tensor.detach()
    if tensor.layout != torch.strided or tensor.is_nested or tensor.is_meta or tensor.dtype not in _DTYPES:
        sort = "meta" if tensor.is_meta else "nested" if tensor.is_nested else f"{tensor.layout}, {tensor.dtype}"
        raise TypeError(f"A file holds strided tensors of the usual dtypes. Received: {name} ({sort})")
    if name == "__metadata__" or not _is_unicode(name):
        raise ValueError(f"A tensor's name is a text other than __metadata__. Received: {name!r}")
    _check_shape(name, list(tensor.shape))
    return tensor.cpu().resolve_conj().resolve_neg().contiguous().as_subclass(Tensor)


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parts(header: bytes, stored: Mapping[str, Tensor], records: Mapping[str, Record]) -> Iterator[Part]:
    """The file piece by piece; where somebody else may be at a tensor, only what its digest was taken of."""
    yield header
    for name, tensor in stored.items():
        memory = _memory(tensor)
        if threading.active_count() == 1 and not tensor.is_shared():  # type: ignore[no-untyped-call]
            yield memory
            continue
        record = records[name]
        digest = _begun(name, record.dtype, record.shape)
        for begin in range(0, len(memory), CHUNK):
            copy = bytes(memory[begin : begin + CHUNK])
            digest.update(copy)
            yield copy
        if digest.hexdigest() != record.sha256:
            raise RuntimeError(
                f"What is saved must not change meanwhile; copy.deepcopy(net) can be saved while net learns. "
                f"Received: {name}, which changed"
            )


def _alignment(tensor: Tensor) -> int:
    return min(_DTYPES[tensor.dtype][1], 8)


def _record(name: str, tensor: Tensor) -> Record:
    dtype, shape = str(tensor.dtype).removeprefix("torch."), list(tensor.shape)
    return Record(dtype, shape, _digest(name, dtype, shape, tensor))


def _digest(name: str, dtype: str, shape: list[int], tensor: Tensor) -> str:
    digest = _begun(name, dtype, shape)
    digest.update(_memory(tensor))
    return digest.hexdigest()


def _begun(name: str, dtype: str, shape: list[int]) -> "hashlib._Hash":
    return hashlib.sha256(write_json([name, dtype, shape]).encode() + b"\n")


def _memory(tensor: Tensor) -> memoryview:
    """The bytes of a contiguous tensor, not copied."""
    return tensor.reshape(-1).view(torch.uint8).numpy().data


# Reading.


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    # Without waiting: a pipe would otherwise hang until somebody writes into it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CheckpointError("it is no regular file")
        yield file


def _read_header(file: BinaryIO, kind: str) -> Header:
    size = os.fstat(file.fileno()).st_size
    start = _read(file, min(size, 8))
    length = int.from_bytes(start, "little")
    if size < 8 or length > min(size - 8, MAX_HEADER):
        raise CheckpointError(_no_safetensors(start, size, length))
    raw = start + _read(file, length)
    metadata = _metadata(raw[8:])
    if metadata.get("minigrad_format") != FORMAT:
        raise CheckpointError(
            f"it was written in format {metadata.get('minigrad_format')!r:.100} by minigrad "
            f"{metadata.get('minigrad_version')!r:.100}; this is minigrad {__version__}, which reads format {FORMAT!r}"
        )
    if _sealed(raw) != raw:
        raise CheckpointError("its header is not as it was written: the checksum differs")
    if metadata.get("kind") != kind:
        raise CheckpointError(f"it is of the kind {metadata.get('kind')!r:.100}. Expected: {kind!r}")
    header = _parsed(metadata)
    if header.encode() != raw:
        raise CheckpointError("its header is not spelt as minigrad spells it, or contradicts itself")
    if size != len(raw) + header.nbytes:
        raise CheckpointError(
            f"it is {'cut short' if size < len(raw) + header.nbytes else 'too long'}: "
            f"{len(raw) + header.nbytes:,} bytes belong to it. Received: {size:,} bytes"
        )
    return header


def _no_safetensors(start: bytes, size: int, length: int) -> str:
    if start[:4] == b"PK\x03\x04" or start[:1] == b"\x80":
        return (
            "it looks like a file of torch.save, a pickle, which could run code and is never read here. "
            "torch.load(path, weights_only=True) may give a state dict for net.load_state_dict"
        )
    return (
        f"it is no safetensors file, or cut short. Received: {size:,} bytes, of which the header would have {length:,}"
    )


def _metadata(text: bytes) -> dict[str, str]:
    """The metadata of a header, unchecked but for being strings; a foreign file is told what it is."""
    try:
        # Spelling and repeated keys are settled at the end, when the header is written again.
        table = json.loads(text.decode("ascii" if text.startswith(_START) else "utf-8"))
    except (ValueError, RecursionError):
        raise CheckpointError("it is no safetensors file, or its header is damaged: it is no JSON") from None
    metadata = table.get("__metadata__", {}) if isinstance(table, dict) else None
    if isinstance(metadata, dict) and "minigrad_format" not in metadata and not text.startswith(_START):
        raise CheckpointError(
            "it is a safetensors file, but none of minigrad's. For weights alone: "
            "net.load_state_dict(safetensors.torch.load_file(path))"
        )
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CheckpointError("its header is damaged: the metadata are not texts by name")
    return metadata


def _parsed(metadata: dict[str, str]) -> Header:
    if tuple(metadata) != _KEYS:
        raise CheckpointError(f"its metadata are not {', '.join(_KEYS)}. Received: {list(metadata)!r:.300}")
    records = read_json(metadata["tensors"], "its list of tensors")
    if not isinstance(records, dict):
        raise CheckpointError("its list of tensors is none")
    return Header(
        metadata["kind"],
        metadata["minigrad_version"],
        metadata["tree"],
        {name: _parsed_record(name, record) for name, record in records.items()},
    )


def _parsed_record(name: str, record: Any) -> Record:
    match record:
        case {"dtype": str(dtype), "shape": list(shape), "sha256": str(sha256)} if len(record) == 3:
            if dtype not in _BY_NAME:
                raise CheckpointError(f"its tensor {name!r:.100} has an unknown dtype, {dtype!r:.100}")
            _check_shape(name, shape)
            return Record(dtype, shape, sha256)
    raise CheckpointError(f"its tensor {name!r:.100} lacks a dtype, a shape or a checksum")


def _check_shape(name: str, shape: list[Any]) -> None:
    """Refuse a shape that torch could not make, so that a lie is found before anything is allocated."""
    sizes = all(type(size) is int and 0 <= size < 1 << 60 for size in shape)
    if not sizes or len(shape) > 64 or math.prod(size or 1 for size in shape) >= 1 << 59:
        raise CheckpointError(f"the tensor {name!r:.100} has no possible shape: {shape!r:.200}")


def _read_tensor(file: BinaryIO, name: str, record: Record) -> Tensor:
    try:
        tensor = torch.empty(record.shape, dtype=_BY_NAME[record.dtype], device="cpu")
    except RuntimeError as error:  # a file may be larger than the memory, and one with holes larger than its disk
        raise CheckpointError(
            f"there is no memory for the {record.nbytes:,} bytes of its tensor {name!r:.100}"
        ) from error
    memory = _memory(tensor)
    while memory:
        count = file.readinto(memory)  # type: ignore[attr-defined]
        if not count:
            raise CheckpointError(f"it was cut short while it was read, in the tensor {name!r}")
        memory = memory[count:]
    if _digest(name, record.dtype, record.shape, tensor) != record.sha256:
        raise CheckpointError(f"its tensor {name!r} is not as it was written: the checksum differs")
    if tensor.dtype == torch.bool and tensor.numel() and int(tensor.view(torch.uint8).max()) > 1:
        raise CheckpointError(f"its tensor {name!r} of booleans holds something else")
    return tensor


def _read(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise CheckpointError("it was cut short while it was read")
    return content
