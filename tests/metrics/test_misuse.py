"""Misuse of a metric is told: the rule, then what was received."""

import re
from typing import Any

import pytest
import torch

from minigrad.errors import DtypeError, ShapeError, TargetError
from minigrad.metrics import Accuracy, BinaryAccuracy, ConfusionMatrix, MeanAbsoluteError, Perplexity, TopKAccuracy
from minigrad.registry import build, metric

CLASSES: list[Any] = [Accuracy, lambda: TopKAccuracy(2), ConfusionMatrix, Perplexity]
ALL: list[Any] = [*CLASSES, BinaryAccuracy, MeanAbsoluteError]
z = torch.zeros
long = torch.int64


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("shapes", [((4, 3), (3,)), ((4, 3), (4, 1)), ((4, 3, 2), (4, 3)), ((), ()), ((4, 3), ())])
def test_indices_have_the_shape_without_classes(cls: Any, shapes: Any):
    with pytest.raises(ShapeError, match=re.escape(f"Received: prediction {shapes[0]}, target {shapes[1]}")):
        cls().update(z(shapes[0]), z(shapes[1], dtype=long))


@pytest.mark.parametrize("cls", [Accuracy, lambda: TopKAccuracy(2), ConfusionMatrix])
@pytest.mark.parametrize("shape", [(4,), (2, 2)])
def test_answers_of_yes_and_no_are_no_probabilities_of_classes(cls: Any, shape: Any):
    # As one sample of four classes, or two samples of two, they would be right or wrong by chance.
    with pytest.raises(TargetError, match=r"sum to 1; BinaryAccuracy .* Received: a sum of"):
        cls().update(z(shape), torch.tensor([1.0, 1, 0, 1]).reshape(shape))


def test_the_value_of_a_batch_that_cannot_be_leaves_the_sums():
    accuracy = Accuracy()
    accuracy.update(torch.eye(3), torch.arange(3))
    with pytest.raises(ShapeError):
        accuracy(torch.eye(3), torch.arange(2))
    assert accuracy.compute() == 1.0


@pytest.mark.parametrize("cls", [Accuracy, ConfusionMatrix])
def test_a_single_probability_is_no_score_of_classes(cls: Any):
    # It would be right every time: the largest of one.
    with pytest.raises(ShapeError, match=r"two classes at least; BinaryAccuracy .* Received: prediction \(4, 1\)"):
        cls().update(z(4, 1), z(4, 1))


@pytest.mark.parametrize("cls", [BinaryAccuracy, MeanAbsoluteError])
@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (4, 1)), ((4, 2), (4, 1))])
def test_nothing_is_stretched(cls: Any, shapes: Any):
    expected = f"{cls.__name__} expects prediction and target of one shape. Received: prediction {shapes[0]}"
    with pytest.raises(ShapeError, match=f"^{re.escape(expected)}, target"):
        cls().update(z(shapes[0]), z(shapes[1]))


@pytest.mark.parametrize("cls", ALL)
def test_predictions_are_floating_point_tensors(cls: Any):
    with pytest.raises(DtypeError, match=r"expects a floating-point prediction\. Received: torch\.int64$"):
        cls().update(z(3, 3, dtype=long), z(3, dtype=long))
    with pytest.raises(DtypeError, match=r"expects two tensors\. Received: prediction str, target Tensor$"):
        cls().update("scores", z(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool])
def test_indices_are_integers(dtype: torch.dtype):
    with pytest.raises(DtypeError, match=rf"^Accuracy expects class indices to be integers\. Received: {dtype}$"):
        Accuracy().update(z(3, 3), z(3, dtype=dtype))
    with pytest.raises(DtypeError, match=r"^Accuracy expects probabilities to be floating-point numbers"):
        Accuracy().update(z(3, 3), z(3, 3, dtype=long))
    with pytest.raises(ShapeError, match=r"^Perplexity expects class indices"):
        Perplexity().update(z(3, 3), z(3, 3))
    with pytest.raises(DtypeError, match=r"^MeanAbsoluteError expects targets that are real numbers"):
        MeanAbsoluteError().update(z(3), z(3, dtype=torch.bool))


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("wrong", [-1, 3, 99])
def test_indices_are_classes(cls: Any, wrong: int):
    expected = rf"expects class indices from 0 to 2, or ignore_index=-100\. Received: {wrong}$"
    with pytest.raises(TargetError, match=expected):
        cls().update(z(2, 3), torch.tensor([0, wrong]))


def test_answers_are_yes_or_no():
    with pytest.raises(TargetError, match=r"^BinaryAccuracy expects targets of 0 and 1\. Received: 0\.5$"):
        BinaryAccuracy().update(z(2), torch.tensor([1.0, 0.5]))
    with pytest.raises(TargetError, match=r"in \[0, 1\]; with logits=True it takes any\. Received: -2$"):
        BinaryAccuracy().update(torch.tensor([0.5, -2.0]), z(2))


def test_the_number_of_classes_stays():
    with pytest.raises(ShapeError, match=r"^TopKAccuracy expects at least k=5 classes\. Received: 3$"):
        TopKAccuracy().update(z(2, 3), z(2, dtype=long))
    with pytest.raises(ShapeError, match=r"^ConfusionMatrix expects scores of 4 classes\. Received: 3$"):
        ConfusionMatrix(4).update(z(2, 3), z(2, dtype=long))
    matrix = ConfusionMatrix()
    matrix.update(z(2, 3), z(2, dtype=long))
    with pytest.raises(ShapeError, match=r"^ConfusionMatrix expects scores of 3 classes\. Received: 4$"):
        matrix.update(z(2, 4), z(2, dtype=long))
    matrix.reset()
    matrix.update(z(2, 4), z(2, dtype=long))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TopKAccuracy(0), "k must be a whole number, at least 1. Received: k=0"),
        (lambda: BinaryAccuracy(1.5), "threshold must be in [0, 1]. Received: threshold=1.5"),
        (lambda: BinaryAccuracy(float("nan")), "threshold must be in [0, 1]. Received: threshold=nan"),
        (lambda: ConfusionMatrix(1), "num_classes must be a whole number, at least 2. Received: num_classes=1"),
    ],
)
def test_arguments_that_cannot_be_are_refused(make: Any, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_names():
    names = {"accuracy": Accuracy, "binary_accuracy": BinaryAccuracy, "top_k_accuracy": TopKAccuracy}
    names |= {"top_k": TopKAccuracy, "mean_absolute_error": MeanAbsoluteError, "mae": MeanAbsoluteError}
    names |= {"perplexity": Perplexity, "confusion_matrix": ConfusionMatrix}
    assert {name: metric(name) for name in names} == names
    assert build({"name": "top_k", "k": 3}).k == 3
