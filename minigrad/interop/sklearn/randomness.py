"""Random numbers of one's own, from generators that everybody uses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

# A process has one default generator: who seeds it while another draws from it decides what that other draws.
_lock = threading.RLock()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let torch draw from `seed` for a while, one thread at a time; afterwards its generators stand where they stood.

    Examples:
        >>> before = torch.get_rng_state()
        >>> with seeded(0, torch.device("cpu")):
        ...     torch.rand(1)
        tensor([0.4963])
        >>> torch.equal(torch.get_rng_state(), before)
        True
    """
    on_cpu = device.type == "cpu"
    with _lock, torch.random.fork_rng([] if on_cpu else [device], device_type=None if on_cpu else device.type):
        # Not torch.manual_seed, which would seed every device, those too that nobody forked.
        torch.default_generator.manual_seed(seed)
        if not on_cpu:
            with torch.accelerator.device_index(device.index):
                torch.get_device_module(device).manual_seed(seed)  # of the device that is current
        yield


def generator(random_state: Any) -> np.random.RandomState:
    """The generator of a `random_state`: of its own for an integer, itself, or a fresh one for `None`.

    numpy's global generator, which scikit-learn's `check_random_state` returns for `None`, is left alone.

    Raises:
        ValueError: If it is none of the three.
    """
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if random_state is None or isinstance(random_state, int | np.integer):
        return np.random.RandomState(random_state)
    raise ValueError(f"random_state must be an integer, a RandomState or None. Received: random_state={random_state!r}")


def draw_seed(random: np.random.RandomState) -> int:
    """A seed for `seeded`."""
    return int(random.randint(2**31))
