"""The XOR step as one graph of torch.compile, beside the same step run eagerly."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

import minigrad
from minigrad.xor import four_rows, xor_net
from tests.benchmarks.measure import Ratio, compare

STEPS_IN_ONE_GRAPH = 10


def compiled_steps(repeats: int, seconds: float) -> Iterator[tuple[str, Ratio | str]]:
    """What a step costs in one graph, and in a graph of several steps; a reason where it does not compile."""
    yield "the whole step, one graph", _attempt(1, {}, repeats, seconds)
    name = f"{STEPS_IN_ONE_GRAPH} steps in one graph, C++ wrapper, each"
    yield name, _attempt(STEPS_IN_ONE_GRAPH, {"cpp_wrapper": True}, repeats, seconds)


def _attempt(steps: int, options: dict[str, bool], repeats: int, seconds: float) -> Ratio | str:
    eager = xor_steps(steps)
    torch.compiler.reset()
    compiled = torch.compile(xor_steps(steps), fullgraph=True, options=options)
    try:
        torch.testing.assert_close(compiled(), eager(), rtol=1e-5, atol=0)
    except Exception as error:  # no C++ compiler, or a break in the graph
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    whole = compare(compiled, eager, repeats, seconds)
    return Ratio(whole.ours / steps, whole.theirs / steps, whole.ratio, whole.low, whole.high, whole.repeats)


def xor_steps(steps: int) -> Callable[[], Tensor]:
    """A function that takes some training steps and gives the last cost."""
    x, y = four_rows()
    net, loss = xor_net(), minigrad.BCE()
    optimizer = minigrad.SGD(net.parameters(), lr=1.0)

    def run() -> Tensor:
        for _ in range(steps):
            cost = minigrad.train_step(net, loss, optimizer, x, y)
        return cost

    return run
