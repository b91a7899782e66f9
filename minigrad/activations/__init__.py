"""The built-in activations."""

from minigrad.activations.sigmoid import Sigmoid

__all__ = ["Sigmoid"]
