"""No plugin that happens to be installed decides a test here."""

from collections.abc import Iterator

import pytest

from minigrad.registry import Registry, use_registry


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    with use_registry(Registry(only=())) as fresh:
        yield fresh
