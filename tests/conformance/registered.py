"""Every registered component, of minigrad and of the installed plugins, with all of its checks."""

from minigrad.registry import components, current_registry
from minigrad.testing import Check, checks_for

# What minigrad ships is held to a hundredth of the tolerance that authors get.
ATOL, RTOL = 1e-7, 1e-5


def registered() -> dict[str, tuple[str, str]]:
    """The kind and the id of each registered component, under a name of its own."""
    return {f"{component.kind} {component.id}": (component.kind, component.id) for component in components()}


def checks_of(name: str) -> list[Check]:
    """Each law for each case of a registered component."""
    kind, identifier = registered()[name]
    return checks_for(current_registry().get(kind, identifier), atol=ATOL, rtol=RTOL)
