"""Nets as ONNX files: onnxruntime computes what the net does, for every size, or there is no file."""

import copy
import io
import logging
import sys
import threading
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from minigrad import __version__, experiments
from minigrad.activations import ELU, GELU, LogSigmoid, ReLU, Sigmoid, Softmax, Tanh
from minigrad.core import Layer, Wrapper
from minigrad.errors import ConversionError, DtypeError, MissingExtraError, ShapeError
from minigrad.interop.onnx import export, tracing
from minigrad.interop.onnx.quiet import LOGGERS
from minigrad.interop.torch import from_autograd
from minigrad.layers import (
    Checked,
    Dropout,
    Embedding,
    Flatten,
    Frozen,
    LayerNorm,
    Linear,
    Parallel,
    PositionalEmbedding,
    Recompute,
    Residual,
    SelfAttention,
    Sequential,
    Tape,
    Timed,
    Traced,
    Transpose,
    Unflatten,
)
from minigrad.registry import build

EXAMPLES = Path(experiments.__file__).parent / "examples"
X = torch.linspace(-2, 2, 32).reshape(4, 8)


class Made(Layer):
    """A layer of a function; nobody asks for its gradient."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def forward(self, x: Any) -> tuple[Any, None]:
        return self.function(x), None

    def backward(self, grad_output: Any, cache: None) -> Any:
        raise NotImplementedError


class Twice(Wrapper):
    """A wrapper that predicts something else than what is inside."""

    def predict(self, x: Any) -> Any:
        return 2 * self.layer.predict(x)


def run(file: Path, *inputs: Any) -> Any:
    """What onnxruntime makes of the inputs."""
    session = onnxruntime.InferenceSession(file)
    names = ["x"] if len(inputs) == 1 else [f"x{i}" for i in range(len(inputs))]
    assert [value.name for value in session.get_inputs()] == names
    outputs = session.run(None, {name: np.asarray(x) for name, x in zip(names, inputs, strict=True)})
    return torch.as_tensor(outputs[0]) if len(outputs) == 1 else tuple(map(torch.as_tensor, outputs))


def xor() -> Layer:
    sigmoid = Sigmoid()
    return Sequential(Linear(2, 2), sigmoid, Linear(2, 1), sigmoid)


def deep() -> Layer:
    blocks = [Residual(Sequential(LayerNorm(8), Linear(8, 16), GELU("tanh"), Dropout(), Linear(16, 8))) for _ in "abc"]
    return Sequential(*blocks, Parallel(Linear(8, 3), Sequential(Linear(8, 2), Tanh()), merge="cat"), Softmax(-1))


def char_gpt() -> Layer:
    def block() -> Layer:
        attention = Residual(Sequential(LayerNorm(16), SelfAttention(16, 4, dropout=0.1, causal=True)))
        return Sequential(attention, Residual(Sequential(LayerNorm(16), Linear(16, 32), ReLU(), Linear(32, 16))))

    return Sequential(
        Embedding(11, 16), PositionalEmbedding(6, 16), block(), block(), LayerNorm(16), Linear(16, 11), Transpose(1, 2)
    )


def tied() -> Layer:
    embedding, head = Embedding(6, 8), Linear(8, 6, bias=False)
    head.weight = embedding.weight
    return Sequential(embedding, Tanh(), head)


def wrapped() -> Layer:
    parts = [Frozen(Linear(8, 8)), Checked(ReLU()), Recompute(Sequential(Linear(8, 8), Tanh())), Timed(Linear(8, 2))]
    return Sequential(*parts, Twice(Traced(Linear(2, 3), Tape())))


def foreign() -> Layer:
    module = torch.nn.Sequential(torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 4), torch.nn.ReLU())
    return Sequential(Linear(8, 8), from_autograd(module))


def indices(*shape: int) -> Tensor:
    return torch.randint(6, shape)


NETS: dict[str, tuple[Callable[[], Layer], Callable[..., Tensor], tuple[int, ...]]] = {
    "xor": (xor, torch.randn, (4, 2)),
    "digits": (lambda: Sequential(Linear(64, 128), ReLU(), Linear(128, 10)), torch.rand, (16, 64)),
    "deep": (deep, torch.randn, (4, 8)),
    "embedding": (lambda: Sequential(Embedding(6, 3), Flatten(), Linear(9, 2)), indices, (5, 3)),
    "char gpt": (char_gpt, indices, (3, 6)),
    "tied weights": (tied, indices, (4, 2)),
    "wrapped": (wrapped, torch.randn, (4, 8)),
    "of autograd": (foreign, torch.randn, (4, 8)),
    "three axes": (lambda: Sequential(Linear(3, 4), ELU(), Flatten(), Unflatten(1, (4, 5))), torch.randn, (4, 5, 3)),
    "named": (
        lambda: Sequential({"net": Linear(2, 3), "training": Sequential({"forward": Tanh(), "at_": Linear(3, 3)})}),
        torch.randn,
        (4, 2),
    ),
    "nothing": (Sequential, torch.randn, (4, 2)),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", NETS)
def test_onnxruntime_computes_what_the_net_does(name: str, dtype: torch.dtype, tmp_path: Path):
    make, draw, shape = NETS[name]
    net = make().to(dtype)
    x = draw(*shape)
    x = x.to(dtype) if x.is_floating_point() else x
    export(net, tmp_path / "net.onnx", x)
    onnx.checker.check_model(tmp_path / "net.onnx", full_check=True)
    for batch in (shape[0], 1, 2, 13):
        x = draw(batch, *shape[1:])
        x = x.to(dtype) if x.is_floating_point() else x
        y = net(x)
        torch.testing.assert_close(run(tmp_path / "net.onnx", x), y, atol=1e-5, rtol=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_example_experiments_are_exported(example: Path, tmp_path: Path):
    layers = [build(layer) for layer in tomllib.loads(example.read_text())["net"]]
    net = Sequential(*layers)
    words = isinstance(layers[0], Embedding)
    x = torch.randint(28, (3, 64)) if words else torch.rand(5, next(iter(net.parameters())).shape[1])
    export(net, tmp_path / "net.onnx", x, dynamic_axes=(0, 1) if words else (0,))
    x = x[:2, :40] if words else x[:2]
    torch.testing.assert_close(run(tmp_path / "net.onnx", x), net(x), atol=1e-5, rtol=1e-5)


def test_there_are_example_experiments():
    assert len(list(EXAMPLES.glob("*.toml"))) >= 3


@pytest.mark.parametrize("batch", [0, 1])
def test_an_example_of_one_row_or_none_says_enough(batch: int, tmp_path: Path):
    net = xor()
    export(net, tmp_path / "net.onnx", torch.zeros(batch, 2))
    x = torch.randn(5, 2)
    torch.testing.assert_close(run(tmp_path / "net.onnx", x), net(x))


def test_other_axes_may_stay_open_too(tmp_path: Path):
    net = char_gpt()
    export(net, tmp_path / "net.onnx", indices(4, 4), dynamic_axes=(0, 1))
    for shape in ((1, 1), (2, 6), (6, 3)):
        x = indices(*shape)
        torch.testing.assert_close(run(tmp_path / "net.onnx", x), net(x), atol=1e-5, rtol=1e-5)
    with pytest.raises(Exception, match="1/Add"):  # onnxruntime names the node: longer than max_length
        run(tmp_path / "net.onnx", indices(2, 7))


def test_no_axis_need_stay_open(tmp_path: Path):
    net = Linear(8, 2)
    export(net, tmp_path / "net.onnx", X[0], dynamic_axes=())
    torch.testing.assert_close(run(tmp_path / "net.onnx", X[1]), net(X[1]))


def test_several_inputs_and_outputs_are_numbered(tmp_path: Path):
    net = Made(lambda x: (x[0] @ x[1].mT, (x[0].sum(-1), x[1] + 1)))
    inputs = (torch.randn(4, 3), torch.randn(4, 3))
    export(net, tmp_path / "net.onnx", inputs)
    product, (total, plus) = net(inputs)
    found = run(tmp_path / "net.onnx", *inputs)
    assert [value.name for value in onnx.load(tmp_path / "net.onnx").graph.output] == ["y0", "y1", "y2"]
    for ours, theirs in zip((product, total, plus), found, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_arrays_take_the_dtype_of_the_net(tmp_path: Path):
    net = xor()
    export(net, tmp_path / "net.onnx", np.zeros((4, 2)))
    assert run(tmp_path / "net.onnx", X[:, :2]).dtype == torch.float32


def test_the_file_says_what_it_is(tmp_path: Path):
    torch.manual_seed(0)
    net = deep()
    for parameter in net.parameters():
        parameter += torch.rand_like(parameter)  # equal weights would be stored once
    export(net, tmp_path / "net.onnx", X)
    content = (tmp_path / "net.onnx").read_bytes()
    model = onnx.load_from_string(content)
    assert (model.producer_name, model.producer_version) == ("minigrad", __version__)
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["x", "y"]
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
    nodes = [node.name for node in model.graph.node]
    assert nodes[:5] == [
        "0/body/0/LayerNormalization",
        "0/body/1/Gemm",
        "0/body/2/Gelu",
        "0/body/4/Gemm",
        "0/Add",
    ]
    assert len(set(nodes)) == len(nodes)
    assert {tensor.name for tensor in model.graph.initializer} == set(net.state_dict())
    # Nothing of this machine is in it, and the same net gives the same bytes.
    assert str(Path(tracing.__file__).parents[3]).encode() not in content
    assert b".py" not in content
    export(copy.deepcopy(net), tmp_path / "again.onnx", X)
    assert (tmp_path / "again.onnx").read_bytes() == content


def test_what_stands_twice_is_stored_once_under_its_first_name(tmp_path: Path):
    linear = Linear(8, 8)
    export(Sequential(linear, Tanh(), linear), tmp_path / "net.onnx", X)
    assert {tensor.name for tensor in onnx.load(tmp_path / "net.onnx").graph.initializer} == {"0.weight", "0.bias"}


def test_an_older_edition_of_the_operators_can_be_asked_for(tmp_path: Path):
    net = Sequential(Linear(8, 8), GELU())
    export(net, tmp_path / "net.onnx", X, opset_version=18)
    assert [opset.version for opset in onnx.load(tmp_path / "net.onnx").opset_import] == [18]
    torch.testing.assert_close(run(tmp_path / "net.onnx", X), net(X))
    with pytest.raises(ValueError, match=r"^opset_version must be one that .* Received: opset_version=99$"):
        export(net, tmp_path / "net.onnx", X, opset_version=99)


def test_ours_is_exported_and_not_the_exporters_idea_of_it(tmp_path: Path):
    """Torch's exporter makes log(sigmoid(x)) of torch.nn.LogSigmoid, which is -inf here."""
    export(LogSigmoid(), tmp_path / "net.onnx", X)
    far = torch.tensor([[-200.0, 200.0] * 4])
    torch.testing.assert_close(run(tmp_path / "net.onnx", far), LogSigmoid()(far))


def test_the_net_is_left_as_it_is(tmp_path: Path):
    net = Sequential(wrapped(), from_autograd(torch.nn.BatchNorm1d(3)))
    net.to(torch.float32)
    tensors = net.state_dict()
    parameters = list(net.parameters())
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    attributes = {path: dict(vars(layer)) for path, layer in net.named_layers()}
    x = X.clone()
    export(net, tmp_path / "net.onnx", x)
    assert torch.equal(x, X)
    assert all(one is other for one, other in zip(net.parameters(), parameters, strict=True))
    assert {path: dict(vars(layer)) for path, layer in net.named_layers()} == attributes
    for name, tensor in net.state_dict().items():
        assert tensor.data_ptr() == tensors[name].data_ptr()
        assert torch.equal(tensor, before[name])
    y, cache = net.forward(X)
    net.backward(torch.ones_like(y), cache)


def global_state() -> dict[str, Any]:
    names = ["", *(name for name in logging.root.manager.loggerDict if name.startswith(("torch", "onnx")))]
    return {
        "random": torch.get_rng_state().tolist(),
        "numpy": repr(np.random.get_state()),
        "grad": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "logging": {name: (logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in names},
        "disabled": logging.root.manager.disable,
        "filters": list(warnings.filters),
        "streams": (sys.stdout, sys.stderr),
    }


@pytest.mark.parametrize("works", [True, False])
@pytest.mark.parametrize("grad", [True, False])
def test_nothing_is_said_and_no_global_state_is_touched(
    works: bool,
    grad: bool,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    draws = Made(lambda x: x + 0 * torch.rand_like(x))
    net = Sequential(Linear(8, 2), draws, Tanh() if works else Made(lambda x: x * 2 if x.sum() > 0 else x))
    export(Tanh(), tmp_path / "warm.onnx", X)  # what is imported once may make loggers of its own
    for logger in LOGGERS:
        monkeypatch.setattr(logging.getLogger(logger), "level", logging.INFO)
    with torch.set_grad_enabled(grad), caplog.at_level(logging.DEBUG):
        before = global_state()
        if works:
            export(net, tmp_path / "net.onnx", X)
        else:
            with pytest.raises(ConversionError):
                export(net, tmp_path / "net.onnx", X)
        assert global_state() == before
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_nothing_is_said_in_a_fresh_interpreter(tmp_path: Path):
    import subprocess

    code = (
        "import torch, minigrad\nfrom minigrad.interop.onnx import export\n"
        f"export(minigrad.Sequential(minigrad.Linear(2, 1)), {str(tmp_path / 'net.onnx')!r}, torch.zeros(4, 2))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_inference_mode_does_not_matter(tmp_path: Path):
    with torch.inference_mode():
        net = deep()
        export(net, tmp_path / "net.onnx", X)
    torch.testing.assert_close(run(tmp_path / "net.onnx", X), net(X))


def test_threads_wait_for_each_other(tmp_path: Path):
    nets = [Sequential(Linear(8, 8), Tanh(), Linear(8, i + 1)) for i in range(3)]
    jobs = [threading.Thread(target=export, args=(net, tmp_path / f"{i}.onnx", X)) for i, net in enumerate(nets)]
    filters, streams = list(warnings.filters), (sys.stdout, sys.stderr)
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert (list(warnings.filters), (sys.stdout, sys.stderr)) == (filters, streams)
    for i, net in enumerate(nets):
        torch.testing.assert_close(run(tmp_path / f"{i}.onnx", X), net(X))


REFUSED: list[tuple[str, Callable[[Any], Any], str]] = [
    ("no operator", torch.special.bessel_j0, r"ONNX has not what it computes\. Received: \w+: .*bessel_j0"),
    ("a choice", lambda x: x * 2 if x.sum() > 0 else x, r"torch\.export cannot follow it\. Received: \w+: "),
    ("a number", lambda x: x * float(x.sum()), r"torch\.export cannot follow it\. Received: \w+: "),
    ("not torch", lambda x: torch.as_tensor(np.sin(x.numpy())), r"torch\.export cannot follow it\. Received: \w+: "),
    ("a set of sizes", lambda x: x * len({x.shape[0]}), r"torch\.export cannot follow it\. Received: TypeError: "),
    ("random", lambda x: x + torch.randn_like(x), r"onnxruntime must compute .* Received: numbers that are .* apart"),
]


@pytest.mark.parametrize(("name", "function", "why"), REFUSED, ids=[name for name, *_ in REFUSED])
def test_what_cannot_be_exported_is_named_and_leaves_no_file(
    name: str, function: Callable[[Any], Any], why: str, tmp_path: Path
):
    net = Sequential(Linear(8, 8), Parallel(Tanh(), Residual(Sequential(ReLU(), Timed(Made(function))))))
    with pytest.raises(ConversionError, match=rf"^net\[1\]\.branches\[1\]\.body\[1\] \(\S+test_onnx\.Made\): {why}"):
        export(net, tmp_path / "net.onnx", X)
    assert not list(tmp_path.iterdir())


def test_a_failed_export_leaves_the_last_good_file(tmp_path: Path):
    export(Tanh(), tmp_path / "net.onnx", X)
    before = (tmp_path / "net.onnx").read_bytes()
    with pytest.raises(ConversionError):
        export(Made(torch.special.bessel_j0), tmp_path / "net.onnx", X)
    assert (tmp_path / "net.onnx").read_bytes() == before


def test_a_net_that_minds_the_batch_is_refused(tmp_path: Path):
    with pytest.raises(ConversionError, match=r"onnxruntime must compute .* on inputs of shape \(1, 8\)\."):
        export(Made(lambda x: x * 2 if x.shape[0] > 2 else x - 1), tmp_path / "net.onnx", X)
    with pytest.raises(
        ConversionError, match=r"^net \(\S+\): axis 0 of its input cannot be left open: .* size 4 there$"
    ):
        export(Sequential(Unflatten(0, (2, 2)), Tanh()), tmp_path / "net.onnx", X)
    with pytest.raises(ConversionError, match=r"axis 0 of its input cannot be left open: .* size 8 there$"):
        export(Linear(8, 2), tmp_path / "net.onnx", X[0])
    export(Unflatten(0, (2, -1)), tmp_path / "net.onnx", X)  # it takes every even batch
    assert run(tmp_path / "net.onnx", X[:2]).shape == (2, 1, 8)


SIZES: list[tuple[str, Callable[[Tensor], bool], str]] = [
    ("more than", lambda x: x.shape[0] > 100, r"\(101, 8\)"),
    ("between", lambda x: 20 < x.shape[0] < 40, r"\(21, 8\)"),
    ("exactly", lambda x: x.shape[0] == 7, r"\(7, 8\)"),
    ("every seventh", lambda x: x.shape[0] % 7 == 0, r"\(7, 8\)"),
    ("a decade", lambda x: x.shape[0] // 10 == 3, r"\(3\d, 8\)"),
    ("all numbers", lambda x: x.numel() > 1000, r"\(126, 8\)"),
    ("of two axes", lambda x: x.shape[0] == x.shape[1], r"\(8, 8\)"),
]


@pytest.mark.parametrize(("name", "other", "shape"), SIZES, ids=[name for name, *_ in SIZES])
def test_a_net_that_does_something_else_for_a_size_that_nobody_tries_is_refused(
    name: str, other: Callable[[Tensor], bool], shape: str, tmp_path: Path
):
    with pytest.raises(ConversionError, match=rf"onnxruntime must compute .* on inputs of shape {shape}\."):
        export(Made(lambda x: x * 2 if other(x) else x - 1), tmp_path / "net.onnx", X)
    assert not list(tmp_path.iterdir())


def test_a_size_that_the_net_refuses_is_nobodys_fault_and_none_is_too_large_to_try(tmp_path: Path):
    model = Sequential(Embedding(5, 4), PositionalEmbedding(9, 4))
    export(model, tmp_path / "net.onnx", torch.randint(5, (2, 6)), dynamic_axes=(0, 1))
    export(Made(lambda x: x * 2 if x.numel() > 2**31 else x), tmp_path / "net.onnx", X)


def test_a_net_that_takes_one_size_alone_is_refused(tmp_path: Path):
    def only_four(x: Tensor) -> Tensor:
        torch._check(x.shape[0] >= 4)
        torch._check(x.shape[0] < 5)
        return x + 1

    with pytest.raises(ConversionError, match=r"axis|axes"):
        export(Made(only_four), tmp_path / "net.onnx", X)
    assert not list(tmp_path.iterdir())


def test_a_file_that_nobody_can_run_here_can_be_asked_for(tmp_path: Path):
    net = Sequential(Linear(8, 2), GELU()).to(torch.float64)
    with pytest.raises(ConversionError, match=r"^net\[1\] \(minigrad\.\S+GELU\): onnxruntime cannot run it\b.*float64"):
        export(net, tmp_path / "net.onnx", X.double())
    export(net, tmp_path / "net.onnx", X.double(), tolerance=None)
    assert [node.op_type for node in onnx.load(tmp_path / "net.onnx").graph.node] == ["Gemm", "Gelu"]


def test_the_tolerance_counts(tmp_path: Path):
    net = Sequential(Linear(8, 8), Tanh(), Linear(8, 8))
    with pytest.raises(ConversionError, match=r"must compute what the net does, to 0"):
        export(net, tmp_path / "net.onnx", torch.randn(64, 8), tolerance=0.0)


def test_weights_beyond_one_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    net = Linear(8, 2)
    monkeypatch.setattr("minigrad.interop.onnx.exporting.MAX_BYTES", 72)
    export(net, tmp_path / "net.onnx", X)
    monkeypatch.setattr("minigrad.interop.onnx.exporting.MAX_BYTES", 71)
    with pytest.raises(ConversionError, match=r"one ONNX file, .* Received: 72 bytes$"):
        export(net, tmp_path / "net.onnx", X)


def test_the_limit_is_that_of_the_format():
    assert tracing.MAX_BYTES < 2**31
    net = Linear(2**15, 2**14, bias=False, device="meta")
    with pytest.raises(ConversionError, match=r"Received: 2,147,483,648 bytes$"):
        export(net, "never", torch.zeros(1, 2**15, device="meta"))


@pytest.mark.parametrize(
    ("example", "error", "message"),
    [
        (X.T, ShapeError, r"^Linear expects \(\.\.\., in_features=8\)\. Received: shape \(8, 4\)"),
        (X.double(), DtypeError, r"^Linear expects torch\.float32"),
        ("text", DtypeError, r"^Linear expects a tensor\. Received: str"),
    ],
)
def test_a_wrong_example_gets_the_layers_own_words(example: Any, error: type[Exception], message: str, tmp_path: Path):
    with pytest.raises(error, match=message):
        export(Sequential(Linear(8, 2)), tmp_path / "net.onnx", example)


@pytest.mark.parametrize("axes", [(2,), (-1,), (0, 5)])
def test_an_axis_that_is_not_there_is_refused(axes: tuple[int, ...], tmp_path: Path):
    with pytest.raises(ValueError, match=rf"^dynamic_axes must be .* Received: dynamic_axes=\({axes[0]}"):
        export(Linear(8, 2), tmp_path / "net.onnx", X, dynamic_axes=axes)


@pytest.mark.parametrize("axes", [0, "text", (0.0,), (True,), None])
def test_axes_are_whole_numbers_in_a_tuple(axes: Any, tmp_path: Path):
    with pytest.raises(ValueError, match=r"^dynamic_axes must be a tuple of axes, as in \(0, 1\)\. Received: "):
        export(Linear(8, 2), tmp_path / "net.onnx", X, dynamic_axes=axes)


def test_axes_that_can_be_counted_only_once_stay_open(tmp_path: Path):
    axes: Any = iter([0])
    export(Linear(8, 2), tmp_path / "net.onnx", X, dynamic_axes=axes)
    assert run(tmp_path / "net.onnx", X[:3]).shape == (3, 2)


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_is_a_number(tolerance: float, tmp_path: Path):
    with pytest.raises(ValueError, match=r"^tolerance must be a number, at least 0, or None\. Received: "):
        export(Linear(8, 2), tmp_path / "net.onnx", X, tolerance=tolerance)


def test_a_trial_with_nan_proves_nothing(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^example must hold numbers"):
        export(Linear(8, 2), tmp_path / "net.onnx", X * torch.nan)
    export(Linear(8, 2), tmp_path / "net.onnx", X * torch.nan, tolerance=None)


def test_only_layers_and_tensors_are_taken(tmp_path: Path):
    with pytest.raises(TypeError, match=r"^export expects a layer\. Received: .*Linear"):
        export(torch.nn.Linear(8, 2), tmp_path / "net.onnx", X)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^example must be .* Received: list$"):
        export(Made(lambda x: torch.zeros(2)), tmp_path / "net.onnx", [1, 2])


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path):
    with pytest.raises(OSError, match="nowhere"):
        export(Tanh(), tmp_path / "nowhere" / "net.onnx", X)


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_extra_is_named(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=rf"^{missing} is needed here, .* 'minigrad-torch\[onnx\]'"):
        export(Tanh(), tmp_path / "net.onnx", X)


def test_onnxruntime_is_not_needed_where_it_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    export(Tanh(), tmp_path / "net.onnx", X, tolerance=None)
    monkeypatch.undo()
    torch.testing.assert_close(run(tmp_path / "net.onnx", X), X.tanh())


def test_only_who_exports_imports_onnx():
    import subprocess

    code = "import sys, minigrad, minigrad.interop.onnx; print([m for m in sys.modules if m.startswith('onnx')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_file_can_be_read_from_memory(tmp_path: Path):
    export(xor(), tmp_path / "net.onnx", torch.zeros(4, 2))
    assert len(onnx.load(io.BytesIO((tmp_path / "net.onnx").read_bytes())).graph.node) == 4
