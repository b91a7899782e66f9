"""What several optimizers do alike."""

from typing import Any

import torch
from torch import Tensor

from minigrad import Parameter


def require(rule: str, holds: bool, **received: Any) -> None:
    """Raise a ValueError that states the rule and what was received, unless it holds.

    Raises:
        ValueError: If `holds` is false.

    Examples:
        >>> require("lr must not be negative", False, lr=-1)
        Traceback (most recent call last):
        ValueError: lr must not be negative. Received: lr=-1
    """
    if not holds:
        values = ", ".join(f"{name}={value!r}" for name, value in received.items())
        raise ValueError(f"{rule}. Received: {values}")


def next_step(parameter: Parameter, state: dict[str, Any]) -> Tensor:
    """Count one more step of a parameter, and return their number.

    It is a tensor, of double precision, so that torch.compile need not compile each step anew.
    """
    if "step" not in state:
        state["step"] = torch.zeros((), dtype=torch.float64, device=parameter.device)
    step: Tensor = state["step"].add_(1)
    return step


def zeros(parameter: Parameter, state: dict[str, Any], *names: str) -> list[Tensor]:
    """The tensors of those names in a parameter's state, zeros of its shape at first."""
    for name in names:
        if name not in state:
            state[name] = torch.zeros_like(parameter.detach())
    return [state[name] for name in names]
