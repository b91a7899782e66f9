"""What a person asks to be checked: a plugin, a registered name, or a class in a file."""

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from minigrad.core import Component
from minigrad.errors import ConfigError, UnknownNameError
from minigrad.registry import current_registry
from minigrad.registry.naming import nearest
from minigrad.testing.check import checks_for
from minigrad.testing.result import CheckResult

_CHECKED_KINDS = ("activation", "layer", "loss", "optimizer", "schedule", "initializer", "callback", "metric")


def check_registered(name: str) -> dict[str, list[CheckResult]]:
    """Try every component of a plugin, or the components of one registered name, by every law.

    Args:
        name: A plugin's name, or a component's name or qualified id.

    Raises:
        UnknownNameError: If there is neither.

    Examples:
        >>> results = check_registered("minigrad:identity")
        >>> {result.verdict for result in results["minigrad:identity"]} <= {"passed", "not applicable"}
        True
    """
    registry = current_registry()
    rows = [row for row in registry.components() if row.kind in _CHECKED_KINDS]
    found = [row for row in rows if name in (row.plugin, row.id)] or [row for row in rows if row.name == name]
    if not found:
        known = {name for row in rows for name in (row.plugin, row.id, row.name)}
        raise UnknownNameError(
            f"NAME must be a plugin's or a component's; `minigrad components` lists all.{nearest(name, known)} "
            f"Received: {name!r}"
        )
    checked: dict[str, list[CheckResult]] = {}
    for row in found:
        if row.id not in checked:  # one class may be registered as two kinds
            checked[row.id] = [check.result() for check in checks_for(registry.get(row.kind, row.id))]
    return checked


def class_in_file(target: str) -> type[Component]:
    """The component class that `"file.py:Class"` names; the file is run as a module of its own.

    Raises:
        ConfigError: If there is no such file or class, the file cannot be run, or the class is no component.
    """
    path, separator, name = target.rpartition(":")
    rule = "The target must be FILE.py:Class, a component's class in a file."
    if not separator or not path.endswith(".py"):
        raise ConfigError(f"{rule} Received: {target!r}")
    if not Path(path).is_file():
        raise ConfigError(f"{rule} There is no file {path}. Received: {target!r}")
    classes = dict(_components(_run(Path(path))))
    if name not in classes:
        raise ConfigError(
            f"{rule} {path} has {', '.join(sorted(classes)) or 'none'}.{nearest(name, classes)} Received: {target!r}"
        )
    return classes[name]


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    # Under its name, so that a class of it can be pickled; a module of that name that is there already stays.
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if sys.modules.get(path.stem) is module:
            del sys.modules[path.stem]
        raise ConfigError(f"{path} cannot be run. Received: {type(error).__name__}: {error}") from error
    return module


def _components(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if inspect.isclass(value) and issubclass(value, Component) and not inspect.isabstract(value):
            yield name, value
