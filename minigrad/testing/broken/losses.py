"""Broken losses."""

# ruff: noqa: D102  # what forward, backward and update are, their contracts say

from typing import Any

import torch
from torch import Tensor

from minigrad.core import Loss, Reduction
from minigrad.testing.broken.gallery import caught_by
from minigrad.testing.case import draw

PAIR = (draw(5, 3), draw(5, 3, seed=1))
PROBABILITIES = (draw(5, 3, low=0.0, high=1.0), draw(5, 3, seed=1, low=0.0, high=1.0))


class _SquaredError(Loss):
    r"""A right $\ell = (p - t)^2$ to be broken."""

    def forward(self, prediction: Any, target: Any) -> tuple[Tensor, Any]:
        error = prediction - target
        return self._reduced(error * error), error

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        return self._weighed(2 * cache, grad_cost)

    def _reduced(self, costs: Tensor) -> Tensor:
        return {"mean": costs.mean, "sum": costs.sum, "none": costs.clone}[self.reduction]()  # type: ignore[operator]

    def _weighed(self, grad: Tensor, grad_cost: Tensor | None) -> Tensor:
        grad = grad / grad.numel() if self.reduction == "mean" else grad
        return grad if grad_cost is None else grad * grad_cost


@caught_by("gradient", "off by exactly a factor of 15 (the number of elements): too large", inputs=PAIR)
class GradientOfTheSum(_SquaredError):
    r"""Reports the mean, and gives the gradient of the sum: $2 (p - t)$ without $1/N$."""

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        return 2 * cache if grad_cost is None else 2 * cache * grad_cost


@caught_by("gradient", "off by exactly a factor of 3 (the size of the last axis): too large", inputs=PAIR)
class DividedByTheBatch(_SquaredError):
    r"""Divides the gradient by the $N$ samples, and the cost by the elements."""

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        grad = 2 * cache / len(cache) if self.reduction == "mean" else 2 * cache
        return grad if grad_cost is None else grad * grad_cost


@caught_by("gradient", "the sign is flipped", inputs=PAIR)
class TargetMinusPrediction(_SquaredError):
    """The gradient $2 (t - p)$."""

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        return self._weighed(-2 * cache, grad_cost)


@caught_by("linear_in_upstream", inputs=PAIR)
class GradCostIgnored(_SquaredError):
    """Gives $2 (p - t)$ whatever the costs weigh."""

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        return self._weighed(2 * cache, None)


@caught_by("grad_cost_defaults_to_one", inputs=PAIR)
class OtherDefault(_SquaredError):
    """Gives $p - t$ when no `grad_cost` is given, as if the cost were halved."""

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        return self._weighed(2 * cache, torch.full_like(cache[:0].sum(), 0.5) if grad_cost is None else grad_cost)


@caught_by("reductions_consistent", inputs=PAIR)
class MeanOverTheBatch(_SquaredError):
    r"""A mean that divides the sum by the $N$ samples, not by the number of costs."""

    def _reduced(self, costs: Tensor) -> Tensor:
        return costs.sum() / len(costs) if self.reduction == "mean" else super()._reduced(costs)

    def _weighed(self, grad: Tensor, grad_cost: Tensor | None) -> Tensor:
        grad = grad / len(grad) if self.reduction == "mean" else grad
        return grad if grad_cost is None else grad * grad_cost


@caught_by("reductions_consistent", inputs=PAIR)
class CountedTwice(_SquaredError):
    r"""A cost $(p - t)^2$ that says of each element that it counts twice: several batches go together wrong."""

    def counts(self, target: Tensor) -> Tensor:
        return torch.full_like(target, 2)


@caught_by("runs", inputs=PAIR)
class NeverReduced(_SquaredError):
    r"""A cost $(p - t)^2$ for each element, whatever the reduction."""

    def _reduced(self, costs: Tensor) -> Tensor:
        return costs


@caught_by("arguments_untouched", "forward mutated the argument target", inputs=PAIR)
class TargetSmoothedInPlace(_SquaredError):
    """Changes $t$ on its way."""

    def forward(self, prediction: Any, target: Any) -> tuple[Tensor, Any]:
        return super().forward(prediction, target.mul_(0.9))


@caught_by("refuses", inputs=PAIR, wrong=((draw(5, 3), draw(5, 1)),))
class StretchesTheTarget(_SquaredError):
    r"""Stretches a target of another shape: $(p_{ij} - t_i)^2$."""


@caught_by("reentrant", "stale cache", inputs=PAIR)
class RemembersTheError(_SquaredError):
    """Keeps $p - t$ on itself."""

    def forward(self, prediction: Any, target: Any) -> tuple[Tensor, Any]:
        cost, self.error = super().forward(prediction, target)
        return cost, None

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        return super().backward(self.error, grad_cost)


@caught_by("extreme_inputs", inputs=PROBABILITIES, domain=(0.0, 1.0))
class LogarithmOfZero(_SquaredError):
    r"""$\ell = -t \log p - (1 - t) \log(1 - p)$ without a guard at $p = 0$ and $p = 1$."""

    def forward(self, prediction: Any, target: Any) -> tuple[Tensor, Any]:
        costs = -target * prediction.log() - (1 - target) * (1 - prediction).log()
        return self._reduced(costs), (prediction, target)

    def backward(self, cache: Any, grad_cost: Tensor | None = None) -> Any:
        p, t = cache
        return self._weighed((p - t) / (p * (1 - p)), grad_cost)


@caught_by("config", inputs=PAIR)
class ReductionNotStored(_SquaredError):
    r"""$\ell = (p - t)^2$ that forgets its other argument."""

    def __init__(self, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)


@caught_by("empty_batch", inputs=PAIR)
class AddsAnEmptyMean(_SquaredError):
    r"""$\ell = (p - t)^2$, plus nothing that is NaN for no samples."""

    def forward(self, prediction: Any, target: Any) -> tuple[Tensor, Any]:
        cost, error = super().forward(prediction, target)
        return cost + 0 * error.mean(), error
