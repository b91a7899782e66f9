"""TimeLimit, which ends a run that takes too long."""

import math
import time
from typing import final

from minigrad.core import Callback, Run


@final
class TimeLimit(Callback):
    """Ends the run, in order, after the first update at which it has taken so many seconds.

    The time counts from the start of `fit`; what a run took before it was resumed does not, so that each call of `fit`
    keeps the limit.

    Args:
        seconds: The limit.

    Raises:
        ValueError: If `seconds` is not positive.

    Examples:
        >>> TimeLimit(seconds=3600)
        TimeLimit(seconds=3600)
    """

    def __init__(self, seconds: float) -> None:
        if not seconds > 0:
            raise ValueError(f"seconds must be positive. Received: seconds={seconds}")
        self.seconds = seconds
        self._end = math.inf

    def on_fit_start(self, run: Run) -> None:
        """Start the clock, which nobody can set."""
        self._end = time.monotonic() + self.seconds

    def on_step_end(self, run: Run) -> None:
        """Look at it."""
        if time.monotonic() >= self._end:
            run.stop(f"the time limit of {self.seconds:g} seconds was reached")
