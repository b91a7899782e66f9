"""The activations, losses, dropouts and Bilinear of torch.nn that minigrad itself leaves out.

Examples:
    >>> import torch
    >>> from minigrad_zoo import CELU, Bilinear, TripletMargin
    >>> y, cache = CELU().forward(torch.zeros(3))
    >>> CELU().backward(torch.ones(3), cache)
    tensor([1., 1., 1.])
"""

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
