"""Wrapper: a layer that holds a layer, and the map that puts one around each layer of a net."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from minigrad.core.layer import Layer


class Wrapper(Layer):
    """A layer around another one: variation is by wrapping, never by overriding.

    It is transparent: parameters, buffers and state-dict names are those of the layer inside.

    Args:
        layer: The layer inside.
    """

    def __init__(self, layer: Layer) -> None:
        if not isinstance(layer, Layer):
            raise TypeError(f"{type(self).__name__} expects a layer. Received: {layer!r} ({type(layer).__name__})")
        self.layer = layer

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The forward of the layer inside."""
        return self.layer.forward(x)

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """The backward of the layer inside."""
        return self.layer.backward(grad_output, cache)

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """The parameters-only backward of the layer inside."""
        self.layer.backward_parameters(grad_output, cache)

    def predict(self, x: Any) -> Any:
        """The predict of the layer inside."""
        return self.layer.predict(x)

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        """The layer inside, without a name of its own."""
        yield "", self.layer


def is_innermost(layer: Layer) -> bool:
    """Whether a layer has no children."""
    return next(layer.children(), None) is None


def is_whole(layer: Layer) -> bool:
    """Whether a layer computes something itself: it has no children, or tensors of its own beside them."""
    return is_innermost(layer) or any(isinstance(value, Tensor) for value in vars(layer).values())


def map_layers(net: Layer, wrap: Callable[[Layer], Layer], whole: Callable[[Layer], bool] = is_whole) -> Layer:
    """A net of the same structure in which each layer `l` that computes something itself is replaced by `wrap(l)`.

    The parameters are shared with `net`, which stays as it is; a layer that stands twice is wrapped once.

    Args:
        net: Any layer.
        wrap: Makes the layer that takes the place of one.
        whole: Which layers are replaced whole, with what is in them; by default those without children, and those
            with tensors of their own.

    Examples:
        >>> from minigrad.activations import Sigmoid
        >>> from minigrad.layers import Checked, Linear, Sequential
        >>> map_layers(Sequential(Linear(2, 1), Sigmoid()), Checked)
        Sequential(Checked(layer=Linear(in_features=2, out_features=1)), Checked(layer=Sigmoid()))
    """
    done: dict[int, Layer] = {}

    def visit(layer: Layer) -> Layer:
        if id(layer) not in done:
            done[id(layer)] = wrap(layer) if whole(layer) else rebuild(layer)
        return done[id(layer)]

    def rebuild(container: Layer) -> Layer:
        twin = copy.copy(container)
        for name, value in vars(container).items():
            setattr(twin, name, visit_value(value))
        return twin

    def visit_value(value: Any) -> Any:
        if isinstance(value, Layer):
            return visit(value)
        if type(value) in (list, tuple):
            return type(value)(visit_value(item) for item in value)
        if type(value) is dict:
            return {key: visit_value(item) for key, item in value.items()}
        return value

    return visit(net)
