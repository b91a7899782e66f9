"""NetClassifier, a net as a scikit-learn classifier."""

from typing import Any, Self, final

import numpy as np
import torch
from sklearn.base import ClassifierMixin  # type: ignore[import-untyped]
from sklearn.utils.multiclass import check_classification_targets, unique_labels  # type: ignore[import-untyped]
from torch import Tensor

from minigrad.core import Layer
from minigrad.errors import ConfigError
from minigrad.interop.sklearn.coding import coding_of
from minigrad.interop.sklearn.estimator import Array, NetEstimator


@final
class NetClassifier(ClassifierMixin, NetEstimator):  # type: ignore[misc]
    r"""A net that tells classes apart, as a scikit-learn estimator.

    $$\hat y = \arg\max_c p_c(x), \qquad p = \operatorname{softmax}(f(x; \theta))$$

    `fit` makes everything anew and leaves the arguments as they are: components given as objects are copied, and a net
    that is given as a layer begins at its weights each time. The default net computes in float64 for X in float64, and
    in float32 for X in float32, as scikit-learn's own do.

    Args:
        hidden: Widths of the hidden layers; `()` is a linear classifier.
        activation: Stands behind each hidden layer: a name, a configuration or an object.
        net: In place of `hidden` and `activation`: a layer, a configuration for `minigrad.build`, or a function
            `(n_features, n_outputs) -> Layer`.
        loss: A name, a configuration or an object; `None` is cross-entropy. For it, and for any loss not named here,
            the net gives a score for each class; for `nll` log-probabilities; for `bce_with_logits` logits and for
            `bce` probabilities: of these two one column for two classes, else one for each.
        optimizer: A name, a configuration, or a class or function that takes the parameters (and `lr`).
        lr: The learning rate; `None` leaves it to the optimizer.
        epochs: Passes over the data that `fit` makes.
        batch_size: Samples per update; `None` takes all at once.
        schedule: Of the learning rate: a name, a configuration, or a class or function that takes the optimizer.
        schedule_every: Whether the schedule goes on after each `"epoch"` or each `"step"`.
        validation_fraction: The share of the data that `fit` holds out, and measures on after each pass; each class
            keeps its share.
        metrics: What is measured: names, configurations or objects.
        callbacks: Told what happens, such as early stopping: names, configurations or objects.
        warm_start: Whether another `fit` goes on with the net that there is.
        random_state: An integer for the same net each time, a numpy `RandomState` to draw from, or `None` for chance.
            Neither torch's nor numpy's global generator is used or moved.
        device: Where the net computes; `None` is the CPU.
        dtype: `"float32"` or `"float64"`; `None` takes that of X.
        verbose: Whether a bar tells how far `fit` is.

    Attributes:
        classes_: The labels, sorted; the columns of `predict_proba` are in this order.
        net_: The trained layer.
        history_: What each update cost, and what was measured.
        n_iter_: Passes over the data so far.
        loss_, optimizer_, schedule_, callbacks_: What it was trained with.
        n_features_in_, feature_names_in_: What X looked like.

    Raises:
        ConfigError: If an argument cannot be used; it is told by `fit`. Also if one of those that the net, loss or
            optimizer was made of was changed before `warm_start` or `partial_fit` goes on with them.
        ShapeError: If the net's output has not the columns that the loss needs.
        NonFiniteError: If training ended with a NaN or an infinity in the weights.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> classifier = NetClassifier((16,), lr=0.01, epochs=100, random_state=0).fit(X, y)
        >>> classifier.score(X, y) > 0.95
        True
        >>> classifier.net_
        Sequential(Linear(in_features=4, out_features=16), ReLU(), Linear(in_features=16, out_features=3))

    References:
        Buitinck et al., "API design for machine learning software: experiences from the scikit-learn project", 2013.
    """

    _default_loss = "cross_entropy"

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn from these samples in one pass, going on with the net that there is.

        Args:
            X: The samples: `(N, n_features)`.
            y: Their labels: `(N)`.
            classes: All labels that will ever come up; the first call needs them.
            sample_weight: How much each sample counts: `(N)`.

        Raises:
            ValueError: If the first call has no `classes`, or a later one has others.
        """
        going_on = hasattr(self, "net_")
        if classes is None and not going_on:
            raise ValueError("The first partial_fit needs classes, all labels that may come up. Received: classes=None")
        return self._learn(X, y, sample_weight, going_on, epochs=1, validation_fraction=None, classes=classes)

    def predict(self, X: Any) -> Array:
        """The most probable label of each sample: `(N)`."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, `(N, n_classes)`, in the order of `classes_`."""
        output = self._output(X)
        return coding_of(self.loss_).probabilities(output).numpy()

    def _rules(self) -> dict[str, Any]:
        return {}

    def _encoded(self, y: Array, going_on: bool, classes: Any) -> Array:
        check_classification_targets(y)
        labels = unique_labels(y if classes is None else classes)
        if not going_on:
            if len(labels) < 2:
                raise ValueError(
                    f"NetClassifier tells at least 2 classes apart. Received: {len(labels)} class, {labels}"
                )
            self.classes_ = labels
        elif classes is not None and not np.array_equal(labels, self.classes_):
            raise ValueError(f"The classes stay those of the first call, {self.classes_}. Received: classes={labels}")
        if len(unknown := np.setdiff1d(y, self.classes_)):
            raise ValueError(f"Labels must be among the classes, {self.classes_}. Received: {unknown}")
        return np.searchsorted(self.classes_, y)

    def _target(self, y: Array) -> Tensor:
        return coding_of(self.loss_).target(torch.from_numpy(y), len(self.classes_), self._place()[1])

    def _columns(self) -> tuple[int, str]:
        columns, n_classes = coding_of(self.loss_).columns(len(self.classes_)), len(self.classes_)
        return columns, f"{n_classes} classes are {columns} column{'s' if columns > 1 else ''} for {self.loss_!r}"

    def _check_meaning(self, output: Tensor) -> None:
        total = coding_of(self.loss_).probabilities(output).sum().item()
        if abs(total - 1) > 1e-3:
            raise ConfigError(
                f"For {self.loss_!r} the net gives log-probabilities, as log_softmax does at its end; cross_entropy "
                f"takes any scores. Received: probabilities that sum to {total:.3g} for one row"
            )

    def _last(self) -> list[Layer]:
        return coding_of(self.loss_).last()

    def _strata(self, y: Array) -> Array:
        return y
