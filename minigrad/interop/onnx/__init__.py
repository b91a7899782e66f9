"""Nets as ONNX files."""

from minigrad.interop.onnx.exporting import export

__all__ = ["export"]
