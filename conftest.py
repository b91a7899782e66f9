"""What holds for every test and doctest, of minigrad and of the plugins alike."""

import os
from collections.abc import Iterator

import pytest
import torch

# The tensors are tiny, and the test processes share the cores.
torch.set_num_threads(1)

# What a developer has switched on or off for himself must not decide a test.
for name in [name for name in os.environ if name.startswith("MINIGRAD_")]:
    del os.environ[name]

# How rich and typer write for the terminal, or the CI, that the tests run in.
TERMINAL = (
    *("COLORTERM", "COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "LINES", "NO_COLOR", "PY_COLORS", "TERM"),
    *("TERMINAL_WIDTH", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
)


def pytest_sessionstart() -> None:
    """Forget the terminal, once pytest knows how it writes for it: no test rests on where it is run."""
    for name in TERMINAL:
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _fresh_torch(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start every test from one random state, and leave torch's defaults as they were found.

    A doctest gets a random state that nobody has seen: an example whose output rests on a seed must show the seed.
    """
    if isinstance(request.node, pytest.DoctestItem):
        torch.seed()
    else:
        torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, object]) -> None:
    """An example in a docstring knows `torch`, as its reader does."""
    doctest_namespace["torch"] = torch
