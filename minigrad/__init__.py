"""minigrad: a mini deep-learning framework on torch tensors in which every gradient is written down.

Examples:
    >>> import torch
    >>> import minigrad
    >>> net = minigrad.Sequential(minigrad.Linear(2, 1), minigrad.Sigmoid())
    >>> net(torch.zeros(4, 2)).shape
    torch.Size([4, 1])
"""

import typing as _typing
from importlib import import_module as _import_module

from minigrad._version import __version__
from minigrad.activations import (
    ELU,
    GELU,
    SELU,
    Hardswish,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from minigrad.core import (
    Activation,
    Component,
    Converter,
    Initializer,
    Layer,
    Loss,
    Optimizer,
    Parameter,
    Reduction,
    Schedule,
    Wrapper,
    kernel,
    map_layers,
    receive_gradients,
    scalar,
)
from minigrad.core.checks import check_floating
from minigrad.errors import (
    AmbiguousNameError,
    CacheError,
    ConfigError,
    ConversionError,
    DtypeError,
    MinigradError,
    PluginError,
    PluginLoadError,
    PluginWarning,
    RegistrationError,
    SanitizerError,
    ShapeError,
    StateDictError,
    TargetError,
    UnknownNameError,
)
from minigrad.initializers import (
    Constant,
    KaimingNormal,
    KaimingUniform,
    Normal,
    Ones,
    Orthogonal,
    TruncNormal,
    Uniform,
    XavierNormal,
    XavierUniform,
    Zeros,
)
from minigrad.layers import (
    Checked,
    Dropout,
    Embedding,
    Flatten,
    Frozen,
    LayerNorm,
    Linear,
    Parallel,
    Recompute,
    Residual,
    RMSNorm,
    Sequential,
    Tape,
    Timed,
    Trace,
    Traced,
    Unflatten,
)
from minigrad.losses import BCE
from minigrad.optimizers import SGD
from minigrad.registry import (
    Register,
    activation,
    build,
    components,
    describe,
    hookimpl,
    hookspec,
    initializer,
    layer,
    loss,
    optimizer,
    plugins,
    register_activation,
    register_initializer,
    register_layer,
    register_loss,
    register_optimizer,
    register_schedule,
    schedule,
)
from minigrad.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from minigrad.training import History, fit, train_step

if _typing.TYPE_CHECKING:
    from minigrad.explain import Summary, summary

# What few programs need is imported when it is first asked for.
_LATE = {
    "Summary": "minigrad.explain",
    "summary": "minigrad.explain",
}

__all__ = [
    "BCE",
    "ELU",
    "GELU",
    "SELU",
    "SGD",
    "Activation",
    "AmbiguousNameError",
    "CacheError",
    "Checked",
    "Component",
    "ConfigError",
    "Constant",
    "ConversionError",
    "Converter",
    "CosineAnnealingLR",
    "Dropout",
    "DtypeError",
    "Embedding",
    "ExponentialLR",
    "Flatten",
    "Frozen",
    "Hardswish",
    "History",
    "Identity",
    "Initializer",
    "KaimingNormal",
    "KaimingUniform",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LinearLR",
    "LogSigmoid",
    "LogSoftmax",
    "Loss",
    "MinigradError",
    "Mish",
    "Normal",
    "OneCycleLR",
    "Ones",
    "Optimizer",
    "Orthogonal",
    "PReLU",
    "Parallel",
    "Parameter",
    "PluginError",
    "PluginLoadError",
    "PluginWarning",
    "RMSNorm",
    "ReLU",
    "Recompute",
    "ReduceLROnPlateau",
    "Reduction",
    "Register",
    "RegistrationError",
    "Residual",
    "SanitizerError",
    "Schedule",
    "Sequential",
    "SequentialLR",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "StateDictError",
    "StepLR",
    "Summary",
    "Tanh",
    "Tape",
    "TargetError",
    "Timed",
    "Trace",
    "Traced",
    "TruncNormal",
    "Unflatten",
    "Uniform",
    "UnknownNameError",
    "Wrapper",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "__version__",
    "activation",
    "build",
    "check_floating",
    "components",
    "describe",
    "fit",
    "hookimpl",
    "hookspec",
    "initializer",
    "kernel",
    "layer",
    "loss",
    "map_layers",
    "optimizer",
    "plugins",
    "receive_gradients",
    "register_activation",
    "register_initializer",
    "register_layer",
    "register_loss",
    "register_optimizer",
    "register_schedule",
    "scalar",
    "schedule",
    "summary",
    "train_step",
]


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(_import_module(_LATE[name]), name)
    raise AttributeError(f"module 'minigrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
