import importlib
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from minigrad.registry import Registry, discovery, use_registry
from tests import distributions


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """A registry that has loaded nothing yet, in place of everybody's."""
    with use_registry(Registry()) as fresh:
        yield fresh


@pytest.fixture(autouse=True)
def _only_what_a_test_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look away from the packages of this environment: their plugins have tests of their own."""

    def of_this_test(distribution: metadata.Distribution) -> bool:
        return tmp_path in Path(str(distribution.locate_file(""))).parents

    monkeypatch.setattr(
        discovery, "entry_points", lambda **group: [p for p in metadata.entry_points(**group) if of_this_test(p.dist)]
    )
    monkeypatch.setattr(discovery, "distributions", lambda: filter(of_this_test, metadata.distributions()))


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
