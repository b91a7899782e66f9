"""Cases of the built-in metrics."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minigrad.testing.case import Case, draw

Cases = Callable[[Any], list[Case]]


def classes(samples: int = 9, number: int = 6) -> tuple[Tensor, Tensor]:
    """Scores, and the indices of classes."""
    return draw(samples, number, seed=1), torch.arange(samples) * 5 % number


def places() -> tuple[Tensor, Tensor]:
    """Scores of several places in each sample, some of which do not count."""
    target = torch.arange(24).reshape(6, 4) * 5 % 3
    return draw(6, 3, 4, seed=2), target.masked_fill(target == 1, -100)


def probabilities() -> tuple[Tensor, Tensor]:
    """Scores, and probabilities for a target."""
    return draw(9, 6, seed=1), torch.softmax(draw(9, 6, seed=3), 1)


def of_classes(cls: Any) -> list[Case]:
    """Indices, several places, and probabilities."""
    cases = [Case(cls, classes), Case(cls, places, name="places"), Case(cls, probabilities, name="probabilities")]
    return [*cases, Case(lambda: cls(ignore_index=2), classes, name="class 2 ignored")]


SAMPLES: dict[str, Cases] = {
    "Accuracy": of_classes,
    "BinaryAccuracy": lambda cls: [
        Case(cls, lambda: (draw(9, 2, low=0.0, high=1.0), (draw(9, 2, seed=1) > 0).float())),
        Case(lambda: cls(0.3, logits=True), lambda: (draw(9), draw(9, seed=1) > 0), name="scores"),
    ],
    "ConfusionMatrix": lambda cls: [*of_classes(cls), Case(lambda: cls(num_classes=6), classes, name="6 classes")],
    "MeanAbsoluteError": lambda cls: [Case(cls, lambda: (draw(9, 2), draw(9, 2, seed=1)))],
    "Perplexity": lambda cls: [Case(cls, classes), Case(cls, places, name="places")],
    "TopKAccuracy": lambda cls: [Case(cls, classes), Case(lambda: cls(k=2), probabilities, name="probabilities")],
}
