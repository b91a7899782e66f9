"""Perplexity, among how many classes a net still hesitates."""

import math
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from minigrad.core import Metric
from minigrad.errors import ShapeError
from minigrad.metrics.common import classified, ratio


@final
class Perplexity(Metric):
    r"""The exponential of the mean negative log-likelihood of the classes.

    $$m = \exp \Bigl( -\frac{1}{N} \sum_{i=1}^N \log p_{i t_i} \Bigr), \qquad p = \operatorname{softmax}(x)$$

    A net that says the same for each of $C$ classes has the perplexity $C$, one that is certain and right 1. It is
    summed up in float64. Before any sample the value is NaN; beyond the largest number it is infinite.

    Args:
        ignore_index: Samples of this class do not count; it need not be a class.

    Raises:
        ShapeError: If the target has not the prediction's shape without its classes, or there is only one class.
        DtypeError: If class indices are no integers, or the prediction is no floating-point tensor.
        TargetError: If an index is no class (told on the CPU only).

    Examples:
        >>> round(Perplexity()(torch.zeros(2, 4), torch.tensor([0, 3])), 6)
        4.0
    """

    higher_is_better: ClassVar[bool | None] = False

    def __init__(self, ignore_index: int = -100) -> None:
        self.ignore_index = ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.total: float | Tensor = 0.0
        self.count = 0

    def update(self, prediction: Any, target: Any) -> None:
        """Add scores `x: (N, C, *)` and the indices of their classes `t: (N, *)`."""
        if getattr(prediction, "shape", ()) == getattr(target, "shape", None):
            raise ShapeError(
                f"Perplexity expects class indices, of the prediction's shape without its classes. "
                f"Received: prediction {tuple(prediction.shape)}, target {tuple(target.shape)}"
            )
        scores, index = classified(self, prediction, target, self.ignore_index)
        log_p = torch.log_softmax(scores.double(), 1)
        self.total = self.total - log_p.gather(1, index[:, None]).sum()
        self.count += len(index)

    def compute(self) -> float:
        """The perplexity of all samples so far."""
        mean = ratio(self.total, self.count)
        try:
            return math.exp(mean)
        except OverflowError:
            return math.inf
