"""BestCheckpoint, which keeps the run as it was at its best."""

from pathlib import Path
from typing import Any, final

from minigrad.callbacks.watch import Watch, check_mode
from minigrad.core import Callback, Mode, Run


@final
class BestCheckpoint(Callback):
    """Writes the whole state of the run into a file at each new best value of a column.

    The file is a checkpoint, with all that a run needs to go on, and not the net alone. What callbacks remember is in
    it, too, so list this one last.

    Args:
        path: The file; a relative one lies in the run's folder.
        monitor: The column.
        mode: Whether smaller (`"min"`) or larger (`"max"`) values are better; `None` knows it of costs, and asks the
            metric of that name.

    Raises:
        ValueError: If `mode` is unknown.
        ConfigError: At the start of the run or the first look, if there is no such column.

    Examples:
        >>> BestCheckpoint(monitor="val_accuracy")
        BestCheckpoint(monitor='val_accuracy')
    """

    def __init__(
        self, path: Path | str = "best-checkpoint.safetensors", monitor: str = "val_cost", mode: Mode | None = None
    ) -> None:
        check_mode(mode)
        self.path = path
        self.monitor = monitor
        self.mode = mode
        self._watch = Watch("BestCheckpoint", monitor, mode)

    def on_fit_start(self, run: Run) -> None:
        """Begin to look, or go on."""
        if run.step == 0:
            self._watch.forget()
        self._watch.begin(run)

    def on_step_end(self, run: Run) -> None:
        """Look at what an update brings."""
        self._look(run)

    def on_validation_end(self, run: Run) -> None:
        """Look at what a validation brings."""
        self._look(run)
        if self.monitor.startswith("val_"):
            self._watch.expect_seen(run)

    def on_epoch_end(self, run: Run) -> None:
        """Look at what a pass brings."""
        self._look(run)
        if not self.monitor.startswith("val_"):
            self._watch.expect_seen(run)

    def _look(self, run: Run) -> None:
        value = self._watch.news(run)
        if value is not None and self._watch.is_better(value):
            path = run.folder / self.path
            path.parent.mkdir(parents=True, exist_ok=True)
            run.save(path)

    def state_dict(self) -> dict[str, Any]:
        """The best value, and up to which step was looked."""
        return {"best": self._watch.best, "seen": self._watch.seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self._watch.best, self._watch.seen = state_dict["best"], state_dict["seen"]
