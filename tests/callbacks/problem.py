"""A small problem for callbacks to look on while a net learns it."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import minigrad
from minigrad.core import Layer, Run
from minigrad.layers import Linear
from minigrad.losses import MSE
from minigrad.optimizers import SGD


def data() -> tuple[Tensor, Tensor]:
    """12 rows of two numbers, of two classes."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 2, generator=generator)
    return x, (x.sum(1) > 0).long()


def classifier() -> Layer:
    """A net for it, the same each time."""
    torch.manual_seed(0)
    return minigrad.Sequential(minigrad.Linear(2, 3), minigrad.Tanh(), minigrad.Linear(3, 2))


def fit(*callbacks: Any, net: Layer | None = None, **options: Any) -> minigrad.History:
    """Learn it in three passes of three batches."""
    options = {"epochs": 3, "batch_size": 4, "seed": 0, "progress": False} | options
    net = net or classifier()
    sgd = {"name": "sgd", "lr": 0.5, "momentum": 0.5}
    return minigrad.fit(net, "cross_entropy", sgd, data(), callbacks=callbacks, **options)


def hand_made(folder: Path | None = None, **options: Any) -> Run:
    """A run that nobody runs: a test tells of its events itself."""
    net = Linear(1, 1)
    return Run(net, MSE(), SGD(net.parameters(), lr=0.1), folder=folder, **options)


def tell(callback: Any, run: Run, **values: Any) -> None:
    """One update more, and its events."""
    run.rows.append({"step": run.step, "epoch": run.epoch, "cost": 1.0} | values)
    callback.on_before_update(run)
    run.step += 1
    if any(name.startswith("val_") for name in values):
        callback.on_validation_end(run)
    callback.on_step_end(run)
