"""Deliberately broken components, each with the law that is meant to catch it: the proof that the laws see.

Every class here is wrong on purpose. `GALLERY` lists them; a test proves that each is caught, by the law meant for it.
"""

from minigrad.testing.broken import (
    activations,
    callbacks,
    containers,
    datasets,
    layers,
    losses,
    metrics,
    optimizers,
    others,
    tensors,
)
from minigrad.testing.broken.gallery import GALLERY, Broken

__all__ = [
    "GALLERY",
    "Broken",
    "activations",
    "callbacks",
    "containers",
    "datasets",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "others",
    "tensors",
]
