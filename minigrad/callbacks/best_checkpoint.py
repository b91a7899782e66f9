"""BestCheckpoint, which keeps the run as it was at its best."""

from pathlib import Path
from typing import final

from minigrad.callbacks.watch import Watcher
from minigrad.core import Mode, Run


@final
class BestCheckpoint(Watcher):
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
        self.path = path
        self.monitor = monitor
        self.mode = mode
        super().__init__()

    def look(self, run: Run, value: float) -> None:
        """Write the file, if the value is the best so far."""
        if self._watch.is_better(value):
            path = run.folder / self.path
            path.parent.mkdir(parents=True, exist_ok=True)
            run.save(path)
