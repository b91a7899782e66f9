"""export: a net as an ONNX file, of which it is proven that it computes the same."""

import copy
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, as_tensors, require
from minigrad.errors import ConversionError
from minigrad.files import write_file
from minigrad.interop.conversion import spelt
from minigrad.interop.lookup import called
from minigrad.interop.onnx.guests import Fault, Net, Visit
from minigrad.interop.onnx.proof import prove
from minigrad.interop.onnx.quiet import quiet
from minigrad.interop.onnx.tracing import MAX_BYTES, model_of
from minigrad.interop.places import places


def export(
    net: Layer,
    path: str | os.PathLike[str],
    example: Any,
    *,
    dynamic_axes: Sequence[int] = (0,),
    opset_version: int | None = None,
    tolerance: float | None = 1e-5,
) -> None:
    """Write what a net predicts as an ONNX file, which other programs run without minigrad, torch or Python.

    torch follows `net.predict` on the example, layer by layer, so every layer whose `predict` is made of torch
    functions can be exported, a plugin's too, whether or not torch has a module like it. Then onnxruntime runs the
    result on the example and on examples of other sizes, those too at which the net was seen to do something else;
    nothing is written unless it computes what the net does. The input is called `x` (several are `x0`, `x1`, ...), the
    output `y`, the weights as in the state dict, and each node after the layer that it comes from.

    Args:
        net: It is left as it is.
        path: Where to write; the folder must exist. The file is replaced whole, or not at all.
        example: What the net may be given, a tensor or an array; a tuple of them for a net with several inputs.
        dynamic_axes: The axes of every input that may have another size than in the example. The first, which is 0, is
            the batch; `(0, 1)` leaves open how long sequences are, and `()` leaves nothing open.
        opset_version: Which edition of ONNX's operators to use; `None` takes the one that torch's exporter prefers.
        tolerance: How far onnxruntime may be from the net, in units of the largest number in the output, or of 1 if all
            are smaller. `None` writes the file without a trial, for a runtime that can do more than onnxruntime.

    Raises:
        MissingExtraError: If the extra `onnx` is not installed.
        ConversionError: If a layer cannot be exported; it names the layer and the cause. Also if an axis cannot be left
            open, or the weights are too large for one file, 2 GiB.
        ValueError: If the example lacks one of the axes or holds NaN, torch cannot write that edition of the operators,
            or `tolerance` is no number that is at least 0.
        OSError: If the file cannot be written.

    Examples:
        >>> import tempfile
        >>> from minigrad.activations import Sigmoid
        >>> from minigrad.layers import Linear, Sequential
        >>> net = Sequential(Linear(2, 3), Sigmoid(), Linear(3, 1))
        >>> file = tempfile.mkdtemp() + "/net.onnx"
        >>> export(net, file, torch.zeros(4, 2))
        >>> session = require("onnxruntime", "onnx").InferenceSession(file)
        >>> x = torch.rand(7, 2)
        >>> torch.allclose(torch.tensor(session.run(["y"], {"x": x.numpy()})[0]), net(x), atol=1e-6)
        True

    References:
        "Open Neural Network Exchange", onnx.ai.
    """
    with quiet():
        for module in ("onnx", "onnxscript", *(["onnxruntime"] if tolerance is not None else [])):
            require(module, "onnx")
    axes = tuple(dynamic_axes) if isinstance(dynamic_axes, Iterable) else None
    if axes is None or any(isinstance(axis, bool) or not isinstance(axis, int) for axis in axes):
        raise ValueError(f"dynamic_axes must be a tuple of axes, as in (0, 1). Received: dynamic_axes={dynamic_axes!r}")
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance must be a number, at least 0, or None. Received: tolerance={tolerance}")
    if not isinstance(net, Layer):
        raise TypeError(f"export expects a layer. Received: {net!r} ({type(net).__name__})")
    x = as_tensors(example, net)
    with torch.random.fork_rng(devices=[]):
        net.predict(x)  # whatever is wrong with the example, the net itself says it best
    task = _Task(axes, opset_version, tolerance)
    inputs = task.inputs(x)
    _expect_small(net)
    if tolerance is not None and any(tensor.isnan().any() for tensor in inputs):
        raise ValueError("example must hold numbers, for a trial with NaN proves nothing. Received: a NaN")
    with quiet():
        content = task.export(net, inputs)
    write_file(path, content)


@dataclass(frozen=True)
class _Task:
    """How a net, or a part of it, is exported."""

    dynamic_axes: Sequence[int]
    opset_version: int | None
    tolerance: float | None

    def inputs(self, x: Any) -> tuple[Tensor, ...]:
        """The input or the inputs, each with the axes that stay open."""
        inputs = x if isinstance(x, tuple) else (x,)
        for tensor in inputs:
            if not isinstance(tensor, Tensor):
                name = type(tensor).__name__
                raise TypeError(f"example must be a tensor or an array, or a tuple of them. Received: {name}")
            if any(not 0 <= axis < tensor.dim() for axis in self.dynamic_axes):
                raise ValueError(
                    f"dynamic_axes must be axes of every input. Received: dynamic_axes={tuple(self.dynamic_axes)}, "
                    f"an input of shape {tuple(tensor.shape)}"
                )
        return tuple(tensor.detach() for tensor in inputs)

    def export(self, net: Layer, inputs: Sequence[Tensor]) -> bytes:
        """The model, or an error that names the layer."""
        try:
            return self.attempt(net, inputs)
        except Fault as fault:
            fault, visit = self.explain(net, inputs, fault)
            raise ConversionError(f"{spelt(visit.path)} ({called(type(visit.layer))}): {fault}") from fault.__cause__

    def attempt(self, net: Layer, inputs: Sequence[Tensor]) -> bytes:
        """The model."""
        content, limits = model_of(net, inputs, self.dynamic_axes, self.opset_version)
        if self.tolerance is not None:
            prove(content, net, inputs, self.dynamic_axes, limits, self.tolerance)
        return content

    def explain(self, net: Layer, inputs: Sequence[Tensor], fault: Fault) -> tuple[Fault, Visit]:
        """Which layer is to blame: the innermost that cannot be exported by itself, or else the whole net."""
        if fault.visit is not None:
            return fault, fault.visit
        whole = Net(copy.deepcopy(net).to("cpu"))
        whole(*(x.cpu() for x in inputs))
        tried: set[str] = set()
        alone = replace(self, dynamic_axes=())  # who knows where the batch is in the midst of a net
        for visit in sorted(whole.diary.visits, key=lambda visit: -len(visit.path.split(".")) if visit.path else 0):
            if visit.path and repr(visit.layer) not in tried:
                tried.add(repr(visit.layer))
                try:
                    alone.attempt(visit.layer, alone.inputs(visit.x))
                except Fault as own:
                    return own, visit
        return fault, Visit("", net, None)


def _expect_small(net: Layer) -> None:
    tensors = {id(place.tensor): place.tensor for place in places(net)}
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if size > MAX_BYTES:
        raise ConversionError(
            f"the weights must fit into one ONNX file, which holds {MAX_BYTES:,} bytes of them; torch.onnx.export of "
            f"minigrad.to_torch(net) can write them beside it. Received: {size:,} bytes"
        )
