"""Configurations from components: what `build` turns back into an equal one."""

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import Any

from minigrad.core import Component, constructor_arguments
from minigrad.registry.kinds import KINDS
from minigrad.registry.registry import Registry


def describe(registry: Registry, component: Component) -> dict[str, Any]:
    """The configuration of a component, with qualified names."""
    times = Counter(id(part) for part in _parts(component, set()))
    return _Describer(registry, {part for part, count in times.items() if count > 1}).component(component)


def _parts(value: Any, seen: set[int]) -> Iterator[Component]:
    """Every component in a value, each as often as it stands there."""
    if isinstance(value, Component):
        yield value
        if id(value) in seen:
            return
        seen.add(id(value))
        value = value.config()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item, seen)


class _Describer:
    """One net being described: it knows which objects stand in it more than once, and the ids of those it has met."""

    def __init__(self, registry: Registry, shared: set[int]) -> None:
        self.registry = registry
        self.shared = shared
        self.named: dict[int, str] = {}

    def component(self, component: Component) -> dict[str, Any]:
        """A component's configuration, or where it stood already."""
        if id(component) in self.named:
            return {"ref": self.named[id(component)]}
        cls = type(component)
        entry = self.registry.entry_of(cls)
        description: dict[str, Any] = {"name": entry.id}
        if any(other.cls is not cls for other in self.registry.find(entry.id, KINDS)):
            description["kind"] = entry.kind.name
        if id(component) in self.shared:
            description["id"] = self.named[id(component)] = self.free_id(entry.name)
        lists = {a.name for a in constructor_arguments(cls) if a.kind is inspect.Parameter.VAR_POSITIONAL}  # type: ignore[arg-type]
        for name, value in component.config().items():
            description[name] = self.value(list(value) if name in lists else value)
        return description

    def value(self, value: Any) -> Any:
        """A value with the components in it described."""
        if isinstance(value, Component):
            return self.component(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.value(item) for item in value)
        return value

    def free_id(self, name: str) -> str:
        """`name`, or the first of `name_2`, `name_3`, ... that is free."""
        taken = set(self.named.values())
        number = next(n for n in range(1, len(taken) + 2) if (f"{name}_{n}" if n > 1 else name) not in taken)
        return f"{name}_{number}" if number > 1 else name
