"""fit: a loop around one training step, and all that people want beside it."""

import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from minigrad.core import Component, Layer, Optimizer, Schedule
from minigrad.core.checks import check_count, check_device
from minigrad.errors import ConfigError
from minigrad.training.checkpoint import Checkpoint
from minigrad.training.data import Batches
from minigrad.training.evaluating import whole
from minigrad.training.history import History
from minigrad.training.loop import Loop
from minigrad.training.named import Spec, made, made_loss, named_metrics, several
from minigrad.training.progress import Progress


def fit(
    net: Layer,
    loss: Spec,
    optimizer: Spec,
    data: Any,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    shuffle: bool = True,
    fields: tuple[str, str] = ("x", "y"),
    validation: Any = None,
    validate_every: int | None = None,
    metrics: Sequence[Spec] = (),
    callbacks: Sequence[Spec] = (),
    schedule: Spec | None = None,
    schedule_every: Literal["step", "epoch"] = "step",
    accumulate: int = 1,
    clip: float | None = None,
    seed: int | None = None,
    device: torch.device | str | None = None,
    checkpoint: Checkpoint | Path | str | None = None,
    resume: bool = False,
    progress: bool = True,
) -> History:
    """Train `net` on `data` and return the history of its costs.

    Every component may be an object, a registered name, or a configuration as `minigrad.build` takes it.

    Args:
        net: Learns in place.
        loss: What is minimised; its cost is one number.
        optimizer: Holds the net's parameters; from a name or a configuration it is made with all of them.
        data: A pair `(x, y)` of tensors or arrays with one row per example, a triple `(x, y, weight)` that weighs the
            rows in the cost (a weight of zero leaves one out; metrics count all rows alike), a dict of such, a torch
            `Dataset`, or an iterable of batches: a `DataLoader`, a list.
        epochs: Passes over the data.
        steps: Updates, going round the data as often as it takes. Give either `epochs` or `steps`.
        batch_size: Rows per batch of data that are not in batches yet; `None` takes all at once.
        shuffle: Whether each pass over such data draws a new order.
        fields: The names of x and y, where data or batches are dicts.
        validation: Data like `data`, to measure the cost and the metrics on: columns `val_cost`, `val_<metric>`.
        validate_every: Updates between two validations; `None` validates at the end of each pass. The last update is
            always followed by one, unless the run is stopped early.
        metrics: What is measured on `validation`, or, where there is none, on the predictions that are learned from.
        callbacks: Told what happens, in their order.
        schedule: Sets the learning rate; from a name or a configuration it is made for the optimizer.
        schedule_every: Whether the schedule goes on after each update or after each pass. One that watches a metric
            goes on only when there is a new one: `val_cost` or, without validation data, `cost`.
        accumulate: Batches that make up one update.
        clip: The largest norm that all gradients together may have; `None` lets them be.
        seed: Of the order of the data and of what layers draw, such as dropout's noise; torch's global generator is
            afterwards as it was before. `None` draws from that.
        device: Where the net and every batch are moved.
        checkpoint: Where, and when, the state of the run is written: a folder or a `Checkpoint`.
        resume: Whether the run goes on from the newest file in that folder, if there is one. `epochs` and `steps` count
            from the first beginning.
        progress: Whether a bar, or lines where there is no terminal, tells on standard error how far the run is.

    Raises:
        ValueError: If not exactly one of `epochs` and `steps` is given, or a number is out of its range.
        ConfigError: If a component is not what it should be, the optimizer holds none of the net's parameters, the
            schedule sets another's rate, or the device is not to be had.
        DataError: If the data cannot be read as such, or yield no batch.
        CheckpointError: If the folder holds a checkpoint and `resume` is false, or it is damaged or of another run.

    Ctrl-C ends the run after the step under way, with a checkpoint; `history.stopped` is then `"interrupted"`.

    Examples:
        >>> from minigrad.layers import Linear
        >>> _ = torch.manual_seed(0)
        >>> x = torch.linspace(-1, 1, 20).reshape(20, 1)
        >>> net = Linear(1, 1)
        >>> sgd = {"name": "sgd", "lr": 0.5}
        >>> history = fit(net, "mse", sgd, (x, 3 * x + 1), epochs=50, batch_size=5, seed=0, progress=False)
        >>> len(history), round(net.weight.item(), 3), round(net.bias.item(), 3)
        (200, 3.0, 1.0)
    """
    if (epochs is None) == (steps is None):
        raise ValueError(f"fit takes either epochs or steps. Received: epochs={epochs}, steps={steps}")
    check_count(0, epochs=epochs, steps=steps)
    check_count(validate_every=validate_every, accumulate=accumulate)
    if clip is not None and not (hasattr(clip, "__float__") and clip > 0):
        raise ValueError(f"clip must be a positive number. Received: clip={clip!r}")
    if seed is not None:
        if isinstance(seed, bool) or not hasattr(seed, "__index__") or not -(2**63) <= seed < 2**64:
            raise ValueError(f"seed must be a whole number of 64 bits. Received: seed={seed!r}")
        seed = operator.index(seed)  # numpy has whole numbers of its own
    if schedule_every not in ("step", "epoch"):
        raise ValueError(f"schedule_every must be 'step' or 'epoch'. Received: schedule_every={schedule_every!r}")
    if resume and checkpoint is None:
        raise ValueError("resume goes on from a checkpoint; say where it is. Received: resume=True, checkpoint=None")
    if not isinstance(net, Layer):
        raise ConfigError(f"fit trains a Layer. minigrad.build makes one from names. Received: {type(net).__name__}")
    if isinstance(optimizer, torch.optim.Optimizer):
        raise ConfigError(
            "fit trains with minigrad's optimizers, by object, name or configuration; one of torch.optim works with "
            f"minigrad.train_step. Received: torch.optim.{type(optimizer).__name__}"
        )
    if device is not None:
        check_device(device, next((p.dtype for p in net.parameters()), torch.float32))
        net.to(device)

    parameters = {} if isinstance(optimizer, Component) else {"params": net.parameters()}
    made_optimizer: Optimizer = made("optimizer", optimizer, **parameters)
    if not {id(p) for p in made_optimizer.parameters} & {id(p) for p in net.parameters()}:
        name = type(made_optimizer).__name__
        raise ConfigError(f"The optimizer must hold parameters of the net. Received: {name} with none of them")
    rated = {} if isinstance(schedule, Component) else {"optimizer": made_optimizer}
    options: dict[str, Any] = {"fields": fields, "like": net, "device": device}
    made_schedule: Schedule | None = None if schedule is None else made("schedule", schedule, **rated)
    if made_schedule is not None and made_schedule.optimizer is not made_optimizer:
        raise ConfigError(f"The schedule must be made for the optimizer. Received: {made_schedule!r}, made for another")
    loop = Loop(
        net,
        made_loss(loss),
        made_optimizer,
        Batches(data, batch_size, shuffle=shuffle, seed=seed, replay=checkpoint is not None, **options),
        epochs=epochs,
        steps=steps,
        validation=None if validation is None else whole(validation, batch_size, **options),
        validate_every=validate_every,
        metrics=named_metrics(metrics),
        callbacks=[
            *(made("callback", spec) for spec in several("callbacks", callbacks)),
            *([Progress()] if progress else []),
        ],
        schedule=made_schedule,
        schedule_every=schedule_every,
        accumulate=accumulate,
        clip=clip,
        checkpoint=checkpoint if isinstance(checkpoint, Checkpoint | None) else Checkpoint(checkpoint),
        settings={"batch_size": batch_size, "shuffle": shuffle, "seed": seed},
    )
    if seed is None:
        return loop.run(resume)
    with torch.random.fork_rng(range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []):  # type: ignore[no-untyped-call]
        torch.manual_seed(seed)
        return loop.run(resume)
