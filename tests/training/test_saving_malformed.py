"""A file that claims to be a model and is none, or a hostile one, gives one CheckpointError, and nothing happens."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import minigrad
from minigrad.errors import CheckpointError
from minigrad.files.container import write_container
from minigrad.files.trees import encode_tree
from minigrad.registry import Registry, components, current_registry, describe, use_registry
from minigrad.testing.samples import cases_of
from minigrad.training.saving import load, read_notes, save
from tests.files import malformed
from tests.files.malformed import put


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def linear(**changes: Any) -> dict[str, Any]:
    """The configuration of a layer, changed."""
    return {"name": "minigrad:linear", "in_features": 2, "out_features": 3, "bias": True} | changes


WEIGHTS = {"weight": torch.ones(3, 2), "bias": torch.ones(3)}


def sequential(*layers: Any) -> dict[str, Any]:
    """The configuration of a chain."""
    return {"name": "minigrad:sequential", "layers": list(layers)}


def forge(path: Path, net: Any, tensors: Any = None, **rest: Any) -> Path:
    """A file that is right in every checksum; only what it says is not."""
    path.unlink(missing_ok=True)
    tree = {"net": net, "plugins": {}, "ties": [], "notes": {}} | rest
    names: list[str] = []

    def name(tensor: torch.Tensor, place: str) -> str:
        names.append(place)
        return "weight"

    write_container(path, "model", encode_tree(tree, name), WEIGHTS if tensors is None else tensors)
    return path


def outcome(path: Path, read: Any = load) -> BaseException | str:
    try:
        read(path)
    except BaseException as error:
        return error
    return "it was read"


def nested(levels: int) -> dict[str, Any]:
    net: dict[str, Any] = linear()
    for _ in range(levels):
        net = sequential(net)
    return net


def laughing(levels: int, name: str = "minigrad:sequential") -> dict[str, Any]:
    """A few layers that stand in 2 ** levels places."""
    net: dict[str, Any] = {"name": "minigrad:sigmoid", "id": "level0"}
    for level in range(levels):
        net = {"name": name, "id": f"level{level + 1}", "layers": [net, {"ref": f"level{level}"}]}
    return net


NAMES = [
    *(
        "",
        ":",
        "linear",
        "minigrad:",
        ":linear",
        "minigrad:lin",
        "minigrad:Linear",
        "Linear",
        "minigrad:minigrad:linear",
    ),
    *(
        "os:system",
        "os.system",
        "builtins:eval",
        "builtins.eval",
        "minigrad.layers:Linear",
        "minigrad.layers.linear.Linear",
    ),
    *(
        "torch.nn:Linear",
        "minigrad:layers.linear",
        "minigrad:__class__",
        "__import__('os')",
        "minigrad:../linear",
        "../x:y",
    ),
    *(
        "minigrad:linear ",
        " minigrad:linear",
        "MINIGRAD:linear",
        "minigrad:lineár",
        "minigrad:linear\0",
        "x" * 10_000 + ":y",
    ),
    *(
        "local:linear",
        "local:",
        "unknown:linear",
        "minigrad.zoo:linear",
        "minigrad:\ud800",
        "file:///etc/passwd",
        "\n:\n",
    ),
    *("minigrad:sgd", "minigrad:adam", "minigrad:step_lr", "minigrad:plateau", "minigrad:reduce_lr_on_plateau"),
]
VALUES: list[Any] = [
    *(0, -1, 2.5, "2", None, [2], (2,), {}, {"a": 1}, [], True, float("nan"), float("inf"), b"2", "minigrad:sigmoid"),
    *(10**5, 10**6, 10**9, 10**12, 2**31, 2**62, 2**63, 10**30, 10**300, -(2**63), [[2]], {"name": "minigrad:sigmoid"}),
    *({"name": "os:system"}, {"ref": "x"}, torch.ones(3, 2), [10**9] * 4, {2: 3}),
]


def hostile_names() -> Iterator[tuple[str, Any]]:
    """Names of what is no layer, at the top, inside, and where a layer has an argument for one."""
    others = [c.id for c in components() if c.kind not in ("layer", "activation", "initializer", "loss")]
    parts = [c.id for c in components() if c.kind in ("initializer", "loss")]
    for name in [*NAMES, *dict.fromkeys(others)]:
        yield f"{name[:30]!r}", {"name": name}
        yield f"{name[:30]!r} in a chain", sequential(linear(), {"name": name})
        yield f"{name[:30]!r} as text in a chain", sequential(linear(), name)
        yield f"{name[:30]!r} in a residual", {"name": "minigrad:residual", "body": {"name": name}}
        yield f"{name[:30]!r} as an argument", linear(bias={"name": name})
    for name in dict.fromkeys(parts):
        yield f"{name!r}", {"name": name}
        yield f"{name!r} in a chain", sequential(linear(), {"name": name})
    for name in (None, 1, [], {}, ["minigrad:linear"], {"name": "minigrad:linear"}, True, b"minigrad:linear"):
        yield f"name {name!r}", {"name": name}
        yield f"name {name!r} inside", sequential(linear(), {"name": name})


def hostile_arguments() -> Iterator[tuple[str, Any]]:
    """Arguments that do not exist, and values that cannot be."""
    for key in (
        "_target_",
        "__class__",
        "device",
        "dtype",
        "self",
        "cls",
        "args",
        "in_featres",
        "",
        "weight",
        "path",
        "$x",
    ):
        for value in ("cpu", "os.system", 1, None, {"name": "minigrad:linear"}):
            yield f"linear with {key}={value!r}", linear(**{key: value})
    for key in ("in_features", "out_features"):
        for value in VALUES:
            yield f"{key}={str(value)[:30]}", linear(**{key: value})
    for name, key in (
        *(("embedding", "num_embeddings"), ("embedding", "embedding_dim"), ("layer_norm", "normalized_shape")),
        *(("rms_norm", "normalized_shape"), ("prelu", "num_parameters"), ("dropout", "p"), ("residual", "body")),
        *(("flatten", "start_dim"), ("unflatten", "dim"), ("unflatten", "unflattened_size"), ("sequential", "layers")),
        *(
            ("parallel", "branches"),
            ("frozen", "layer"),
            ("recompute", "layer"),
            ("traced", "layer"),
            ("softmax", "dim"),
        ),
    ):
        for value in VALUES:
            yield f"{name} {key}={str(value)[:30]}", sequential({"name": f"minigrad:{name}", key: value}, linear())
    for missing in ("name", "in_features", "out_features"):
        net = linear()
        del net[missing]
        yield f"without {missing}", net
    for kind in ("loss", "optimizer", "dataset", "callback", "", "layers", None, 1, [], {}):
        if kind is not None:
            yield f"kind {kind!r}", linear(kind=kind)


def hostile_shapes() -> Iterator[tuple[str, Any]]:
    """Configurations that are no tree of layers, or too much of one."""
    for net in (
        None,
        1,
        "minigrad:linear",
        [],
        [linear()],
        {},
        {"ref": "x"},
        {"layers": []},
        {"name": {}},
        (linear(),),
    ):
        yield f"the net is {str(net)[:30]}", net
    yield "nested 90 times, with weights of another name", nested(90)
    yield "doubled 20 times", laughing(20)
    yield "doubled 60 times", laughing(60)
    yield "an id twice", sequential(linear(id="a"), linear(id="a"))
    yield "a ref before its id", sequential({"ref": "a"}, linear(id="a"))
    yield "a ref to what holds it", sequential({"name": "minigrad:sequential", "id": "a", "layers": [{"ref": "a"}]})
    for ident in ([], {}, None, 1.5):
        yield f"id {ident!r}", sequential(linear(id=ident), linear())
    yield "a ref with more", sequential(linear(id="a"), {"ref": "a", "name": "minigrad:linear"})
    yield "a thousand layers without weights in the file", sequential(*[linear()] * 1000)
    yield "layers by odd names", sequential({"a.b": linear(), "": linear(), "weight": linear()})
    yield "layers by numbers", sequential({0: linear(), 1.5: linear()})


def hostile_rest(path: Path) -> Iterator[tuple[str, Path]]:
    """Right configurations beside something wrong."""
    both = {"0.weight": torch.ones(2, 2), "1.weight": torch.ones(2, 2), "2.weight": torch.ones(2, 2)}
    free = linear(out_features=2, bias=False)
    three = sequential(free, free, {"name": "minigrad:layer_norm", "normalized_shape": [2, 2], "bias": False})
    one, two = ["0.weight", "1.weight"], ["1.weight", "2.weight"]
    for ties in (
        *(None, 1, "x", {}, [1], [None], ["0.weight"], [[]], [["0.weight"]], [["x", "y"]], [[1, 2]], [[["0.weight"]]]),
        *([one, one], [one, two], [one[::-1]], [[*one, *one]], [two, one], [["0.weight", "\ud800"]], [tuple(one)]),
    ):
        yield f"ties {ties!r}", forge(path, three, both, ties=ties)
    differing = {**both, "1.weight": torch.zeros(2, 2)}
    yield "ties of what differs", forge(path, three, differing, ties=[one])
    shared = sequential({**free, "id": "a"}, {"ref": "a"})
    two_names = {"0.weight": torch.ones(2, 2), "1.weight": torch.ones(2, 2)}
    yield "a shared layer without ties", forge(path, shared, two_names)
    yield "a shared layer that differs", forge(path, shared, {**two_names, "1.weight": torch.zeros(2, 2)}, ties=[one])
    for plugins in (None, [], 1, {"x": 1}, {"x": {}}, {"x": {"distribution": 1, "version": ""}}, {1: {}}):
        yield f"plugins {plugins!r}", forge(path, linear(), plugins=plugins)
    for notes in (None, [], 1, "x", (1, 2), torch.ones(3, 2)):
        yield f"notes {str(notes)[:20]}", forge(path, linear(), notes=notes)
    yield "something more", forge(path, linear(), more=1)
    for tensors in (
        *(
            {},
            {"weight": WEIGHTS["weight"]},
            {**WEIGHTS, "more": torch.ones(1)},
            {"Weight": torch.ones(3, 2), "bias": torch.ones(3)},
        ),
        *(
            {**WEIGHTS, "weight": torch.ones(2, 3)},
            {**WEIGHTS, "weight": torch.ones(6)},
            {**WEIGHTS, "bias": torch.ones(())},
        ),
        *(
            {**WEIGHTS, "weight": torch.ones(3, 2, dtype=torch.int64)},
            {**WEIGHTS, "bias": torch.ones(3, dtype=torch.bool)},
        ),
        *({**WEIGHTS, "bias": torch.ones(3, dtype=torch.complex64)}, {**WEIGHTS, "weight": torch.ones(3, 0)}),
    ):
        shown = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
        yield f"tensors {shown}", forge(path, linear(), tensors)


NUMBERS: list[Any] = [
    *(0, -1, 2.5, "x", None, [], {}, 10**5, 10**7, 10**9, 10**12, 2**31, 2**62, 2**63, 10**30, [10**9] * 3),
    *(float("nan"), float("inf"), torch.ones(3, 2), "../../etc/passwd", {"name": "minigrad:linear"}),
]


def every_argument() -> Iterator[tuple[str, Any, dict[str, torch.Tensor]]]:
    """Each argument of each registered layer, with the tensors of the layer as it was."""
    for component in components():
        if component.kind in ("layer", "activation"):
            net = cases_of(current_registry().get(component.kind, component.id))[0].make()
            assert isinstance(net, minigrad.Layer)
            description, tensors = describe(net), {"weight": torch.ones(3, 2)} | net.state_dict()
            for key in description.keys() - {"name", "kind"}:
                for value in NUMBERS:
                    yield f"{component.id} {key}={str(value)[:30]}", {**description, key: value}, tensors


HOSTILE = [hostile_names, hostile_arguments, hostile_shapes]


@pytest.mark.parametrize("generator", HOSTILE, ids=lambda generator: generator.__name__)
def test_a_hostile_configuration_is_refused(generator: Any, tmp_path: Path):
    path = tmp_path / "model"
    for what, net in generator():
        found = outcome(forge(path, net))
        assert type(found) is CheckpointError, f"{what}: {found!r}"
        assert str(found).startswith(f"{path}: "), what
        assert len(str(found).encode()) < 4000, f"{what}: {found}"


def test_every_argument_of_every_layer_is_doubted(tmp_path: Path):
    # A rate may be any number: what is asked for here is that nothing else happens than a net or a CheckpointError.
    found = [(what, outcome(forge(tmp_path / "model", net, tensors))) for what, net, tensors in every_argument()]
    assert [(what, error) for what, error in found if type(error) not in (CheckpointError, str)] == []
    assert sum(type(error) is CheckpointError for _, error in found) > 500


def test_whatever_stands_beside_the_configuration_is_checked(tmp_path: Path):
    for what, path in hostile_rest(tmp_path / "model"):
        found = outcome(path)
        assert type(found) is CheckpointError, f"{what}: {found!r}"
        assert str(found).startswith(f"{path}: "), what


def test_there_are_more_than_two_hundred():
    assert sum(1 for generator in HOSTILE for _ in generator()) > 200


def test_the_forger_makes_models(tmp_path: Path):
    net = load(forge(tmp_path / "model", sequential(linear()), {f"0.{name}": t for name, t in WEIGHTS.items()}))
    assert repr(net) == "Sequential(Linear(in_features=2, out_features=3))"
    assert torch.equal(next(net.parameters()), torch.ones(3, 2))


def test_a_malformed_model_is_refused(tmp_path: Path):
    net = minigrad.Sequential(minigrad.Linear(2, 2), minigrad.LayerNorm(2).to(torch.bfloat16))
    path = tmp_path / "model"
    save(net, path, notes={"classes": ["a", "b"]})
    whole, count = path.read_bytes(), 0
    for what, content in malformed.all_malformed(whole):
        if what.startswith("minigrad_version"):
            continue
        found = outcome(put(path, content))
        assert type(found) is CheckpointError, f"{what}: {found!r}"
        count += 1
    assert count > 1200


def test_notes_of_a_malformed_header_are_refused(tmp_path: Path):
    path = tmp_path / "model"
    save(minigrad.Linear(2, 1), path, notes={"classes": ["a", "b"]})
    whole = path.read_bytes()
    for i in range(8 + int.from_bytes(whole[:8], "little")):
        found = outcome(put(path, whole[:i] + bytes([whole[i] ^ 1 << (i % 8)]) + whole[i + 1 :]), read_notes)
        assert type(found) is CheckpointError, f"byte {i}: {found!r}"


def test_nothing_is_imported_or_opened_for_a_hostile_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    forge(
        tmp_path / "model",
        sequential({"name": "minigrad:csv", "path": str(tmp_path / "secret.csv")}, {"name": "antigravity:x"}),
    )
    monkeypatch.setattr(minigrad.registry.entries.importlib, "import_module", pytest.fail)
    with use_registry(Registry(only=())):
        found = outcome(tmp_path / "model")
    assert type(found) is CheckpointError
    assert "antigravity" not in sys.modules


HUGE = """
import os, resource, sys
os.fsync = lambda descriptor: None
from pathlib import Path
from minigrad.errors import CheckpointError
from minigrad.training.saving import load
from tests.training import test_saving_malformed as hostile

path, count = Path(sys.argv[1]), 0
def read(net, tensors=None):
    try:
        load(hostile.forge(path, net, tensors))
    except CheckpointError:
        pass
nets = [(net, None) for generator in hostile.HOSTILE for _, net in generator()]
nets += [(net, tensors) for _, net, tensors in hostile.every_argument()]
for net, tensors in nets[::20]:
    read(net, tensors)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for net, tensors in nets:
    read(net, tensors)
print(len(nets), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_configuration_takes_no_more_memory_than_the_file_holds(tmp_path: Path):
    command = [sys.executable, "-W", "ignore", "-c", HUGE, str(tmp_path / "model")]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    count, grown = map(int, done.stdout.split())
    assert count > 200
    # 10 ** 5 by 10 ** 5 weights would be 40 GB. Linux counts in units of 1 kB.
    assert grown * (1 if sys.platform == "darwin" else 1024) < 100e6
