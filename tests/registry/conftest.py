import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from minigrad.registry import Registry, use_registry
from tests import distributions


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """A registry that has loaded nothing yet, in place of everybody's."""
    with use_registry(Registry()) as fresh:
        yield fresh


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path for packages that are installed for one test; their modules are forgotten after it."""
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Callable[..., str]:
    """Install a distribution for one test."""

    def install(plugin: str, source: str, **options: str) -> str:
        module = distributions.install(site, plugin, source, **options)
        importlib.invalidate_caches()
        return module

    return install
