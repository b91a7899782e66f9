"""Sequential, the chain of layers."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, cast, final, overload

from minigrad.core import Layer
from minigrad.errors import CacheError


@final
class Sequential(Layer):
    r"""Layers one after the other.

    $$y = f_n(\cdots f_2(f_1(x))), \qquad \frac{\partial L}{\partial x}
    = \frac{\partial L}{\partial y}\, J_n \cdots J_2 J_1 \quad (J_i \text{ the Jacobian of } f_i)$$

    The cache is the list of the layers' caches. `backward` consumes it: each part is released as soon as it is used, so
    memory falls as the gradient travels. The same layer object may stand in several places.

    Args:
        layers: The layers, or one dict of them by name; a state dict then bears those names, otherwise `0`, `1`, ...

    Raises:
        TypeError: If something else than a layer is given.
        ValueError: If a name is empty, has a dot, or is no text: in a state dict it could be mistaken for another.
        CacheError: If `backward` is given a cache that it has consumed already.

    Examples:
        >>> import torch
        >>> from minigrad.activations import Sigmoid
        >>> from minigrad.layers import Linear
        >>> sigmoid = Sigmoid()
        >>> net = Sequential(Linear(2, 2), sigmoid, Linear(2, 1), sigmoid)
        >>> net(torch.zeros(4, 2)).shape
        torch.Size([4, 1])
        >>> len(net), net[1] is net[3], net[:2]
        (4, True, Sequential(Linear(in_features=2, out_features=2), Sigmoid()))
    """

    def __init__(self, *layers: Layer | Mapping[str, Layer]) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            self.names = list(layers[0])
            items = list(layers[0].values())
        else:
            self.names = [str(i) for i in range(len(layers))]
            items = list(cast("tuple[Layer, ...]", layers))
        for name, layer in zip(self.names, items, strict=True):
            if not isinstance(name, str) or not name or "." in name:
                raise ValueError(f"Sequential expects names that are texts without a dot. Received: {name!r}")
            if not isinstance(layer, Layer):
                hint = " minigrad.build(...) makes layers from names." if isinstance(layer, str) else ""
                raise TypeError(f"Sequential expects layers.{hint} Received: layer {name} = {layer!r}")
        self.layers: list[Layer] = items

    def forward(self, x: Any) -> tuple[Any, list[Any]]:
        """Map `x` through every layer in turn."""
        caches: list[Any] = []
        try:
            for layer in self.layers:
                x, cache = layer.forward(x)
                caches.append(cache)
        except Exception as error:
            error.add_note(self._where(len(caches)))
            raise
        return x, caches

    def backward(self, grad_output: Any, cache: list[Any]) -> Any:
        """Map `dL/dy` to `dL/dx`, from the last layer to the first."""
        if len(cache) != len(self.layers):
            raise self._spent(cache)
        try:
            for layer in reversed(self.layers):
                grad_output = layer.backward(grad_output, cache.pop())
        except Exception as error:
            error.add_note(self._where(len(cache)))
            raise
        return grad_output

    def backward_parameters(self, grad_output: Any, cache: list[Any]) -> None:
        """Accumulate the parameters' gradients, without the first layer's `dL/dx`."""
        if len(cache) != len(self.layers):
            raise self._spent(cache)
        try:
            for layer in self.layers[:0:-1]:
                grad_output = layer.backward(grad_output, cache.pop())
            for layer in self.layers[:1]:
                layer.backward_parameters(grad_output, cache.pop())
        except Exception as error:
            error.add_note(self._where(len(cache)))
            raise

    def predict(self, x: Any) -> Any:
        """Map `x` through every layer's `predict`, keeping no cache."""
        i = -1
        try:
            for i, layer in enumerate(self.layers):  # noqa: B007  # the except clause reads i
                x = layer.predict(x)
        except Exception as error:
            error.add_note(self._where(i))
            raise
        return x

    def _spent(self, cache: list[Any]) -> CacheError:
        return CacheError(
            f"Sequential.backward expects the cache of one forward, with {len(self.layers)} parts, and consumes it. "
            f"Received: {len(cache)} parts{'' if cache else ': it was used already'}"
        )

    def _where(self, i: int) -> str:
        return f"In layer {self.names[i]} ({type(self.layers[i]).__name__.lower()}) of Sequential."

    def _argument(self, argument: inspect.Parameter) -> Any:
        # Names that were given belong to the call that makes this chain again.
        if self._is_numbered():
            return self.layers
        return [dict(zip(self.names, self.layers, strict=True))]

    def _is_numbered(self) -> bool:
        return self.names == [str(i) for i in range(len(self.layers))]

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        """The layers under their names: `0`, `1`, ... unless a dict gave others."""
        yield from zip(self.names, self.layers, strict=True)

    def __len__(self) -> int:
        """How many layers there are."""
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        """The layers in turn."""
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> "Sequential": ...
    def __getitem__(self, index: int | slice) -> "Layer | Sequential":
        """One layer, or the part of the chain that a slice names; the layers are shared and keep their names."""
        if not isinstance(index, slice):
            return self.layers[index]
        layers = self.layers[index]
        return (
            Sequential(*layers)
            if self._is_numbered()
            else Sequential(dict(zip(self.names[index], layers, strict=True)))
        )
