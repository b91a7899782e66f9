"""What `import minigrad` adds to `import torch`, each time in a fresh interpreter."""

import statistics
import subprocess
import sys
from dataclasses import dataclass

ADDED = """
from time import perf_counter, process_time
start = perf_counter()
import torch
torch_done, busy = perf_counter(), process_time()
import minigrad
print(torch_done - start, perf_counter() - torch_done, process_time() - busy)
"""


@dataclass(frozen=True)
class Startup:
    """Seconds of import, medians and extremes.

    Attributes:
        torch: What `import torch` takes.
        added: What `import minigrad` then adds.
        low: The least that it added.
        high: The most that it added.
        busy: The processor's time in what it added; less than the rest where the machine had other work.
        repeats: How many interpreters were started.
    """

    torch: float
    added: float
    low: float
    high: float
    busy: float
    repeats: int


def startup(repeats: int) -> Startup:
    """Import torch and then minigrad in fresh interpreters; the first one only fills the caches."""
    measured = [_import_both() for _ in range(repeats + 1)][1:]
    torch_times, added, busy = zip(*measured, strict=True)
    median = statistics.median
    return Startup(median(torch_times), median(added), min(added), max(added), median(busy), repeats)


def _import_both() -> tuple[float, float, float]:
    done = subprocess.run([sys.executable, "-c", ADDED], capture_output=True, text=True, check=True)
    torch_time, added, busy = map(float, done.stdout.split())
    return torch_time, added, busy
