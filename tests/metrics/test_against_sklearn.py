"""Every metric against scikit-learn's, on the same numbers, in batches of several sizes."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as judge
from torch import Tensor

from minigrad.core import Metric
from minigrad.metrics import Accuracy, BinaryAccuracy, ConfusionMatrix, MeanAbsoluteError, Perplexity, TopKAccuracy

CLASSES = 7


def data(seed: int, samples: int = 61) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(samples, CLASSES, generator=generator)
    return scores, torch.randint(CLASSES, (samples,), generator=generator)


def measured(metric: Metric, prediction: Tensor, target: Tensor, size: int) -> object:
    for start in range(0, len(target), size):
        metric.update(prediction[start : start + size], target[start : start + size])
    return metric.compute()


@pytest.mark.parametrize("size", [1, 8, 61])
@pytest.mark.parametrize("seed", [0, 1])
def test_classes(seed: int, size: int):
    scores, target = data(seed)
    expected = judge.accuracy_score(target, scores.argmax(1))
    assert measured(Accuracy(), scores, target, size) == pytest.approx(expected, rel=1e-12)
    matrix = judge.confusion_matrix(target, scores.argmax(1), labels=range(CLASSES))
    assert measured(ConfusionMatrix(), scores, target, size) == matrix.tolist()
    for k in (1, 2, 5, 6):
        expected = judge.top_k_accuracy_score(target, scores, k=k, labels=range(CLASSES))
        assert measured(TopKAccuracy(k), scores, target, size) == pytest.approx(expected, rel=1e-12)
    cost = judge.log_loss(target, torch.softmax(scores.double(), 1), labels=range(CLASSES))
    assert measured(Perplexity(), scores, target, size) == pytest.approx(math.exp(cost), rel=1e-9)


@pytest.mark.parametrize("size", [1, 8, 61])
def test_probabilities_as_targets_stand_for_the_likeliest_class(size: int):
    scores, _ = data(0)
    target = torch.softmax(data(5)[0], 1)
    expected = judge.accuracy_score(target.argmax(1), scores.argmax(1))
    assert measured(Accuracy(), scores, target, size) == pytest.approx(expected, rel=1e-12)
    matrix = judge.confusion_matrix(target.argmax(1), scores.argmax(1), labels=range(CLASSES))
    assert measured(ConfusionMatrix(CLASSES), scores, target, size) == matrix.tolist()


@pytest.mark.parametrize("cls", [Accuracy, TopKAccuracy, Perplexity, ConfusionMatrix])
def test_what_is_ignored_does_not_count(cls: type[Metric]):
    scores, target = data(2)
    kept = (target != 3) & (target != 4)
    ours = cls(ignore_index=3)  # type: ignore[call-arg]
    ours.update(scores[target != 4], target[target != 4])
    expected = cls()
    expected.update(scores[kept], target[kept])
    assert ours.compute() == expected.compute()


@pytest.mark.parametrize("cls", [Accuracy, TopKAccuracy, Perplexity, ConfusionMatrix])
def test_classes_lie_along_dimension_1_wherever_more_follow(cls: type[Metric]):
    scores, target = data(3, samples=60)
    flat, deep = cls(), cls()
    flat.update(scores, target)
    deep.update(scores.reshape(5, 3, 4, CLASSES).movedim(3, 1), target.reshape(5, 3, 4))
    assert deep.compute() == pytest.approx(flat.compute()) if cls is Perplexity else deep.compute() == flat.compute()


def test_one_sample_may_come_alone():
    assert Accuracy()(torch.tensor([0.1, 0.9]), torch.tensor(1)) == 1.0
    assert ConfusionMatrix()(torch.tensor([0.1, 0.9]), torch.tensor(0)) == [[0, 1], [0, 0]]


@pytest.mark.parametrize("threshold", [0.5, 0.2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_yes_and_no(threshold: float, dtype: torch.dtype):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 2, generator=generator)
    target = torch.rand(40, 2, generator=generator) > 0.4
    p = torch.sigmoid(logits)
    expected = judge.accuracy_score(target.flatten(), (p > threshold).flatten())
    assert BinaryAccuracy(threshold)(p, target.to(dtype)) == pytest.approx(expected, rel=1e-12)
    assert BinaryAccuracy(threshold, logits=True)(logits, target.to(dtype)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_mean_absolute_error(size: int):
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.randn(50, 3, generator=generator), torch.randn(50, 3, generator=generator)
    expected = judge.mean_absolute_error(target.double(), prediction.double())
    assert measured(MeanAbsoluteError(), prediction, target, size) == pytest.approx(expected, rel=1e-14)


def test_sums_are_exact_where_float32_no_longer_counts():
    error = MeanAbsoluteError()
    error.update(torch.full((1,), 2.0**25), torch.zeros(1))
    for _ in range(8):
        error.update(torch.ones(1), torch.zeros(1))
    assert error.compute() == (2.0**25 + 8) / 9
    accuracy = Accuracy()
    accuracy.right, accuracy.count = torch.tensor(2**40), 2**40
    accuracy.update(torch.eye(2), torch.tensor([0, 0]))
    assert accuracy.compute() == (2**40 + 1) / (2**40 + 2)


def test_half_precision_and_arrays_are_taken():
    scores, target = data(0)
    expected = Accuracy()(scores, target)
    assert Accuracy()(np.asarray(scores), np.asarray(target, dtype=np.int32)) == expected
    for dtype in (torch.float16, torch.bfloat16):
        low = scores.to(dtype)
        assert Accuracy()(low, target) == judge.accuracy_score(target, low.float().argmax(1))
        assert Perplexity()(low, target) == pytest.approx(Perplexity()(low.double(), target))


def test_ties_are_decided_by_the_first_class():
    even = torch.zeros(3, 3)
    assert ConfusionMatrix()(even, torch.arange(3)) == [[1, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert Accuracy()(even, torch.arange(3)) == pytest.approx(1 / 3)
    assert TopKAccuracy(1)(even, torch.arange(3)) == pytest.approx(1 / 3)
    assert TopKAccuracy(2)(even, torch.arange(3)) == pytest.approx(2 / 3)
    assert BinaryAccuracy()(torch.tensor([0.5, 0.5]), torch.tensor([0, 1])) == 0.5


def test_a_nan_is_never_right():
    nan = torch.full((2, 3), torch.nan)
    target = torch.tensor([0, 2])
    assert Accuracy()(nan, target) == 0.0
    assert TopKAccuracy(3)(nan, target) == 0.0
    assert BinaryAccuracy(logits=True)(nan, torch.zeros(2, 3)) == 0.0
    assert BinaryAccuracy()(nan, torch.zeros(2, 3)) == 0.0
    assert math.isnan(Perplexity()(nan, target))  # type: ignore[arg-type]
    assert math.isnan(MeanAbsoluteError()(nan, torch.zeros(2, 3)))  # type: ignore[arg-type]


def test_before_any_sample_there_is_no_value():
    for cls in (Accuracy, TopKAccuracy, BinaryAccuracy, MeanAbsoluteError, Perplexity):
        assert math.isnan(cls().compute())
    for cls in (BinaryAccuracy, MeanAbsoluteError):
        assert math.isnan(cls()(torch.zeros(0, 5), torch.zeros(0, 5)))
    assert ConfusionMatrix().compute() == []
    assert ConfusionMatrix(2).compute() == [[0, 0], [0, 0]]
    everything_ignored = Accuracy(ignore_index=1)
    everything_ignored.update(torch.zeros(2, 3), torch.ones(2, dtype=torch.int64))
    assert math.isnan(everything_ignored.compute())


def test_a_hopeless_perplexity_is_infinite():
    assert Perplexity()(torch.tensor([[0.0, 1e6]]), torch.tensor([0])) == math.inf
