"""Where the tensors of a layer live, under their names in the state dict."""

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor

from minigrad.core import Component, Layer
from minigrad.layers import Frozen


class Place(NamedTuple):
    """One tensor of a layer.

    Attributes:
        name: In the state dict.
        layer: Which holds it.
        attribute: As what.
        frozen: Whether it stands inside of `Frozen`.
    """

    name: str
    layer: Layer
    attribute: str
    frozen: bool

    @property
    def tensor(self) -> Tensor:
        """The tensor that is there now."""
        tensor: Tensor = vars(self.layer)[self.attribute]
        return tensor

    def put(self, tensor: Tensor) -> None:
        """Put another one there."""
        vars(self.layer)[self.attribute] = tensor


def places(component: Component, prefix: str = "", frozen: bool = False) -> Iterator[Place]:
    """Every parameter and buffer, as often as it stands there; of a loss, those of the layers in it.

    Examples:
        >>> from minigrad.layers import Linear, Sequential
        >>> [(place.name, place.frozen) for place in places(Sequential(Frozen(Linear(2, 1)), Linear(1, 1, bias=False)))]
        [('0.weight', True), ('0.bias', True), ('1.weight', False)]
    """
    frozen = frozen or isinstance(component, Frozen)
    if isinstance(component, Layer):
        for attribute, value in vars(component).items():
            if isinstance(value, Tensor):
                yield Place(prefix + attribute, component, attribute, frozen)
        children = component.named_children()
    else:
        # What tensors a loss has are options.
        children = ((name, value) for name, value in vars(component).items() if isinstance(value, Layer))
    for name, child in children:
        yield from places(child, f"{prefix}{name}." if name else prefix, frozen)
