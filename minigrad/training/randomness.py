"""The random generators that a training run may draw from, as states that can be kept."""

import random
from collections.abc import Mapping
from typing import Any

import numpy
import torch


def random_states() -> dict[str, Any]:
    """The states of every generator that a training run may draw from: torch's, Python's and numpy's."""
    on_gpus = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if on_gpus else [],
        "python": random.getstate(),
        "numpy": numpy.random.get_state(legacy=True),
    }


def set_random_states(states: Mapping[str, Any]) -> None:
    """Put the generators where `random_states` found them."""
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])
    random.setstate(states["python"])
    numpy.random.set_state(states["numpy"])


def packed(states: Mapping[str, Any]) -> dict[str, Any]:
    """What `random_states` returned, as numbers and tensors for a file."""
    version, numbers, gauss = states["python"]
    name, keys, position, has_gauss, cached = states["numpy"]
    return {
        **states,
        "python": {"version": version, "numbers": torch.tensor(numbers), "gauss": gauss},
        "numpy": {
            "name": str(name),
            "keys": torch.from_numpy(numpy.asarray(keys, dtype=numpy.int64)),
            "rest": [int(position), int(has_gauss), float(cached)],
        },
    }


def unpacked(states: Mapping[str, Any]) -> dict[str, Any]:
    """What `packed` was given."""
    python, legacy = states["python"], states["numpy"]
    return {
        **states,
        "python": (python["version"], tuple(python["numbers"].tolist()), python["gauss"]),
        "numpy": (legacy["name"], legacy["keys"].numpy().astype(numpy.uint32), *legacy["rest"]),
    }
