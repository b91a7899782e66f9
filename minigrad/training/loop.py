"""The loop of `fit`: batches, updates, and whoever is told of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from torch import Tensor

from minigrad.callbacks.watch import Watch
from minigrad.core import Callback, Layer, Loss, Metric, Optimizer, Run, Schedule
from minigrad.errors import CheckpointError, DataError
from minigrad.files import write_tree
from minigrad.training.checkpoint import KIND, Checkpoint, description, restore, state_of
from minigrad.training.data import Batches
from minigrad.training.evaluating import measured, value_of
from minigrad.training.events import EVENTS, bound, check_events, stopping_on_interrupt, wrapped_net
from minigrad.training.history import History, Packing, settle
from minigrad.training.randomness import random_states, set_random_states
from minigrad.training.sources import Batch
from minigrad.training.step import accumulated_step, train_step

_UNREAD = 4096  # costs that may wait to be read, each a small tensor


class Loop:
    """One run of `fit`, whose arguments are explained there, made and checked by now.

    After each update, in this order: the row of the history, metrics and validation if they are due, `on_step_end`, the
    schedule, `on_epoch_end`, and the checkpoint, which therefore holds all of them.
    """

    def __init__(
        self,
        net: Layer,
        loss: Loss,
        optimizer: Optimizer,
        data: Batches,
        *,
        epochs: int | None,
        steps: int | None,
        validation: Batches | None,
        validate_every: int | None,
        metrics: dict[str, Metric],
        callbacks: Sequence[Callback],
        schedule: Schedule | None,
        schedule_every: str,
        accumulate: int,
        clip: float | None,
        checkpoint: Checkpoint | None,
        settings: Mapping[str, Any],
    ) -> None:
        self.data = data
        self.epochs = epochs
        self.steps = steps
        self.validation = validation
        self.validate_every = validate_every
        self.metrics = metrics
        self.callbacks = callbacks
        self.schedule_every = schedule_every
        self.accumulate = accumulate
        self.clip = clip
        self.checkpoint = checkpoint
        self.settings = {**settings, "rows": data.rows, "accumulate": accumulate, "clip": clip}
        self.settings |= {"validate_every": validate_every, "schedule_every": schedule_every}
        updates = None if data.count is None else -(-data.count // accumulate)
        self.run_ = Run(
            net,
            loss,
            optimizer,
            schedule,
            total_steps=steps if epochs is None else None if updates is None else epochs * updates,
            total_epochs=epochs,
            metrics=metrics,
            validates=validation is not None,
            folder=None if checkpoint is None else checkpoint.folder,
            save=self._save,
        )
        self.settings |= description(self.run_)
        for callback in callbacks:
            check_events(callback)
        self.events = {name: list(bound(callbacks, name)) for name in EVENTS}
        self.started: list[Callback] = []  # only who was told of the start is told of the end
        self.net = wrapped_net(net, callbacks)
        held = {id(p) for p in optimizer.parameters}
        self.others = [p for p in net.parameters() if id(p) not in held]
        best = None if checkpoint is None else checkpoint.best
        mode = None if checkpoint is None else checkpoint.mode
        self.settings |= {"best": best, "mode": mode}
        self.watch = None if best is None else Watch("Checkpoint", best, mode, argument="best")
        self.saved = -1
        self.waiting: list[Path] = []
        self.updating = False
        self.packing = Packing()

    def run(self, resume: bool) -> History:
        """Train, from the beginning or from the newest checkpoint."""
        with nullcontext() if self.checkpoint is None else self.checkpoint.held():
            return self._run(resume)

    def _run(self, resume: bool) -> History:
        run = self.run_
        for metric in self.metrics.values():
            metric.reset()  # an earlier run may have ended between two measurements
        self._begin(resume)
        try:
            with stopping_on_interrupt(run):
                self._start()
                if self.checkpoint is not None and self.saved < 0:
                    self._write_checkpoint()
                while not run.stopped and not self._complete():
                    self._epoch()
                if self.checkpoint is not None and self.saved != run.step:
                    self._write_checkpoint()
        except BaseException as error:
            self.updating = False  # whoever saves now saves what the error has left
            self._bear_history(error)
            self._tell_each(bound(self.started, "on_exception"), error)
            raise
        finally:
            settle(run.rows)
            self._tell_each(bound(self.started, "on_fit_end"))
        return History(run.rows, run.stopped)

    def _complete(self) -> bool:
        # A run may be resumed with fewer steps or epochs than it has made.
        if self.steps is not None:
            return self.run_.step >= self.steps
        return self.epochs is not None and self.run_.epoch >= self.epochs

    def _start(self) -> None:
        for parameter in self.run_.net.parameters():
            parameter.zero_grad()  # of an update that was broken off, or of another optimizer
        for callback in self.callbacks:
            self.started.append(callback)
            for told in bound([callback], "on_fit_start"):
                told(self.run_)

    def _tell_each(self, telling: Iterator[Callable[..., None]], *more: Any) -> None:
        for told in telling:
            try:
                told(self.run_, *more)
            except BaseException as error:
                self._bear_history(error)
                raise
            finally:
                self._tell_each(telling, *more)  # the others, whatever this one raised

    def _bear_history(self, error: BaseException) -> None:
        settle(self.run_.rows)
        error.history = History(self.run_.rows, f"{type(error).__name__}: {error}")  # type: ignore[attr-defined]

    def _begin(self, resume: bool) -> None:
        if self.checkpoint is None:
            return
        if self.watch is not None:
            self.watch.begin(self.run_)
        newest = self.checkpoint.newest
        if not newest.exists():
            if kept := self.checkpoint.kept():
                raise CheckpointError(
                    f"{self.checkpoint.folder} holds numbered checkpoints of an earlier run, but no {newest.name}: "
                    f"copy one to that name and go on from it with resume=True, or choose another folder. "
                    f"Received: {kept[-1].name}"
                )
        elif resume:
            own = self._own_callbacks()
            best = restore(newest, self.run_, self.data, own, list(self.metrics.values()), self.settings)
            if self.watch is not None:
                self.watch.best = best
            self.saved = self.run_.step
            self.checkpoint.number(self.saved)
        else:
            raise CheckpointError(
                f"{self.checkpoint.folder} holds the checkpoint of an earlier run: go on from it with resume=True, or "
                f"choose another folder. Received: resume=False"
            )

    def _own_callbacks(self) -> list[Callback]:
        # The bar remembers nothing, and one run may show it where the other did not.
        return [callback for callback in self.callbacks if type(callback).__module__ != "minigrad.training.progress"]

    def _epoch(self) -> None:
        run, begun = self.run_, self.run_.step
        step = self._step()
        if self.data.position == 0:
            self._tell("on_epoch_start")
        last = False
        for batches, last in self._updates():
            self.updating = True
            cost = step(batches)
            for parameter in self.others:
                parameter.zero_grad()
            run.rows.append({"step": run.step, "epoch": run.epoch, "cost": cost})
            run.step += 1
            self._after(last)
            if run.stopped or run.step == self.steps:
                return
        if run.step == begun and not last:
            raise DataError(f"data must yield at least one batch per pass. Received: none in pass {run.epoch}")

    def _updates(self) -> Iterator[tuple[Any, bool]]:
        """What each update learns from, and whether it is the pass's last."""
        if self.accumulate == 1:
            yield from self.data
            return
        group: list[Batch] = []
        for batch, last in self.data:
            group.append(batch)
            if last or len(group) == self.accumulate:
                yield group, last
                group = []

    def _step(self) -> Callable[[Any], Tensor]:
        """One update: the bare step, where nothing more is asked for."""
        net, loss, optimizer = self.net, self.run_.loss, self.run_.optimizer
        metrics = list(self.metrics.values()) if self.validation is None else []
        before = self.events["on_before_update"]
        options: dict[str, Any] = {"clip": self.clip, "metrics": metrics}
        options["before_update"] = (lambda: self._tell("on_before_update")) if before else None
        if self.accumulate > 1:
            return lambda batches: accumulated_step(net, loss, optimizer, batches, **options)
        bare = self.clip is None and not metrics and not before

        def step(batch: Batch) -> Tensor:
            x, y, weight = batch
            if bare and weight is None:
                return train_step(net, loss, optimizer, x, y)
            return accumulated_step(net, loss, optimizer, [batch], **options)

        return step

    def _after(self, last: bool) -> None:
        """All that follows an update."""
        run = self.run_
        every = self.validate_every
        ends = run.step == self.steps or (last and run.epoch + 1 == self.epochs)
        if ends or (last if every is None else run.step % every == 0):
            self._measure()
        if run.step % _UNREAD == 0:
            settle(run.rows[-_UNREAD:])
        if self.events["on_step_end"]:
            self._tell("on_step_end")
        if run.schedule is not None and (last or self.schedule_every == "step"):
            self._schedule(run.schedule)
        if last:
            self._tell("on_epoch_end")
            run.epoch += 1
        self.updating = False
        if self.waiting:
            self._write_waiting()
        checkpoint = self.checkpoint
        if checkpoint is not None and (last if checkpoint.every is None else run.step % checkpoint.every == 0):
            self._write_checkpoint()

    def _measure(self) -> None:
        """The metrics of the training or of the validation, into the newest row."""
        run = self.run_
        if self.validation is None:
            for name, metric in self.metrics.items():
                run.rows[-1][name] = value_of(metric)
                metric.reset()
        else:
            # A DataLoader draws numbers even for data in their order; the training is to draw the same without it.
            states = random_states()
            values = measured(run.net, run.loss, self.validation, self.metrics)
            set_random_states(states)
            run.rows[-1].update({f"val_{name}": value for name, value in values.items()})
            self._tell("on_validation_end")
        self._keep_best()

    def _schedule(self, schedule: Schedule) -> None:
        if not schedule.watches:
            schedule.step()
        elif (news := self._news()) is not None:
            schedule.step(news)

    def _news(self) -> float | None:
        """What a schedule that watches is given: the cost, or of a validation, if there was one since, the newest."""
        if self.validation is None:
            return float(self.run_.row()["cost"])
        for row in reversed(self.run_.rows):
            if row["epoch"] == self.run_.epoch and "val_cost" in row:
                return float(row["val_cost"])
            if row["epoch"] != self.run_.epoch or self.schedule_every == "step":
                break
        return None

    def _keep_best(self) -> None:
        if self.checkpoint is not None and self.watch is not None:
            value = self.watch.news(self.run_)
            if value is not None and self.watch.is_better(value):
                self._save(self.checkpoint.best_file)

    def _save(self, path: Path) -> None:
        # Within an update only half of the state has moved on; the file is written when all has.
        self.waiting.append(path)
        if not self.updating:
            self._write_waiting()

    def _write_waiting(self) -> None:
        while self.waiting:
            write_tree(self.waiting.pop(0), self._state(), kind=KIND)

    def _state(self) -> dict[str, Any]:
        run, metrics = self.run_, list(self.metrics.values())
        settle(run.rows[-_UNREAD:])
        history = self.packing.pack(run.rows)
        best = None if self.watch is None else self.watch.best
        return state_of(run, self.data, self._own_callbacks(), metrics, self.settings, best, history)

    def _write_checkpoint(self) -> None:
        if self.checkpoint is not None:
            self.run_.checkpoint = self.checkpoint.write(self._state(), self.run_.step)
            self.saved = self.run_.step
            self._tell("on_checkpoint")

    def _tell(self, event: str) -> None:
        for told in self.events[event]:
            told(self.run_)
