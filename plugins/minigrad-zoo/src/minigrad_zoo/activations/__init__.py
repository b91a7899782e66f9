"""The activations of torch.nn that minigrad itself leaves out."""

from minigrad_zoo.activations.celu import CELU
from minigrad_zoo.activations.glu import GLU
from minigrad_zoo.activations.hardsigmoid import Hardsigmoid
from minigrad_zoo.activations.hardtanh import Hardtanh, ReLU6
from minigrad_zoo.activations.rrelu import RReLU
from minigrad_zoo.activations.shrink import Hardshrink, Softshrink
from minigrad_zoo.activations.softmin import Softmax2d, Softmin
from minigrad_zoo.activations.softsign import Softsign
from minigrad_zoo.activations.tanhshrink import Tanhshrink
from minigrad_zoo.activations.threshold import Threshold

__all__ = [
    "CELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardtanh",
    "RReLU",
    "ReLU6",
    "Softmax2d",
    "Softmin",
    "Softshrink",
    "Softsign",
    "Tanhshrink",
    "Threshold",
]
