"""Registry: every component by name, from the built-ins, this session and the installed plugins."""

import sys
import threading
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from minigrad._version import __version__
from minigrad.core import Component
from minigrad.errors import AmbiguousNameError, PluginLoadError, PluginWarning, RegistrationError, UnknownNameError
from minigrad.registry import builtins
from minigrad.registry.discovery import (
    BUILTIN,
    LOCAL,
    Outcome,
    PluginInfo,
    Settings,
    load_installed,
    load_one,
)
from minigrad.registry.entries import Entry, Source, Table, make_entry
from minigrad.registry.kinds import KINDS, Kind, kind_called
from minigrad.registry.naming import nearest

_BUILTIN = Source(BUILTIN, "minigrad-torch", __version__)
_LOCAL = Source(LOCAL)


@dataclass(frozen=True)
class ComponentInfo:
    """A registered component.

    Attributes:
        kind: `"layer"`, `"activation"`, `"loss"` or `"optimizer"`.
        name: Its bare name.
        id: Its qualified name, `plugin:name`.
        plugin: Who registers it.
        version: Of the plugin's distribution.
        file: Where it is written.
        summary: One line about it.
        aliases: Further names.
    """

    kind: str
    name: str
    id: str
    plugin: str
    version: str
    file: str
    summary: str
    aliases: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)


class Registry:
    """Components by name.

    A name is looked for among the built-ins, then among what this session registered, and only then among the
    installed plugins, which are loaded at that moment. A bare name that two plugins claim belongs to neither;
    `plugin:name` always works.

    Args:
        only: The plugins that may load; `()` is none. By default the environment says (`MINIGRAD_PLUGINS`,
            `MINIGRAD_DISABLE_PLUGINS`), and otherwise all may.
        strict: Whether a plugin that cannot be loaded is an error instead of a warning; by default
            `MINIGRAD_STRICT_PLUGINS` says.
        said_by: What to call the reason for `only` in messages, such as `"--no-plugins"`.

    Examples:
        >>> registry = Registry(only=())
        >>> registry.get("activation", "sigmoid").__name__
        'Sigmoid'
        >>> registry.get("activation", "sigmod")
        Traceback (most recent call last):
        ...
        minigrad.errors.UnknownNameError: No activation is called 'sigmod'. Did you mean 'sigmoid'?...
    """

    def __init__(self, *, only: Collection[str] | None = None, strict: bool | None = None, said_by: str = "") -> None:
        self.only = only
        self.strict = strict
        self.said_by = said_by
        self._lock = threading.RLock()
        self._builtin: Table | None = None
        self._local = Table()
        self._outcomes: list[Outcome] | None = None
        self._installed = Table()
        self._settings = Settings()
        self._is_loading = False
        self._is_reported = False

    def get(self, kind: str, name: str) -> type[Component]:
        """The class of that name; where a layer is asked for, an activation will do.

        Raises:
            UnknownNameError: If there is none.
            AmbiguousNameError: If several plugins claim the name.
            PluginLoadError: If the class cannot be imported, or a plugin cannot be loaded and that is an error.
        """
        return self.find(name, kind_called(kind).family)[0].cls

    def find(self, name: str, kinds: Sequence[Kind]) -> list[Entry]:
        """The entries of one plugin that have this name, in the order of `kinds`; at least one.

        Raises:
            UnknownNameError: If there is none.
            AmbiguousNameError: If several plugins claim the name.
        """
        if not isinstance(name, str):
            raise UnknownNameError(f"A component is looked up by its name, a string. Received: {name!r}")
        plugin, _, bare = name.rpartition(":")
        for table in self._tables(plugin):
            entries = table.find(bare, kinds, plugin)
            if len({entry.source.plugin for entry in entries}) > 1:
                raise AmbiguousNameError(_claimed(name, entries))
            if entries:
                return entries
        raise self._unknown(name, kinds)

    def entry_of(self, cls: type) -> Entry:
        """The entry under which a class is registered.

        Raises:
            UnknownNameError: If it is not.
        """
        for entry in self.entries():
            if entry.stands_for(cls):
                return entry
        raise UnknownNameError(
            f"A configuration names registered components, and {cls.__module__}.{cls.__qualname__} is none. "
            f"Register it in a plugin, or here with minigrad.register_{_kind_of(cls)}({cls.__name__})"
        )

    def register(
        self,
        kind: str,
        cls: type[Component] | str,
        *,
        name: str | None = None,
        aliases: Iterable[str] = (),
        summary: str = "",
    ) -> None:
        """Register a component for this session, as `local:name`; the same name again replaces it.

        Raises:
            RegistrationError: If the class or a name cannot be, or a name is a built-in's.
        """
        entry = make_entry(kind_called(kind), _LOCAL, cls, name, aliases, summary)
        with self._lock:
            related = [k for k in KINDS if k in entry.kind.family or entry.kind in k.family]
            for claimed in entry.names:
                if builtin := self._builtin_table().find(claimed, related):
                    raise RegistrationError(
                        f"A built-in keeps its name; name=... gives yours another one. "
                        f"Received: {claimed!r}, which is {builtin[0].id}"
                    )
            others = [e for e in self._local.entries if (e.kind, e.name) != (entry.kind, entry.name)]
            for other in others:
                if other.kind == entry.kind and (both := set(other.names) & set(entry.names)):
                    raise RegistrationError(f"{min(both)!r} is a name of {other.id} already. Received: it for {cls!r}")
            self._local = Table([*others, entry])

    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        """What is registered: the built-ins, then this session's, and then the plugins', loaded if it comes to them."""
        kinds = KINDS if kind is None else (kind_called(kind),)
        return (entry for table in self._tables() for entry in table.entries if entry.kind in kinds)

    def components(self, kind: str | None = None) -> list[ComponentInfo]:
        """Every registered component, by kind and name; this loads the plugins."""
        entries = sorted(self.entries(kind), key=lambda entry: (KINDS.index(entry.kind), entry.name, entry.id))
        return [
            ComponentInfo(e.kind.name, e.name, e.id, e.source.plugin, e.source.version, e.file, e.summary, e.aliases)
            for e in entries
        ]

    def plugins(self) -> list[PluginInfo]:
        """The built-ins and every installed plugin, with how its loading ended; this loads them.

        A plugin that failed is a row here, never a warning or an error.
        """
        own = [Outcome(_BUILTIN, "loaded", entries=tuple(self._builtin_table().entries))]
        if self._local.entries:
            own.append(Outcome(_LOCAL, "loaded", entries=tuple(self._local.entries)))
        own += self._load()
        self._is_reported = True
        return [outcome.info(tuple(self._notes(outcome))) for outcome in own]

    def faults(self) -> dict[str, list[str]]:
        """By plugin, which of the classes that it registers as `"package.module:Class"` cannot be imported, and why."""
        found: dict[str, list[str]] = {}
        self._load()
        for entry in self._installed.entries:
            try:
                entry.cls  # noqa: B018  # a string is resolved on first use
            except PluginLoadError as error:
                found.setdefault(entry.source.plugin, []).append(str(error))
        return found

    def _tables(self, plugin: str = "") -> Iterator[Table]:
        """Where to look, one after the other; the plugins are loaded only if it comes to them."""
        if plugin in ("", BUILTIN):
            yield self._builtin_table()
        if plugin in ("", LOCAL):
            yield self._local
        if plugin not in (BUILTIN, LOCAL):
            self._load()
            self._report()
            yield self._installed

    def _builtin_table(self) -> Table:
        if self._builtin is None:
            with self._lock:
                outcome = load_one(_BUILTIN, lambda: builtins)
                if outcome.error:
                    raise PluginLoadError(outcome.message) from outcome.error
                self._builtin = Table(outcome.entries)
        return self._builtin

    def _load(self) -> list[Outcome]:
        """Load the installed plugins, once, whoever asks first; what they register counts when all is done."""
        if self._outcomes is None:
            with self._lock:
                # A plugin that looks a name up while it is imported comes back here, in the same thread.
                if self._outcomes is None and not self._is_loading:
                    self._is_loading = True
                    try:
                        self._settings = Settings.read(self.only, self.strict, self.said_by)
                        outcomes = load_installed(self._settings)
                    finally:
                        self._is_loading = False
                    self._installed = Table(entry for outcome in outcomes for entry in outcome.entries)
                    self._outcomes = outcomes
        return self._outcomes or []

    def _report(self) -> None:
        """Warn of each plugin that failed, once; or, if failing is an error, raise each time."""
        failures = [outcome for outcome in self._outcomes or () if outcome.status == "failed"]
        if failures and self._settings.strict:
            raise PluginLoadError("\n".join(failure.message for failure in failures)) from failures[0].error
        if not self._is_reported and self._outcomes is not None:
            self._is_reported = True
            for failure in failures:
                warnings.warn(PluginWarning(failure.message), stacklevel=_depth_of_the_caller())

    def _notes(self, outcome: Outcome) -> Iterator[str]:
        """Which bare names a plugin claims and does not have, and why."""
        if outcome.source.plugin in (BUILTIN, LOCAL):
            return
        for entry in outcome.entries:
            for name in entry.names:
                qualified = f"{entry.source.plugin}:{name}"
                claims = self._installed.find(name, [entry.kind])
                if self._builtin_table().find(name, [entry.kind]):
                    yield f"{entry.kind.name} {name!r} is the built-in's name; this one is {qualified!r}"
                elif len(claims) > 1:
                    yield _claimed(name, claims)

    def _unknown(self, name: str, kinds: Sequence[Kind]) -> UnknownNameError:
        plugin, _, bare = name.rpartition(":")
        called = " or ".join(kind.name for kind in kinds if kind is kinds[0] or kind not in kinds[0].family)
        outcomes = self._outcomes or []
        tables = [self._builtin_table(), self._local, self._installed]
        text = f"No {called} is called {name!r}."
        if plugin and plugin not in {BUILTIN, LOCAL, *(outcome.source.plugin for outcome in outcomes)}:
            installed = [outcome.source.plugin for outcome in outcomes]
            text += f" No plugin {plugin!r} is installed.{nearest(plugin, [BUILTIN, *installed])}"
        elif plugin:
            own = (e for table in tables for e in table.entries if e.source.plugin == plugin and e.kind in kinds)
            text += nearest(name, (f"{plugin}:{own_name}" for entry in own for own_name in entry.names))
        else:
            others = [e for table in tables for e in table.find(bare, [kind for kind in KINDS if kind not in kinds])]
            if others:
                kind = others[0].kind
                text += f" It is the name of a{'n' * (kind.name[0] in 'aeiou')} {kind.name}."
            text += nearest(bare, (name for table in tables for name in table.names(kinds)))
        for outcome in outcomes:
            if outcome.status != "loaded" and plugin in ("", outcome.source.plugin):
                text += f" The plugin {outcome.source} is not loaded: {outcome.cause}. {outcome.cure}."
        if self._is_loading:
            text += " Plugins are being loaded just now: look names up in functions, not while a module is imported."
        return UnknownNameError(f"{text} `minigrad components` lists all names.")


def _claimed(name: str, entries: Sequence[Entry]) -> str:
    claims = [f"'{entry.source.plugin}:{name}' of {entry.source.distribution}" for entry in entries]
    return f"Several plugins claim the name {name!r}, so none has it. Say which one: {' or '.join(claims)}"


def _kind_of(cls: type) -> str:
    """The narrowest kind that a class belongs to."""
    kinds = [kind for kind in KINDS if issubclass(cls, kind.base)]
    return min(kinds, key=lambda kind: len(kind.family)).name if kinds else "layer"


def _depth_of_the_caller() -> int:
    """How far up the stack minigrad was called from: a warning points there."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "minigrad":
        frame, depth = frame.f_back, depth + 1
    return depth
