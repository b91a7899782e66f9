"""What `import minigrad` adds to `import torch`, each time in a fresh interpreter."""

import statistics
import subprocess
import sys
from dataclasses import dataclass

ADDED = """
from time import perf_counter
start = perf_counter()
import torch
torch_done = perf_counter()
import minigrad
print(torch_done - start, perf_counter() - torch_done)
"""


@dataclass(frozen=True)
class Startup:
    """Seconds of import, medians and extremes.

    Attributes:
        torch: What `import torch` takes.
        added: What `import minigrad` then adds.
        low: The least that it added.
        high: The most that it added.
        repeats: How many interpreters were started.
    """

    torch: float
    added: float
    low: float
    high: float
    repeats: int


def startup(repeats: int) -> Startup:
    """Import torch and then minigrad in fresh interpreters; the first one only fills the caches."""
    measured = [_import_both() for _ in range(repeats + 1)][1:]
    torch_times, added = zip(*measured, strict=True)
    return Startup(statistics.median(torch_times), statistics.median(added), min(added), max(added), repeats)


def _import_both() -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", ADDED], capture_output=True, text=True, check=True)
    torch_time, added = map(float, done.stdout.split())
    return torch_time, added
