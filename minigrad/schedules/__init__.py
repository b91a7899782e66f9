"""The built-in learning-rate schedules."""

from minigrad.schedules.decay import CosineAnnealingLR, ExponentialLR, LinearLR, StepLR
from minigrad.schedules.one_cycle import OneCycleLR
from minigrad.schedules.plateau import ReduceLROnPlateau
from minigrad.schedules.sequential import SequentialLR

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LinearLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
