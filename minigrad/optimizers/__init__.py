"""The built-in optimizers."""

from minigrad.optimizers.sgd import SGD

__all__ = ["SGD"]
