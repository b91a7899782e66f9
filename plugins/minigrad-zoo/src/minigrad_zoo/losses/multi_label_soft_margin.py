"""MultiLabelSoftMargin, one logistic loss for each class."""

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad import Loss, Reduction, ShapeError, check_floating
from minigrad_zoo.checks import check_fractions, check_same_shape, check_weight, numbers
from minigrad_zoo.reductions import reduced, shares


@final
class MultiLabelSoftMargin(Loss):
    r"""The mean over $C$ classes of a binary cross-entropy between scores $x$ and labels $t$ in $[0, 1]$.

    $$\ell = -\frac1C \sum_i w_i \bigl( t_i \log \sigma(x_i) + (1 - t_i) \log \sigma(-x_i) \bigr), \qquad
    \frac{\partial \ell}{\partial x_i} = \frac{w_i}{C} \bigl( \sigma(x_i) - t_i \bigr)$$

    Args:
        weight: $w$, one for each class.
        reduction: `"mean"` (over the samples), `"sum"` or `"none"`.

    Raises:
        ShapeError: If prediction and target differ in shape, or there is not one weight for each class.
        DtypeError: If the prediction is not floating-point, or the target is not of numbers.
        TargetError: If a target lies outside [0, 1]; looked at on the CPU only.

    Examples:
        >>> margin = MultiLabelSoftMargin()
        >>> cost, cache = margin.forward(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]]))
        >>> cost, margin.backward(cache)
        (tensor(0.6931), tensor([[-0.2500,  0.2500]]))
    """

    def __init__(self, weight: Tensor | None = None, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Map `x: (*, C)` and `t: (*, C)` to the cost: `()`, or `(*)` unreduced."""
        check_floating(self, prediction)
        target = numbers(self, target, prediction)
        check_same_shape(self, prediction=prediction, target=target)
        self._check_classes(prediction)
        check_fractions(self, target)
        costs = -(target * F.logsigmoid(prediction) + (1 - target) * F.logsigmoid(-prediction))
        if self.weight is not None:
            costs = costs * self.weight
        costs = costs.mean(-1)
        return reduced(self, costs), (prediction, target, costs)

    def backward(self, cache: tuple[Tensor, Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx: (*, C)`."""
        prediction, target, costs = cache
        slope = torch.sigmoid(prediction) - target
        if self.weight is not None:
            slope = slope * self.weight
        share = shares(self, grad_cost, costs) / prediction.shape[-1]
        return slope * share.unsqueeze(-1)

    def _check_classes(self, x: Tensor) -> None:
        if x.dim() == 0:
            raise ShapeError("MultiLabelSoftMargin expects (*, C), with C classes. Received: shape ()")
        check_weight(self, self.weight, x)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x, labels, weight = draw(5, 3), draw(5, 3, seed=1) > 0, torch.tensor([0.5, 2.0, 1.0])
        wrong = ((x, labels[:, :1]), (x, 2 * labels), (x, labels.double()), (labels, labels), ("text", labels))
        return [
            Case(cls, (x, labels.float()), wrong=wrong),
            Case(lambda: cls(weight=weight), (x, labels.long()), "weighted, integer targets"),
            Case(cls, (draw(5, 2, 3), draw(5, 2, 3, low=0.0, high=1.0)), "three axes"),
        ]
