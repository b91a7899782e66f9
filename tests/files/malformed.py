"""Files that are not what was written, made from one that is: by accident, and on purpose.

Whoever alters a file on purpose takes its checksums anew. `forge` does so with code of its own, so that a slip in the
package is not repeated here.
"""

import copy
import hashlib
import io
import json
import math
import pickle
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

Malformed = tuple[str, bytes]

SIZES = (
    0,
    1,
    2,
    7,
    8,
    9,
    2**16,
    2**31 - 1,
    2**31,
    2**32,
    99_999_999,
    100_000_000,
    100_000_001,
    2**63 - 1,
    2**63,
    2**64 - 1,
)


def parts(whole: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a file as JSON, and the data."""
    end = 8 + int.from_bytes(whole[:8], "little")
    return json.loads(whole[8:end]), whole[end:]


def seal(header: bytes) -> bytes:
    """A header with its length before it and its digest in it, if it has a place for one."""
    whole = struct.pack("<Q", len(header)) + header
    start = whole.find(b'"header_sha256":"') + len(b'"header_sha256":"')
    if start < 8 + len(b'"header_sha256":"') or whole[start + 64 : start + 65] != b'"':
        return whole
    blank = whole[:start] + b"0" * 64 + whole[start + 64 :]
    return blank[:start] + hashlib.sha256(blank).hexdigest().encode() + blank[start + 64 :]


def spell(table: Any) -> bytes:
    """JSON as minigrad spells it, with the spaces at the end."""
    text = json.dumps(table, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def forge(table: Any, data: bytes) -> bytes:
    """A file with this header and a checksum that is right."""
    return seal(spell(table)) + data


def digest(name: str, dtype: str, shape: list[int], data: bytes) -> str:
    """The checksum of one tensor."""
    facts = json.dumps([name, dtype, shape], separators=(",", ":")).encode()
    return hashlib.sha256(facts + b"\n" + data).hexdigest()


def forge_tree(whole: bytes, tree: Any) -> bytes:
    """The same file with another tree; `tree` may be a text that is no JSON."""
    table, data = parts(whole)
    table["__metadata__"]["tree"] = tree if isinstance(tree, str) else json.dumps(tree, separators=(",", ":"))
    return forge(table, data)


def put(path: Path, content: bytes) -> Path:
    """Make a file anew: many file systems wait for the disk when one is cut to nothing and written again."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return path


# By accident.


def cut_short(whole: bytes, step: int = 1) -> Iterator[Malformed]:
    """The file, ended early."""
    for size in range(0, len(whole), step):
        yield f"cut after {size} bytes", whole[:size]


def flipped(whole: bytes) -> Iterator[Malformed]:
    """One bit of each byte, and each bit of the length, of the header's begin and of the data's end."""
    bits = [(i, i * 5 % 8) for i in range(len(whole))]
    bits += [
        (i, bit) for i in (*range(48), *range(len(whole) - 32, len(whole))) for bit in range(8) if bit != i * 5 % 8
    ]
    for i, bit in bits:
        yield f"bit {bit} of byte {i} flipped", whole[:i] + bytes([whole[i] ^ 1 << bit]) + whole[i + 1 :]


def moved(whole: bytes, seed: int = 0, count: int = 200) -> Iterator[Malformed]:
    """Bytes put in, left out, repeated, swapped or blanked, anywhere."""
    draw = random.Random(seed)
    for number in range(count):
        i, length = draw.randrange(len(whole)), draw.choice([1, 2, 8, 64, 512])
        piece = whole[i : i + length]
        made = [
            ("blanked", whole[:i] + b"\0" * len(piece) + whole[i + length :]),
            ("left out", whole[:i] + whole[i + length :]),
            ("repeated", whole[: i + length] + piece + whole[i + length :]),
            ("put in", whole[:i] + draw.randbytes(length) + whole[i:]),
            ("drawn", whole[:i] + draw.randbytes(len(piece)) + whole[i + length :]),
        ][number % 5]
        if made[1] != whole:
            yield f"{length} bytes at {i} {made[0]}", made[1]


def foreign(whole: bytes) -> Iterator[Malformed]:
    """Files of other sorts."""
    weights = {"weight": torch.ones(2, 2)}
    saved, zipped = io.BytesIO(), io.BytesIO()
    torch.save(weights, saved)
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("model", whole)
    draw = random.Random(1)
    yield "nothing", b""
    yield "torch.save", saved.getvalue()
    yield "a zip", zipped.getvalue()
    yield from ((f"pickle protocol {n}", pickle.dumps({"weight": [1.0]}, protocol=n)) for n in range(6))
    yield "safetensors of others", safetensors.torch.save(weights)
    yield "safetensors of others with metadata", safetensors.torch.save(weights, {"format": "pt", "kind": "model"})
    yield "safetensors that pose as ours", safetensors.torch.save(weights, {"minigrad_format": "1", "kind": "model"})
    yield "no tensors", struct.pack("<Q", 2) + b"{}"
    yield "text", b"import os; os.system('true')\n" * 40
    yield "json", json.dumps({"weight": [1, 2]}).encode() * 10
    yield "png", b"\x89PNG\r\n\x1a\n" + draw.randbytes(400)
    yield "gzip", b"\x1f\x8b\x08" + draw.randbytes(400)
    yield "twice", whole + whole
    yield "behind a byte order mark", b"\xef\xbb\xbf" + whole
    yield "with line ends of Windows", whole.replace(b"\n", b"\r\n") + b"\r\n"
    yield "reversed", whole[::-1]
    yield from ((f"noise {n}", draw.randbytes(n * 13)) for n in range(1, 60))
    yield from ((f"zeros {n}", bytes(n)) for n in (1, 7, 8, 9, 16, 4096))
    yield from ((f"ones {n}", b"\xff" * n) for n in (1, 7, 8, 9, 16, 4096))


# On purpose: from here on the header's checksum is right, unless there is no room for one.


def lengths(whole: bytes) -> Iterator[Malformed]:
    """A header that claims to be longer or shorter."""
    own = int.from_bytes(whole[:8], "little")
    for length in {*SIZES, *(own + d for d in range(-16, 17)), len(whole), len(whole) - 8} - {own}:
        yield f"length {length}", struct.pack("<Q", length) + whole[8:]


def spellings(whole: bytes) -> Iterator[Malformed]:
    """The same header in other words."""
    table, data = parts(whole)
    text = json.dumps(table, separators=(",", ":"))
    names = [name for name in table if name != "__metadata__"]
    sorted_table = json.dumps(table, separators=(",", ":"), sort_keys=True)
    texts = {
        "with spaces": json.dumps(table),
        "with line breaks": json.dumps(table, indent=1),
        "sorted": sorted_table,
        "padded more": text + " " * (8 + -len(text) % 8),
        "not padded": text + " " * (1 if len(text) % 8 == 0 else 0),
        "padded with tabs": text + "\t" * (-len(text) % 8 or 8),
        "padded with zeros": text + "\0" * (-len(text) % 8 or 8),
        "a space in front": " " + text,
        "a comma too many": text[:-1] + ",}",
        "two values": text + "{}",
        "unterminated": text[:-1],
        "a key twice": text[:-1] + f',"{names[0]}":{json.dumps(table[names[0]], separators=(",", ":"))}}}',
        "the metadata twice": text[:-1]
        + f',"__metadata__":{json.dumps(table["__metadata__"], separators=(",", ":"))}}}',
        "a letter escaped": text.replace('"format"', '"\\u0066ormat"'),
        "a slash escaped": text.replace("pt", "\\/"),
        "NaN": text.replace('"data_offsets":[0', '"data_offsets":[NaN', 1),
        "Infinity": text.replace('"data_offsets":[0', '"data_offsets":[Infinity', 1),
        "zero as a float": text.replace('"data_offsets":[0', '"data_offsets":[0.0', 1),
        "minus zero": text.replace('"data_offsets":[0', '"data_offsets":[-0', 1),
        "a number of 5000 digits": text.replace('"data_offsets":[0', '"data_offsets":[' + "9" * 5000, 1),
        "a number of a float's kind": text.replace('"data_offsets":[0', '"data_offsets":[1e999', 1),
        "a metadata key twice": text.replace('"format":"pt",', '"format":"pt","format":"pt",', 1),
        "nested lists": "[" * 50_000,
        "nested dicts": '{"a":' * 50_000,
        "closed nested lists": "[" * 50_000 + "]" * 50_000,
        "nested under a name": text[:-1] + ',"deep":' + "[" * 30_000 + "]" * 30_000 + "}",
        "nested metadata": '{"__metadata__":' + "[" * 30_000 + "]" * 30_000 + "}",
    }
    for what, spelt in texts.items():
        yield f"header {what}", seal(spelt.encode()) + data
    for what, encoded in {
        "UTF-16": text.encode("utf-16"),
        "UTF-32": text.encode("utf-32"),
        "with a byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "with a byte of Latin-1": text.encode().replace(b'"pt"', b'"p\xe9"'),
        "with half a character": text.encode().replace(b'"pt"', b'"\xf0\x9f"'),
        "with a zero": text.encode().replace(b'"pt"', b'"p\0"'),
        "with raw UTF-8": text.encode().replace(b'"pt"', '"pé"'.encode()),
        "cut": text.encode()[: len(text) // 2],
    }.items():
        yield f"header in {what}", seal(encoded) + data


def tables(whole: bytes) -> Iterator[Malformed]:
    """Headers that say something else than what was written."""
    table, data = parts(whole)
    names = [name for name in table if name != "__metadata__"]
    metadata = table["__metadata__"]

    def altered(change: Callable[[dict[str, Any]], Any]) -> bytes:
        copied = copy.deepcopy(table)
        result = change(copied)
        return forge(copied if result is None else result, data)

    for value in ([], "text", 1, None, True, [table], {}):
        yield f"header is {str(value)[:20]!r}", altered(lambda t, v=value: v if v is not None else [None])
    for value in (None, [], "text", 3, {}, {"format": "pt"}, {**metadata, "more": "x"}, {**metadata, "kind": 1}):
        yield f"metadata are {str(value)[:20]!r}", altered(lambda t, v=value: t.update(__metadata__=v))
    for key in metadata:
        yield f"no {key}", altered(lambda t, k=key: t["__metadata__"].pop(k) and None)
        for value in ("", "2", "x" * 64, "{}", "[]", "null", "0", "NaN", "\ud800", 1, None, {}, []):
            if value != metadata[key] and not (key == "header_sha256" and value == "x" * 64):
                if key == "minigrad_version" and isinstance(value, str):
                    continue  # who wrote it is for information, and any text will do
                yield f"{key} is {value!r}", altered(lambda t, k=key, v=value: t["__metadata__"].update({k: v}))
    for name in names:
        yield f"no {name}", altered(lambda t, n=name: t.pop(n) and None)
        yield f"{name} under another name", altered(lambda t, n=name: t.update({n + "x": t.pop(n)}))
        for key in ("dtype", "shape", "data_offsets"):
            yield f"{name} without {key}", altered(lambda t, n=name, k=key: t[n].pop(k) and None)
        for value in ("F64", "I32", "BOOL", "F8_E4M3", "X", "", "f32", None, 1, []):
            if value != table[name]["dtype"]:
                yield f"{name} of dtype {value!r}", altered(lambda t, n=name, v=value: t[n].update(dtype=v))
        for value in (
            [],
            [0],
            [-1],
            [1 << 62],
            [1 << 80],
            [10**9, 10**9],
            [0, 1 << 70],
            [1.0],
            [True],
            ["2"],
            None,
            "2",
        ):
            if value != table[name]["shape"]:
                yield f"{name} of shape {value!r}", altered(lambda t, n=name, v=value: t[n].update(shape=v))
        begin, end = table[name]["data_offsets"]
        places: list[Any] = [
            *([end, begin], [begin + 1, end + 1], [begin, end + 1], [begin + 1, end], [0, 0], [begin], [-1, end]),
            *([begin, 1 << 70], [begin, end, end], [float(begin), float(end)], [str(begin), str(end)], None, {}, "0"),
        ]
        for value in places:
            if json.dumps(value) != json.dumps([begin, end]):
                yield f"{name} at {value!r}", altered(lambda t, n=name, v=value: t[n].update(data_offsets=v))
        yield f"{name} with more", altered(lambda t, n=name: t[n].update(more=1))
    for one, other in pairwise(names):
        offsets = table[other]["data_offsets"]
        yield f"{one} over {other}", altered(lambda t, o=one, v=offsets: t[o].update(data_offsets=v))
        yield f"{one} is {other}", altered(lambda t, o=one, p=other: t.update({o: t[p], p: t[o]}))
        yield f"{one} after {other}", altered(lambda t, o=one: t.update({o: t.pop(o)}))
    yield (
        "one tensor more",
        altered(lambda t: t.update(more={"dtype": "U8", "shape": [0], "data_offsets": [len(data)] * 2})),
    )
    yield "data missing", forge(table, data[:-1])
    yield "data too many", forge(table, data + b"\0")
    yield "no data", forge(table, b"")


def records(whole: bytes) -> Iterator[Malformed]:
    """Lies about tensors, told in both places where a header speaks of them."""
    table, data = parts(whole)
    metadata = table["__metadata__"]
    listed = json.loads(metadata["tensors"])

    def lied(change: Callable[[dict[str, Any]], Any], spelt: Callable[[str], str] = lambda text: text) -> bytes:
        copied, told = copy.deepcopy(table), copy.deepcopy(listed)
        change(told)
        copied["__metadata__"]["tensors"] = spelt(json.dumps(told, separators=(",", ":")))
        begin = 0
        for name, record in told.items():
            # The lie is consistent wherever it can be: the header gives the offsets that follow from it.
            if name in listed and isinstance(record, dict) and isinstance(record.get("shape"), list):
                shape = record["shape"]
                begin_before, end_before = copied[name]["data_offsets"]
                size = (end_before - begin_before) // (math.prod(copied[name]["shape"]) or 1)
                if all(type(count) is int for count in shape):
                    end = begin + math.prod(shape) * size
                    copied[name] |= {"shape": shape, "data_offsets": [begin, end]}
                    begin = end
        return forge(copied, data)

    for name in listed:
        for value in (None, [], "x", {}, 1):
            yield f"record of {name} is {value!r}", lied(lambda r, n=name, v=value: r.update({n: v}))
        for key in ("dtype", "shape", "sha256"):
            yield f"record of {name} without {key}", lied(lambda r, n=name, k=key: r[n].pop(k) and None)
            for value in (
                None,
                1,
                [],
                {},
                "",
                "x",
                [1, 2, 3],
                "float7",
                "torch.float32",
                "0" * 64,
                [-1],
                [True],
                [0.5],
                [1e300],
            ):
                if value != listed[name][key]:
                    yield f"{key} of {name} is {value!r}", lied(lambda r, n=name, k=key, v=value: r[n].update({k: v}))
        for shape in (
            [10**5, 10**5],
            [0, 1 << 63],
            [0, 1 << 70],
            [0, 10**400],
            [2**35],
            [10**6, 10**6, 10**4],
            [10**9, 10**9],
            [1 << 62],
            [1 << 63],
            [1 << 200],
            [0, 1 << 62],
            [0, 1 << 58, 4],
            [1] * 65,
            [0] * 10_000,
            [2**32] * 4,
        ):
            yield f"{name} claims {str(shape)[:30]}", lied(lambda r, n=name, s=shape: r[n].update(shape=s))
        upper = listed[name]["sha256"].upper()
        if upper != listed[name]["sha256"]:
            yield f"checksum of {name} in capitals", lied(lambda r, n=name, v=upper: r[n].update(sha256=v))
        yield f"{name} with a further fact", lied(lambda r, n=name: r[n].update(more=1))
        yield f"{name} renamed", lied(lambda r, n=name: r.update({n + "'": r.pop(n)}))
        yield f"{name} left out", lied(lambda r, n=name: r.pop(n) and None)
    yield "a record for the metadata", lied(lambda r: r.update(__metadata__=next(iter(r.values()))))
    yield (
        "a tensor of nothing more",
        lied(lambda r: r.update(more={"dtype": "uint8", "shape": [0], "sha256": "0" * 64})),
    )
    yield "records with spaces", lied(lambda r: None, lambda text: text.replace(":", ": "))
    yield "records nested", lied(lambda r: None, lambda text: "[" * 40_000)
    yield "records repeated", lied(lambda r: None, lambda text: text[:-1] + "," + text[1:])
    yield "records with NaN", lied(lambda r: None, lambda text: text.replace("[", "[NaN,", 1))
    # The bytes are altered, and the checksum of the header is right: the tensors' own must tell.
    for i in range(len(data)):
        yield f"byte {i} of the data altered", forge(table, data[:i] + bytes([data[i] ^ 16]) + data[i + 1 :])


def trees(whole: bytes) -> Iterator[Malformed]:
    """Trees that are none, in a container that is right."""
    table, _ = parts(whole)
    tree = json.loads(table["__metadata__"]["tree"])
    names = [name for name in table if name != "__metadata__"]
    bad: list[Any] = [
        *(
            "",
            " ",
            "{",
            "nul",
            "NaN",
            '{"a":NaN}',
            '{"a":Infinity}',
            '{"a":1e999}',
            '{"a":1,"a":1}',
            "{'a':1}",
            '{"a":01}',
        ),
        *(
            '{"a": 1}',
            '{"a":1.50}',
            '{"a":"\\u0041"}',
            '{"a":-0}',
            "[" * 20_000,
            '{"a":' * 20_000,
            "[" * 900 + "]" * 900,
        ),
        *(
            '{"a":' + "9" * 5000 + "}",
            '{"a":1}}',
            '\ufeff{"a":1}',
            '{"a":"é"}',
            '{"a":"\ud800"}',
            "x" * 1000,
            '{"a":"\n"}',
        ),
        *(
            1,
            None,
            "text",
            True,
            [],
            [tree],
            [{"$tuple": []}],
            {"$tuple": []},
            {"$bytes": ""},
            {"$float": "7ff0000000000000"},
        ),
    ]
    tags: list[Any] = [
        *({"$tuple": 1}, {"$tuple": {}}, {"$tuple": [], "x": 1}, {"$dict": 1}, {"$dict": [1]}, {"$dict": [[1]]}),
        *(
            {"$dict": [[1, 2, 3]]},
            {"$dict": [[[], 1]]},
            {"$dict": [[{}, 1]]},
            {"$dict": [[1, 1], [1, 2]]},
            {"$dict": {}},
        ),
        *({"$dict": [[{"$tuple": [[]]}, 1]]}, {"$dict": [{"$tuple": [1, 2]}]}, {"$dict": [[1, 1], [True, 2]]}),
        *({"$bytes": 1}, {"$bytes": "!"}, {"$bytes": "YQ"}, {"$bytes": "YQ==="}, {"$bytes": "é"}, {"$bytes": "\ud800"}),
        *(
            {"$float": 1.5},
            {"$float": ""},
            {"$float": "nan"},
            {"$float": "7ff"},
            {"$float": "z" * 16},
            {"$float": "0" * 18},
        ),
        *({"$tensor": 1}, {"$tensor": "unknown"}, {"$tensor": ""}, {"$tensor": []}, {"$tensor": names[0], "x": 1}),
        *(
            {"$object": "os.system"},
            {"$pickle": "gASV"},
            {"$": 1},
            {"$tuple": [], "$dict": []},
            {"$ref": "#"},
            {"$tensor": None},
        ),
        *({"$tensor": names[0]}, [{"$tensor": name} for name in names]),  # each stands in the tree already
    ]
    for number, value in enumerate(bad):
        yield (
            f"tree {number}: {str(value)[:20]!r}",
            forge_tree(whole, value if isinstance(value, str) else json.dumps(value)),
        )
    for value in tags:
        yield f"with {str(value)[:40]}", forge_tree(whole, {**tree, "more": value})
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    yield "300 levels", forge_tree(whole, {**tree, "more": deep})
    yield "no tensors in the tree", forge_tree(whole, {})


def all_malformed(whole: bytes) -> Iterator[Malformed]:
    """Every one of them."""
    for make in (cut_short, flipped, moved, foreign, lengths, spellings, tables, records, trees):
        yield from make(whole)
