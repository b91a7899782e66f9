"""LearningRateLog, a column for the learning rate."""

from typing import final

from minigrad.core import Callback, Run


@final
class LearningRateLog(Callback):
    """Adds to each row of the history the learning rate that its update was made with: `lr`.

    With several parameter groups there are as many columns: `lr/0`, `lr/1`, ... Whatever writes or shows the rows has
    them, wherever it stands in the list of callbacks.

    Examples:
        >>> LearningRateLog()
        LearningRateLog()
    """

    def __init__(self) -> None:
        self._rates: dict[str, float] = {}

    def on_before_update(self, run: Run) -> None:
        """Note the rate now: after the update, a schedule may have set the next."""
        rate = run.lr()
        rates = {f"lr/{i}": one for i, one in enumerate(rate)} if isinstance(rate, list) else {"lr": rate}
        self._rates = {name: float(one) for name, one in rates.items()}

    def on_step_end(self, run: Run) -> None:
        """Put it into the row."""
        run.rows[-1].update(self._rates)
