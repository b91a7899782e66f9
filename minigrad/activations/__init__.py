"""The built-in activations."""

from minigrad.activations.elu import ELU, SELU
from minigrad.activations.gelu import GELU
from minigrad.activations.hardswish import Hardswish
from minigrad.activations.identity import Identity
from minigrad.activations.leaky_relu import LeakyReLU
from minigrad.activations.log_sigmoid import LogSigmoid
from minigrad.activations.mish import Mish
from minigrad.activations.prelu import PReLU
from minigrad.activations.relu import ReLU
from minigrad.activations.sigmoid import Sigmoid
from minigrad.activations.silu import SiLU
from minigrad.activations.softmax import LogSoftmax, Softmax
from minigrad.activations.softplus import Softplus
from minigrad.activations.tanh import Tanh

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Hardswish",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]
