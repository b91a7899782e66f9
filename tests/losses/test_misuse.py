"""Misuse of a loss is told: the rule, then what was received."""

import re
from typing import Any

import pytest
import torch

from minigrad.core import Loss
from minigrad.errors import DtypeError, ShapeError, TargetError
from minigrad.losses import BCE, L1, MSE, NLL, BCEWithLogits, CrossEntropy, Huber, KLDiv, SmoothL1

PAIRED: list[Any] = [BCEWithLogits, MSE, L1, SmoothL1, Huber, KLDiv]
ALL: list[Any] = [BCE, *PAIRED, NLL, CrossEntropy]
z = torch.zeros
long = torch.int64


@pytest.mark.parametrize("cls", [BCE, *PAIRED])
@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (4, 1)), ((4, 2), (4, 1)), ((4,), ())])
def test_nothing_is_stretched(cls: Any, shapes: Any):
    expected = f"Received: prediction {shapes[0]}, target {shapes[1]}"
    with pytest.raises(
        ShapeError, match=rf"^{cls.__name__} expects prediction .* of one shape\. {re.escape(expected)}$"
    ):
        cls().forward(z(shapes[0]), z(shapes[1]))


@pytest.mark.parametrize("cls", [BCE, *PAIRED])
def test_dtypes_are_not_promoted(cls: Any):
    name = cls.__name__
    for dtype in (torch.float64, torch.int64, torch.bool):
        with pytest.raises(
            DtypeError,
            match=rf"^{name} expects a target of the prediction's dtype, torch\.float32\. Received: {dtype}$",
        ):
            cls().forward(z(3), z(3, dtype=dtype))


@pytest.mark.parametrize("cls", [*PAIRED, NLL, CrossEntropy])
def test_only_floating_point_tensors_are_predictions(cls: Any):
    name = cls.__name__
    with pytest.raises(DtypeError, match=rf"^{name} expects a floating-point prediction\. Received: torch\.int64$"):
        cls().forward(z(3, 3, dtype=long), z(3, dtype=long))
    with pytest.raises(DtypeError, match=rf"^{name} expects two tensors\. Received: prediction list, target Tensor$"):
        cls().forward([0.0], z(1))
    with pytest.raises(DtypeError, match=rf"^{name} expects two tensors\. Received: prediction Tensor, target int$"):
        cls().forward(z(1), 0)


@pytest.mark.parametrize("cls", ALL)
def test_reductions_are_known(cls: Any):
    with pytest.raises(ValueError, match=r"^reduction must be .*'none'\. Received: reduction='average'$"):
        cls(reduction="average")
    assert cls(reduction="sum").reduction == "sum"
    assert cls().reduction == "mean"


@pytest.mark.parametrize("cls", ALL)
def test_the_gradient_of_the_cost_must_fit(cls: Any):
    p, t = z(3, 2), z(3, dtype=long) if cls in (NLL, CrossEntropy) else z(3, 2)
    for reduction, good in (("mean", ()), ("none", tuple(t.shape))):
        loss = cls(reduction=reduction)
        _, cache = loss.forward(p, t)
        assert loss.backward(cache, torch.ones(good)).shape == p.shape
        for bad in [(1,), (3, 1), (2, 3)]:
            message = (
                rf"^{cls.__name__} expects a grad_cost .* {re.escape(str(good))}\. Received: {re.escape(str(bad))}$"
            )
            with pytest.raises(ShapeError, match=message):
                loss.backward(cache, torch.ones(bad))


@pytest.mark.parametrize("cls", [NLL, CrossEntropy])
class TestClasses:
    @pytest.mark.parametrize(
        ("p", "t"),
        [((4, 5), (3,)), ((4, 5), (4, 1)), ((5,), (1,)), ((4, 5, 3), (4,)), ((4, 5, 3, 2), (4, 2, 3)), ((), ())],
    )
    def test_shapes(self, cls: Any, p: Any, t: Any):
        expected = re.escape(f"Received: prediction {p}, target {t}")
        with pytest.raises(ShapeError, match=rf"^{cls.__name__} expects .*{expected}$|of shape \(N, C, \.\.\.\)"):
            cls().forward(z(p), z(t, dtype=long) if p else z(t))

    @pytest.mark.parametrize("dtype", [torch.int32, torch.float32, torch.uint8, torch.bool])
    def test_dtypes(self, cls: Any, dtype: torch.dtype):
        with pytest.raises(
            DtypeError, match=rf"^{cls.__name__} expects class indices of torch\.int64\. Received: {dtype}$"
        ):
            cls().forward(z(4, 5), z(4, dtype=dtype))

    @pytest.mark.parametrize("shape", [(4, 5), (5,), (4, 5, 3), (4, 5, 3, 2)])
    @pytest.mark.parametrize("wrong", [5, -1, 1000])
    def test_targets_out_of_range(self, cls: Any, shape: Any, wrong: int):
        t = z(shape[:1] + shape[2:] if len(shape) > 1 else (), dtype=long)
        t.view(-1)[-1] = wrong
        with pytest.raises(
            TargetError,
            match=rf"^{cls.__name__} expects class indices from 0 to 4, or ignore_index=7\. Received: {wrong}$",
        ):
            cls(ignore_index=7).forward(z(shape), t)

    def test_weights(self, cls: Any):
        name = cls.__name__
        with pytest.raises(ShapeError, match=rf"^{name} expects a weight .* the 5 classes\. Received: weight \(4,\)$"):
            cls(torch.ones(4)).forward(z(4, 5), z(4, dtype=long))
        with pytest.raises(
            DtypeError, match=rf"^{name} expects a weight of .*, torch\.float32\. Received: torch\.float64$"
        ):
            cls(torch.ones(5).double()).forward(z(4, 5), z(4, dtype=long))

    def test_no_class_at_all(self, cls: Any):
        with pytest.raises(ShapeError, match=rf"^{cls.__name__} expects a class at least\. Received: \(4, 0\)$"):
            cls().forward(z(4, 0), z(4, dtype=long))


def test_probabilities_of_classes():
    with pytest.raises(DtypeError, match=r"^CrossEntropy expects a target of the prediction's dtype.* torch\.int64$"):
        CrossEntropy().forward(z(4, 5), z(4, 5, dtype=long))
    with pytest.raises(ShapeError, match=r"^CrossEntropy expects a weight .* the 5 classes\. Received: weight \(4,\)$"):
        CrossEntropy(torch.ones(4)).forward(z(4, 5), z(4, 5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SmoothL1(beta=-1.0), "beta must not be negative. Received: beta=-1.0"),
        (lambda: Huber(delta=0.0), "delta must be positive. Received: delta=0.0"),
        (lambda: BCE(eps=-1.0), "eps must not be negative. Received: eps=-1.0"),
        (lambda: CrossEntropy(label_smoothing=1.5), "label_smoothing must be in [0, 1]. Received: label_smoothing=1.5"),
    ],
)
def test_arguments(make: Any, message: str):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_weights_that_do_not_broadcast():
    for argument, shape in (("weight", (3,)), ("pos_weight", (4,)), ("pos_weight", (2, 2, 2))):
        with pytest.raises(
            ShapeError, match=rf"^BCEWithLogits expects a {argument} that broadcasts to .* \(4, 2\)\. Received: \("
        ):
            BCEWithLogits(**{argument: torch.ones(shape)}).forward(z(4, 2), z(4, 2))


def test_without_a_batch_batchmean_divides_by_nothing():
    cost, cache = KLDiv("batchmean").forward(z(()), z(()))
    assert torch.equal(cost, KLDiv("sum")(z(()), z(())))
    assert torch.equal(KLDiv("batchmean").backward(cache), KLDiv("sum").backward(cache))


def test_predictions_that_are_no_probabilities():
    for wrong in (1.5, -0.25, float("nan")):
        with pytest.raises(TargetError, match=r"^BCE expects predictions in \[0, 1\]; BCEWithLogits takes any\. Rec"):
            BCE().forward(torch.tensor([0.5, wrong]), z(2))


@pytest.mark.parametrize(
    ("loss", "shown"),
    [
        (MSE("sum"), "MSE(reduction='sum')"),
        (KLDiv("batchmean", True), "KLDiv(reduction='batchmean', log_target=True)"),
        (CrossEntropy(label_smoothing=0.1), "CrossEntropy(label_smoothing=0.1)"),
        (Huber(delta=2.0), "Huber(delta=2.0)"),
    ],
)
def test_the_repr_makes_it_again(loss: Loss, shown: str):
    assert repr(loss) == shown
    assert eval(shown).config() == loss.config()


@pytest.mark.parametrize("cls", [BCE, BCEWithLogits, NLL, CrossEntropy])
@pytest.mark.parametrize("weight", [2.0, [1.0, 2.0], "sum"])
def test_a_weight_is_a_tensor(cls: Any, weight: Any):
    expected = re.escape(f"{cls.__name__} expects a tensor as its weight. Received: weight={weight!r}")
    with pytest.raises(TypeError, match=f"^{expected}$"):
        cls(weight)


@pytest.mark.parametrize("cls", [BCE, BCEWithLogits])
def test_a_weight_of_elements_broadcasts(cls: Any):
    with pytest.raises(
        ShapeError, match=rf"^{cls.__name__} expects a weight that broadcasts .*, \(3, 2\)\. .*: \(7,\)$"
    ):
        cls(weight=torch.ones(7)).forward(z(3, 2), z(3, 2))


@pytest.mark.parametrize("target", [2.0, -1.0, torch.nan])
def test_targets_of_bce_are_probabilities(target: float):
    with pytest.raises(TargetError, match=r"^BCE expects targets in \[0, 1\]\. Received: from "):
        BCE().forward(torch.full((2,), 0.5), torch.full((2,), target))
