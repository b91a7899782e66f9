"""The laws, by what they are about; importing this package fills `minigrad.testing.law.LAWS`."""

from minigrad.testing.laws import (
    basics,
    gradients,
    losses,
    memory,
    optimizer_state,
    optimizers,
    state,
    tensors,
    transforms,
    values,
)

__all__ = [
    "basics",
    "gradients",
    "losses",
    "memory",
    "optimizer_state",
    "optimizers",
    "state",
    "tensors",
    "transforms",
    "values",
]
