"""Trial: a case under the laws, which take from it fresh components and fresh inputs as often as they like."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Component, Loss, Optimizer, Parameter
from minigrad.optimizers import SGD
from minigrad.testing.case import Case
from minigrad.testing.gradient import Tolerance
from minigrad.testing.passes import SEED, Pass, as_dtype, parameters_of, run
from minigrad.testing.trees import cast


@dataclass(frozen=True)
class Trial:
    """A case, how exact its gradients must be, and for a loss under which reduction it is tried."""

    case: Case
    tolerance: Tolerance = field(default_factory=Tolerance)
    reduction: str | None = None

    def made(self, seed: int = SEED) -> Any:
        """A fresh component as its author makes it; the same random numbers for the same seed."""
        torch.manual_seed(seed)
        if self.case.takes() == "params":
            return self.case.make(self.parameters(torch.float32))
        if self.case.takes() == "optimizer":
            return self.case.make(scheduled())
        component = self.case.make()
        if self.reduction is None or not isinstance(component, Loss):
            return component
        return type(component)(**(component.config() | {"reduction": self.reduction}))

    def component(self, dtype: torch.dtype = torch.float64) -> Any:
        """A fresh layer or loss in `dtype`, its parameters moved off the zeros and ones that hide mistakes."""
        component = as_dtype(self.made(), dtype)
        generator = torch.Generator().manual_seed(SEED)
        for parameter in parameters_of(component).values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator).to(parameter.dtype))
        return component

    def inputs(self, dtype: torch.dtype = torch.float64) -> tuple[Any, ...]:
        """Fresh copies of the inputs, the floating-point ones in `dtype`."""
        return cast(self.case.arguments(), dtype)

    def run(self, dtype: torch.dtype = torch.float64) -> Pass:
        """A fresh component run on fresh inputs."""
        return run(self.component(dtype), self.inputs(dtype))

    def parameters(self, dtype: torch.dtype = torch.float64) -> list[Parameter]:
        """For an optimizer: fresh parameters; those with one axis are biases."""
        return [
            Parameter(value, role="bias" if value.dim() == 1 else "weight")
            for value in self.inputs(dtype)
            if isinstance(value, Tensor)
        ]

    def optimizer(self, parameters: list[Parameter]) -> Optimizer:
        """For an optimizer: a fresh one over `parameters`."""
        optimizer: Any = self.case.make(parameters)
        return optimizer


def scheduled() -> SGD:
    """An optimizer for a schedule: two groups of different rates, with a momentum."""
    one, two = Parameter(torch.zeros(2)), Parameter(torch.zeros(3))
    groups: list[dict[str, Any]] = [{"params": [one]}, {"params": [two], "lr": 0.4}]
    return SGD(groups, lr=0.8, momentum=0.9)


def component_name(component: Component) -> str:
    """The component's `repr`, or only its class where that is long."""
    try:
        line = repr(component)
    except Exception:  # the law named "config" tells what is wrong
        line = type(component).__name__
    return line if len(line) <= 60 and "\n" not in line else type(component).__name__
