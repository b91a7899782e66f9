"""Examples under a name."""

from minigrad.datasets.csv import CSV
from minigrad.datasets.digits import Digits
from minigrad.datasets.iris import Iris
from minigrad.datasets.moons import Moons
from minigrad.datasets.npz import NPZ
from minigrad.datasets.spirals import Spirals
from minigrad.datasets.text import Text
from minigrad.datasets.xor import XOR

__all__ = [
    "CSV",
    "NPZ",
    "XOR",
    "Digits",
    "Iris",
    "Moons",
    "Spirals",
    "Text",
]
