"""Components from configurations: names, dicts and lists."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.core import Component
from minigrad.errors import ConfigError, PluginError
from minigrad.registry.entries import RESERVED_KEYS, Entry
from minigrad.registry.hints import hints_of, is_open, item_hint, kinds_of, takes_text, value_hint
from minigrad.registry.kinds import KINDS, Kind, kind_called
from minigrad.registry.naming import nearest
from minigrad.registry.registry import Registry

_LAYER = kind_called("layer")


def build(registry: Registry, spec: Any, arguments: Mapping[str, Any]) -> Any:
    """Make the component that `spec` describes; `arguments` come on top of its own."""
    return _Builder(registry).component(spec, KINDS, "", arguments)


class _Builder:
    """One configuration being built: it knows the objects that have an id."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.named: dict[str, Any] = {}

    def component(self, spec: Any, kinds: Sequence[Kind], path: str, extra: Mapping[str, Any] | None = None) -> Any:
        """The component that `spec` describes, one of `kinds`."""
        if isinstance(spec, Component | list | tuple) and extra:
            raise _fault(path, f"only a name and a dict take arguments. Received: {', '.join(extra)} for {spec!r}")
        if isinstance(spec, Component):
            return spec
        if isinstance(spec, list | tuple):
            layers = tuple(self.component(item, _LAYER.family, f"{path}[{i}]") for i, item in enumerate(spec))
            return self.call(self.registry.find("minigrad:sequential", [_LAYER])[0], {"layers": layers}, path)
        if isinstance(spec, str):
            spec = {"name": spec}
        if not isinstance(spec, Mapping):
            raise _fault(
                path,
                f"a configuration is a name, a dict with a name, a list of layers, or a component. Received: {spec!r}",
            )
        if "ref" in spec:
            return self.referred(spec, path)
        entry = self.entry(spec, kinds, path)
        given = {key: value for key, value in spec.items() if key not in RESERVED_KEYS} | dict(extra or {})
        made = self.call(entry, self.arguments(entry, given, path), path)
        if "id" in spec:
            if spec["id"] in self.named:
                raise _fault(_join(path, "id"), f"an id is given once. Received: id={spec['id']!r} again")
            self.named[spec["id"]] = made
        return made

    def referred(self, spec: Mapping[str, Any], path: str) -> Any:
        """The object that was given an id further up."""
        if len(spec) > 1:
            raise _fault(path, f"a ref stands alone. Received: {', '.join(map(str, spec))}")
        if spec["ref"] not in self.named:
            raise _fault(
                _join(path, "ref"),
                f"a ref repeats an id that was given further up.{nearest(str(spec['ref']), self.named)} "
                f"Received: ref={spec['ref']!r}",
            )
        return self.named[spec["ref"]]

    def entry(self, spec: Mapping[str, Any], kinds: Sequence[Kind], path: str) -> Entry:
        """The entry that `spec` names."""
        if "name" not in spec:
            hint = next(filter(None, (nearest(str(given), ["name"]) for given in spec)), "")
            raise _fault(path, f"a dict needs a name.{hint} Received: {dict(spec)!r}")
        key = "kind"
        try:
            kinds = kind_called(spec["kind"]).family if "kind" in spec else kinds
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

    def arguments(self, entry: Entry, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The constructor's arguments, with the components among them built."""
        parameters = inspect.signature(entry.cls).parameters
        names = [name for name, parameter in parameters.items() if parameter.kind is not parameter.VAR_KEYWORD]
        takes_any = len(names) < len(parameters)
        for key, value in given.items():
            if key not in names and not takes_any:
                takes = f"{entry.name} takes {', '.join(names) or 'no arguments'}"
                raise _fault(_join(path, key), f"{takes}.{nearest(str(key), names)} Received: {key}={value!r}")
        for name, parameter in parameters.items():
            required = parameter.default is parameter.empty
            if (
                required
                and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
                and name not in given
            ):
                raise _fault(_join(path, name), f"{entry.name} needs {name}. Received: {_shown(given)}")
        hints = hints_of(entry.cls)  # type: ignore[arg-type]
        return {
            key: self.argument(parameters.get(key), value, hints.get(key, Any), _join(path, key))
            for key, value in given.items()
        }

    def argument(self, parameter: inspect.Parameter | None, value: Any, hint: Any, path: str) -> Any:
        """One argument; the layers of a container stand in a list."""
        if parameter is None or parameter.kind is not parameter.VAR_POSITIONAL:
            return self.value(value, hint, path)
        if not isinstance(value, list | tuple):
            raise _fault(path, f"{parameter.name} is a list. Received: {parameter.name}={value!r}")
        return tuple(self.value(item, hint, f"{path}[{i}]") for i, item in enumerate(value))

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
                return {key: self.value(item, inner, _join(path, key)) for key, item in value.items()}
        elif type(value) in (list, tuple):
            inner = item_hint(hint)
            if inner is not None:
                return type(value)(self.value(item, inner, f"{path}[{i}]") for i, item in enumerate(value))
            if kinds:
                return self.component(value, kinds, path)
        return value

    def call(self, entry: Entry, arguments: dict[str, Any], path: str) -> Any:
        """Call the constructor."""
        bound = inspect.BoundArguments(inspect.signature(entry.cls), _grouped(entry.cls, arguments))
        bound.apply_defaults()
        try:
            return entry.cls(*bound.args, **bound.kwargs)
        except (TypeError, ValueError) as error:
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
