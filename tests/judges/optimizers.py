"""torch.optim as the judge of every optimizer with a twin: 20 steps in float64 over torch's own configurations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.testing._internal.common_optimizers import optim_db

import minigrad
from minigrad.errors import UnknownNameError
from minigrad.registry import snake_case
from tests.judges.judgement import Judgement

RTOL = 1e-9
STEPS = 20

# The optimizers, with the number of configurations that torch 2.13 has for them: all but SparseAdam (minigrad has no
# sparse gradients) and LBFGS (whose step asks for the cost again).
CONFIGURATIONS = {
    "ASGD": 7,
    "Adadelta": 6,
    "Adafactor": 5,
    "Adagrad": 7,
    "Adam": 5,
    "AdamW": 5,
    "Adamax": 5,
    "Muon": 7,
    "NAdam": 7,
    "RAdam": 6,
    "RMSprop": 8,
    "Rprop": 5,
    "SGD": 9,
}

# What torch's table leaves at its default.
EXTRAS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Adam", {"betas": (0.8, 0.95), "eps": 1e-5}),
    ("AdamW", {"betas": (0.8, 0.95), "eps": 1e-5}),
    ("Adamax", {"betas": (0.8, 0.95), "eps": 1e-5}),
    ("NAdam", {"betas": (0.8, 0.95), "eps": 1e-5}),
    ("RAdam", {"betas": (0.8, 0.95), "eps": 1e-5}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-5, "momentum": 0.5}),
    ("Adadelta", {"rho": 0.8, "eps": 1e-4}),
    ("Adagrad", {"lr": 0.05, "eps": 1e-4}),
    ("Adafactor", {"eps": (1e-20, 1e-2), "beta2_decay": -0.5}),
    ("ASGD", {"alpha": 0.5, "t0": 5}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Muon", {"nesterov": False, "eps": 1e-5}),
)


@dataclass(frozen=True)
class OptimizerCase:
    """One configuration of one torch optimizer, with one parameter group or two."""

    name: str
    index: int
    options: dict[str, Any]
    grouped: bool = False

    @property
    def family(self) -> str:
        """The row of the table."""
        return "optimizers, groups" if self.grouped else "optimizers"

    def __str__(self) -> str:
        return f"{self.name}-{self.index}{'-grouped' if self.grouped else ''}"


def cases() -> Iterator[OptimizerCase]:
    """Every configuration of torch's table, the extras, and each optimizer with parameter groups."""
    for info in optim_db:
        name = info.optim_cls.__name__
        if name in CONFIGURATIONS:
            for index, sample in enumerate(info.optim_inputs_func(device="cpu")):
                yield OptimizerCase(name, index, dict(sample.kwargs))
    for index, (name, options) in enumerate(EXTRAS):
        yield OptimizerCase(name, 100 + index, options)
    for name in sorted(CONFIGURATIONS):
        yield OptimizerCase(name, 0, {}, grouped=True)


def judge(case: OptimizerCase) -> Judgement:
    """Hold the parameters against torch's after each of the steps."""
    try:
        cls = minigrad.optimizer(snake_case(case.name))
    except UnknownNameError as error:
        return Judgement("unsupported", str(error).splitlines()[0])
    torch.manual_seed(0)
    # torch keeps the scalars of NAdam and ASGD in its default dtype.
    torch.set_default_dtype(torch.float64)
    try:
        return _judge(cls, case)
    finally:
        torch.set_default_dtype(torch.float32)


def _judge(cls: type[minigrad.Optimizer], case: OptimizerCase) -> Judgement:
    # Muon takes matrices only.
    shapes = [(4, 3), (3, 5)] if case.name == "Muon" else [(4, 3), (5,), ()]
    starts = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    ours = [minigrad.Parameter(start.clone()) for start in starts]
    theirs = [torch.nn.Parameter(start.clone()) for start in starts]
    optimizer: Any = cls(_groups(ours, case), **case.options)  # type: ignore[call-arg]
    twin = getattr(torch.optim, case.name)(_groups(theirs, case), **case.options)
    for step in range(STEPS):
        for a, b in zip(ours, theirs, strict=True):
            gradient = torch.randn(a.shape, dtype=torch.float64)
            a.accumulate(gradient.clone())
            b.grad = gradient
        optimizer.step()
        optimizer.zero_grad()
        twin.step()
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if not torch.allclose(a, b.detach(), rtol=RTOL, atol=0.0):
                return Judgement("failed", f"step {step}, parameter {i}: off by {(a - b).abs().max().item():g}")
    return Judgement("passed")


def _groups(parameters: list[Any], case: OptimizerCase) -> list[Any]:
    if not case.grouped:
        return parameters
    return [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.05}]
