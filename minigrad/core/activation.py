"""Activation: a layer without a shape of its own."""

from minigrad.core.layer import Layer


class Activation(Layer):
    r"""A layer that keeps the shape of its input, usually elementwise: $y_i = f(x_i)$.

    Attributes:
        kinks: Where the derivative jumps (ReLU: `(0.0,)`); the docstring states the value chosen there, and a gradient
            check by differences stays away from it.
    """

    kinks: tuple[float, ...] = ()
