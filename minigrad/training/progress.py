"""How far a run is, for whoever waits for it."""

import sys
import time
from typing import Any

from minigrad.core import Callback, Run

_BAR_SECONDS = 0.1
_LINE_SECONDS = 10.0


class Progress(Callback):
    """A live bar on standard error; where that is no terminal, a line now and then, and one at the end.

    Both tell the update and the pass, updates per second, the cost and what was measured last, and the time left.
    """

    def on_fit_start(self, run: Run) -> None:
        """Begin to count the time."""
        # Imported here, because `import minigrad` should not wait for it.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._began = self._shown = time.perf_counter()
        self._from = run.step
        self._bar: Any = None
        console = Console(stderr=True)
        if console.is_terminal or console.is_jupyter:
            self._bar = Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=False)
            self._task = self._bar.add_task("", total=run.total_steps, completed=run.step)
            self._bar.start()
        self._pause = _LINE_SECONDS if self._bar is None else _BAR_SECONDS

    def on_step_end(self, run: Run) -> None:
        """Show how far the run is, if it was not shown just before."""
        if time.perf_counter() - self._shown >= self._pause:
            self._show(run)

    def on_fit_end(self, run: Run) -> None:
        """Show where the run ended."""
        if run.step > self._from or self._bar is not None:
            self._show(run)
        if self._bar is not None:
            self._bar.stop()

    def _show(self, run: Run) -> None:
        self._shown = time.perf_counter()
        text = describe(run, run.step - self._from, self._shown - self._began)
        if self._bar is not None:
            self._bar.update(self._task, completed=run.step, total=run.total_steps, description=text)
        else:
            print(text, file=sys.stderr, flush=True)


def describe(run: Run, steps: int, seconds: float) -> str:
    """One line about a run that made some steps in some seconds.

    Examples:
        >>> from minigrad.layers import Linear
        >>> from minigrad.losses import MSE
        >>> from minigrad.optimizers import SGD
        >>> net = Linear(1, 1)
        >>> run = Run(net, MSE(), SGD(net.parameters()), total_steps=100, total_epochs=10)
        >>> run.step, run.epoch, run.rows = 50, 4, [{"step": 49, "epoch": 4, "cost": 0.25, "val_cost": 0.5}]
        >>> describe(run, steps=50, seconds=2.0)
        'step 50/100, epoch 5/10, 25 steps/s, cost 0.25, val_cost 0.5, 2 s left'
    """
    row = run.row()
    epoch = row["epoch"] + 1 if row else 0
    parts = [f"step {run.step}" + (f"/{run.total_steps}" if run.total_steps else "")]
    parts.append(f"epoch {epoch}" + (f"/{run.total_epochs}" if run.total_epochs else ""))
    if seconds > 0:
        parts.append(f"{steps / seconds:.3g} steps/s" if steps < 1000 * seconds else f"{steps / seconds:,.0f} steps/s")
    parts += [f"{name} {value:.4g}" for name, value in _measured(run).items()]
    if run.total_steps and steps and run.step < run.total_steps and not run.stopped:
        parts.append(f"{_duration((run.total_steps - run.step) * seconds / steps)} left")
    return ", ".join(parts) + (f"; stopped: {run.stopped}" if run.stopped else "")


def _measured(run: Run) -> dict[str, float]:
    """The newest cost, and the numbers of the newest row that has more."""
    row = run.row()
    # Looked for in the rows of one pass at most: a validation is seldom further away.
    for earlier in reversed(run.rows[-1000:]):
        if any(name not in ("step", "epoch", "cost") for name in earlier):
            row = {**earlier, "cost": row["cost"]}
            break
    return {
        name: value for name, value in row.items() if name not in ("step", "epoch") and isinstance(value, int | float)
    }


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"
