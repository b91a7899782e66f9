"""Every registered component, of minigrad and of the installed plugins, with all of its checks."""

from collections.abc import Iterator

from minigrad.registry import current_registry
from minigrad.testing import Check, checks_for

# What minigrad ships is held to a hundredth of the tolerance that authors get.
ATOL, RTOL = 1e-7, 1e-5


def registered_checks() -> Iterator[tuple[str, Check]]:
    """Each law for each case of each registered component, under a name of its own."""
    registry = current_registry()
    taken: set[str] = set()
    for component in registry.components():
        for check in checks_for(registry.get(component.kind, component.id), atol=ATOL, rtol=RTOL):
            name = f"{component.id}-{check.name}-{check.law.name}"
            while name in taken:
                name += "'"
            taken.add(name)
            yield name, check
