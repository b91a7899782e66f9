"""The contracts: Parameter, Layer, Loss, Optimizer, Callback, Metric, Dataset and their kin. Knows only torch."""

from minigrad.core.activation import Activation
from minigrad.core.arrays import as_tensors
from minigrad.core.callback import Callback, Mode, Run
from minigrad.core.component import Component, constructor_arguments
from minigrad.core.converter import Convert, Converter, torch_twin
from minigrad.core.dataset import Data, Dataset, Pair
from minigrad.core.extras import require
from minigrad.core.initializer import Initializer
from minigrad.core.kernel import kernel
from minigrad.core.layer import Layer
from minigrad.core.loss import Loss, Reduction
from minigrad.core.metric import Metric
from minigrad.core.optimizer import Optimizer
from minigrad.core.parameter import Parameter, Receiver, receive_gradients
from minigrad.core.scalar import scalar
from minigrad.core.schedule import Schedule
from minigrad.core.wrapper import Wrapper, is_innermost, is_whole, map_layers

__all__ = [
    "Activation",
    "Callback",
    "Component",
    "Convert",
    "Converter",
    "Data",
    "Dataset",
    "Initializer",
    "Layer",
    "Loss",
    "Metric",
    "Mode",
    "Optimizer",
    "Pair",
    "Parameter",
    "Receiver",
    "Reduction",
    "Run",
    "Schedule",
    "Wrapper",
    "as_tensors",
    "constructor_arguments",
    "is_innermost",
    "is_whole",
    "kernel",
    "map_layers",
    "receive_gradients",
    "require",
    "scalar",
    "torch_twin",
]
