"""Measuring two things against each other on a machine that does other things too."""

import gc
import statistics
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Two durations in seconds, and what one is of the other, each the median of the repeats.

    Attributes:
        ours: The first duration.
        theirs: The second.
        ratio: The median of ours / theirs, repeat by repeat.
        low: The ratio that a tenth of the repeats stays below.
        high: The ratio that a tenth of the repeats exceeds.
        repeats: How often both were measured.
    """

    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    repeats: int


def of_pairs(pairs: list[tuple[float, float]]) -> Ratio:
    """The medians of durations that were measured in pairs."""
    ours, theirs = zip(*pairs, strict=True)
    ratios = sorted(a / b for a, b in pairs)
    tenth = len(ratios) // 10
    return Ratio(
        statistics.median(ours),
        statistics.median(theirs),
        statistics.median(ratios),
        ratios[tenth],
        ratios[-1 - tenth],
        len(ratios),
    )


def compare(ours: Callable[[], object], theirs: Callable[[], object], repeats: int, seconds: float = 0.02) -> Ratio:
    """Time two calls in turn, so that whatever else the machine does falls on both.

    Args:
        ours: The first call.
        theirs: The second; the ratio is the first's time over the second's.
        repeats: How many pairs are timed.
        seconds: About how long one side of a pair runs.
    """
    counts = [_calls_in(call, seconds) for call in (ours, theirs)]
    pairs = []
    with no_garbage_collection():
        for repeat in range(repeats):
            sides = [(ours, counts[0]), (theirs, counts[1])]
            # Who comes first changes, or the second would always find a warmer machine.
            order = (0, 1) if repeat % 2 else (1, 0)
            times = {side: timeit.timeit(sides[side][0], number=sides[side][1]) / sides[side][1] for side in order}
            pairs.append((times[0], times[1]))
    return of_pairs(pairs)


def _calls_in(call: Callable[[], object], seconds: float) -> int:
    for _ in range(3):
        call()
    once = timeit.timeit(call, number=3) / 3
    return max(1, round(seconds / once))


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the garbage collector from running within a measurement."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
