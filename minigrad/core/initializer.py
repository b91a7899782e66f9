"""Initializer: what a parameter's first value is drawn from."""

from abc import ABC, abstractmethod

from torch import Tensor

from minigrad.core.component import Component


class Initializer(Component, ABC):
    """Fills a tensor in place.

    Examples:
        >>> class Halves(Initializer):
        ...     def __call__(self, tensor):
        ...         tensor.fill_(0.5)
        >>> weight = torch.empty(2)
        >>> Halves()(weight)
        >>> weight
        tensor([0.5000, 0.5000])
    """

    @abstractmethod
    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor`, of any shape that the distribution is defined for."""
