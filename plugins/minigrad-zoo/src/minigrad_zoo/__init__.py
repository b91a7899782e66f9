"""The activations, losses, dropouts and Bilinear of torch.nn that minigrad itself leaves out.

Examples:
    >>> import torch
    >>> from minigrad_zoo import CELU, Bilinear, TripletMargin
    >>> y, cache = CELU().forward(torch.zeros(3))
    >>> CELU().backward(torch.ones(3), cache)
    tensor([1., 1., 1.])
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from minigrad_zoo.activations import (
        CELU,
        GLU,
        Hardshrink,
        Hardsigmoid,
        Hardtanh,
        ReLU6,
        RReLU,
        Softmax2d,
        Softmin,
        Softshrink,
        Softsign,
        Tanhshrink,
        Threshold,
    )
    from minigrad_zoo.layers import (
        AlphaDropout,
        Bilinear,
        Dropout1d,
        Dropout2d,
        Dropout3d,
        FeatureAlphaDropout,
        PairwiseDistance,
    )
    from minigrad_zoo.losses import (
        CTC,
        CosineEmbedding,
        GaussianNLL,
        HingeEmbedding,
        MarginRanking,
        MultiLabelMargin,
        MultiLabelSoftMargin,
        MultiMargin,
        PoissonNLL,
        SoftMargin,
        TripletMargin,
        TripletMarginWithDistance,
    )

__all__ = [
    "CELU",
    "CTC",
    "GLU",
    "AlphaDropout",
    "Bilinear",
    "CosineEmbedding",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "GaussianNLL",
    "Hardshrink",
    "Hardsigmoid",
    "Hardtanh",
    "HingeEmbedding",
    "MarginRanking",
    "MultiLabelMargin",
    "MultiLabelSoftMargin",
    "MultiMargin",
    "PairwiseDistance",
    "PoissonNLL",
    "RReLU",
    "ReLU6",
    "SoftMargin",
    "Softmax2d",
    "Softmin",
    "Softshrink",
    "Softsign",
    "Tanhshrink",
    "Threshold",
    "TripletMargin",
    "TripletMarginWithDistance",
]

_PARTS = ("activations", "layers", "losses")


def __getattr__(name: str) -> object:
    # A part of the zoo is imported when something in it is first asked for.
    if name in __all__:
        for part in (_import_module(f"minigrad_zoo.{part}") for part in _PARTS):
            if name in part.__all__:
                return globals().setdefault(name, getattr(part, name))
    raise AttributeError(f"module 'minigrad_zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
