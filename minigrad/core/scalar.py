"""Numbers as tensors, made once."""

import torch
from torch import Tensor

_MOST = 1024  # a loop over ragged batches must not fill the memory
_scalars: dict[tuple[float, torch.dtype], Tensor] = {}


def scalar(value: float, dtype: torch.dtype) -> Tensor:
    """The number `value` as a tensor of shape `()`, the same object at every call: never change it in place.

    torch wraps a Python number anew at every call, which takes longer than a small kernel itself; a tensor of shape
    `()` on the CPU takes part in operations on any device, and rounds as the number would.

    Examples:
        >>> torch.ones(2).div(scalar(4, torch.float32))
        tensor([0.2500, 0.2500])
    """
    known = _scalars.get((value, dtype))
    return _make(value, dtype) if known is None else known


def _make(value: float, dtype: torch.dtype) -> Tensor:
    if torch.compiler.is_compiling():
        return torch.tensor(value, dtype=dtype)
    with torch.inference_mode(False):
        made = torch.tensor(value, dtype=dtype)
    # A fake or a wrapped tensor belongs to the mode or transform that is active: it must not outlive it.
    if type(made) is Tensor and not torch._C._functorch.is_functorch_wrapped_tensor(made):
        if len(_scalars) >= _MOST:
            _scalars.clear()
        _scalars[value, dtype] = made
    return made
