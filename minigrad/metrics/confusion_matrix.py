"""ConfusionMatrix, which class is taken for which."""

from typing import Any, ClassVar, final

import torch
from torch import Tensor

from minigrad.core import Metric
from minigrad.core.checks import check_count
from minigrad.errors import ShapeError
from minigrad.metrics.common import classified


@final
class ConfusionMatrix(Metric):
    r"""How often class $a$ was taken for class $b$.

    $$M_{ab} = \# \{ i : t_i = a, \ \operatorname{argmax}_c x_{ic} = b \}$$

    Rows are the true classes, columns the predicted ones; what is right stands on the diagonal. Of several largest
    scores the first counts, and a NaN is larger than any number.

    Args:
        num_classes: How many classes there are; `None` takes it from the first batch. Before that the matrix is empty.
        ignore_index: Samples of this class do not count; it need not be a class.

    Raises:
        ValueError: If `num_classes` is below 2.
        ShapeError: If a batch has scores for another number of classes, or the shapes do not fit, as for `Accuracy`.
        DtypeError: If class indices are no integers, or the others no floating-point tensors.
        TargetError: If an index is no class, or probabilities do not sum to 1 (told on the CPU only).

    Examples:
        >>> matrix = ConfusionMatrix()
        >>> matrix.update(torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), torch.tensor([0, 1, 1]))
        >>> matrix.compute()
        [[1, 0], [1, 1]]
    """

    higher_is_better: ClassVar[bool | None] = None

    def __init__(self, num_classes: int | None = None, ignore_index: int = -100) -> None:
        check_count(2, num_classes=num_classes)
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        classes = self.num_classes or 0
        self.counts: Tensor = torch.zeros(classes, classes, dtype=torch.int64)

    def update(self, prediction: Any, target: Any) -> None:
        """Add scores `x: (N, C, *)` and classes: indices `t: (N, *)`, or probabilities `t: (N, C, *)`."""
        scores, index = classified(self, prediction, target, self.ignore_index)
        classes = scores.shape[1]
        expected = len(self.counts) or classes
        if classes != expected:
            raise ShapeError(f"ConfusionMatrix expects scores of {expected} classes. Received: {classes}")
        cells = torch.bincount(index * classes + scores.argmax(1), minlength=classes * classes)
        matrix = cells.reshape(classes, classes)
        self.counts = matrix if len(self.counts) == 0 else self.counts.to(matrix.device) + matrix

    def compute(self) -> list[list[int]]:
        """The counts: a list of rows."""
        rows: list[list[int]] = self.counts.tolist()
        return rows
