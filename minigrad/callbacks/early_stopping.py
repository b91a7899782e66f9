"""EarlyStopping, which ends a run that no longer gets better."""

from typing import Any, final

from torch import Tensor

from minigrad.callbacks.watch import Watcher
from minigrad.core import Mode, Run
from minigrad.core.checks import check_count


@final
class EarlyStopping(Watcher):
    """Ends the run when a column of the history has not improved for some time.

    It looks at each new value: of a validation or, with `monitor="cost"`, of each update, whose cost is that of the
    weights before it. A NaN is no improvement.

    Args:
        monitor: The column.
        patience: So many values in a row without a new best end the run.
        min_delta: By how much a value must be better than the best to be a new best.
        mode: Whether smaller (`"min"`) or larger (`"max"`) values are better; `None` knows it of costs, and asks the
            metric of that name.
        restore_best: Whether the net has at the end, however the run ends, the weights and buffers that it had when the
            best value was seen. A checkpoint holds those of its own step all the same.

    Raises:
        ValueError: If `patience` is no positive whole number, `min_delta` is negative or `mode` is unknown.
        ConfigError: At the start of the run or the first look, if there is no such column.

    Examples:
        >>> EarlyStopping("val_accuracy", patience=5, restore_best=True)
        EarlyStopping(monitor='val_accuracy', patience=5, restore_best=True)

    References:
        Prechelt, "Early Stopping - But When?", Neural Networks: Tricks of the Trade, 1998.
    """

    def __init__(
        self,
        monitor: str = "val_cost",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: Mode | None = None,
        restore_best: bool = False,
    ) -> None:
        check_count(patience=patience)
        if not min_delta >= 0:
            raise ValueError(f"min_delta must not be negative. Received: min_delta={min_delta}")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.restore_best = restore_best
        super().__init__(min_delta)

    def forget(self) -> None:
        """Know of no value: a new run begins."""
        super().forget()
        self._waited = 0
        self._weights: dict[str, Tensor] | None = None

    def on_fit_start(self, run: Run) -> None:
        """Begin to look, or go on."""
        super().on_fit_start(run)
        if self._waited >= self.patience:  # killed after it had ended, and resumed
            self._stop(run)

    def look(self, run: Run, value: float) -> None:
        """Count how long the best value has been the best."""
        if self._watch.is_better(value):
            self._waited = 0
            if self.restore_best:
                self._weights = {name: tensor.clone() for name, tensor in run.net.state_dict().items()}
            return
        self._waited += 1
        if self._waited >= self.patience:
            self._stop(run)

    def _stop(self, run: Run) -> None:
        best = "any number" if self._watch.best is None else f"{self._watch.best:.6g}"
        run.stop(f"{self.monitor} was not better than {best} for {self._waited} values in a row")

    def on_fit_end(self, run: Run) -> None:
        """Put the best weights back, if that was asked for."""
        if self._weights is not None:
            run.net.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """The best value, how long it has been the best, and its weights if they are to be put back."""
        return super().state_dict() | {"waited": self._waited, "weights": self._weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state_dict)
        self._waited, self._weights = state_dict["waited"], state_dict["weights"]
