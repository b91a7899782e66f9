"""What a fit works with, made from an estimator's parameters, which themselves stay as they are."""

import copy
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Activation, Layer, Optimizer, Schedule
from minigrad.errors import ConfigError, ShapeError
from minigrad.layers import Linear, Sequential
from minigrad.registry import build
from minigrad.training.named import made


def made_copy(kind: str, spec: Any) -> Any:
    """A component of a kind from an object, a name or a configuration, of which it shares nothing."""
    return made(kind, copy.deepcopy(spec))


def make_net(
    spec: Any, hidden: Sequence[int], activation: Any, n_features: int, n_outputs: int, last: Sequence[Layer] = ()
) -> Layer:
    """The net that an estimator learns with.

    Args:
        spec: A layer, a configuration or a list of layers, a function `(n_features, n_outputs) -> Layer`, or `None`,
            which takes `hidden` and `activation`.
        hidden: Widths of the hidden layers.
        activation: Stands behind each of them.
        n_features: Columns of X.
        n_outputs: Columns that the loss and the predictions need.
        last: Stands behind the last linear layer of a net that is made from widths.

    Raises:
        ConfigError: If it is none of these, or a width is no positive integer.

    Examples:
        >>> make_net(None, (5,), "tanh", 4, 3)
        Sequential(Linear(in_features=4, out_features=5), Tanh(), Linear(in_features=5, out_features=3))
    """
    if spec is None:
        return Sequential(*_from_widths(hidden, activation, n_features, n_outputs), *last)
    if isinstance(spec, Layer | Mapping | Sequence):
        net = build(copy.deepcopy(spec))
    elif callable(spec) and not isinstance(spec, torch.nn.Module):
        net = spec(n_features, n_outputs)
    else:
        net = spec
    if not isinstance(net, Layer):
        raise ConfigError(
            f"net is a Layer, a configuration, or a function (n_features, n_outputs) that returns a Layer. "
            f"Received: net={spec!r}" + (f", which gives {net!r}" if net is not spec else "")
        )
    return net


def _from_widths(hidden: Sequence[int], activation: Any, n_features: int, n_outputs: int) -> list[Layer]:
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise ConfigError(f"hidden holds the widths of the hidden layers, as in (100,). Received: hidden={hidden!r}")
    if any(isinstance(width, bool) or not hasattr(width, "__index__") or width < 1 for width in hidden):
        raise ConfigError(f"Each width of hidden is a positive integer. Received: hidden={hidden!r}")
    layers: list[Layer] = []
    widths = [n_features, *(int(width) for width in hidden)]
    for n_in, n_out in pairwise(widths):
        behind: Activation = made_copy("activation", activation)
        layers += [Linear(n_in, n_out), behind]
    return [*layers, Linear(widths[-1], n_outputs)]


def check_output(net: Layer, x: Tensor, n_outputs: int, meaning: str) -> Tensor:
    """See on one row that the net takes X and gives what is needed of it, and return that.

    Raises:
        ShapeError: If its output has another shape.
    """
    try:
        output: Tensor = net.predict(x[:1])
    except Exception as error:
        error.add_note(f"This is the net's answer to one row of X, of {x.shape[1]} features.")
        raise
    received = tuple(output.shape)
    if received != (1, n_outputs):
        raise ShapeError(
            f"The net must map (N, {x.shape[1]}) to (N, {n_outputs}): {meaning}. Received: {received} for one row"
        )
    return output


def make_optimizer(spec: Any, lr: float | None, net: Layer) -> Optimizer:
    """The optimizer of a net's parameters.

    Args:
        spec: A name, a configuration, or a class or function that takes the parameters, and `lr` if there is one.
        lr: The learning rate, or `None`, which leaves it to `spec`.
        net: What it trains.

    Raises:
        ConfigError: If `spec` is none of these, or holds a learning rate beside `lr`.
    """
    given = {} if lr is None else {"lr": lr}
    if isinstance(spec, Mapping) and given.keys() & spec.keys():
        raise ConfigError(f"The learning rate is given once. Received: lr={lr!r} and optimizer={spec!r}")
    if isinstance(spec, Optimizer):
        raise ConfigError(
            f"An optimizer holds the parameters of one net, and each fit makes a new one. Give a name, a configuration "
            f"or a class or function of the parameters. Received: optimizer={spec!r}"
        )
    if not callable(spec):
        optimizer: Optimizer = made("optimizer", copy.deepcopy(spec), params=net.parameters(), **given)
        return optimizer
    return _returned(Optimizer, spec(net.parameters(), **given), "A function for optimizer returns an Optimizer", spec)


def make_schedule(spec: Any, optimizer: Optimizer) -> Schedule | None:
    """The schedule of an optimizer: from a name, a configuration, or a class or function that takes the optimizer.

    Raises:
        ConfigError: If `spec` is none of these.
    """
    if spec is None:
        return None
    if isinstance(spec, Schedule):
        raise ConfigError(
            f"A schedule holds an optimizer, and each fit makes a new one. Give a name, a configuration, or a class or "
            f"function of the optimizer. Received: schedule={spec!r}"
        )
    if not callable(spec):
        schedule: Schedule = made("schedule", copy.deepcopy(spec), optimizer=optimizer)
        return schedule
    return _returned(Schedule, spec(optimizer), "A function for schedule returns a Schedule", spec)


def _returned(base: type, value: Any, rule: str, spec: Any) -> Any:
    if not isinstance(value, base):
        raise ConfigError(f"{rule}. Received: {spec!r}, which gives {value!r}")
    return value


def torch_dtype(dtype: Any) -> torch.dtype | None:
    """A floating-point dtype from its name or itself.

    Raises:
        ConfigError: If it is neither float32 nor float64, which are those that numpy and scikit-learn share with torch.
    """
    named = getattr(torch, dtype, dtype) if isinstance(dtype, str) else dtype
    if named not in (None, torch.float32, torch.float64):
        raise ConfigError(f"dtype must be 'float32', 'float64' or None. Received: dtype={dtype!r}")
    return named
