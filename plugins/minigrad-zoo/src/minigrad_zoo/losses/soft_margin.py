"""SoftMargin, a smooth hinge for targets of 1 and -1."""

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from minigrad import Loss, Reduction, check_floating
from minigrad_zoo.checks import check_same_shape, check_signs, numbers
from minigrad_zoo.reductions import reduced, shares


@final
class SoftMargin(Loss):
    r"""Logistic loss between scores $x$ and targets $t$ of 1 and -1.

    $$\ell = \log(1 + e^{-t x}), \qquad \frac{\partial \ell}{\partial x} = -t\, \sigma(-t x)$$

    It does not overflow: a score far on the wrong side costs $|x|$. (torch's does from $|x| = 89$ on in float32.)

    Args:
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ShapeError: If prediction and target differ in shape.
        DtypeError: If the prediction is not floating-point, or the target is not of numbers.
        TargetError: If a target is neither 1 nor -1; looked at on the CPU only.

    Examples:
        >>> soft_margin = SoftMargin()
        >>> cost, cache = soft_margin.forward(torch.tensor([0.0, 1000.0]), torch.tensor([1.0, -1.0]))
        >>> cost, soft_margin.backward(cache)
        (tensor(500.3466), tensor([-0.2500,  0.5000]))
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `x: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_floating(self, prediction)
        target = numbers(self, target, prediction)
        check_same_shape(self, prediction=prediction, target=target)
        check_signs(self, target)
        z = target * prediction
        return reduced(self, -F.logsigmoid(z)), (z, target)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx = -t * sigmoid(-t * x): (*shape)`."""
        z, target = cache
        return -target * torch.sigmoid(-z) * shares(self, grad_cost, z)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        x, signs = draw(5, 3), draw(5, 3, seed=1).sign()
        wrong = ((x, signs[:, :1]), (x, 2 * signs), (x, signs.double()), (signs.long(), signs), ("text", signs))
        return [Case(cls, (x, signs), wrong=wrong), Case(cls, (x, signs.long()), "integer targets")]
