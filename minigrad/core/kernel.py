"""torch's backward kernels, called with as little in between as possible."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def kernel(name: str) -> Callable[..., Tensor]:
    """The default overload of `torch.ops.aten.<name>`, taking positional arguments; bind it once, atop a module.

    Calling the overload object itself costs as much as a small kernel; here only a plain function stands between.
    `torch.compile` is shown the overload, which it knows.

    Examples:
        >>> sigmoid_backward = kernel("sigmoid_backward")
        >>> sigmoid_backward(torch.ones(1), torch.tensor([0.5]))
        tensor([0.2500])
    """
    overload = getattr(torch.ops.aten, name).default
    operator = overload._op

    def call(*arguments: Any) -> Tensor:
        return operator(*arguments)

    call.__name__ = name
    call._torchdynamo_inline = overload  # type: ignore[attr-defined]
    return call
