"""Broken metrics."""

# ruff: noqa: D102  # what reset, update and compute are, their contract says

import math
from typing import Any, ClassVar

from torch import Tensor

from minigrad.core import Metric
from minigrad.testing.broken.gallery import caught_by


class _Share(Metric):
    r"""A right $m = \frac{1}{N} \sum_i [\operatorname{argmax}_c x_{ic} = t_i]$ to be broken."""

    higher_is_better: ClassVar[bool | None] = True

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.right = 0
        self.count = 0

    def update(self, prediction: Any, target: Any) -> None:
        self.right += int((prediction.argmax(1) == target).sum())
        self.count += len(target)

    def compute(self) -> Any:
        return self.right / self.count if self.count else math.nan


@caught_by("value_is_plain")
class GivesATensor(_Share):
    r"""$m$ as a tensor, which no log can write."""

    def update(self, prediction: Any, target: Any) -> None:
        self.right = self.right + (prediction.argmax(1) == target).sum()
        self.count += len(target)


@caught_by("value_is_plain")
class SaysNoDirection(_Share):
    r"""$m$, of which nobody says whether larger is better."""

    higher_is_better: ClassVar[bool | None] = None


@caught_by("batches_do_not_matter")
class MeanOfMeans(_Share):
    r"""$m = \frac{1}{B} \sum_b m_b$, in which a small batch weighs as much as a large one."""

    def update(self, prediction: Any, target: Any) -> None:
        self.right += float((prediction.argmax(1) == target).float().mean())  # type: ignore[assignment]
        self.count += 1


@caught_by("reset_forgets")
class KeepsTheCount(_Share):
    r"""$m$, whose $N$ no reset sets to zero."""

    def __init__(self) -> None:
        self.count = 0
        super().__init__()

    def reset(self) -> None:
        self.right = 0


@caught_by("call_keeps_the_sums")
class SumsInAList(_Share):
    r"""$m$, its sum in a list that its state dict only points at."""

    def reset(self) -> None:
        self.sums = getattr(self, "sums", [0, 0])
        self.sums[:] = [0, 0]

    def update(self, prediction: Any, target: Any) -> None:
        self.sums[0] += int((prediction.argmax(1) == target).sum())
        self.sums[1] += len(target)

    def compute(self) -> Any:
        return self.sums[0] / self.sums[1] if self.sums[1] else math.nan


@caught_by("metric_resumes")
class CountsOutsideTheSums(_Share):
    r"""$m$, whose $N$ its state dict leaves out."""

    def state_dict(self) -> dict[str, Any]:
        return {"right": self.right}


@caught_by("metric_leaves_its_arguments")
class SoftensInPlace(_Share):
    r"""$m$ of $\operatorname{softmax}(x)$, written over the scores."""

    def update(self, prediction: Tensor, target: Any) -> None:
        prediction.exp_().div_(prediction.sum(1, keepdim=True))
        super().update(prediction, target)


@caught_by("documented")
class SaysNoFormula(_Share):
    """The share of samples that are right."""
