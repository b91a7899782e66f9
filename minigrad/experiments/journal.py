"""What a run says of itself while it goes on, for people, with times."""

import math
import time
from pathlib import Path
from typing import Any, final

from minigrad.core import Callback, Run
from minigrad.errors import NonFiniteError
from minigrad.experiments.faults import shortened
from minigrad.experiments.provenance import now

_PAUSE = 1.0  # seconds between two lines about the same thing

# Each session of a run has the whole time of a time limit.
_PAUSES = ("interrupted", "the time limit")


@final
class Journal(Callback):
    """Writes lines into a log, sees that the cost stays a number, and remembers why a run was stopped.

    A run that was stopped in order and killed before its end was written is then not trained any further.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run: Run | None = None
        self.stopped = ""
        self.began_at = 0
        self._last = -math.inf

    def say(self, text: str) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{now()}  {text}\n")

    def on_fit_start(self, run: Run) -> None:
        """Tell where the run begins or goes on."""
        self.run = run
        self.began_at = run.step
        self.say(f"goes on after {run.step} updates" if run.step else "begins")
        if self.stopped:
            run.stop(self.stopped)

    def on_validation_end(self, run: Run) -> None:
        """Tell what was measured, now and then."""
        self._tell(run)

    def on_epoch_end(self, run: Run) -> None:
        """Tell how far the run is, now and then.

        Raises:
            NonFiniteError: If the cost is no number any more.
        """
        check_cost(run.row())
        self._tell(run)

    def on_exception(self, run: Run, error: BaseException) -> None:
        """Tell what ended the run."""
        self.say(f"failed after {run.step} updates: {type(error).__name__}: {shortened(error)}")

    def on_fit_end(self, run: Run) -> None:
        """Tell how it ended."""
        self.say(f"ends after {run.step} updates" + (f": {run.stopped}" if run.stopped else ""))

    def _tell(self, run: Run) -> None:
        if time.monotonic() - self._last < _PAUSE:
            return
        self._last = time.monotonic()
        row = run.row()
        numbers = (f"{name} {value:.6g}" for name, value in row.items() if isinstance(value, float))
        self.say(f"update {row['step'] + 1}, epoch {row['epoch'] + 1}: {', '.join(numbers)}")

    def state_dict(self) -> dict[str, Any]:
        """Why the run was stopped, unless it is to go on."""
        stopped = self.run.stopped if self.run else ""
        return {"stopped": "" if is_pause(stopped) else stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.stopped = state_dict["stopped"]


def is_pause(stopped: str) -> bool:
    """Whether a run that was stopped for this reason is to go on when it is resumed.

    Examples:
        >>> is_pause("interrupted"), is_pause("val_cost was not better than 0.1 for 5 values in a row")
        (True, False)
    """
    return stopped.startswith(_PAUSES)


def check_cost(row: dict[str, Any]) -> None:
    """Require that the newest cost is a number.

    Raises:
        NonFiniteError: If it is not.
    """
    if row and not math.isfinite(row["cost"]):
        raise NonFiniteError(
            f"The cost must stay finite. Received: cost={row['cost']} at step {row['step']}. A smaller rate may help; "
            f"with callbacks = ['non_finite_guard'] the layer is named in which it began"
        )
