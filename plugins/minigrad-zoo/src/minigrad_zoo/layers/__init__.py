"""Bilinear, PairwiseDistance, and the family of Dropout."""

from minigrad_zoo.layers.alpha_dropout import AlphaDropout, FeatureAlphaDropout
from minigrad_zoo.layers.bilinear import Bilinear
from minigrad_zoo.layers.channel_dropout import Dropout1d, Dropout2d, Dropout3d
from minigrad_zoo.layers.pairwise_distance import PairwiseDistance

__all__ = [
    "AlphaDropout",
    "Bilinear",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "PairwiseDistance",
]
