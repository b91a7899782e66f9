"""The built-in layers."""

from minigrad.layers.linear import Linear
from minigrad.layers.sequential import Sequential

__all__ = ["Linear", "Sequential"]
