"""Broken containers and wrappers."""

# ruff: noqa: D102  # what forward, backward and update are, their contracts say

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from minigrad.activations import Sigmoid
from minigrad.core import Layer, Wrapper
from minigrad.layers import Linear
from minigrad.testing.broken.gallery import caught_by
from minigrad.testing.case import draw

X = draw(5, 3)


@caught_by("mapped", make=lambda cls: cls(Linear(3, 2)), inputs=X)
class HoldsABoundMethod(Layer):
    """$y = f(x)$ through a method that it took from the layer once: a wrapped layer is passed by."""

    def __init__(self, body: Layer) -> None:
        self.body = body
        self.run = body.forward

    def forward(self, x: Any) -> tuple[Any, Any]:
        return self.run(x)

    def backward(self, grad_output: Any, cache: Any) -> Any:
        return self.body.backward(grad_output, cache)


@caught_by("gradient", "x: the sign is flipped", make=lambda cls: cls(Sigmoid()), inputs=X)
class ForgetsTheWayAround(Layer):
    """$y = 2 f(x) - f(x)$, of which the backward knows only the second part."""

    def __init__(self, body: Layer) -> None:
        self.body = body

    def forward(self, x: Any) -> tuple[Any, Any]:
        y, cache = self.body.forward(x)
        return 2 * y - y, cache

    def backward(self, grad_output: Any, cache: Any) -> Any:
        return -self.body.backward(grad_output, cache)


@caught_by("transparent", make=lambda cls: cls(Linear(3, 2)), inputs=X)
class NamesOfItsOwn(Wrapper):
    """$y = f(x)$ with state-dict names that torch does not know."""

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        yield "inner", self.layer


@caught_by("transparent", make=lambda cls: cls(Linear(3, 2)), inputs=X)
class WrapsAnything(Wrapper):
    """$y = f(x)$ around what is no layer too."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer


@caught_by("backward_parameters", make=lambda cls: cls(Linear(3, 2)), inputs=X)
class TrainsNothing(Wrapper):
    """$y = f(x)$ whose parameters-only backward is forgotten."""

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """Nothing."""


@caught_by("predicts", make=lambda cls: cls(Sigmoid()), inputs=X)
class PredictsItsInput(Wrapper):
    """$y = f(x)$ that predicts $x$."""

    def predict(self, x: Tensor) -> Tensor:
        """Hand `x` on."""
        return x


@caught_by("gradient", "x: off by exactly a factor of 2", make=lambda cls: cls(Sigmoid()), inputs=X)
class GradientTwice(Wrapper):
    """$y = f(x)$ whose gradient is added to itself."""

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """Twice the gradient."""
        return 2 * self.layer.backward(grad_output, cache)
