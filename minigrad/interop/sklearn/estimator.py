"""What the classifier and the regressor have in common: parameters, training, and the net's output for X."""

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
from sklearn.utils.validation import (  # type: ignore[import-untyped]
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)
from torch import Tensor

from minigrad.core import Layer
from minigrad.core.checks import check_device
from minigrad.errors import ConfigError, NonFiniteError
from minigrad.interop.sklearn.parts import (
    check_output,
    made_copy,
    make_net,
    make_optimizer,
    make_schedule,
    torch_dtype,
)
from minigrad.interop.sklearn.randomness import draw_seed, generator, seeded
from minigrad.training import History, fit
from minigrad.training.named import several

Array = NDArray[Any]

_ROWS = 16384  # that are predicted at once: enough to be quick, few enough for any memory
NUMPY = {torch.float32: np.float32, torch.float64: np.float64}

# The parameters of which the first fit makes what a later one goes on with.
_PARTS = ("hidden", "activation", "net", "loss", "optimizer", "lr", "schedule", "random_state", "device", "dtype")


class NetEstimator(BaseEstimator, ABC):  # type: ignore[misc]
    """Trains a net as scikit-learn expects it: `__init__` stores, `fit` makes everything anew and changes no parameter.

    The arguments are explained in `NetClassifier` and `NetRegressor`.
    """

    _default_loss: str

    def __init__(
        self,
        hidden: Sequence[int] = (100,),
        activation: Any = "relu",
        *,
        net: Any = None,
        loss: Any = None,
        optimizer: Any = "adam",
        lr: float | None = None,
        epochs: int = 200,
        batch_size: int | None = 200,
        schedule: Any = None,
        schedule_every: Literal["step", "epoch"] = "epoch",
        validation_fraction: float | None = None,
        metrics: Sequence[Any] = (),
        callbacks: Sequence[Any] = (),
        warm_start: bool = False,
        random_state: Any = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | str | None = None,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.net = net
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.schedule = schedule
        self.schedule_every = schedule_every
        self.validation_fraction = validation_fraction
        self.metrics = metrics
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for `epochs` passes over the data: a new net, unless `warm_start` is set.

        Args:
            X: The samples: `(N, n_features)`.
            y: Their targets.
            sample_weight: How much each sample counts: `(N)`. One that weighs 2 counts as two, one that weighs 0 is
                left out. The loss must have a `reduction`.
        """
        going_on = self.warm_start and hasattr(self, "net_")
        return self._learn(X, y, sample_weight, going_on, self.epochs, self.validation_fraction)

    def _learn(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        going_on: bool,
        epochs: int,
        validation_fraction: float | None,
        classes: Any = None,
    ) -> Self:
        if going_on:
            self._expect_same_parts()
        X, y, weight = self._validated(X, y, sample_weight, going_on)
        if not going_on:
            if hasattr(self, "net_"):
                del self.net_  # from now on, whatever else is fitted is no longer that net's
            self.loss_ = made_copy("loss", self._default_loss if self.loss is None else self.loss)
        y = self._encoded(y, going_on, classes)
        if not going_on:
            self._begin(torch.from_numpy(X[:1]))
        try:
            self._train(X, y, weight, epochs, validation_fraction)
        except BaseException:
            if not going_on:
                del self.net_  # nobody shall take it for one that was fitted
            raise
        return self

    def _expect_same_parts(self) -> None:
        for name, then in self._made_of.items():
            now = getattr(self, name)
            if now is not then and now != then:
                raise ConfigError(
                    f"warm_start and partial_fit go on with what was made of {name}={then!r}; fit without warm_start "
                    f"begins anew. Received: {name}={now!r}"
                )

    def _validated(self, X: Any, y: Any, sample_weight: Any, going_on: bool) -> tuple[Array, Array, Array | None]:
        """X, y and the weights as arrays of our own memory and dtype, without the samples that weigh nothing."""
        dtype = self._place()[1] if going_on else torch_dtype(self.dtype)
        wanted = (np.float64, np.float32) if dtype is None else NUMPY[dtype]
        X, y = validate_data(self, X, y, reset=not going_on, dtype=wanted, **self._rules())
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            counts = weight > 0
            X, y, weight = X[counts], y[counts], weight[counts]
        # torch cannot hold an array that is read-only, or runs backwards.
        return np.require(X, requirements=("C", "W")), y, weight

    @abstractmethod
    def _rules(self) -> dict[str, Any]:
        """What y may be, for `validate_data`."""

    @abstractmethod
    def _encoded(self, y: Array, going_on: bool, classes: Any) -> Array:
        """The targets as numbers; unless `going_on`, they (and `classes`) say what there is to learn."""

    @abstractmethod
    def _target(self, y: Array) -> Tensor:
        """The loss's target of encoded targets."""

    @abstractmethod
    def _columns(self) -> tuple[int, str]:
        """How many columns the net's output has, and what each is."""

    @abstractmethod
    def _check_meaning(self, output: Tensor) -> None:
        """See on one row that the net's output is what the loss takes it for."""

    @abstractmethod
    def _last(self) -> list[Layer]:
        """What stands behind the last linear layer of a net that is made from widths."""

    @abstractmethod
    def _strata(self, y: Array) -> Array | None:
        """The groups whose shares a validation set keeps."""

    def _begin(self, row: Tensor) -> None:
        """Make the net, its optimizer and its schedule."""
        check_device("cpu" if self.device is None else self.device, row.dtype)
        device = torch.device("cpu" if self.device is None else self.device)
        columns, meaning = self._columns()
        self._random = generator(self.random_state)
        with seeded(draw_seed(self._random), device):
            net = make_net(self.net, self.hidden, self.activation, row.shape[1], columns, self._last())
        net.to(device, row.dtype)
        self._check_meaning(check_output(net, row.to(device), columns, meaning))
        self.optimizer_ = make_optimizer(self.optimizer, self.lr, net)
        self.schedule_ = make_schedule(self.schedule, self.optimizer_)
        self.history_ = History([])
        self.n_iter_ = 0
        self._made_of = {name: getattr(self, name) for name in _PARTS}
        self.net_ = net

    def _train(self, X: Array, y: Array, weight: Array | None, epochs: int, validation_fraction: float | None) -> None:
        held = None
        if validation_fraction is not None:
            parts = [part for part in (X, y, weight) if part is not None]
            split = train_test_split(
                *parts, test_size=validation_fraction, random_state=self._random, stratify=self._strata(y)
            )
            held = self._data(*split[1::2])
            X, y, weight = (*split[::2], None)[:3]
        device, _ = self._place()
        self.callbacks_ = [made_copy("callback", callback) for callback in several("callbacks", self.callbacks)]
        with seeded(draw_seed(self._random), device):
            history = fit(
                self.net_,
                self.loss_,
                self.optimizer_,
                self._data(X, y, weight),
                epochs=epochs,
                batch_size=self.batch_size,
                validation=held,
                metrics=copy.deepcopy(several("metrics", self.metrics)),
                callbacks=self.callbacks_,
                schedule=self.schedule_,
                schedule_every=self.schedule_every,
                progress=self.verbose,
            )
        self._remember(history)
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.net_.parameters()):
            raise NonFiniteError(
                "Training must end with finite weights. A smaller learning rate, or features of about unit scale "
                f"(StandardScaler), may help. Received: a NaN or an infinity after {len(history)} updates"
            )

    def _data(self, X: Array, y: Array, weight: Array | None = None) -> tuple[Tensor, ...]:
        """The tensors that `minigrad.fit` takes."""
        device, _ = self._place()
        parts = [torch.from_numpy(X), self._target(y)] + ([] if weight is None else [torch.from_numpy(weight)])
        return tuple(part.to(device) for part in parts)

    def _place(self) -> tuple[torch.device, torch.dtype]:
        """Where and in which dtype the net computes."""
        parameter = next(iter(self.net_.parameters()))
        return parameter.device, parameter.dtype

    def _remember(self, history: History) -> None:
        """Write the rows behind those that there are, and count on."""
        if history.stopped == "interrupted":
            warnings.warn(f"Training was interrupted after {len(history)} updates", stacklevel=4)
        steps, epochs = len(self.history_), self.n_iter_
        shifted = [{**row, "step": row["step"] + steps, "epoch": row["epoch"] + epochs} for row in history]
        self.history_ = History([*self.history_, *shifted], history.stopped)
        self.n_iter_ = shifted[-1]["epoch"] + 1 if shifted else epochs

    def _output(self, X: Any) -> Tensor:
        """What the net predicts for X, on the CPU."""
        check_is_fitted(self, "net_")
        device, dtype = self._place()
        X = validate_data(self, X, reset=False, dtype=NUMPY[dtype])
        rows = torch.from_numpy(np.require(X, requirements=("C", "W")))
        parts = torch.split(rows, _ROWS)
        return torch.cat([self.net_.predict(part.to(device)).cpu() for part in parts])
