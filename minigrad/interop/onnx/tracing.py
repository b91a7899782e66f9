"""From a net to the bytes of an ONNX model: torch follows the net, and its exporter finds the operators."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy  # type: ignore[import-untyped]  # torch brings it, and writes its conditions in it
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from minigrad._version import __version__
from minigrad.core import Layer, require
from minigrad.interop.onnx.guests import Fault, Net, first_line, path_of
from minigrad.interop.places import places

# onnxruntime has no float64 kernels for these and for prelu, which simpler operators say, too.
_NOT_IN_FLOAT64 = ("celu", "elu", "hardsigmoid", "hardswish", "leaky_relu", "mish", "selu", "softplus")

# One file of protocol buffers holds 2 GiB; the graph beside the weights is small.
MAX_BYTES = 2**31 - 2**24


def model_of(
    net: Layer, inputs: Sequence[Tensor], dynamic_axes: Sequence[int], opset_version: int | None
) -> tuple[bytes, set[tuple[int, int]]]:
    """The ONNX model of what `net` predicts, checked against the standard but not yet run, and what it may miss.

    Args:
        net: Any layer.
        inputs: One tensor for each input.
        dynamic_axes: The axes of every input whose size is left open.
        opset_version: Which edition of the operators; `None` is the one that torch's exporter is made for.

    Returns:
        The model's bytes, and axes with sizes for which torch does not vouch: the net looked at a size on its way, so
        that for others it may do something else, or refuse them.

    Raises:
        Fault: If torch cannot follow the net, ONNX has not what it computes, or an axis cannot be left open.
        ValueError: If torch cannot write that edition.
    """
    onnx = require("onnx", "onnx")
    program = _followed(net, tuple(_larger(x, dynamic_axes).cpu() for x in inputs), dynamic_axes)
    limits = set(_limits(program, dynamic_axes))
    program = _in_operators_of_onnxruntime(program)
    names = numbered("x", len(inputs)), numbered("y", len(program.graph_signature.user_outputs))
    try:
        found: Any = torch.onnx.export(
            program, input_names=names[0], output_names=names[1], opset_version=opset_version, verbose=False
        )
    except Exception as error:
        raise Fault(f"ONNX has not what it computes. Received: {first_line(_root(error))}") from error
    model = found.model_proto
    edition = next(opset.version for opset in model.opset_import if not opset.domain)
    if opset_version not in (None, edition):
        raise ValueError(
            f"opset_version must be one that torch's exporter can write, such as {edition}. "
            f"Received: opset_version={opset_version}"
        )
    _tidy(model, _first_names(net), dynamic_axes)
    content: bytes = model.SerializeToString(deterministic=True)
    try:
        onnx.checker.check_model(content, full_check=True)
    except Exception as error:
        raise Fault(f"the ONNX standard does not allow it. Received: {first_line(error)}") from error
    return content, limits


def numbered(name: str, count: int) -> list[str]:
    """The name of one thing, or of several.

    Examples:
        >>> numbered("x", 1), numbered("x", 2)
        (['x'], ['x0', 'x1'])
    """
    return [name] if count == 1 else [f"{name}{i}" for i in range(count)]


def resized(x: Tensor, axes: Sequence[int], size: int) -> Tensor:
    """The same tensor with that size along some axes: rows are left out, or come again.

    Examples:
        >>> resized(torch.tensor([5, 7]), [0], 3), resized(torch.zeros(0, 1), [0], 2)
        (tensor([5, 7, 5]), tensor([[0.],
                [0.]]))
    """
    for axis in axes:
        if x.shape[axis] == 0:
            x = x.new_zeros([*x.shape[:axis], 1, *x.shape[axis + 1 :]])
        x = x.index_select(axis, torch.arange(size, device=x.device) % x.shape[axis])
    return x


def _larger(x: Tensor, axes: Sequence[int]) -> Tensor:
    # A size of 0 or 1 is a special case to torch, and what it follows then holds for that size alone.
    return resized(x, [axis for axis in axes if x.shape[axis] < 2], 2)


def _followed(net: Layer, inputs: tuple[Tensor, ...], dynamic_axes: Sequence[int]) -> torch.export.ExportedProgram:
    """What the net does to tensors of any size along the dynamic axes."""
    open_axes = dict.fromkeys(dynamic_axes, torch.export.Dim.AUTO)
    guest = Net(net)
    try:
        program = torch.export.export(guest, inputs, dynamic_shapes=(tuple(open_axes for _ in inputs),), strict=False)
    except Exception as error:
        innermost = guest.diary.innermost_failure()
        raise Fault(f"torch.export cannot follow it. Received: {first_line(_root(error))}", innermost) from error
    for axis, size in _sizes(program, dynamic_axes):
        fixed = size if isinstance(size, int) else size.node.maybe_as_int()
        if fixed is not None:
            raise Fault(f"axis {axis} of its input cannot be left open: it works only with size {fixed} there")
    return program


def _sizes(program: torch.export.ExportedProgram, dynamic_axes: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """Each open axis of each input, with the size or the symbol that stands for it."""
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs:
            yield from ((axis, node.meta["val"].shape[axis]) for axis in dynamic_axes)


def _limits(program: torch.export.ExportedProgram, dynamic_axes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Sizes of one open axis, beside those of the example, that break a condition which torch met on its way."""
    for axis, size in _sizes(program, dynamic_axes):
        symbol, environment = size.node.expr, size.node.shape_env
        hints = {other: hint for other, hint in environment.backed_var_to_val.items() if other != symbol}
        conditions = [guard.expr.subs(hints) for guard in environment.guards]
        upper = getattr(program.range_constraints.get(symbol), "upper", None)
        near = {int(upper) + 1} if isinstance(upper, sympy.Integer) else set()
        for condition in conditions:
            # A condition changes near the numbers in it, or near products of them, whatever it is.
            numbers = {1, *map(int, condition.atoms(sympy.Integer))}
            near |= {one * other + step for one in numbers for other in numbers for step in (-1, 0, 1)}
        for number in near:
            if number > 0 and any(condition.subs(symbol, number) == sympy.false for condition in conditions):
                yield axis, number


def _in_operators_of_onnxruntime(program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    """The same in float64, where onnxruntime lacks some operators."""
    if any(_is_float64(node.meta.get("val")) for node in program.graph.nodes):
        simpler: dict[Any, Any] = dict(
            torch._decomp.get_decompositions([getattr(torch.ops.aten, name) for name in _NOT_IN_FLOAT64])
        )
        program = program.run_decompositions(simpler | {torch.ops.aten.prelu.default: _prelu})
    return program


def _prelu(x: Tensor, weight: Tensor) -> Tensor:
    if weight.numel() > 1:
        weight = weight.reshape([-1] + [1] * (x.dim() - 2))
    return torch.where(x > 0, x, weight * x)


def _is_float64(values: Any) -> bool:
    return any(isinstance(value, Tensor) and value.dtype == torch.float64 for value in pytree.tree_leaves(values))


def _root(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _root(error.__cause__)


def _tidy(model: Any, first_names: Mapping[str, str], dynamic_axes: Sequence[int]) -> None:
    """Say who made it, give nodes and weights the names that they have in the net, and drop this machine's paths."""
    model.producer_name, model.producer_version = "minigrad", __version__
    graph = model.graph
    named = [tensor.name for tensor in graph.initializer if tensor.name.startswith("net.")]
    renamed = {name: first_names.get(path_of(name), path_of(name)) for name in named}
    taken: dict[str, int] = {}
    for node in graph.node:
        node.name = _node_name(node, taken)
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.ClearField("doc_string")
    for named in (*graph.initializer, *graph.value_info):
        named.name = renamed.get(named.name, named.name)
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
    axes: dict[str, str] = {}
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        for axis in dynamic_axes:
            name = f"axis_{axis}" if axis else "batch"
            taken_by_another = name in axes.values() and dims[axis].dim_param not in axes
            axes.setdefault(dims[axis].dim_param, f"{value.name}_{name}" if taken_by_another else name)
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = re.sub(r"\w+", lambda found: axes.get(found[0], found[0]), dim.dim_param)


def _first_names(net: Layer) -> dict[str, str]:
    """Of each tensor's names, if it stands in several places, the first."""
    first: dict[int, str] = {}
    return {place.name: first.setdefault(id(place.tensor), place.name) for place in places(net)}


def _node_name(node: Any, taken: dict[str, int]) -> str:
    """`1/body/0/Gemm`: the layer's path in the net, and the operator."""
    scopes = next((p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"), "['net', '']")
    paths = [path_of(scope) for scope in ast.literal_eval(scopes)[:-1]]
    name = "/".join([*(paths[-1].split(".") if paths and paths[-1] else []), node.op_type])
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name}_{taken[name]}"
