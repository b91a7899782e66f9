"""MeanAbsoluteError, how far predictions are off."""

from typing import Any, ClassVar, final

import torch
from torch import Tensor

from minigrad.core import Metric
from minigrad.errors import DtypeError
from minigrad.metrics.common import pair, ratio, same_shape


@final
class MeanAbsoluteError(Metric):
    r"""How far predictions are off, on average, in the target's unit.

    $$m = \frac{1}{N} \sum_{i=1}^N \lvert \hat y_i - y_i \rvert$$

    over all elements, in float64. Before any element the value is NaN.

    Raises:
        ShapeError: If prediction and target differ in shape.
        DtypeError: If the prediction is no floating-point tensor, or the target is of truth values.

    Examples:
        >>> error = MeanAbsoluteError()
        >>> error.update(torch.tensor([1.0, 2.0]), torch.tensor([1.5, 2.0]))
        >>> error.compute()
        0.25
    """

    higher_is_better: ClassVar[bool | None] = False

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.total: float | Tensor = 0.0
        self.count = 0

    def update(self, prediction: Any, target: Any) -> None:
        """Add predictions and targets, both `(*shape)`."""
        prediction, target = pair(self, prediction, target)
        same_shape(self, prediction, target)
        if target.dtype is torch.bool or target.is_complex():
            raise DtypeError(f"MeanAbsoluteError expects targets that are real numbers. Received: {target.dtype}")
        self.total = self.total + (prediction.double() - target.double()).abs().sum()
        self.count += target.numel()

    def compute(self) -> float:
        """The mean so far."""
        return ratio(self.total, self.count)
