"""The built-in initializers."""

from minigrad.initializers.constant import Constant, Ones, Zeros
from minigrad.initializers.random import Normal, TruncNormal, Uniform
from minigrad.initializers.scaled import KaimingNormal, KaimingUniform, Orthogonal, XavierNormal, XavierUniform

__all__ = [
    "Constant",
    "KaimingNormal",
    "KaimingUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TruncNormal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
]
