"""Xavier and Kaiming: distributions whose width follows from the shape, and Orthogonal."""

from typing import Any, Literal, final

import torch
from torch import Tensor

from minigrad.core import Initializer

Mode = Literal["fan_in", "fan_out"]


@final
class XavierUniform(Initializer):
    r"""$\theta \sim U(-a, a)$ with $a = g \sqrt{6 / (\text{fan}_\text{in} + \text{fan}_\text{out})}$.

    It keeps the variance of activations and gradients alike through tanh layers.

    Args:
        gain: $g$.

    Examples:
        >>> weight = torch.empty(3, 3)
        >>> XavierUniform()(weight)
        >>> bool((weight.abs() <= 1).all())
        True

    References:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (out, in, *kernel)`."""
        torch.nn.init.xavier_uniform_(tensor, self.gain)


@final
class XavierNormal(Initializer):
    r"""$\theta \sim N(0, \sigma^2)$ with $\sigma = g \sqrt{2 / (\text{fan}_\text{in} + \text{fan}_\text{out})}$.

    Args:
        gain: $g$.

    Examples:
        >>> weight = torch.empty(100, 100)
        >>> XavierNormal()(weight)
        >>> round(weight.std().item(), 1)
        0.1

    References:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (out, in, *kernel)`."""
        torch.nn.init.xavier_normal_(tensor, self.gain)


@final
class KaimingUniform(Initializer):
    r"""$\theta \sim U(-b, b)$ with $b = g \sqrt{3 / \text{fan}}$.

    Args:
        a: Slope of a leaky ReLU on its negative side, which sets the gain $g$.
        mode: `"fan_in"` keeps the variance of the activations, `"fan_out"` that of the gradients.
        nonlinearity: What follows the layer, as `torch.nn.init.calculate_gain` names it.

    Raises:
        ValueError: If `mode` or `nonlinearity` is unknown.

    Examples:
        >>> weight = torch.empty(2, 6)
        >>> KaimingUniform(nonlinearity="relu")(weight)
        >>> bool((weight.abs() <= 1).all())
        True

    References:
        He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """

    def __init__(self, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: Any = "leaky_relu") -> None:
        _check_kaiming(a, mode, nonlinearity)
        self.a = a
        self.mode: Mode = mode
        self.nonlinearity = nonlinearity

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (out, in, *kernel)`."""
        torch.nn.init.kaiming_uniform_(tensor, self.a, self.mode, self.nonlinearity)


@final
class KaimingNormal(Initializer):
    r"""$\theta \sim N(0, \sigma^2)$ with $\sigma = g / \sqrt{\text{fan}}$.

    Args:
        a: Slope of a leaky ReLU on its negative side, which sets the gain $g$.
        mode: `"fan_in"` keeps the variance of the activations, `"fan_out"` that of the gradients.
        nonlinearity: What follows the layer, as `torch.nn.init.calculate_gain` names it.

    Raises:
        ValueError: If `mode` or `nonlinearity` is unknown.

    Examples:
        >>> weight = torch.empty(100, 200)
        >>> KaimingNormal(nonlinearity="relu")(weight)
        >>> round(weight.std().item(), 1)
        0.1

    References:
        He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """

    def __init__(self, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: Any = "leaky_relu") -> None:
        _check_kaiming(a, mode, nonlinearity)
        self.a = a
        self.mode: Mode = mode
        self.nonlinearity = nonlinearity

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (out, in, *kernel)`."""
        torch.nn.init.kaiming_normal_(tensor, self.a, self.mode, self.nonlinearity)


@final
class Orthogonal(Initializer):
    r"""$\theta = g\, Q$ with $Q^\top Q = I$ (or $Q Q^\top = I$), $Q$ uniform among such matrices.

    Args:
        gain: $g$.

    Examples:
        >>> weight = torch.empty(3, 3)
        >>> Orthogonal()(weight)
        >>> torch.allclose(weight @ weight.T, torch.eye(3), atol=1e-6)
        True

    References:
        Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR 2014.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (rows, *)`, seen as a matrix of `rows` rows."""
        torch.nn.init.orthogonal_(tensor, self.gain)


def _check_kaiming(a: float, mode: str, nonlinearity: Any) -> None:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out'. Received: mode={mode!r}")
    torch.nn.init.calculate_gain(nonlinearity, a)  # raises for an unknown one
