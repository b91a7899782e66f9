"""The components of an experiment, built by their registered names and by nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from minigrad.core import Callback, Dataset, Layer, Loss, Metric, Optimizer, Parameter, Schedule
from minigrad.experiments.faults import Faults
from minigrad.experiments.memory import bytes_needed, bytes_there, size_text
from minigrad.experiments.places import data_file, run_file
from minigrad.experiments.schema import Experiment
from minigrad.registry import current_registry, describe, snake_case
from minigrad.registry.building import FileRules, build
from minigrad.registry.kinds import kind_called
from minigrad.registry.naming import nearest

DTYPES = {"float32": torch.float32, "float64": torch.float64}
# A file asks for no more examples than this; a seed may be any number.
_LARGEST_COUNT = 10**8
_SEEDS = ("seed", "random_state")


@dataclass
class Parts:
    """The components of an experiment, and their complete configurations.

    An optimizer and a schedule change their arguments while they work, so each is described as soon as it is made.
    """

    dataset: Dataset
    net: Layer
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule | None
    metrics: list[Metric]
    callbacks: list[Callback]
    descriptions: dict[str, Any] = field(default_factory=dict)


def make_parts(experiment: Experiment, faults: Faults, *, only_check: bool = False) -> Parts | None:
    """Build every component; `None` if one cannot be, and `faults` says why.

    Args:
        experiment: What to build.
        faults: Where everything that is wrong is noted.
        only_check: Whether the net is made without memory for its weights, to see whether it can be.
    """
    maker = _Maker(experiment, faults)
    net = maker.checked_net() if only_check else maker.net()
    loss = maker.one("loss", "loss")
    # The arguments of an optimizer can be judged without the net that it is for.
    parameters = list(net.parameters()) if net is not None else [Parameter(torch.zeros(1))]
    optimizer = maker.one("optimizer", "optimizer", {"params": parameters})
    schedule = maker.schedule(optimizer)
    dataset = maker.dataset()
    metrics = maker.several("metrics", "metric", experiment.metrics)
    callbacks = maker.several("callbacks", "callback", experiment.callbacks)
    maker.check_best(metrics)
    if faults.lines or net is None:
        return None
    return Parts(dataset, net, loss, optimizer, schedule, metrics, callbacks, maker.descriptions)


class _Maker:
    """Makes the parts of one experiment."""

    def __init__(self, experiment: Experiment, faults: Faults) -> None:
        self.experiment = experiment
        self.faults = faults
        self.descriptions: dict[str, Any] = {}

    def one(
        self,
        path: str,
        kind: str,
        supplied: Mapping[str, Any] | None = None,
        file: Callable[[str], Path] = run_file,
        spec: Any = None,
    ) -> Any:
        """The component of a section, described when it is made."""
        spec = self.experiment.specs.get(path) if spec is None else spec
        if spec is None:
            return None
        if isinstance(spec, list) and kind != "layer":
            self.faults.add(path, f"one {kind} stands here, by its name or as a table. Received: {spec!r}")
            return None
        kinds = kind_called(kind).family
        rules = FileRules(supplied or {}, file)
        registry = current_registry()
        made = self.faults.attempt(lambda: build(registry, spec, {}, kinds=kinds, path=path, rules=rules))
        if made is not None and not isinstance(made, kind_called(kind).base):
            self.faults.add(path, f"a {kind} stands here. Received: {spec!r}")
            return None
        if made is not None:
            self.descriptions[path] = self.faults.attempt(lambda: describe(made))
        return made

    def net(self) -> Layer | None:
        """The net itself, in the dtype that is asked for."""
        try:
            net = cast("Layer | None", self.one("net", "layer"))
        except (MemoryError, NotImplementedError) as error:
            self.faults.add("net", f"the net cannot be made: {error or 'there is not enough memory'}")
            return None
        return None if net is None else net.to(DTYPES[self.experiment.train["dtype"]])

    def checked_net(self) -> Layer | None:
        """The net without memory, if this machine could hold it."""
        probe = _Maker(self.experiment, Faults(self.faults.title))
        try:
            with torch.device("meta"):
                net = cast("Layer | None", probe.one("net", "layer"))
        except (NotImplementedError, MemoryError):
            return self.net()
        if any("meta tensor" in line for line in probe.faults.lines):
            # Some constructor looks at values, which meta tensors do not have.
            return self.net()
        for line in probe.faults.lines:
            self.faults.add("", line)
        self.descriptions |= probe.descriptions
        if net is None:
            return None
        needed = bytes_needed(net, DTYPES[self.experiment.train["dtype"]])
        there = bytes_there(torch.device("cpu"))
        if there is not None and needed > there:
            count = sum(parameter.numel() for parameter in net.parameters())
            self.faults.add(
                "net",
                f"a net must fit into this machine's {size_text(there)}. Received: {count:,} parameters, which take "
                f"{size_text(needed)} with their gradients and moments",
            )
        return net

    def schedule(self, optimizer: Optimizer | None) -> Schedule | None:
        """The schedule, made for the optimizer or, if that cannot be, for another."""
        if "schedule" not in self.experiment.specs:
            return None
        if optimizer is None:
            optimizer = current_registry().get("optimizer", "sgd")(params=[Parameter(torch.zeros(1))], lr=0.1)  # type: ignore[call-arg,assignment]
        return cast("Schedule | None", self.one("schedule", "schedule", {"optimizer": optimizer}))

    def dataset(self) -> Any:
        """The dataset, whose files lie beside the experiment, and whose sizes are such as a machine can hold."""
        dataset = self.one("data", "dataset", file=partial(data_file, self.experiment.folder))
        if dataset is not None:
            for name, value in dataset.config().items():
                if type(value) is int and abs(value) > _LARGEST_COUNT and name not in _SEEDS:
                    self.faults.add(
                        f"data.{name}", f"{name} must be at most {_LARGEST_COUNT:,}. Received: {name}={value}"
                    )
        return dataset

    def several(self, section: str, kind: str, specs: Sequence[Any]) -> list[Any]:
        """The metrics or the callbacks, each kind of them once."""
        made: dict[str, Any] = {}
        described = []
        for i, spec in enumerate(specs):
            path = f"{section}[{i}]"
            part = self.one(path, kind, spec=spec)
            if part is None:
                continue
            name = snake_case(type(part).__name__)
            if name in made:
                self.faults.add(path, f"{section} holds each {kind} once. Received: {name} again")
            elif name == "jsonl_log":
                self.faults.add(path, "history.jsonl is written always. Received: jsonl_log")
            made[name] = part
            described.append(self.descriptions.pop(path))
        self.descriptions[section] = described
        return list(made.values())

    def check_best(self, metrics: Sequence[Metric]) -> None:
        """See that the column exists by which the best checkpoint is chosen."""
        best = self.experiment.checkpoint["best"]
        if best is None:
            if self.experiment.checkpoint["mode"] is not None:
                self.faults.add("checkpoint.mode", "mode says when best is better, and needs best. Received: no best")
            return
        names = [snake_case(type(metric).__name__) for metric in metrics]
        columns = ["cost", "val_cost", *(f"{before}{name}" for name in names for before in ("", "val_"))]
        if best not in columns:
            self.faults.add(
                "checkpoint.best",
                f"best must be a column of the history: {', '.join(columns)}.{nearest(best, columns)} "
                f"Received: best={best!r}",
            )


def move_tensors(part: object, device: torch.device, dtype: torch.dtype) -> None:
    """Move the tensors that a loss holds, such as weights of classes, to where the net is."""
    for name, value in vars(part).items():
        if isinstance(value, Tensor):
            setattr(part, name, value.to(device, dtype if value.is_floating_point() else None))
