"""The accuracies: of classes, of the first k classes, of yes and no."""

from typing import Any, ClassVar, final

import torch
from torch import Tensor

from minigrad.core import Metric
from minigrad.core.checks import check_count
from minigrad.errors import ShapeError, TargetError
from minigrad.metrics.common import classified, pair, ratio, same_shape


@final
class Accuracy(Metric):
    r"""The share of samples whose class has the largest score.

    $$m = \frac{1}{N} \sum_{i=1}^N \bigl[\, \operatorname{argmax}_c x_{ic} = t_i \,\bigr]$$

    Of several largest scores the first counts. A sample with a NaN among its scores is wrong. Before any sample the
    value is NaN.

    Args:
        ignore_index: Samples of this class do not count; it need not be a class.

    Raises:
        ShapeError: If the target has neither the prediction's shape nor that without its classes, or there is only one
            class.
        DtypeError: If class indices are no integers, or the others no floating-point tensors.
        TargetError: If an index is no class, or probabilities do not sum to 1 (told on the CPU only).

    Examples:
        >>> accuracy = Accuracy()
        >>> accuracy.update(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
        >>> accuracy.update(torch.tensor([[0.3, 0.7], [0.4, 0.6]]), torch.tensor([1, 1]))
        >>> accuracy.compute()
        0.75
    """

    higher_is_better: ClassVar[bool | None] = True

    def __init__(self, ignore_index: int = -100) -> None:
        self.ignore_index = ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.right: int | Tensor = 0
        self.count = 0

    def update(self, prediction: Any, target: Any) -> None:
        """Add scores `x: (N, C, *)` and classes: indices `t: (N, *)`, or probabilities `t: (N, C, *)`."""
        scores, index = classified(self, prediction, target, self.ignore_index)
        largest, first = scores.max(1)
        # A NaN is the largest of all, and never right: it differs even from itself.
        self.right = self.right + ((first == index) & (largest == largest)).sum()
        self.count += len(index)

    def compute(self) -> float:
        """The share so far."""
        return ratio(self.right, self.count)


@final
class TopKAccuracy(Metric):
    r"""The share of samples whose class is among the $k$ largest scores.

    $$m = \frac{1}{N} \sum_{i=1}^N \bigl[\, r_i < k \,\bigr], \qquad
    r_i = \#\{c : x_{ic} > x_{i t_i}\} + \#\{c < t_i : x_{ic} = x_{i t_i}\}$$

    Of equal scores the class with the smaller index comes first, so `k=1` is the accuracy. A sample with a NaN among
    its scores is wrong. Before any sample the value is NaN.

    Args:
        k: How many classes a sample may name.
        ignore_index: Samples of this class do not count; it need not be a class.

    Raises:
        ValueError: If `k` is no positive whole number.
        ShapeError: If there are fewer than `k` classes, or the shapes do not fit, as for `Accuracy`.
        DtypeError: If class indices are no integers, or the others no floating-point tensors.
        TargetError: If an index is no class, or probabilities do not sum to 1 (told on the CPU only).

    Examples:
        >>> top = TopKAccuracy(k=2)
        >>> top(torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), torch.tensor([1, 2]))
        0.5
    """

    higher_is_better: ClassVar[bool | None] = True

    def __init__(self, k: int = 5, ignore_index: int = -100) -> None:
        check_count(k=k)
        self.k = k
        self.ignore_index = ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.right: int | Tensor = 0
        self.count = 0

    def update(self, prediction: Any, target: Any) -> None:
        """Add scores `x: (N, C, *)` and classes: indices `t: (N, *)`, or probabilities `t: (N, C, *)`."""
        scores, index = classified(self, prediction, target, self.ignore_index)
        classes = scores.shape[1]
        if classes < self.k:
            raise ShapeError(f"TopKAccuracy expects at least k={self.k} classes. Received: {classes}")
        own = scores.gather(1, index[:, None])
        earlier = torch.arange(classes, device=scores.device) < index[:, None]
        rank = ((scores > own) | ((scores == own) & earlier)).sum(1)
        self.right = self.right + ((rank < self.k) & ~scores.isnan().any(1)).sum()
        self.count += len(index)

    def compute(self) -> float:
        """The share so far."""
        return ratio(self.right, self.count)


@final
class BinaryAccuracy(Metric):
    r"""The share of right answers to a question of yes or no, each element a question.

    $$m = \frac{1}{N} \sum_{i=1}^N \bigl[\, [p_i > \theta] = t_i \,\bigr]$$

    A probability of exactly $\theta$ says no; a NaN is wrong. Before any element the value is NaN.

    Args:
        threshold: $\theta$.
        logits: Whether predictions are scores $z$ with $p = \sigma(z)$, as `BCEWithLogits` takes them.

    Raises:
        ValueError: If `threshold` is not in [0, 1].
        ShapeError: If prediction and target differ in shape.
        DtypeError: If the prediction is no floating-point tensor.
        TargetError: If a target is neither 0 nor 1, or a probability lies outside [0, 1] (told on the CPU only).

    Examples:
        >>> accuracy = BinaryAccuracy()
        >>> accuracy(torch.tensor([[0.2], [0.7], [0.6], [0.9]]), torch.tensor([[0.0], [1.0], [1.0], [0.0]]))
        0.75
    """

    higher_is_better: ClassVar[bool | None] = True

    def __init__(self, threshold: float = 0.5, logits: bool = False) -> None:
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must be in [0, 1]. Received: threshold={threshold}")
        self.threshold = threshold
        self.logits = logits
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.right: int | Tensor = 0
        self.count = 0

    def update(self, prediction: Any, target: Any) -> None:
        """Add predictions and targets, of 0 and 1, both `(*shape)`."""
        prediction, target = pair(self, prediction, target)
        same_shape(self, prediction, target)
        if prediction.is_cpu:
            self._check(prediction, target)
        p = torch.sigmoid(prediction) if self.logits else prediction
        self.right = self.right + (((p > self.threshold) == (target == 1)) & (p == p)).sum()
        self.count += target.numel()

    def compute(self) -> float:
        """The share so far."""
        return ratio(self.right, self.count)

    def _check(self, prediction: Tensor, target: Tensor) -> None:
        neither = (target != 0) & (target != 1)
        if neither.any():
            raise TargetError(f"BinaryAccuracy expects targets of 0 and 1. Received: {target[neither][0].item():g}")
        outside = (prediction < 0) | (prediction > 1)
        if not self.logits and outside.any():
            raise TargetError(
                f"BinaryAccuracy expects predictions in [0, 1]; with logits=True it takes any. "
                f"Received: {prediction[outside][0].item():g}"
            )
