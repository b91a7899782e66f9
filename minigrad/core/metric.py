"""Metric: a number that tells a person how good predictions are."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from minigrad.core.component import Component, constructor_arguments


class Metric(Component, ABC):
    r"""Sums up over batches: $m = f\bigl(\sum_i s(\hat y_i, y_i)\bigr)$.

    An author writes `reset`, which sets the sums to zero, `update(prediction, target)`, which adds a batch, and
    `compute`, which gives the value of all batches since the reset. However the examples are cut into batches, the
    value is the same. The constructor stores its arguments and calls `reset` last.

    Attributes:
        higher_is_better: Whether a larger value is a better one; `None` if it is not a single number.

    Examples:
        >>> import torch
        >>> class Largest(Metric):
        ...     def __init__(self):
        ...         self.reset()
        ...
        ...     def reset(self):
        ...         self.largest = 0.0
        ...
        ...     def update(self, prediction, target):
        ...         self.largest = max(self.largest, prediction.max().item())
        ...
        ...     def compute(self):
        ...         return self.largest
        >>> largest = Largest()
        >>> largest.update(torch.tensor([1.0, 3.0]), None)
        >>> largest.update(torch.tensor([2.0]), None)
        >>> largest.compute()
        3.0
    """

    higher_is_better: ClassVar[bool | None] = None

    @abstractmethod
    def reset(self) -> None:
        """Forget all batches."""

    @abstractmethod
    def update(self, prediction: Any, target: Any) -> None:
        """Add a batch: what the net predicted, and what the loss is given as its target."""

    @abstractmethod
    def compute(self) -> float | list[Any]:
        """The value over all batches since the reset: a number, or nested lists of numbers."""

    def __call__(self, prediction: Any, target: Any) -> float | list[Any]:
        """The value of one batch alone; what was summed up so far is kept."""
        kept = self.state_dict()
        self.reset()
        try:
            self.update(prediction, target)
            return self.compute()
        finally:
            self.load_state_dict(kept)

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        arguments = {argument.name for argument in constructor_arguments(type(self))}
        return {
            name: value.clone() if isinstance(value, Tensor) else value
            for name, value in vars(self).items()
            if name not in arguments
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        for name, value in state_dict.items():
            setattr(self, name, value)
