"""A run that is killed at a given moment and resumed, many times over: `python -m tests.training.resuming SCENARIO`.

torch is imported once; each run is a forked child of its own, killed by a real SIGKILL. What is compared is the last
checkpoint, byte by byte: weights, the optimizer's and the schedule's state, every random generator, the order of the
data and every logged cost stand in it.
"""

import os
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch
from torch.utils.data import DataLoader, TensorDataset

import minigrad
from minigrad.training import Checkpoint, fit

EPOCHS = 3
SYSCALLS = ("write", "fsync", "replace")


class Kill(minigrad.Callback):
    """Kills its own process after an update; draws random numbers at each, as a callback may."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.drawn = 0.0

    def on_step_end(self, run: minigrad.Run) -> None:
        self.drawn += random.random() + numpy.random.rand()
        run.row()["drawn"] = self.drawn
        if run.step == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.drawn = state_dict["drawn"]


def data(scenario: str) -> tuple[Any, int | None]:
    """The data of a scenario, and the batch size that is asked for."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(22, 3, generator=generator)
    y = (x.sum(1, keepdim=True) > 0).float()
    if scenario == "rows":
        return (x, y), 6
    if scenario == "weighted, accumulated":
        return {"x": x, "y": y, "weight": torch.rand(22, generator=generator)}, 3
    if scenario == "dataset":
        return TensorDataset(x, y), 5
    if scenario == "loader":
        return DataLoader(TensorDataset(x, y), batch_size=6, shuffle=True), None
    if scenario == "noisy stream":
        return Noisy(x, y), None
    raise ValueError(scenario)


class Noisy:
    """Batches of unknown number, with noise from three random generators."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y = x, y

    def __iter__(self) -> Any:
        for start in range(0, 22, 5):
            noise = torch.randn(3) * random.random() + float(numpy.random.rand())
            yield self.x[start : start + 5] + 0.1 * noise, self.y[start : start + 5]


def train(scenario: str, folder: Path, kill_at: int, resume: bool) -> None:
    """One run, from the beginning or from where a killed one came to."""
    # A resumed process may have drawn other numbers before: the checkpoint must bring its own.
    seed = 999 if resume and (folder / "checkpoint.safetensors").exists() else 123
    torch.manual_seed(seed)
    random.seed(seed)
    numpy.random.seed(seed)
    torch.set_num_threads(1)
    source, batch_size = data(scenario)
    net = minigrad.Sequential(minigrad.Linear(3, 6), minigrad.Tanh(), minigrad.Dropout(0.3), minigrad.Linear(6, 1))
    fit(
        net,
        "bce_with_logits",
        {"name": "adamw", "lr": 0.05},
        source,
        epochs=EPOCHS,
        batch_size=batch_size,
        validation=(torch.ones(4, 3), torch.ones(4, 1)),
        schedule={"name": "cosine", "T_max": 20},
        accumulate=2 if "accumulated" in scenario else 1,
        clip=0.5,
        callbacks=[Kill(kill_at), {"name": "jsonl_log"}],
        checkpoint=Checkpoint(folder, every=2, keep=2, best="val_cost"),
        resume=resume,
        progress=False,
    )


def forked(work: Callable[[], None]) -> int:
    """Do something in a child process, and return how it ended: 0, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_in_a_call(number: int, after: bool) -> None:
    """From now on, die at the `number`-th call that writes a file, before or after it is done."""
    calls = 0

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **options)
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in SYSCALLS:
        setattr(os, name, dying(getattr(os, name)))


def result(folder: Path) -> dict[str, bytes]:
    """What a run leaves behind; no temporary file is among it."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def main(scenario: str, points: int) -> None:
    """Kill and resume; print how many times, and raise if one run came out differently."""
    with tempfile.TemporaryDirectory() as place:
        reference = Path(place) / "reference"
        assert forked(lambda: train(scenario, reference, -1, False)) == 0
        expected = result(reference)
        steps = (22 // 6 + 1) * EPOCHS
        moments: list[tuple[str, int]] = [("step", n) for n in range(1, steps + 1)]
        moments += [(when, 1 + 5 * n) for n in range(points) for when in ("before", "after")]
        for i, (when, n) in enumerate(moments):
            folder = Path(place) / str(i)

            def killed(folder: Path = folder, when: str = when, n: int = n) -> None:
                if when != "step":
                    killed_in_a_call(n, when == "after")
                train(scenario, folder, n if when == "step" else -1, False)

            ended = forked(killed)
            assert ended == -signal.SIGKILL, f"{when} {n}: the run was not killed but ended with {ended}"
            assert forked(lambda folder=folder: train(scenario, folder, -1, True)) == 0, f"{when} {n}: not resumed"
            found = result(folder)
            for name, content in expected.items():
                assert found.get(name) == content, f"{when} {n}: {name} differs"
            assert found.keys() == expected.keys(), f"{when} {n}: left behind: {found.keys() - expected.keys()}"
        print(f"{len(moments)} kills")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
