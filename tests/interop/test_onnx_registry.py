"""Every registered activation and layer can be exported, or is refused by name."""

import functools
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor
from torch.onnx._internal.exporter._registration import ONNXRegistry

from minigrad.core import Layer
from minigrad.errors import ConversionError
from minigrad.interop.onnx import export
from minigrad.registry import components, current_registry
from minigrad.testing.samples import cases_of

COMPONENTS = {f"{c.kind} {c.id}": (c.kind, c.id) for c in components() if c.kind in ("activation", "layer")}
CLASSES = {name: current_registry().get(kind, identifier) for name, (kind, identifier) in COMPONENTS.items()}

FROM_TORCHLIB: Any = ONNXRegistry.from_torchlib.__func__  # type: ignore[attr-defined]

# What onnxruntime has no float64 kernel for, and torch no simpler operators: Erf.
NOT_IN_FLOAT64 = {"GELU()"}


def samples(name: str, dtype: torch.dtype) -> list[tuple[Layer, Any, tuple[int, ...]]]:
    """Each way to make a component, once, with its input and the axis of the batch."""
    found: dict[str, tuple[Layer, Any, tuple[int, ...]]] = {}
    for case in cases_of(CLASSES[name]):
        layer: Any = case.make()
        (x,) = case.arguments()
        x = torch.utils._pytree.tree_map_only(Tensor, lambda t: t.to(dtype) if t.is_floating_point() else t, x)
        axes = () if case.batch_dim is None else (case.batch_dim,)
        found.setdefault(f"{layer!r} {axes}", (layer.to(dtype), x, axes))
    return list(found.values())


@pytest.fixture(autouse=True)
def _operators_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's exporter reads its list of operators anew for each export, which takes most of the time."""
    monkeypatch.setattr(ONNXRegistry, "from_torchlib", classmethod(_operators))


@functools.cache
def _operators(cls: Any, opset_version: int) -> Any:
    return FROM_TORCHLIB(cls, opset_version)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_registered_component_is_exported(name: str, tmp_path: Path):
    for dtype in (torch.float32, torch.float64):
        for layer, x, axes in samples(name, dtype)[: None if dtype == torch.float32 else 1]:
            file = tmp_path / "net.onnx"
            if dtype == torch.float64 and repr(layer) in NOT_IN_FLOAT64:
                with pytest.raises(ConversionError, match=rf"^net \(\S+\.{type(layer).__name__}\): "):
                    export(layer, file, x, dynamic_axes=axes)
                assert not file.exists()
                continue
            export(layer, file, x, dynamic_axes=axes)
            session = onnxruntime.InferenceSession(file)
            inputs = x if isinstance(x, tuple) else (x,)
            fed = {value.name: tensor.numpy() for value, tensor in zip(session.get_inputs(), inputs, strict=True)}
            y = layer.predict(x)
            for ours, theirs in zip(y if isinstance(y, tuple) else (y,), session.run(None, fed), strict=True):
                torch.testing.assert_close(torch.as_tensor(theirs), ours, atol=1e-5, rtol=1e-5)
            file.unlink()
