"""Experiments that must not run: each is told in a listing of its faults, and nothing is written."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minigrad.cli.app import run
from minigrad.errors import ConfigError
from minigrad.experiments.toml import read_toml
from minigrad.registry import Registry, use_registry
from tests.experiments.samples import LEAVE_OUT, LINEAR, files_in, spoiled

NAN, INF = float("nan"), float("inf")
HUGE = 10**12
Told = Callable[..., str]


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """A registry without plugins, which would take time to load at each unknown name."""
    with use_registry(Registry(only=())) as fresh:
        yield fresh


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Train an experiment that must be refused, and return what is said."""
    monkeypatch.chdir(tmp_path)

    def told(content: str | bytes, *arguments: str, name: str = "bad.toml") -> str:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        before = files_in(tmp_path)
        assert run(["train", name, *arguments]) == 2
        shown = capsys.readouterr()
        assert files_in(tmp_path) == before
        assert shown.out == ""
        assert shown.err.startswith(f"minigrad: {name}")
        assert "Traceback" not in shown.err
        assert all(len(line) < 1500 for line in shown.err.splitlines())
        return shown.err

    return told


CHANGES: list[tuple[dict[str, Any], str]] = [
    # Sections.
    *(({name: LEAVE_OUT}, f"{name}: an experiment needs {name}") for name in ("data", "net", "loss", "optimizer")),
    ({"train": LEAVE_OUT}, "train: an experiment needs train"),
    ({"trian": {"epochs": 1}}, "trian: .* Did you mean 'train'.* Received: trian={'epochs': 1}"),
    ({"extra": 1}, "extra: an experiment has seed, data, net"),
    ({"_target_": "os.system"}, "_target_: an experiment has"),
    ({"import": "os"}, "import: an experiment has"),
    ({"optimiser": {"name": "sgd"}, "optimizer": LEAVE_OUT}, "optimiser: .* Did you mean 'optimizer'"),
    *(({name: 3}, rf"{name}: .*Received: ") for name in ("data", "net", "loss", "optimizer", "schedule")),
    *(({name: 3}, rf"{name}: .*Received: {name}=3") for name in ("train", "checkpoint", "metrics", "callbacks")),
    *(({name: []}, f"{name}: one ") for name in ("data", "loss", "optimizer", "schedule")),
    ({"train": []}, r"train: \[train\] is a table"),
    ({"train": "fast"}, r"train: \[train\] is a table. Received: train='fast'"),
    *(({name: ""}, rf"{name}\.name: No ") for name in ("data", "net", "loss", "optimizer", "schedule")),
    *(({name: {}}, f"{name}: a dict needs a name") for name in ("data", "net", "loss", "optimizer", "schedule")),
    *(({name: True}, f"{name}") for name in ("data", "net", "loss", "optimizer", "schedule", "train", "seed")),
    # The seed.
    ({"seed": -1}, "seed: seed must be at least 0. Received: seed=-1"),
    ({"seed": 2**63 - 1 + 1 - 2**63 - 5}, "seed: seed must be at least 0"),
    ({"seed": 1.5}, "seed: seed must be an integer. Received: seed=1.5"),
    ({"seed": "1"}, "seed: seed must be an integer. Received: seed='1'"),
    ({"seed": [1]}, "seed: seed must be an integer"),
    ({"seed": 2**64}, "seed: an integer has at most 64 bits"),
    ({"seed": 10**4000}, "seed: an integer has at most 64 bits. Received: seed of 13288 bits"),
    ({"seed": NAN}, "seed: a number must be finite"),
    # [train].
    ({"train.epochs": LEAVE_OUT}, "train: a training takes either epochs or steps. Received: neither"),
    ({"train.steps": 5}, "train: a training takes either epochs or steps. Received: epochs=3, steps=5"),
    ({"train.epochs": LEAVE_OUT, "train.epoch": 5}, r"train.epoch: \[train\] takes .* Did you mean 'epochs'"),
    ({"train.batchsize": 5}, r"train.batchsize: \[train\] takes .* Did you mean 'batch_size'\? Received: batchsize=5"),
    ({"train.callback": "x"}, "train.callback: "),
    ({"train.resume": True}, "train.resume: "),
    ({"train.checkpoint": "/etc"}, "train.checkpoint: "),
    *(({f"train.{n}": 0}, f"train.{n}: {n} must be at least 1") for n in ("epochs", "batch_size", "accumulate")),
    *(({f"train.{n}": -3}, f"{n} must be at least 1") for n in ("epochs", "batch_size", "accumulate", "threads")),
    *(({f"train.{n}": True}, f"{n} must be an integer") for n in ("epochs", "batch_size", "accumulate", "threads")),
    *(({f"train.{n}": "5"}, f"{n} must be an integer") for n in ("epochs", "batch_size", "accumulate", "threads")),
    *(({f"train.{n}": 2.0}, f"{n} must be an integer") for n in ("epochs", "batch_size", "validate_every")),
    *(({f"train.{n}": 10**15}, f"{n} must be at most") for n in ("epochs", "batch_size", "accumulate", "threads")),
    ({"train.epochs": LEAVE_OUT, "train.steps": 10**10}, "train.steps: steps must be at most 1,000,000,000"),
    ({"train.epochs": LEAVE_OUT, "train.steps": 0}, "train.steps: steps must be at least 1"),
    ({"train.epochs": LEAVE_OUT, "train.steps": "many"}, "train.steps: steps must be an integer"),
    ({"train.shuffle": 1}, "train.shuffle: shuffle must be true or false"),
    ({"train.shuffle": "yes"}, "train.shuffle: shuffle must be true or false"),
    ({"train.clip": 0}, "train.clip: clip must be more than 0"),
    ({"train.clip": -1.0}, "train.clip: clip must be more than 0. Received: clip=-1.0"),
    ({"train.clip": "1"}, "train.clip: clip must be a number"),
    ({"train.clip": INF}, "train.clip: a number must be finite. Received: clip=inf"),
    ({"train.dtype": "float16"}, "train.dtype: dtype must be one of 'float32', 'float64'. Received: dtype='float16'"),
    ({"train.dtype": 32}, "train.dtype: dtype must be one of"),
    ({"train.device": "gpu"}, "train.device: device must be one that this machine's torch can use"),
    ({"train.device": "cuda:99"}, "train.device: device must be"),
    ({"train.device": "meta"}, "train.device: device must be"),
    ({"train.device": "cpu; rm -rf /"}, "train.device: device must be one of torch's"),
    ({"train.device": ""}, "train.device: device must be one of torch's"),
    ({"train.device": 0}, "train.device: device must be a text"),
    # [checkpoint].
    ({"checkpoint.every": 0}, "checkpoint.every: every must be at least 1"),
    ({"checkpoint.keep": 0}, "checkpoint.keep: keep must be at least 1"),
    ({"checkpoint.keep": 10**9}, "checkpoint.keep: keep must be at most 10,000"),
    ({"checkpoint.mode": "most"}, "checkpoint.mode: mode must be one of 'min', 'max'"),
    ({"checkpoint.mode": "max"}, "checkpoint.mode: mode says when best is better, and needs best"),
    ({"checkpoint.best": "val_acuracy"}, "checkpoint.best: best must be a column .* Did you mean 'val_accuracy'"),
    ({"checkpoint.best": True}, "checkpoint.best: best must be a text"),
    ({"checkpoint.folder": "/tmp"}, r"checkpoint.folder: \[checkpoint\] takes every, keep, best, mode"),
    # Names are names of the registry, of the kind that is asked for.
    ({"net.1": "rleu"}, r"net\[1\]\.name: No layer is called 'rleu'\. Did you mean 'relu'"),
    ({"net.1": "torch.nn.ReLU"}, r"net\[1\]\.name: No layer is called 'torch.nn.ReLU'"),
    ({"net.1": "torch.nn:ReLU"}, r"net\[1\]\.name: No layer is called 'torch.nn:ReLU'"),
    ({"net.1": "os:system"}, r"net\[1\]\.name: No layer is called 'os:system'"),
    ({"net.1": "os.system"}, r"net\[1\]\.name: No layer is called 'os.system'"),
    ({"net.1": "__import__('os').system('true')"}, r"net\[1\]\.name: No layer is called"),
    ({"net.1": "minigrad.layers.linear:Linear"}, r"net\[1\]\.name: No layer is called"),
    ({"net.1": "../relu"}, r"net\[1\]\.name: No layer is called"),
    ({"net.1": "a" * 100_000}, r"net\[1\]\.name: No layer is called 'aaa"),
    ({"net.1": "bce"}, r"net\[1\]\.name: No layer is called 'bce'\. It is the name of a loss"),
    ({"net.1": "sgd"}, r"net\[1\]\.name: .* It is the name of an optimizer"),
    ({"net.1": "moons"}, r"net\[1\]\.name: .* It is the name of a dataset"),
    ({"net.1": "accuracy"}, r"net\[1\]\.name: .* It is the name of a metric"),
    ({"loss": "sgd"}, r"loss\.name: No loss is called 'sgd'\. It is the name of an optimizer"),
    ({"loss": "relu"}, r"loss\.name: No loss is called 'relu'\."),
    ({"loss": "crossentropy"}, r"loss\.name: .* Did you mean 'cross_entropy'"),
    ({"loss": {"name": "mse", "kind": "optimizer"}}, r"loss\.kind: kind must be 'loss' here"),
    ({"loss": {"name": "sgd", "kind": "optimizer", "lr": 1.0}}, r"loss\.kind: kind must be 'loss' here"),
    ({"loss": {"name": "mse", "kind": "losss"}}, r"loss\.kind: kind must be one of .* Did you mean 'loss'"),
    ({"loss": {"name": "mse", "kind": 3}}, r"loss\.kind: kind must be a text"),
    ({"optimizer": "cross_entropy"}, r"optimizer\.name: No optimizer .* It is the name of a loss"),
    ({"optimizer": "sdg"}, r"optimizer\.name: No optimizer is called 'sdg'\. Did you mean 'sgd'"),
    ({"optimizer": {"name": "torch.optim.SGD", "lr": 0.1}}, r"optimizer\.name: No optimizer"),
    ({"schedule": "adam"}, r"schedule\.name: .* It is the name of an optimizer"),
    ({"data": "accuracy"}, r"data\.name: .* It is the name of a metric"),
    ({"data": "moon"}, r"data\.name: .* Did you mean 'moons'"),
    ({"metrics.0": "mse"}, r"metrics\[0\]\.name: .* It is the name of a loss"),
    ({"metrics.0": "acuracy"}, r"metrics\[0\]\.name: .* Did you mean 'accuracy'"),
    ({"callbacks.0": "accuracy"}, r"callbacks\[0\]\.name: .* It is the name of a metric"),
    ({"callbacks.0": 7}, r"callbacks\[0\]: a configuration is"),
    ({"metrics.0": ["accuracy"]}, r"metrics\[0\]: one metric stands here"),
    ({"net.1": 7}, r"net\[1\]: a configuration is a name"),
    ({"net.1": {"name": 7}}, r"net\[1\]\.name: .* Received: 7"),
    ({"net.1": {"name": ["relu"]}}, r"net\[1\]\.name: "),
    ({"net.1": {"nmae": "relu"}}, r"net\[1\]: a dict needs a name\. Did you mean 'name'"),
    ({"net.1": {"_target_": "torch.nn.ReLU"}}, r"net\[1\]: a dict needs a name\. Received: {'_target_'"),
    ({"net": "sequential_of"}, r"net\.name: No layer"),
    # Arguments: known, all there, and of the type that the constructor says.
    ({"net.0._target_": "os.system"}, r"net\[0\]\._target_: linear takes in_features, out_features, bias\."),
    ({"net.0.__class__": "x"}, r"net\[0\]\.__class__: linear takes"),
    ({"net.0.in_featres": 2}, r"net\[0\]\.in_featres: linear takes .* Did you mean 'in_features'"),
    ({"net.0.device": "cuda"}, r"net\[0\]\.device: linear takes in_features, out_features, bias\."),
    ({"net.0.dtype": "float64"}, r"net\[0\]\.dtype: linear takes"),
    ({"net.0.self": 1}, r"net\[0\]\.self: linear takes"),
    ({"net.0.in_features": LEAVE_OUT}, r"net\[0\]\.in_features: linear needs in_features"),
    ({"net.0.in_features": "2"}, r"net\[0\]\.in_features: in_features must be an integer\. Received: in_features='2'"),
    ({"net.0.in_features": True}, r"net\[0\]\.in_features: in_features must be an integer"),
    ({"net.0.in_features": 2.0}, r"net\[0\]\.in_features: in_features must be an integer"),
    ({"net.0.in_features": [2]}, r"net\[0\]\.in_features: in_features must be an integer"),
    ({"net.0.in_features": {"name": "linear"}}, r"net\[0\]\.in_features: in_features must be an integer"),
    ({"net.0.in_features": 0}, r"net\[0\]\.in_features: in_features must be a whole number, at least 1"),
    ({"net.0.in_features": -4}, r"net\[0\]\.in_features: in_features must be a whole number, at least 1"),
    ({"net.0.bias": 1}, r"net\[0\]\.bias: bias must be true or false"),
    ({"net.0.bias": "false"}, r"net\[0\]\.bias: bias must be true or false"),
    ({"net.1": {"name": "relu", "inplace": True}}, r"net\[1\]\.inplace: relu takes no arguments"),
    ({"net.1": {"name": "leaky_relu", "negative_slope": "x"}}, r"net\[1\]\.negative_slope: .* must be a number"),
    ({"net.1": {"name": "dropout", "p": 1.5}}, r"net\[1\]\.p: p must be in \[0, 1\]\. Received: p=1.5"),
    ({"net.1": {"name": "dropout", "p": -0.5}}, r"net\[1\]\.p: p must be in"),
    ({"net.1": {"name": "dropout", "p": NAN}}, r"net\[1\]\.p: a number must be finite. Received: p=nan"),
    ({"net.1": {"name": "dropout", "p": True}}, r"net\[1\]\.p: p must be a number\. Received: p=True"),
    ({"net.1": {"name": "residual", "body": "nothing"}}, r"net\[1\]\.body\.name: No layer"),
    ({"net.1": {"name": "residual", "body": 3}}, r"net\[1\]\.body: body must be a layer"),
    ({"net.1": {"name": "residual", "body": "bce"}}, r"net\[1\]\.body\.name: .* the name of a loss"),
    ({"net.1": {"name": "residual"}}, r"net\[1\]\.body: residual needs body"),
    ({"net.1": {"name": "layer_norm", "normalized_shape": "3"}}, r"normalized_shape must be an integer or a list"),
    ({"net.1": {"name": "layer_norm", "normalized_shape": [3, "x"]}}, r"normalized_shape must be"),
    ({"net.1": {"name": "sequential", "layers": "relu"}}, r"net\[1\]\.layers: layers is a list"),
    ({"net.1": {"name": "sequential", "layers": ["relu", 4]}}, r"net\[1\]\.layers\[1\]: "),
    ({"loss": {"name": "cross_entropy", "reduction": "none"}}, "loss: .* a training needs one cost"),
    ({"loss": {"name": "cross_entropy", "reduction": "avg"}}, r"loss\.reduction: reduction must be one of"),
    ({"loss": {"name": "cross_entropy", "label_smoothing": 7}}, r"loss\.label_smoothing: "),
    ({"loss": {"name": "cross_entropy", "weight": "x"}}, r"loss\.weight: weight must be a list of numbers"),
    ({"loss": {"name": "cross_entropy", "weight": [[1.0], [1.0, 2.0]]}}, r"loss\.weight: weight must be a list"),
    ({"loss": {"name": "cross_entropy", "weight": [1.0, NAN]}}, r"loss\.weight\[1\]: a number must be finite"),
    ({"loss": {"name": "cross_entropy", "weight": [1.0, True]}}, r"loss\.weight: weight must be a number"),
    *(({"optimizer.lr": v}, "optimizer.lr: lr must be a number") for v in ("0.1", True, [0.1], {"a": 1})),
    ({"optimizer.lr": -0.1}, r"optimizer\.lr: lr must not be negative. Received: lr=-0.1"),
    ({"optimizer.lr": NAN}, r"optimizer\.lr: a number must be finite. Received: lr=nan"),
    ({"optimizer.lr": INF}, r"optimizer\.lr: a number must be finite"),
    ({"optimizer.lr": -INF}, r"optimizer\.lr: a number must be finite"),
    ({"optimizer.momentum": -1}, r"optimizer\.momentum: momentum must not be negative"),
    ({"optimizer.learning_rate": 1}, r"optimizer\.learning_rate: sgd takes lr, momentum"),
    ({"optimizer.params": []}, r"optimizer\.params: sgd takes lr, momentum"),
    ({"optimizer.nesterov": True}, r"optimizer: .*[Nn]esterov"),
    ({"optimizer": {"name": "adam", "betas": [0.9]}}, r"optimizer\.betas: betas must be a list of 2"),
    ({"optimizer": {"name": "adam", "betas": [0.9, 1.5]}}, r"optimizer\.betas: betas must be two numbers"),
    ({"optimizer": {"name": "adam", "betas": [0.9, "x"]}}, r"optimizer\.betas: betas must be a list of a number"),
    ({"optimizer": {"name": "adam", "betas": 0.9}}, r"optimizer\.betas: betas must be a list"),
    ({"schedule.every": "batch"}, r"schedule\.every: every must be one of 'step', 'epoch'"),
    ({"schedule.step_size": 0}, r"schedule\.step_size: step_size must be a whole number, at least 1"),
    ({"schedule.step_size": 1.5}, r"schedule\.step_size: step_size must be an integer"),
    ({"schedule.step_size": LEAVE_OUT}, r"schedule\.step_size: .* needs step_size"),
    ({"schedule.gamma": "half"}, r"schedule\.gamma: gamma must be a number"),
    ({"schedule.optimizer": "sgd"}, r"schedule\.optimizer: step_lr takes step_size, gamma"),
    ({"schedule": {"name": "sequential_lr", "schedulers": ["step"], "milestones": []}}, r"schedule\.schedulers\[0\]\."),
    ({"data.n": "many"}, r"data\.n: n must be an integer"),
    ({"data.n": True}, r"data\.n: n must be an integer"),
    ({"data.n": -5}, r"data\.n: n must be"),
    ({"data.n": HUGE}, r"data\.n: n must be"),
    ({"data.n": 1}, r"data\.n: n must be"),
    ({"data.noise": NAN}, r"data\.noise: a number must be finite"),
    ({"data.noise": -1}, r"data\.noise: noise must be"),
    ({"data.test": 1.5}, r"data\.test: test must be"),
    ({"data.validation": 0.6, "data.test": 0.6}, r"data.*: validation and test must leave something"),
    ({"data.rows": 10}, r"data\.rows: moons takes n, noise, seed, validation, test"),
    ({"metrics.0": {"name": "accuracy", "ignore_index": "x"}}, r"metrics\[0\]\.ignore_index: "),
    ({"callbacks.0": {"name": "early_stopping", "patience": 0}}, r"callbacks\[0\]\.patience: patience must"),
    ({"callbacks.0": {"name": "early_stopping", "patience": 2.5}}, r"callbacks\[0\]\.patience: .* an integer"),
    ({"callbacks.0": {"name": "early_stopping", "mode": "up"}}, r"callbacks\[0\]\.mode: mode must be one of"),
    ({"callbacks.0": {"name": "time_limit", "seconds": -1}}, r"callbacks\[0\]\.seconds: "),
    ({"callbacks.0": {"name": "time_limit", "seconds": "1h"}}, r"callbacks\[0\]\.seconds: seconds must be a number"),
    # What stands there once.
    ({"metrics.1": "accuracy"}, r"metrics\[1\]: metrics holds each metric once. Received: accuracy again"),
    ({"metrics.1": {"name": "minigrad:accuracy"}}, r"metrics\[1\]: metrics holds each metric once"),
    ({"callbacks.1": "learning_rate_log"}, r"callbacks\[1\]: callbacks holds each callback once"),
    ({"callbacks.1": "jsonl_log"}, r"callbacks\[1\]: history.jsonl is written always"),
    ({"net.1": {"name": "relu", "id": "a"}, "net.3": {"name": "relu", "id": "a"}}, r"net\[3\]\.id: an id is given"),
    ({"net.1": {"ref": "a"}}, r"net\[1\]\.ref: a ref repeats an id"),
    ({"net.1": {"ref": 3}}, r"net\[1\]\.ref: a ref repeats an id"),
    ({"net.1": {"ref": ["a"]}}, r"net\[1\]\.ref: a ref repeats an id"),
    ({"net.1": {"name": "relu", "id": 3}}, r"net\[1\]\.id: an id is a text"),
    ({"net.1": {"name": "relu", "id": ["a"]}}, r"net\[1\]\.id: an id is a text"),
    ({"net.1": {"name": "residual", "id": "r", "body": {"ref": "r"}}}, r"net\[1\]\.body\.ref: a ref repeats an id"),
    # Sizes.
    ({"net.0.out_features": HUGE}, "net: a net must fit into this machine's .* Received: 3,"),
    ({"net.0": {**LINEAR, "in_features": 10**6, "out_features": 10**6}}, "net: a net must fit"),
    ({"net.0": {**LINEAR, "in_features": 2**62, "out_features": 2**62}}, r"net\[0\]: linear cannot be made"),
    ({"net.0.in_features": 2**63}, r"net\[0\]\.in_features: an integer has at most 64 bits"),
    ({"net.1": {"name": "embedding", "num_embeddings": HUGE, "embedding_dim": 8}}, "net: a net must fit"),
    ({"net": [{**LINEAR, "out_features": 10**7}] * 4000}, "net: a net must fit"),
    ({"data": {"name": "spirals", "n": 10**9}}, r"data\.n: "),
    # Values that mean nothing here.
    ({"net.1": {"name": "residual", "body": [[[[]]]], "x": {}}}, r"net\[1\]\.x: residual takes body"),
    ({"train.note": "x" * 5000}, r"train.note: .* \.\.\. "),
    # The data do not fit the net, or the net the loss.
    ({"net.0.in_features": 5}, r"net: the data do not fit, x of shape \(42, 2\).* In layer 0 \(linear\) of Sequential"),
    ({"net.2.in_features": 5}, r"net: the data do not fit.* In layer 2"),
    ({"loss": "bce"}, "loss: the data do not fit"),
    ({"metrics": ["confusion_matrix", "binary_accuracy"]}, "metrics: the data do not fit"),
    ({"net": ["relu"]}, r"optimizer: SGD expects at least one parameter. Received: none"),
    ({"net": []}, r"optimizer: SGD expects at least one parameter"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "text"), CHANGES, ids=range(len(CHANGES)))
def test_a_spoiled_experiment_is_told(told: Told, changes: dict[str, Any], text: str):
    shown = told(spoiled(changes))
    assert re.search(rf"(^|: |\n  ){text}", shown), shown


def test_there_are_enough_of_them():
    assert len(CHANGES) + len(PATHS) + len(TEXTS) + len(SETTINGS) >= 240


OUTSIDE = "leads out of it|without a root and without"
PATHS = [
    ("/etc/passwd", OUTSIDE),
    ("../secret.txt", OUTSIDE),
    ("../../../../etc/passwd", OUTSIDE),
    ("inside/../../secret.txt", OUTSIDE),
    ("./../secret.txt", OUTSIDE),
    ("link.txt", "leads out of it"),
    ("folder/secret.txt", "leads out of it"),
    ("~/secret.txt", OUTSIDE),
    ("C:/secret.txt", OUTSIDE),
    ("..\\secret.txt", OUTSIDE),
    ("a\x00b", OUTSIDE),
    ("", OUTSIDE),
    (".", "the path of a file"),
    ("inside", "a file that is there"),
    ("nowhere.txt", "a file that is there"),
    ("txet.txt", r"a file that is there, .* Did you mean 'text.txt'\?"),
    ("loop", "a file that can be found|a file that is there"),
    ("x" * 3000, OUTSIDE),
    ("pipe", "a file that is there"),
]


@pytest.mark.parametrize(("path", "text"), PATHS, ids=range(len(PATHS)))
def test_data_lie_beside_the_experiment(told: Told, tmp_path: Path, path: str, text: str):
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret " * 100)
    (tmp_path / "text.txt").write_text("public " * 100)
    (tmp_path / "inside").mkdir()
    (tmp_path / "link.txt").symlink_to(outside / "secret.txt")
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    shown = told(spoiled({"data": {"name": "text", "path": path, "context": 4}}))
    assert re.search(rf"data\.path: path must be .*({text})", shown), shown
    assert "secret secret" not in shown


@pytest.mark.parametrize(
    "path",
    [
        *(row[0] for row in PATHS[:4]),
        "model.safetensors",
        "history.jsonl",
        "checkpoint-000000001.safetensors",
        "data/x",
    ],
)
def test_callbacks_write_into_the_run_s_folder_and_over_nothing(told: Told, path: str):
    shown = told(spoiled({"callbacks": [{"name": "csv_log", "path": path}]}))
    assert re.search(r"callbacks\[0\]\.path: path must be (another file|a path without)", shown), shown


TEXTS: list[tuple[str | bytes, str]] = [
    ("", "needs data"),
    ("seed = ", "not TOML"),
    ("seed = 1\nseed = 2", "not TOML"),
    ("[train]\n[train]", "not TOML"),
    ("{}", "not TOML"),
    ("key = nonsense", "not TOML"),
    ("!!python/object/apply:os.system ['true']", "not TOML"),
    ("x = " + "[" * 5000 + "]" * 5000, "nested too deep"),
    ("x = " + "[" * 100 + "]" * 100, "nested at most 32 deep"),
    ("a." * 100 + "b = 1", "nested at most 32 deep"),
    ("x = " + "9" * 5000, "64 bits|not to be read|not TOML"),
    ("x = 1979-05-27", "a date or a time means nothing here"),
    ("x = 07:32:00", "a date or a time means nothing here"),
    ("x = 1979-05-27T07:32:00Z", "a date or a time means nothing here"),
    ("x = nan", "a number must be finite"),
    ("x = [[1.0, -inf]]", r"x\[0\]\[1\]: a number must be finite"),
    (b"\xff\xfe\x00", "UTF-8"),
    (b"seed = '\x80'", "UTF-8"),
    (b"\x00" * 100, "not TOML"),
    ("#" * (1 << 20) + "\n", "at most 1,048,576 bytes"),
    (b"PK\x03\x04" + bytes(range(128)), "not TOML"),
]


@pytest.mark.parametrize(("content", "text"), TEXTS, ids=range(len(TEXTS)))
def test_what_is_no_experiment_at_all_is_told(told: Told, content: str | bytes, text: str):
    shown = told(content)
    assert re.search(text, shown), shown


SETTINGS = [
    ("optimizer.lr", "a setting is PATH=VALUE"),
    ("=3", "a setting is PATH=VALUE"),
    ("optimizer.lr=nan", "optimizer.lr: a number must be finite"),
    ("optimizer.lr=", "a value is written as in TOML"),
    ("optimizer.lr=0.1 0.2", "a value is written as in TOML"),
    ("optimizer.lr=1\n[evil]", "a value is written as in TOML"),
    ("optimizer.lr=1\nevil=2", "a value is written as in TOML"),
    ("optimizer.lrr=0.1", "optimizer.lrr: sgd takes .* Did you mean 'lr'"),
    ("optimiser.lr=0.1", "optimiser: an experiment has .* Did you mean 'optimizer'"),
    ("train.epoch=3", r"train.epoch: \[train\] takes .* Did you mean 'epochs'"),
    ("train.epochs.x=3", "--set train.epochs.x: train.epochs has no keys"),
    ("net[9].bias=true", r"--set net\[9\].bias: net has 3 items"),
    ("net.0.bias=true", "--set net.0.bias: net has no keys"),
    ("net[0][1]=3", r"--set net\[0\]\[1\]: only a list is counted through"),
    ("nets[0].bias=true", "--set nets"),
    ("[0]=3", "a path is written like"),
    (".x=3", "a path is written like"),
    ("a..b=3", "a path is written like"),
    ("net[-1]=3", "a path is written like"),
    ("__class__.x=3", "__class__: an experiment has"),
    ("seed=2024-01-01", "a date or a time"),
    ("net=" + "[" * 3000, "a value is written as in TOML"),
]


@pytest.mark.parametrize(("setting", "text"), SETTINGS, ids=range(len(SETTINGS)))
def test_a_setting_that_cannot_be_is_told(told: Told, setting: str, text: str):
    shown = told(spoiled({}), "--set", setting)
    assert re.search(text, shown), shown


def test_all_faults_are_listed_at_once(told: Told):
    shown = told(
        spoiled(
            {
                "seed": -1,
                "net.0.in_featres": 3,
                "net.1": "rleu",
                "net.2.bias": 3,
                "loss": "sgd",
                "optimizer.lr": -1,
                "train.epochs": 0,
                "metrics.1": "accuracy",
                "data.n": "x",
                "extra": 1,
            }
        )
    )
    assert shown.startswith("minigrad: bad.toml has 10 faults:\n  ")
    keys = ["extra", "seed", "train.epochs", "net[0].in_featres", "net[1].name", "net[2].bias", "loss.name"]
    keys += ["optimizer.lr", "data.n", "metrics[1]"]
    assert sorted(line.strip().partition(": ")[0] for line in shown.splitlines()[1:]) == sorted(keys)


@pytest.mark.parametrize(
    "name", ["nowhere.toml", ".", "a\x00b.toml", "pipe", "nowhere/x.toml", "x" * 300], ids=range(6)
)
def test_a_file_that_is_none_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert run(["train", name]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("minigrad")
    assert shown.count("\n") == 1
    assert os.listdir(tmp_path) == ["pipe"]


LATE = {"data": {"name": "csv", "path": "late.csv", "target": "t"}}
VALIDATED = {"data.validation": 0.0}


@pytest.mark.parametrize("seed", range(6))
def test_a_class_too_many_is_told_in_whatever_part_its_only_row_is(told: Told, tmp_path: Path, seed: int):
    rows = "".join(f"{i},{i % 5},{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "late.csv").write_text(f"x,y,t\n{rows}7,7,z\n")
    assert "class indices from 0 to 1" in told(spoiled({**LATE, "data.seed": seed}))


@pytest.mark.parametrize("where", [0, 700, 950])
def test_a_character_too_many_is_told_wherever_it_stands(told: Told, tmp_path: Path, where: int):
    text = "abc" * 333
    (tmp_path / "late.txt").write_text(f"{text[:where]}z{text[where:]}")
    changes = {
        "net": [
            {"name": "embedding", "num_embeddings": 3, "embedding_dim": 4},
            {"name": "linear", "in_features": 4, "out_features": 4},
            {"name": "transpose", "dim0": 1, "dim1": 2},
        ],
        "data": {"name": "text", "path": "late.txt", "context": 8},
    }
    assert "net: the data do not fit" in told(spoiled(changes))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"checkpoint.best": "val_cost"}, "checkpoint.best"),
        ({"callbacks": ["early_stopping"]}, "callbacks[0].monitor"),
        ({"callbacks": ["learning_rate_log", "best_checkpoint"]}, "callbacks[1].monitor"),
    ],
)
def test_a_column_of_a_validation_that_there_is_not_is_told(told: Told, changes: dict[str, Any], path: str):
    said = told(spoiled({**VALIDATED, **changes}))
    assert f"{path}: val_cost is measured on a validation part. Received: data without one" in said


def test_what_is_no_file_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    for path, what in ((".", "a folder"), ("pipe", "something that is no file")):
        with pytest.raises(ConfigError) as told:
            read_toml(Path(path))
        assert str(told.value) == f"{path}: an experiment is a TOML file. Received: {what}"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path):
    file = tmp_path / "windows.toml"
    file.write_bytes(b"\xef\xbb\xbfseed = 1\r\n")
    assert read_toml(file) == {"seed": 1}
