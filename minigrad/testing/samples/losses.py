"""Cases of the built-in losses."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minigrad.testing.case import Case, draw

Cases = Callable[[Any], list[Case]]

WEIGHT = torch.tensor([0.5, 2.0, 1.0])
CLASSES = torch.tensor([0, 3, 1, 3, 2])
CLASS_WEIGHT = torch.tensor([0.5, 2.0, 1.0, 0.25])


def probabilities(*shape: int) -> tuple[Tensor, Tensor]:
    """Predictions and targets in [0, 1]."""
    return draw(*shape, low=0.0, high=1.0), draw(*shape, seed=1, low=0.0, high=1.0)


def distribution(*shape: int) -> Tensor:
    """Probabilities that add up to one along the second axis."""
    return torch.softmax(draw(*shape, seed=1), 1)


def bce(cls: Any) -> list[Case]:
    """Plain, with the guard of a hand-written backward, and weighted."""
    wrong = (
        (draw(5, 3), probabilities(5, 3)[1]),
        (probabilities(5, 3)[0], probabilities(5, 1)[1]),
        ("text", probabilities(5, 3)[1]),
    )
    return [
        Case(cls, lambda: probabilities(5, 3), wrong=wrong, domain=(0.0, 1.0)),
        Case(lambda: cls(eps=1e-7), lambda: probabilities(5, 3), domain=(0.0, 1.0)),
        Case(lambda: cls(weight=WEIGHT), lambda: probabilities(5, 3), "weighted", domain=(0.0, 1.0)),
    ]


def bce_with_logits(cls: Any) -> list[Case]:
    """Plain, weighted by element, and with weights for the positives."""
    pair = (draw(5, 3), probabilities(5, 3)[1])
    return [
        Case(cls, pair, wrong=((draw(5, 3), draw(5, 1)), ("text", pair[1]))),
        Case(lambda: cls(weight=WEIGHT), pair, "weighted"),
        Case(lambda: cls(pos_weight=WEIGHT), pair, "positives weighted"),
    ]


def regression(*arguments: dict[str, Any]) -> Cases:
    """Between real numbers of one shape; with each set of arguments."""

    def cases(cls: Any) -> list[Case]:
        wrong = ((draw(5, 3), draw(5, 1)), (draw(5, 3), draw(3)), ("text", draw(5, 3)))
        plain = [Case(cls, (draw(5, 3), draw(5, 3, seed=1)), wrong=wrong)]
        return plain + [Case(lambda given=given: cls(**given), (draw(5, 3), draw(5, 3, seed=1))) for given in arguments]

    return cases


def cross_entropy(cls: Any) -> list[Case]:
    """Of classes and of probabilities, weighted, smoothed, with some ignored, and on three axes."""
    logits, pair = draw(5, 4), (draw(5, 4), CLASSES)
    weighted = CLASS_WEIGHT[CLASSES].sum().item()
    spread = torch.tensor([[0, 3, 1], [2, 2, 0]])
    wrong = ((logits, CLASSES[:4]), (logits, CLASSES + 9), (logits, draw(5)), ("text", CLASSES))
    return [
        Case(cls, pair, wrong=wrong),
        Case(lambda: cls(weight=CLASS_WEIGHT), pair, "weighted", mean_count=weighted),
        Case(lambda: cls(ignore_index=3), pair, "some ignored", mean_count=3),
        Case(lambda: cls(label_smoothing=0.2), pair, "smoothed"),
        Case(lambda: cls(label_smoothing=0.2, weight=CLASS_WEIGHT), pair, "smoothed, weighted", mean_count=weighted),
        Case(cls, (logits, distribution(5, 4)), "probabilities"),
        Case(
            lambda: cls(weight=CLASS_WEIGHT, label_smoothing=0.1),
            (logits, distribution(5, 4)),
            "weighted probabilities",
        ),
        Case(cls, (draw(2, 4, 3), spread), "three axes"),
    ]


def nll(cls: Any) -> list[Case]:
    """Of classes, weighted, with some ignored, and on three axes."""
    logs, weighted = torch.log_softmax(draw(5, 4), 1), CLASS_WEIGHT[CLASSES].sum().item()
    spread = torch.tensor([[0, 3, 1], [2, 2, 0]])
    return [
        Case(cls, (logs, CLASSES), wrong=((logs, CLASSES[:4]), (logs, CLASSES + 9), ("text", CLASSES))),
        Case(lambda: cls(weight=CLASS_WEIGHT), (logs, CLASSES), "weighted", mean_count=weighted),
        Case(lambda: cls(ignore_index=3), (logs, CLASSES), "some ignored", mean_count=3),
        Case(cls, (torch.log_softmax(draw(2, 4, 3), 1), spread), "three axes"),
    ]


def kl_div(cls: Any) -> list[Case]:
    """Of probabilities, and of their logarithms."""
    logs = torch.log_softmax(draw(5, 4), 1)
    return [
        Case(cls, (logs, distribution(5, 4)), wrong=((logs, distribution(4, 4)), ("text", distribution(5, 4)))),
        Case(lambda: cls(log_target=True), (logs, distribution(5, 4).log()), "logarithms"),
    ]


SAMPLES: dict[str, Cases] = {
    "BCE": bce,
    "BCEWithLogits": bce_with_logits,
    "CrossEntropy": cross_entropy,
    "Huber": regression({"delta": 0.5}),
    "KLDiv": kl_div,
    "L1": regression(),
    "MSE": regression(),
    "NLL": nll,
    "SmoothL1": regression({"beta": 0.5}),
}
