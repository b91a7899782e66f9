"""NetRegressor, a net as a scikit-learn regressor."""

from typing import Any, Self, final

import numpy as np
import torch
from sklearn.base import RegressorMixin  # type: ignore[import-untyped]
from torch import Tensor

from minigrad.core import Layer
from minigrad.interop.sklearn.estimator import NUMPY, Array, NetEstimator


@final
class NetRegressor(RegressorMixin, NetEstimator):  # type: ignore[misc]
    r"""A net that predicts one or several numbers, as a scikit-learn estimator.

    $$\hat y = f(x; \theta)$$

    Targets are learned as they are. Where they are far from unit scale, put the regressor into scikit-learn's
    `TransformedTargetRegressor`. All else is as in `NetClassifier`.

    Args:
        hidden: Widths of the hidden layers; `()` is a linear regression.
        activation: Stands behind each hidden layer: a name, a configuration or an object.
        net: In place of `hidden` and `activation`: a layer, a configuration for `minigrad.build`, or a function
            `(n_features, n_outputs) -> Layer`.
        loss: A name, a configuration or an object, of a prediction and a target `(N, n_outputs)`; `None` is the mean
            squared error.
        optimizer: A name, a configuration, or a class or function that takes the parameters (and `lr`).
        lr: The learning rate; `None` leaves it to the optimizer.
        epochs: Passes over the data that `fit` makes.
        batch_size: Samples per update; `None` takes all at once.
        schedule: Of the learning rate: a name, a configuration, or a class or function that takes the optimizer.
        schedule_every: Whether the schedule goes on after each `"epoch"` or each `"step"`.
        validation_fraction: The share of the data that `fit` holds out, and measures on after each pass.
        metrics: What is measured: names, configurations or objects.
        callbacks: Told what happens, such as early stopping: names, configurations or objects.
        warm_start: Whether another `fit` goes on with the net that there is.
        random_state: An integer for the same net each time, a numpy `RandomState` to draw from, or `None` for chance.
        device: Where the net computes; `None` is the CPU.
        dtype: `"float32"` or `"float64"`; `None` takes that of X.
        verbose: Whether a bar tells how far `fit` is.

    Attributes:
        net_: The trained layer.
        history_: What each update cost, and what was measured.
        n_iter_: Passes over the data so far.
        n_outputs_: How many numbers are predicted for a sample.
        loss_, optimizer_, schedule_, callbacks_: What it was trained with.
        n_features_in_, feature_names_in_: What X looked like.

    Raises:
        ConfigError: If an argument cannot be used; it is told by `fit`. Also if one of those that the net, loss or
            optimizer was made of was changed before `warm_start` or `partial_fit` goes on with them.
        ShapeError: If the net's output has not a column for each target.
        NonFiniteError: If training ended with a NaN or an infinity in the weights.

    Examples:
        >>> import numpy as np
        >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
        >>> regressor = NetRegressor((16,), "tanh", lr=0.03, epochs=300, random_state=0).fit(X, np.sin(3 * X[:, 0]))
        >>> regressor.score(X, np.sin(3 * X[:, 0])) > 0.99
        True
    """

    _default_loss = "mse"

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from these samples in one pass, going on with the net that there is.

        Args:
            X: The samples: `(N, n_features)`.
            y: Their targets: `(N)` or `(N, n_outputs)`.
            sample_weight: How much each sample counts: `(N)`.
        """
        return self._learn(X, y, sample_weight, hasattr(self, "net_"), epochs=1, validation_fraction=None)

    def predict(self, X: Any) -> Array:
        """The prediction for each sample, of the shape of the targets: `(N)` or `(N, n_outputs)`."""
        output = self._output(X).numpy()
        return output[:, 0] if self._flat else output

    def _rules(self) -> dict[str, Any]:
        return {"multi_output": True, "y_numeric": True}

    def _encoded(self, y: Array, going_on: bool, classes: Any) -> Array:
        flat, n_outputs = y.ndim == 1, 1 if y.ndim == 1 else y.shape[1]
        if not going_on:
            self._flat, self.n_outputs_ = flat, n_outputs
        elif n_outputs != self.n_outputs_:
            raise ValueError(f"The targets stay as many as at first, {self.n_outputs_}. Received: {n_outputs}")
        return y.reshape(len(y), n_outputs)

    def _target(self, y: Array) -> Tensor:
        return torch.from_numpy(np.array(y, dtype=NUMPY[self._place()[1]], order="C"))

    def _columns(self) -> tuple[int, str]:
        return self.n_outputs_, "one column for each target"

    def _check_meaning(self, output: Tensor) -> None:
        pass

    def _last(self) -> list[Layer]:
        return []

    def _strata(self, y: Array) -> None:
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
