"""Broken callbacks."""

# ruff: noqa: D102  # what the events are, their contract says

import os
from pathlib import Path
from typing import Any

import torch

from minigrad.core import Callback, Layer, Run, Wrapper
from minigrad.testing.broken.gallery import caught_by


@caught_by("constructor_touches_no_file")
class OpensAtOnce(Callback):
    """Opens its file in the constructor."""

    def __init__(self) -> None:
        Path("log.txt").touch()


@caught_by("keeps_to_the_runs_folder")
class WritesWhereItStands(Callback):
    """Writes into the working folder, whatever the run's is."""

    def on_fit_end(self, run: Run) -> None:
        Path("log.txt").write_text(str(run.step))


@caught_by("leaves_the_training_alone")
class DrawsNumbers(Callback):
    """Draws from torch's generator, which dropout draws from, too."""

    def on_step_end(self, run: Run) -> None:
        run.rows[-1]["noise"] = torch.rand(()).item()


@caught_by("leaves_the_training_alone")
class ClearsTheGradients(Callback):
    """Takes the gradients away before the update."""

    def on_before_update(self, run: Run) -> None:
        run.net.zero_grad()


class _Halved(Wrapper):
    """Halves the gradient that passes."""

    def backward(self, grad_output: Any, cache: Any) -> Any:
        return self.layer.backward(grad_output, cache) / 2


@caught_by("leaves_the_training_alone")
class WrapsWithAFactor(Callback):
    """Puts a wrapper around each layer that changes a pass."""

    def wrap(self, layer: Layer, name: str) -> Layer:
        return _Halved(layer)


@caught_by("callback_resumes")
class ForgetsTheBest(Callback):
    """Keeps the smallest cost where no state dict holds it."""

    def on_fit_start(self, run: Run) -> None:
        self.best = 2.0

    def on_step_end(self, run: Run) -> None:
        self.best = min(self.best, run.row()["cost"])
        run.rows[-1]["best"] = self.best


@caught_by("callback_resumes")
class RemembersAnObject(Callback):
    """Has something in its state dict that no file can hold safely."""

    def state_dict(self) -> dict[str, Any]:
        return {"waited": os.getpid}


@caught_by("begins_anew")
class GoesOnCounting(Callback):
    """Stops after twenty updates, however many runs they were in."""

    def __init__(self) -> None:
        self.count = 0

    def on_step_end(self, run: Run) -> None:
        self.count += 1
        if self.count >= 20:
            run.stop("twenty updates were made")


@caught_by("callback_copies")
class SharesItsCount(Callback):
    """Counts in a place that all copies share, and so stops a copy's run."""

    counts: list[int] = [0]  # noqa: RUF012  # that is the bug

    def on_fit_start(self, run: Run) -> None:
        self.mine = self.counts[0]
        self.counts[0] += 1

    def on_step_end(self, run: Run) -> None:
        run.rows[-1]["run"] = self.mine


@caught_by("config")
class PatienceNotStored(Callback):
    """Stores its argument under another name."""

    def __init__(self, patience: int = 3) -> None:
        self.limit = patience
