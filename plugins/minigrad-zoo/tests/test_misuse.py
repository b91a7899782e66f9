"""Wrong use of a loss or an activation raises one sentence: the rule, then what was received."""

from typing import Any

import pytest
import torch
from minigrad_zoo import (
    CELU,
    GLU,
    CosineEmbedding,
    GaussianNLL,
    Hardshrink,
    Hardsigmoid,
    Hardtanh,
    HingeEmbedding,
    MarginRanking,
    MultiLabelMargin,
    MultiLabelSoftMargin,
    MultiMargin,
    PoissonNLL,
    ReLU6,
    RReLU,
    SoftMargin,
    Softmax2d,
    Softmin,
    Softshrink,
    Softsign,
    Tanhshrink,
    Threshold,
    TripletMargin,
    TripletMarginWithDistance,
)

import minigrad
from minigrad import DtypeError, ShapeError, TargetError

nan = float("nan")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CELU(0.0), r"alpha must not be 0\. Received: alpha=0\.0"),
        (lambda: Hardshrink(-1.0), r"lambd must not be negative\. Received: lambd=-1\.0"),
        (lambda: Softshrink(nan), r"lambd must not be negative\. Received: lambd=nan"),
        (lambda: Hardtanh(1.0, 1.0), r"max_val must be greater than min_val\. Received: min_val=1\.0, max_val=1\.0"),
        (lambda: RReLU(0.5, 0.1), r"lower must not be greater than upper\. Received: lower=0\.5, upper=0\.1"),
        (lambda: PoissonNLL(eps=-1.0), r"eps must not be negative\. Received: eps=-1\.0"),
        (lambda: GaussianNLL(eps=0.0), r"eps must be positive\. Received: eps=0\.0"),
        (lambda: MultiMargin(p=3), r"p must be 1 or 2\. Received: p=3"),
        (lambda: TripletMargin(0.0), r"margin must be positive\. Received: margin=0\.0"),
        (lambda: TripletMargin(p=-2.0), r"p must be positive\. Received: p=-2\.0"),
        (lambda: TripletMarginWithDistance(margin=nan), r"margin must be positive\. Received: margin=nan"),
        *[
            (lambda cls=cls: cls(reduction=cls.__name__), rf"reduction must be .*reduction='{cls.__name__}'")
            for cls in (PoissonNLL, GaussianNLL, SoftMargin, CosineEmbedding, MultiMargin, TripletMargin)
        ],
    ],
)
def test_a_bad_option_is_told(make: Any, message: str):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()


def test_a_distance_is_a_layer():
    with pytest.raises(TypeError, match=r"^distance_function must be a Layer, .*Received: distance_function=<built-in"):
        TripletMarginWithDistance(distance_function=torch.dist)


@pytest.mark.parametrize("dim", [None, 1.0, True])
def test_the_dimension_of_softmin_is_an_integer(dim: Any):
    with pytest.raises(TypeError, match=rf"^Softmin expects dim, .* as an integer\. Received: dim={dim}$"):
        Softmin(dim)


ACTIVATIONS = [CELU, GLU, Hardshrink, Hardsigmoid, Hardtanh, ReLU6, RReLU, Softmin, Softmax2d, Softshrink]


@pytest.mark.parametrize("cls", [*ACTIVATIONS, Softsign, Tanhshrink, lambda: Threshold(0.0, 1.0)])
@pytest.mark.parametrize(
    ("x", "received"),
    [
        (torch.ones(2, 4, 2, dtype=torch.int64), r"torch\.int64"),
        (torch.ones(2, 4, 2, dtype=torch.bool), r"torch\.bool"),
        (torch.ones(2, 4, 2, dtype=torch.complex64), r"torch\.complex64"),
        ([0.5], "list"),
    ],
)
def test_what_has_no_gradient_is_refused_by_both_verbs(cls: Any, x: Any, received: str):
    for verb in (cls().forward, cls().predict):
        with pytest.raises(DtypeError, match=rf"^\w+ expects a floating-point tensor\. Received: {received}$"):
            verb(x)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (GLU(), (3, 5), r"GLU expects an even number of entries along dim=-1\. Received: shape \(3, 5\)"),
        (GLU(2), (4, 4), r"GLU expects an even number of entries along dim=2\. Received: shape \(4, 4\)"),
        (GLU(), (), r"GLU expects an even number of entries along dim=-1\. Received: shape \(\)"),
        (Softmin(2), (4, 4), r"Softmin expects an x with dimension dim=2\. Received: shape \(4, 4\)"),
        (Softmax2d(), (4, 4), r"Softmax2d expects \(N, C, H, W\) or \(C, H, W\)\. Received: shape \(4, 4\)"),
    ],
)
def test_a_bad_shape_is_told(layer: minigrad.Layer, shape: tuple[int, ...], message: str):
    with pytest.raises(ShapeError, match=f"^{message}$"):
        layer.forward(torch.zeros(shape))


X, ONE, INDEX = torch.ones(4, 3), torch.ones(4, 3), torch.tensor([0, 1, 2, 0])
LISTS = torch.tensor([[0, -1, -1]] * 4)


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "error", "message"),
    [
        (
            PoissonNLL(),
            X,
            ONE[:2],
            ShapeError,
            r"expects prediction and target of one shape\. Received: prediction \(4",
        ),
        (PoissonNLL(), X, -ONE, TargetError, r"expects counts of 0 or more\. Received: -1$"),
        (PoissonNLL(), X, ONE * nan, TargetError, r"expects counts of 0 or more\. Received: nan$"),
        (PoissonNLL(log_input=False), -X, ONE, TargetError, r"expects rates of 0 or more\. Received: -1$"),
        (PoissonNLL(), X, ONE.double(), DtypeError, r"expects a target of the prediction's dtype, torch\.float32, or"),
        (PoissonNLL(), X, [1.0], DtypeError, r"expects a tensor of numbers as target\. Received: list$"),
        (PoissonNLL(), X.long(), ONE, DtypeError, r"expects a floating-point tensor\. Received: torch\.int64$"),
        (GaussianNLL(), X, ONE, DtypeError, r"expects a tuple \(mean, var\)\. Received: Tensor$"),
        (GaussianNLL(), (X, X, X), ONE, DtypeError, r"expects a tuple \(mean, var\)\. Received: tuple of 3$"),
        (GaussianNLL(), (X, -X), ONE, TargetError, r"expects variances of 0 or more\. Received: -1$"),
        (GaussianNLL(), (X, X[:, :2]), ONE, ShapeError, r"expects var of the shape of mean, .* var \(4, 2\)$"),
        (GaussianNLL(), (X, X[0]), ONE, ShapeError, r"expects var of the shape of mean, .* var \(3,\)$"),
        (GaussianNLL(), (X, X[:1, :1]), ONE, ShapeError, r"expects var of the shape of mean, .* var \(1, 1\)$"),
        (
            GaussianNLL(),
            (X, X),
            ONE[0],
            ShapeError,
            r"expects mean and target of one shape\. Received: mean \(4, 3\), t",
        ),
        (GaussianNLL(), (X.long(), X), ONE, DtypeError, r"expects a floating-point tensor\. Received: torch\.int64$"),
        (SoftMargin(), X, ONE[0], ShapeError, r"expects prediction and target of one shape"),
        (SoftMargin(), X, ONE * 0.5, TargetError, r"expects targets of 1 and -1\. Received: 0\.5$"),
        (SoftMargin(), X, ONE * 0, TargetError, r"expects targets of 1 and -1\. Received: 0$"),
        (
            SoftMargin(),
            X,
            ONE.to(torch.complex64),
            DtypeError,
            r"expects a tensor of numbers as target\. Received: torc",
        ),
        (HingeEmbedding(), X, ONE[0], ShapeError, r"expects prediction and target of one shape"),
        (HingeEmbedding(), X, ONE * 0, TargetError, r"expects targets of 1 and -1\. Received: 0$"),
        (HingeEmbedding(), "text", ONE, DtypeError, r"expects a floating-point tensor\. Received: str$"),
        (MarginRanking(), X, ONE, DtypeError, r"expects a tuple \(x1, x2\)\. Received: Tensor$"),
        (
            MarginRanking(),
            (X, X[0]),
            ONE,
            ShapeError,
            r"expects x1, x2 and target of one shape\. Received: x1 \(4, 3\), x",
        ),
        (MarginRanking(), (X, X), ONE * 2, TargetError, r"expects targets of 1, 0 and -1\. Received: 2$"),
        (MarginRanking(), (X, X.long()), ONE, DtypeError, r"expects a floating-point tensor\. Received: torch\.int64$"),
        (CosineEmbedding(), (X, X), ONE, ShapeError, r"expects vectors \(N, D\) and a target \(N\), or \(D\) and \(\)"),
        (CosineEmbedding(), (X, X), ONE[0], ShapeError, r".* Received: vectors \(4, 3\), target \(3,\)$"),
        (
            CosineEmbedding(),
            (X, X[0]),
            ONE[:, 0],
            ShapeError,
            r"expects x1 and x2 of one shape\. Received: x1 \(4, 3\), x",
        ),
        (CosineEmbedding(), (X[None], X[None]), ONE, ShapeError, r"expects vectors .* Received: vectors \(1, 4, 3\)"),
        (CosineEmbedding(), (X, X), ONE[:, 0] * 0, TargetError, r"expects targets of 1 and -1\. Received: 0$"),
        (
            MultiMargin(),
            X,
            INDEX[:2],
            ShapeError,
            r"expects a prediction \(N, C\) and a target \(N\), or \(C\) and \(\)",
        ),
        (MultiMargin(), X, INDEX[:, None], ShapeError, r".* Received: prediction \(4, 3\), target \(4, 1\)$"),
        (MultiMargin(), X[None], INDEX[None], ShapeError, r".* Received: prediction \(1, 4, 3\), target \(1, 4\)$"),
        (MultiMargin(), X[:, :0], INDEX, ShapeError, r".* with a class at least\. Received: prediction \(4, 0\)"),
        (
            MultiMargin(),
            X,
            INDEX + 1,
            TargetError,
            r"expects targets from 0 to 2, the indices of 3 classes\. Received: f",
        ),
        (MultiMargin(), X, INDEX - 1, TargetError, r"expects targets .* Received: from -1 to 1$"),
        (
            MultiMargin(),
            X,
            INDEX.int(),
            DtypeError,
            r"expects class indices, torch\.int64, as target\. Received: torch\.i",
        ),
        (MultiMargin(), X, None, DtypeError, r"expects class indices, torch\.int64, as target\. Received: NoneType$"),
        (
            MultiMargin(weight=ONE[0, :2]),
            X,
            INDEX,
            ShapeError,
            r"expects a weight for each class, \(3,\)\. Received: w",
        ),
        (MultiMargin(weight=ONE[0].double()), X, INDEX, DtypeError, r"expects a weight of the prediction's dtype"),
        (MultiLabelMargin(), X, INDEX, ShapeError, r"expects prediction and target to be both \(N, C\) or both \(C\)"),
        (MultiLabelMargin(), X[:, :0], LISTS[:, :0], ShapeError, r"expects .* with a class at least\. Received: pred"),
        (MultiLabelMargin(), X, LISTS + 3, TargetError, r"expects targets from -1 to 2, the indices of 3 classes"),
        (MultiLabelMargin(), X, LISTS - 1, TargetError, r"expects targets .* Received: from -2 to -1$"),
        (
            MultiLabelMargin(),
            X,
            ONE,
            DtypeError,
            r"expects class indices, torch\.int64, as target\. Received: torch\.f",
        ),
        (MultiLabelSoftMargin(), X, ONE[:2], ShapeError, r"expects prediction and target of one shape"),
        (MultiLabelSoftMargin(), X, ONE * 2, TargetError, r"expects targets in \[0, 1\]\. Received: from 2 to 2$"),
        (
            MultiLabelSoftMargin(),
            X[0, 0],
            ONE[0, 0],
            ShapeError,
            r"expects \(\*, C\), with C classes\. Received: shape",
        ),
        (
            MultiLabelSoftMargin(ONE[0, :2]),
            X,
            ONE,
            ShapeError,
            r"expects a weight for each class, \(3,\)\. Received: w",
        ),
        (MultiLabelSoftMargin(ONE[0].double()), X, ONE, DtypeError, r"expects a weight of the prediction's dtype"),
        (
            TripletMargin(),
            (X, X),
            None,
            DtypeError,
            r"expects a tuple \(anchor, positive, negative\)\. Received: tuple of",
        ),
        (
            TripletMargin(),
            (X, X, X[0]),
            None,
            ShapeError,
            r"expects anchor, positive and negative of one shape\. Receiv",
        ),
        (TripletMargin(), (X, X, X), ONE, TargetError, r"takes no target: the prediction is \(anchor, positive, negat"),
        (
            TripletMargin(),
            (X, X, X.int()),
            None,
            DtypeError,
            r"expects a floating-point tensor\. Received: torch\.int32$",
        ),
        (
            TripletMarginWithDistance(),
            (X, X, X),
            ONE,
            TargetError,
            r"takes no target: the prediction is \(anchor, posi",
        ),
        (
            TripletMarginWithDistance(),
            X,
            None,
            DtypeError,
            r"expects a tuple \(anchor, positive, negative\)\. Received:",
        ),
    ],
)
def test_a_bad_pair_is_told(loss: minigrad.Loss, prediction: Any, target: Any, error: type, message: str):
    with pytest.raises(error, match=f"^{type(loss).__name__} {message}|^{message}"):
        loss.forward(prediction, target)
