"""Loss: a cost and its gradient."""

from abc import ABC, abstractmethod
from typing import Any, Literal

from torch import Tensor

from minigrad.core.arrays import as_tensors
from minigrad.core.component import Component

Reduction = Literal["mean", "sum", "none"]
Reduction.__doc__ = "What becomes of the costs of a batch: their mean, their sum, or nothing."


class Loss(Component, ABC):
    r"""A cost $L(\hat y, y)$ whose gradient is written down.

    `forward(prediction, target)` returns `(cost, cache)`; `backward(cache)` returns $\partial L / \partial \hat y$,
    which is exactly the gradient of the cost that was reported. With `reduction="none"` the cost has one entry per
    element (or sample), and `backward(cache, grad_cost)` weighs them.

    Args:
        reduction: `"mean"` (over the number of elements, or the weights), `"sum"` or `"none"`.

    Raises:
        ValueError: If `reduction` is none of the three.
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none'. Received: reduction={reduction!r}")
        self.reduction: Reduction = reduction

    @abstractmethod
    def forward(self, prediction: Any, target: Any) -> tuple[Tensor, Any]:
        """Map prediction and target to `(cost, cache)`."""

    @abstractmethod
    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        """Map the cache to `dL/dprediction`; `grad_cost` weighs the costs (default: ones)."""

    def counts(self, target: Any) -> Tensor | None:
        """How much each entry of the unreduced costs counts in their mean; `None` if all count alike.

        Override it where they do not, so that means of several batches are put together as one.
        """
        return None

    def __call__(self, prediction: Any, target: Any) -> Tensor:
        """The cost alone; numpy arrays will do, too."""
        if type(prediction) is not Tensor or type(target) is not Tensor:
            prediction = as_tensors(prediction, None)
            target = as_tensors(target, prediction if isinstance(prediction, Tensor) else None)
        return self.forward(prediction, target)[0]
