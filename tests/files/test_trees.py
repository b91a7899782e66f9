"""Trees come back as they went: every value, every type, every bit."""

import math
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from minigrad.core import Parameter
from minigrad.errors import CheckpointError
from minigrad.files import container, read_tree, write_tree

DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32, torch.uint16, torch.uint8),
    *(torch.bool, torch.float8_e4m3fn, torch.float8_e5m2),
]
SHAPES: list[tuple[int, ...]] = [(), (0,), (3,), (2, 0, 3), (2, 3), (1, 1, 1, 1)]


def bits(value: Any) -> Any:
    """What two values share only if they are the same in type and bits."""
    if isinstance(value, torch.Tensor):
        memory = value.detach().resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8).tolist()
        return ("tensor", value.dtype, tuple(value.shape), memory)
    if isinstance(value, dict):
        return ("dict", [(bits(key), bits(item)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return (type(value), [bits(item) for item in value])
    if isinstance(value, float):
        return ("float", struct.pack(">d", value))
    return (type(value), value)


def round_trip(tree: Any, folder: Path) -> Any:
    write_tree(folder / "tree.safetensors", tree, kind="test")
    return read_tree(folder / "tree.safetensors", kind="test")


PLAIN = {
    "none": None,
    "booleans": [True, False],
    "integers": [0, -1, 2**63, -(10**800)],
    "floats": [0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308],
    "not finite": [math.inf, -math.inf, math.nan, struct.unpack(">d", bytes.fromhex("fff8000000000123"))[0]],
    "texts": ["", 'é\u2028\0"\\', "\ud800", "𝕏", "$tensor"],
    "bytes": [b"", bytes(range(256))],
    "tuples": ((), (1,), [(2, (3,))]),
    "dicts": [{}, {"a.b": 1, "a": {"b": 2}, "": 3}],
    "keys": {0: "int", "0": "str", 0.5: "float", None: "none", True: "bool", (1, "x"): "tuple"},
    "words of the format": [{"$tuple": [1]}, {"$dict": 1, "x": 2}, {"$unknown": 3}, {"name": "$float"}],
    "order": {"z": 1, "a": 2},
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_values_come_back(name: str, tmp_path: Path):
    tree = {name: PLAIN[name]}
    assert bits(round_trip(tree, tmp_path)) == bits(tree)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_come_back(dtype: torch.dtype, tmp_path: Path):
    tree = {str(shape): torch.randint(0, 2, shape).to(dtype) for shape in SHAPES}
    assert bits(round_trip(tree, tmp_path)) == bits(tree)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_bits_that_are_no_numbers_come_back(dtype: torch.dtype, tmp_path: Path):
    whole = torch.randint(0, 256, (4096,), dtype=torch.uint8).view(dtype)
    tree = {"tensor": torch.cat([whole, torch.tensor([math.nan, -math.inf, -0.0], dtype=dtype)])}
    assert bits(round_trip(tree, tmp_path)) == bits(tree)


def test_tensors_of_every_kind_of_memory_come_back(tmp_path: Path):
    base = torch.arange(24.0).reshape(4, 6)
    number = torch.tensor([1 + 2j, 3 - 1j])
    tree = {
        "transposed": base.T,
        "strided": base[::2, 1::3],
        "expanded": torch.ones(1, 3).expand(5, 3),
        "shared": [base, base, base[1]],
        "conjugate": number.conj(),
        "negative": number.conj().imag,
        "channels last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "parameter": Parameter(torch.ones(2)),
        "torch's": torch.nn.Parameter(torch.ones(2)),
        "misaligned": [torch.ones(3, dtype=torch.int8), torch.ones(1, dtype=torch.float64), torch.tensor(True)],
    }
    back = round_trip(tree, tmp_path)
    assert bits(back) == bits(tree)
    assert type(back["parameter"]) is torch.Tensor
    assert back["shared"][0].data_ptr() != back["shared"][1].data_ptr()


def test_a_random_state_comes_back(tmp_path: Path):
    tree = {"torch": torch.get_rng_state()}
    before = torch.rand(3)
    torch.set_rng_state(round_trip(tree, tmp_path)["torch"])
    assert torch.equal(torch.rand(3), before)


def test_tensors_lie_as_torch_lays_them(tmp_path: Path):
    # Some kernels sum in another order when memory begins elsewhere: bit-exact runs need torch's own alignment.
    back = round_trip({"tensors": [torch.rand(n) for n in (1, 3, 100)]}, tmp_path)
    assert all(tensor.data_ptr() % 64 == 0 for tensor in back["tensors"])


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path):
    for name in ("one", "other"):
        write_tree(tmp_path / name, {"a": torch.ones(3), "b": [1, 2.5, b"x"]}, kind="test")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_safetensors_reads_the_tensors(tmp_path: Path):
    tree = {"a": [torch.rand(3), torch.ones(2, 2, dtype=torch.bfloat16)], "b": torch.arange(5), "c": torch.tensor(True)}
    write_tree(tmp_path / "tree", tree, kind="test")
    read = safetensors.torch.load_file(tmp_path / "tree")
    assert bits(dict(sorted(read.items()))) == bits(
        {"a[0]": tree["a"][0], "a[1]": tree["a"][1], **{k: tree[k] for k in "bc"}}
    )


def test_places_that_are_spelt_alike_stay_apart(tmp_path: Path):
    one, two, three = torch.zeros(1), torch.ones(1), torch.tensor([2.0])
    tree = {"a.b": one, "a": {"b": two}, "": three, "__metadata__": one, "a.b'": two}
    assert bits(round_trip(tree, tmp_path)) == bits(tree)


class Number(float):
    pass


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.float64(0.5), "numpy.float64"),
        (np.zeros(2), "numpy.ndarray"),
        (Number(1), "Number"),
        (OrderedDict(a=1), "collections.OrderedDict"),
        ({1, 2}, "builtins.set"),
        (1j, "builtins.complex"),
        (torch.float32, "torch.dtype"),
        (print, "builtin_function_or_method"),
        ({frozenset(): 1}, "frozenset"),
        (torch.zeros(2).to_sparse(), "torch.sparse_coo"),
        (torch.zeros(2, device="meta"), "meta"),
    ],
    ids=range(11),
)
def test_what_would_come_back_otherwise_is_refused(value: Any, told: str, tmp_path: Path):
    with pytest.raises(TypeError, match=r"(?s)Received: .*") as caught:
        write_tree(tmp_path / "tree", {"list": [0, {"deep": value}]}, kind="test")
    assert told in str(caught.value)
    assert "list[1].deep" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_tree_too_deep_is_refused(tmp_path: Path):
    tree: Any = {}
    for _ in range(250):
        tree = {"a": tree}
    with pytest.raises(ValueError, match="200 levels"):
        write_tree(tmp_path / "tree", tree, kind="test")


def test_a_number_too_long_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="3000 bits"):
        write_tree(tmp_path / "tree", {"n": 1 << 20000}, kind="test")


def test_the_root_is_a_dict(tmp_path: Path):
    with pytest.raises(TypeError, match="Received: list"):
        write_tree(tmp_path / "tree", [], kind="test")  # type: ignore[arg-type]


def test_a_deep_tree_comes_back(tmp_path: Path):
    tree: Any = {}
    for _ in range(99):
        tree = {"a": [tree]}
    assert round_trip(tree, tmp_path) == tree


def test_another_kind_is_refused(tmp_path: Path):
    write_tree(tmp_path / "tree", {}, kind="model")
    with pytest.raises(CheckpointError, match=r"tree: it is of the kind 'model'\. Expected: 'checkpoint'"):
        read_tree(tmp_path / "tree", kind="checkpoint")


@pytest.mark.parametrize("who", ["thread", "process"])
def test_what_changes_while_it_is_written_never_replaces_a_file(
    who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, tensor, done = tmp_path / "tree", torch.zeros(1000), threading.Event()
    write_tree(path, {"weight": tensor}, kind="test")
    write_parts: Callable[..., None] = container.write_parts

    def changed_meanwhile(path: Any, parts: Any) -> None:
        tensor[-1] += 1
        write_parts(path, parts)

    monkeypatch.setattr(container, "write_parts", changed_meanwhile)
    if who == "process":
        tensor.share_memory_()
    else:
        threading.Thread(target=done.wait).start()
    try:
        with pytest.raises(RuntimeError, match=r"must not change meanwhile; .* Received: weight, which changed$"):
            write_tree(path, {"weight": tensor}, kind="test")
        monkeypatch.undo()
        assert [file.name for file in tmp_path.iterdir()] == ["tree"]
        assert not read_tree(path, kind="test")["weight"].any()
        write_tree(path, {"weight": tensor}, kind="test")
        assert read_tree(path, kind="test")["weight"][-1] == 1
    finally:
        done.set()


def test_a_file_larger_than_the_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_tree(tmp_path / "tree", {"weight": torch.zeros(1000)}, kind="test")

    def full(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch, "empty", full)
    with pytest.raises(CheckpointError, match=r"tree: there is no memory for the 4,000 bytes of its tensor 'weight'$"):
        read_tree(tmp_path / "tree", kind="test")
