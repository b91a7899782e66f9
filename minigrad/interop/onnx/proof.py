"""Whether onnxruntime computes with a model what the net computes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from minigrad.core import Layer, require
from minigrad.interop.onnx.guests import Fault, first_line
from minigrad.interop.onnx.tracing import numbered, resized

# Numbers in one input; beyond it, a trial would take more memory than people expect.
_MOST = 2**24


def prove(
    content: bytes,
    net: Layer,
    inputs: Sequence[Tensor],
    dynamic_axes: Sequence[int],
    limits: Iterable[tuple[int, int]],
    tolerance: float,
) -> None:
    """Run the model on the example, and on examples of other sizes, and compare with what the net predicts.

    Args:
        content: The model.
        net: Of which it was made.
        inputs: The example, one tensor for each input.
        dynamic_axes: The axes that may have other sizes.
        limits: Axes, and sizes for which torch does not vouch.
        tolerance: How far apart two numbers may be, in units of the largest one in the output, or of 1.

    Raises:
        Fault: If onnxruntime cannot run the model, or computes something else.
    """
    runtime = require("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    shapes = ""
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        used = {value.name for value in session.get_inputs()}
        for trial, expected in _trials(net, inputs, dynamic_axes, limits):
            shapes = f" on inputs of shape {', '.join(str(tuple(x.shape)) for x in trial)}"
            named = zip(numbered("x", len(trial)), trial, strict=True)
            found = session.run(None, {name: x.cpu().numpy() for name, x in named if name in used})
            for y, other in zip(expected, found, strict=True):
                _expect_equal(y.cpu(), torch.as_tensor(other), tolerance, shapes)
    except Fault:
        raise
    except Exception as error:
        halved = [
            x for x in (*net.state_dict().values(), *inputs) if x.is_floating_point() and x.dtype != torch.float32
        ]
        advice = (
            f" It has few operators for {halved[0].dtype}: net.to(torch.float32) is what it knows." if halved else ""
        )
        raise Fault(f"onnxruntime cannot run it{shapes}.{advice} Received: {first_line(error)}") from error


def _trials(
    net: Layer, inputs: Sequence[Tensor], dynamic_axes: Sequence[int], limits: Iterable[tuple[int, int]]
) -> Iterator[tuple[Sequence[Tensor], list[Tensor]]]:
    """Inputs of several sizes, and what the net makes of them."""
    yield inputs, _outputs(net, inputs)
    if not dynamic_axes:
        return
    known = {x.shape[axis] for x in inputs for axis in dynamic_axes}
    taken = False
    for size in sorted({1, 2} | {size + 1 for size in known}):
        trial = [resized(x, dynamic_axes, size) for x in inputs]
        if (expected := _outputs_if_taken(net, trial)) is not None:
            yield trial, expected
            taken = taken or known != {size}
    for axis, size in sorted(limits):
        if any(x.numel() // max(x.shape[axis], 1) * size > _MOST for x in inputs):
            continue
        trial = [resized(x, [axis], size) for x in inputs]
        if (expected := _outputs_if_taken(net, trial)) is not None:
            yield trial, expected
    if not taken:
        raise Fault(
            f"the axes in dynamic_axes={tuple(dynamic_axes)} of its input cannot be left open: it works only with "
            f"sizes like the example's. Received: {sorted(known)}"
        )


def _outputs_if_taken(net: Layer, inputs: Sequence[Tensor]) -> list[Tensor] | None:
    try:
        return _outputs(net, inputs)
    except Exception:
        return None  # no size that this net takes


def _outputs(net: Layer, inputs: Sequence[Tensor]) -> list[Tensor]:
    y = net.predict(inputs[0] if len(inputs) == 1 else tuple(inputs))
    return [part for part in pytree.tree_leaves(y) if isinstance(part, Tensor)]


def _expect_equal(y: Tensor, other: Any, tolerance: float, shapes: str) -> None:
    if y.shape != other.shape or y.dtype != other.dtype:
        raise Fault(
            f"onnxruntime must give {y.dtype} of shape {tuple(y.shape)}{shapes}. "
            f"Received: {other.dtype} of shape {tuple(other.shape)}"
        )
    ours, theirs = y.double(), other.double()
    bound = tolerance * max(1.0, ours[ours.isfinite()].abs().max().item() if ours.isfinite().any() else 1.0)
    apart = (ours - theirs).abs().nan_to_num(torch.inf)
    apart[(ours == theirs) | (ours.isnan() & theirs.isnan())] = 0
    if (apart > bound).any():
        raise Fault(
            f"onnxruntime must compute what the net does, to {bound:.1g}{shapes}. "
            f"Received: numbers that are {apart.max().item():.2g} apart"
        )
