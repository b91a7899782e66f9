"""Components from configurations: names, dicts and lists."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minigrad.core import Component
from minigrad.core.component import STATE_ARGUMENTS
from minigrad.errors import ConfigError, MinigradError, PluginError, UnknownNameError
from minigrad.registry.entries import RESERVED_KEYS, Entry
from minigrad.registry.fitting import UnfitError, annotation, fitted
from minigrad.registry.hints import hints_of, is_open, item_hint, kinds_of, takes_text, value_hint
from minigrad.registry.kinds import KINDS, Kind, kind_called
from minigrad.registry.naming import nearest
from minigrad.registry.registry import Registry

_LAYER = kind_called("layer")
_Error = (ConfigError, PluginError)
_BROKEN = object()


@dataclass(frozen=True)
class FileRules:
    """How a configuration is taken that was read from a file.

    Attributes:
        supplied: Arguments that no file can hold, such as an optimizer's `params`: each component that takes one of
            that name is given it.
        file: Makes a path of a text, or raises `UnfitError`.
    """

    supplied: Mapping[str, Any] = field(default_factory=dict)
    file: Callable[[str], Path] = Path


def build(
    registry: Registry,
    spec: Any,
    arguments: Mapping[str, Any],
    *,
    kinds: Sequence[Kind] = KINDS,
    path: str = "",
    rules: FileRules | None = None,
) -> Any:
    """Make the component that `spec` describes; `arguments` come on top of its own.

    Args:
        registry: Who knows the names.
        spec: The configuration.
        arguments: Further arguments.
        kinds: What it may be.
        path: Where it stands, for messages.
        rules: Given if the configuration was read from a file: each value is then held against its annotation.

    Raises:
        ConfigError: If it cannot be built; everything that is wrong is listed.
        UnknownNameError: If that is all: a name that no component has.
    """
    builder = _Builder(registry, rules)
    made = builder.attempt(builder.component, spec, kinds, path, arguments)
    if not builder.faults:
        return made
    if len(builder.faults) == 1:
        raise builder.faults[0]
    lines = [str(fault) for fault in builder.faults]
    listed = "".join(f"\n  {line}" for line in lines)
    raise ConfigError(f"{len(lines)} faults:{listed}", lines)


class _KnownError(Exception):
    """Something cannot be built for a reason that was noted already."""


class _Builder:
    """One configuration being built: it knows the objects that have an id, and all that was wrong so far."""

    def __init__(self, registry: Registry, rules: FileRules | None = None) -> None:
        self.registry = registry
        self.rules = rules
        self.named: dict[str, Any] = {}
        self.faults: list[MinigradError] = []
        self.failures = 0

    def attempt(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """Call `make`; if that cannot be, note why and go on, so that all faults are found at once."""
        try:
            return make(*arguments)
        except _KnownError:
            self.failures += 1
        except _Error as error:
            self.note(error)
        return None

    def note(self, fault: MinigradError) -> None:
        """Remember a fault."""
        self.failures += 1
        self.faults.append(fault)

    def component(self, spec: Any, kinds: Sequence[Kind], path: str, extra: Mapping[str, Any] | None = None) -> Any:
        """The component that `spec` describes, one of `kinds`."""
        if isinstance(spec, Component | list | tuple) and extra:
            raise _fault(path, f"only a name and a dict take arguments. Received: {', '.join(extra)} for {spec!r}")
        if isinstance(spec, Component):
            return spec
        if isinstance(spec, list | tuple):
            return self.chain(spec, path)
        if isinstance(spec, str):
            spec = {"name": spec}
        if not isinstance(spec, Mapping):
            raise _fault(
                path,
                f"a configuration is a name, a dict with a name, a list of layers, or a component. Received: {spec!r}",
            )
        if "ref" in spec:
            return self.referred(spec, path)
        if "id" not in spec:
            return self.called(spec, kinds, path, extra)
        if self.rules and type(spec["id"]) is not str:
            raise _fault(_join(path, "id"), f"an id is a text. Received: id={spec['id']!r}")
        if spec["id"] in self.named:
            raise _fault(_join(path, "id"), f"an id is given once. Received: id={spec['id']!r} again")
        try:
            made = self.called(spec, kinds, path, extra)
        except (*_Error, _KnownError):
            # Whoever refers to it must not be told that there is no such id.
            self.named[spec["id"]] = _BROKEN
            raise
        self.named[spec["id"]] = made
        return made

    def chain(self, spec: Sequence[Any], path: str) -> Any:
        """A list of layers, as a Sequential."""
        before = self.failures
        layers = tuple(self.attempt(self.component, item, _LAYER.family, f"{path}[{i}]") for i, item in enumerate(spec))
        if self.failures > before:
            raise _KnownError
        return self.call(self.registry.find("minigrad:sequential", [_LAYER])[0], {"layers": layers}, path)

    def called(self, spec: Mapping[str, Any], kinds: Sequence[Kind], path: str, extra: Mapping[str, Any] | None) -> Any:
        """The component that a dict with a name describes."""
        entry = self.entry(spec, kinds, path)
        given = {key: value for key, value in spec.items() if key not in RESERVED_KEYS}
        before = self.failures
        arguments = self.arguments(entry, given, extra or {}, path)
        if self.failures > before:
            raise _KnownError
        return self.call(entry, arguments, path)

    def referred(self, spec: Mapping[str, Any], path: str) -> Any:
        """The object that was given an id further up."""
        if len(spec) > 1:
            raise _fault(path, f"a ref stands alone. Received: {', '.join(map(str, spec))}")
        ref = spec["ref"]
        if type(ref) is not str or ref not in self.named:
            raise _fault(
                _join(path, "ref"),
                f"a ref repeats an id that was given further up.{nearest(str(ref), map(str, self.named))} "
                f"Received: ref={ref!r}",
            )
        if self.named[ref] is _BROKEN:
            raise _KnownError
        return self.named[ref]

    def entry(self, spec: Mapping[str, Any], kinds: Sequence[Kind], path: str) -> Entry:
        """The entry that `spec` names."""
        if "name" not in spec:
            hint = next(filter(None, (nearest(str(given), ["name"]) for given in spec)), "")
            raise _fault(path, f"a dict needs a name.{hint} Received: {dict(spec)!r}")
        key = "kind"
        try:
            if "kind" in spec:
                kinds = self.narrowed(spec["kind"], kinds)
            key = "name"
            entries = self.registry.find(spec["name"], kinds)
        except PluginError as error:
            if not path:
                raise
            raise type(error)(f"{_join(path, key)}: {error}") from error.__cause__
        first, *others = entries
        if others := [entry for entry in others if entry.kind not in first.kind.family]:
            choices = " or ".join(repr(entry.kind.name) for entry in (first, *others))
            raise _fault(
                path,
                f"{first.name} is the name of several components. Say which one: kind={choices}. Received: no kind",
            )
        return first

    def narrowed(self, name: Any, kinds: Sequence[Kind]) -> Sequence[Kind]:
        """The kinds that a spec asks for by `kind`; a file cannot ask for others than may stand there."""
        if type(name) is not str:
            raise UnknownNameError(f"kind must be a text. Received: kind={name!r}")
        family = kind_called(name).family
        if self.rules is None:
            return family
        if not any(kind in kinds for kind in family):
            names = " or ".join(repr(kind.name) for kind in kinds)
            raise UnknownNameError(f"kind must be {names} here. Received: kind={name!r}")
        return tuple(kind for kind in family if kind in kinds)

    def arguments(self, entry: Entry, given: Mapping[str, Any], extra: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The constructor's arguments, with the components among them built."""
        parameters = inspect.signature(entry.cls).parameters
        hidden = STATE_ARGUMENTS if self.rules else frozenset()
        names = [name for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD and name not in hidden]
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        supplied = {name: value for name, value in self.supplied().items() if name in parameters}
        everything = {**supplied, **given, **extra}
        meant = ""  # one slip of the pen is one fault: what was misspelt is not missing, too
        for key, value in everything.items():
            known = key in names or key in supplied or key in extra or (takes_any and key not in hidden)
            if not known or (key in parameters and key in hidden and key in given):
                takes = f"{entry.name} takes {', '.join(names) or 'no arguments'}"
                meant += (hint := nearest(str(key), names))
                self.note(_fault(_join(path, key), f"{takes}.{hint} Received: {key}={value!r}"))
        for name, parameter in parameters.items():
            required = parameter.default is parameter.empty
            if (
                required
                and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
                and name not in everything
                and f"{name!r}" not in meant
            ):
                self.note(_fault(_join(path, name), f"{entry.name} needs {name}. Received: {_shown(given)}"))
        hints = hints_of(entry.cls)  # type: ignore[arg-type]
        return {
            key: value
            if key in supplied
            else self.attempt(self.argument, parameters.get(key), value, hints, _join(path, key))
            for key, value in everything.items()
        }

    def supplied(self) -> Mapping[str, Any]:
        """What every component is given that takes it."""
        return self.rules.supplied if self.rules else {}

    def argument(self, parameter: inspect.Parameter | None, value: Any, hints: dict[str, Any], path: str) -> Any:
        """One argument; the layers of a container stand in a list."""
        hint = annotation(parameter, hints) if self.rules else hints.get(path.rpartition(".")[2], Any)
        if parameter is None or parameter.kind is not parameter.VAR_POSITIONAL:
            return self.fitted(parameter, value, hint, path)
        if not isinstance(value, list | tuple):
            raise _fault(path, f"{parameter.name} is a list. Received: {parameter.name}={value!r}")
        return tuple(self.attempt(self.fitted, None, item, hint, f"{path}[{i}]") for i, item in enumerate(value))

    def fitted(self, parameter: inspect.Parameter | None, given: Any, hint: Any, path: str) -> Any:
        """A value with the components in it built, and held against the annotation if it comes from a file."""
        before = self.failures
        value = self.value(given, hint, path)
        if self.failures > before or self.rules is None:
            return value
        try:
            return fitted(value, hint, self.rules.file)
        except UnfitError as error:
            name = parameter.name if parameter else path.rpartition(".")[2]
            rule = f"{name} must be {error}"
            raise _fault(path, f"{rule}{'' if rule[-1] in '.?' else '.'} Received: {name}={given!r}") from None

    def value(self, value: Any, hint: Any, path: str) -> Any:
        """A value with the components in it built, wherever the annotation lets a component stand."""
        kinds = kinds_of(hint)
        if isinstance(value, str):
            return self.component(value, kinds, path) if kinds and not takes_text(hint) else value
        if isinstance(value, Mapping):
            inner = value_hint(hint)
            if (kinds or is_open(hint)) and (inner is None or _is_spec(value)):
                return self.component(value, kinds or KINDS, path)
            if inner is not None:
                return {k: self.attempt(self.value, item, inner, _join(path, k)) for k, item in value.items()}
        elif type(value) in (list, tuple):
            inner = item_hint(hint)
            if inner is not None:
                return type(value)(
                    self.attempt(self.value, item, inner, f"{path}[{i}]") for i, item in enumerate(value)
                )
            if kinds:
                return self.component(value, kinds, path)
        return value

    def call(self, entry: Entry, arguments: dict[str, Any], path: str) -> Any:
        """Call the constructor."""
        bound = inspect.BoundArguments(inspect.signature(entry.cls), _grouped(entry.cls, arguments))
        bound.apply_defaults()
        try:
            return entry.cls(*bound.args, **bound.kwargs)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if isinstance(error, NotImplementedError):
                raise
            named = re.search(r"Received: (\w+)=", str(error))
            where = _join(path, named[1]) if named and named[1] in arguments else path
            text = str(error)
            if "Received: " not in text:
                text = f"{entry.name} cannot be made: {text}. Received: {_shown(arguments)}"
            raise _fault(where, text) from error


def _grouped(cls: type, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the signature names them: those that fall under `**kwargs` go into one dict."""
    parameters = inspect.signature(cls).parameters
    grouped = {key: value for key, value in arguments.items() if key in parameters}
    for parameter in parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            grouped[parameter.name] = {key: value for key, value in arguments.items() if key not in grouped}
    return grouped


def _is_spec(value: Mapping[Any, Any]) -> bool:
    return isinstance(value.get("name"), str) or set(value) == {"ref"}


def _shown(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items()) or "no arguments"


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _fault(path: str, text: str) -> ConfigError:
    return ConfigError(f"{path}: {text}" if path else f"{text[0].upper()}{text[1:]}")
