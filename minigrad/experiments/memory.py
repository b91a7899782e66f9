"""Whether a net can be held by this machine, found out before it is made."""

import contextlib
import os
from pathlib import Path

import torch

from minigrad.core import Layer

# The weights, their gradients, and the two moments that most optimizers keep.
_COPIES = 4
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def bytes_needed(net: Layer, dtype: torch.dtype) -> int:
    """What training a net takes at least, by its parameters and buffers alone; one on the meta device will do.

    Examples:
        >>> from minigrad.layers import Linear
        >>> with torch.device("meta"):
        ...     net = Linear(1000, 1000, bias=False)
        >>> bytes_needed(net, torch.float32)
        16000000
    """
    parameters = sum(parameter.numel() for parameter in net.parameters()) * dtype.itemsize
    buffers = sum(buffer.numel() * buffer.element_size() for buffer in net.buffers())
    return parameters * _COPIES + buffers


def bytes_there(device: torch.device) -> int | None:
    """The memory of a device, or `None` if it does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    sizes = []
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(ValueError, OSError):
        sizes.append(int(_CGROUP.read_text()))
    return min(sizes, default=None)


def size_text(size: int) -> str:
    """A number of bytes as people say it.

    Examples:
        >>> size_text(16_000_000), size_text(10**21)
        ('16.0 MB', '1,000,000,000.0 TB')
    """
    for unit, factor in (("kB", 10**3), ("MB", 10**6), ("GB", 10**9), ("TB", 10**12)):
        if size < 1000 * factor or unit == "TB":
            return f"{size / factor:,.1f} {unit}"
    raise AssertionError
