"""The laws, by what they are about; importing this package fills `minigrad.testing.law.LAWS`."""

from minigrad.testing.laws import (
    basics,
    callbacks,
    datasets,
    gradients,
    initializers,
    losses,
    memory,
    metrics,
    optimizer_state,
    optimizers,
    schedules,
    state,
    tensors,
    transforms,
    values,
)

__all__ = [
    "basics",
    "callbacks",
    "datasets",
    "gradients",
    "initializers",
    "losses",
    "memory",
    "metrics",
    "optimizer_state",
    "optimizers",
    "schedules",
    "state",
    "tensors",
    "transforms",
    "values",
]
