"""Cases of the built-in layers."""

from typing import Any

import torch

from minigrad.activations import Sigmoid
from minigrad.core import Layer
from minigrad.layers import Linear, Sequential
from minigrad.testing.case import Case, draw

INTEGERS = torch.tensor([[0, 3, 1], [4, 4, 2]])


def linear(cls: Any) -> list[Case]:
    """With and without bias, on one to three axes."""
    wrong = (draw(4, 5), torch.zeros(4, 3, dtype=torch.int64), draw(4, 3).double(), torch.tensor(1.0), "text", None)
    return [
        Case(lambda: cls(3, 2), draw(5, 3), wrong=wrong),
        Case(lambda: cls(3, 2, bias=False), draw(5, 3), "no bias"),
        Case(lambda: cls(3, 2), draw(2, 4, 3), "three axes"),
        Case(lambda: cls(3, 2), draw(3), "one axis", batch_dim=None),
    ]


def sequential(cls: Any) -> list[Case]:
    """With a shared activation, with shared weights, with names, and empty."""

    def shared() -> Layer:
        sigmoid = Sigmoid()
        return cls(Linear(3, 4), sigmoid, Linear(4, 2), sigmoid)

    def nested() -> Layer:
        linear = Linear(3, 3)
        return cls({"first": linear, "rest": cls(Sigmoid(), linear)})

    return [
        Case(shared, draw(5, 3), "shared activation", wrong=(draw(5, 2), "text")),
        Case(nested, draw(5, 3), "named, nested, shared weights"),
        Case(cls, draw(5, 3), "empty"),
    ]


def residual(cls: Any) -> list[Case]:
    """Around an activation, and around a net."""
    return [
        Case(lambda: cls(Sigmoid()), draw(5, 3)),
        Case(
            lambda: cls(Sequential(Linear(3, 4), Sigmoid(), Linear(4, 3))),
            draw(5, 3),
            "around a net",
            wrong=(draw(5, 2),),
        ),
        Case(lambda: cls(Sequential()), draw(5, 3), "around nothing"),
    ]


def parallel(cls: Any) -> list[Case]:
    """Branches that are added, and branches that are put side by side."""
    return [
        Case(lambda: cls(Linear(3, 2), Sequential(Linear(3, 2), Sigmoid())), draw(5, 3), "sum", wrong=(draw(5, 2),)),
        Case(lambda: cls(Linear(3, 2), Linear(3, 4), merge="cat"), draw(5, 3), "side by side", wrong=(draw(5, 2),)),
    ]


def flatten(cls: Any) -> list[Case]:
    """All axes but the first, and a part of them."""
    return [
        Case(cls, draw(5, 2, 3), wrong=("text",)),
        Case(lambda: cls(start_dim=1, end_dim=2), draw(3, 2, 2, 2), "a part"),
    ]


def unflatten(cls: Any) -> list[Case]:
    """One axis into two."""
    return [Case(lambda: cls(1, (2, 3)), draw(5, 6), wrong=(draw(5, 5), "text"))]


def dropout(cls: Any) -> list[Case]:
    """Half of the elements, none of them, all of them."""
    return [
        Case(cls, draw(5, 4), predict_differs=True, wrong=("text", INTEGERS)),
        Case(lambda: cls(p=0.0), draw(5, 4)),
        Case(lambda: cls(p=1.0), draw(5, 4), predict_differs=True),
    ]


def embedding(cls: Any) -> list[Case]:
    """On one and two axes of indices."""
    return [
        Case(lambda: cls(5, 3), INTEGERS, wrong=(draw(2, 3), "text")),
        Case(lambda: cls(5, 3), INTEGERS[0], "one axis"),
    ]


def norm(cls: Any) -> list[Case]:
    """Over the last axis and over two, with and without parameters."""
    return [
        Case(lambda: cls(4), draw(5, 4), wrong=(draw(5, 3), INTEGERS, "text")),
        Case(lambda: cls((3, 4), eps=1e-3), draw(2, 3, 4), "two axes"),
        Case(lambda: cls(4, elementwise_affine=False), draw(5, 4), "no parameters"),
    ]


def self_attention(cls: Any) -> list[Case]:
    """One head and several, causal, without bias, with dropout, on two and on four axes."""
    wrong = (draw(2, 5, 3), draw(4), torch.zeros(2, 5, 4, dtype=torch.int64), draw(2, 5, 4).double(), "text", None)
    return [
        Case(lambda: cls(4, 2), draw(3, 5, 4), wrong=wrong),
        Case(lambda: cls(4, 1, causal=True), draw(3, 5, 4)),
        Case(lambda: cls(6, 3, bias=False, causal=True), draw(3, 2, 6), "no bias"),
        Case(lambda: cls(4, 2, dropout=0.5), draw(3, 5, 4), predict_differs=True),
        Case(lambda: cls(4, 2, causal=True), draw(5, 4), "no batch", batch_dim=None),
        Case(lambda: cls(4, 2), draw(2, 3, 5, 4), "four axes"),
    ]


def positional_embedding(cls: Any) -> list[Case]:
    """Of a sequence that is as long as can be, and of shorter ones."""
    wrong = (draw(2, 6, 3), draw(2, 5, 4), draw(3), torch.zeros(2, 5, 3, dtype=torch.int64), draw(2, 5, 3).double())
    return [
        Case(lambda: cls(5, 3), draw(2, 5, 3), wrong=(*wrong, "text")),
        Case(lambda: cls(5, 3), draw(2, 4, 3), "shorter"),
        Case(lambda: cls(5, 3), draw(2, 2, 1, 3), "four axes"),
        Case(lambda: cls(5, 3), draw(5, 3), "no batch", batch_dim=None),
    ]


def transpose(cls: Any) -> list[Case]:
    """Two dimensions beside the batch."""
    return [
        Case(lambda: cls(1, 2), draw(5, 2, 3), wrong=(draw(5, 2), "text")),
        Case(lambda: cls(-1, -3), draw(5, 2, 1, 3), "from the end"),
    ]


SAMPLES = {
    "Dropout": dropout,
    "Embedding": embedding,
    "Flatten": flatten,
    "LayerNorm": norm,
    "Linear": linear,
    "Parallel": parallel,
    "PositionalEmbedding": positional_embedding,
    "RMSNorm": norm,
    "Residual": residual,
    "SelfAttention": self_attention,
    "Sequential": sequential,
    "Transpose": transpose,
    "Unflatten": unflatten,
}
