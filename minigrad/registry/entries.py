"""What is registered: an entry for each component, made and checked in one place."""

import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from minigrad.core import Component
from minigrad.errors import PluginLoadError, RegistrationError
from minigrad.registry.kinds import Kind
from minigrad.registry.naming import NAME, snake_case

# The words of a configuration: no constructor argument can be spelt with them.
RESERVED_KEYS = ("name", "kind", "id", "ref")


@dataclass(frozen=True)
class Source:
    """Who registers: a plugin, and the package that it comes from."""

    plugin: str
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        package = f"{self.distribution} {self.version}".strip()
        return f"{self.plugin!r} ({package})" if package else repr(self.plugin)


@dataclass(frozen=True)
class Entry:
    """One registered component."""

    kind: Kind
    name: str
    aliases: tuple[str, ...]
    target: type[Component] | str
    given_summary: str
    source: Source

    @property
    def id(self) -> str:
        """The qualified name, which nobody else can claim."""
        return f"{self.source.plugin}:{self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every bare name that this entry claims."""
        return (self.name, *self.aliases)

    @cached_property
    def cls(self) -> type[Component]:
        """The class; one given as a string is imported here."""
        if not isinstance(self.target, str):
            return self.target
        module, _, path = self.target.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for attribute in path.split("."):
                found = getattr(found, attribute)
            return checked_class(found, self.kind)
        except (Exception, SystemExit) as error:
            raise PluginLoadError(
                f"{self.id} cannot be imported from {self.target!r}, as the plugin {self.source} says: "
                f"{type(error).__name__}: {error}"
            ) from error

    @property
    def summary(self) -> str:
        """One line about it; nothing is imported to find it."""
        if self.given_summary or isinstance(self.target, str):
            return self.given_summary
        return inspect.cleandoc(self.target.__doc__ or "").partition("\n")[0]

    @property
    def file(self) -> str:
        """Where it is written, or `""`; its own module is not imported to find it."""
        if not isinstance(self.target, str):
            return getattr(sys.modules.get(self.target.__module__), "__file__", None) or ""
        try:
            spec = find_spec(self.target.partition(":")[0])
        except Exception:  # find_spec imports the parent package, which may do anything
            return ""
        return (spec and spec.origin) or ""

    def stands_for(self, cls: type) -> bool:
        """Whether this is the entry of `cls`."""
        if isinstance(self.target, str) and self.target.rpartition(":")[2] != cls.__qualname__:
            return False
        return self.cls is cls


def make_entry(kind: Kind, source: Source, cls: Any, name: str | None, aliases: Iterable[str], summary: str) -> Entry:
    """Check one registration and make its entry.

    Raises:
        RegistrationError: If the class, its name or an alias cannot be.
    """
    if isinstance(cls, str):
        module, colon, path = cls.partition(":")
        if not (colon and all(part.isidentifier() for part in (*module.split("."), *path.split(".")))):
            raise RegistrationError(
                f"A component is registered as a class or as 'package.module:Class'. Received: {cls!r}"
            )
        class_name = path.rpartition(".")[2]
    else:
        class_name = checked_class(cls, kind).__name__
    if isinstance(aliases, str):
        raise RegistrationError(f"aliases is a tuple of names. Received: aliases={aliases!r}")
    entry = Entry(kind, snake_case(class_name) if name is None else name, tuple(aliases), cls, summary, source)
    for given in entry.names:
        if not (isinstance(given, str) and NAME.fullmatch(given)):
            raise RegistrationError(
                f"A name consists of a-z, 0-9 and _, and begins with a letter; name=... gives "
                f"{class_name} another one. Received: {given!r}"
            )
    if len(set(entry.names)) < len(entry.names):
        raise RegistrationError(f"{class_name} is given one name twice. Received: {', '.join(entry.names)}")
    return entry


def checked_class(cls: Any, kind: Kind) -> type[Component]:
    """Return `cls` if it is a component of this kind.

    Raises:
        RegistrationError: If it is not.
    """
    base = kind.base.__name__
    if not isinstance(cls, type):
        hint = f" Register the class, {type(cls).__name__}." if isinstance(cls, kind.base) else ""
        raise RegistrationError(f"{kind.hook} registers subclasses of minigrad.{base}.{hint} Received: {cls!r}")
    if not issubclass(cls, kind.base):
        raise RegistrationError(
            f"{kind.hook} registers subclasses of minigrad.{base}. Received: {cls.__module__}.{cls.__qualname__}, "
            f"a subclass of {', '.join(parent.__name__ for parent in cls.__bases__)}"
        )
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        raise RegistrationError(f"A component is registered when it is complete. {cls.__name__} lacks: {missing}")
    for reserved in RESERVED_KEYS:
        if reserved in inspect.signature(cls).parameters:
            raise RegistrationError(
                f"No constructor argument is called {', '.join(RESERVED_KEYS)}: configurations use these words "
                f"themselves. Received: {cls.__name__}({reserved}=...)"
            )
    return cls


class Staging:
    """Collects what one plugin registers; nothing of it counts before it is committed as a whole."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.entries: list[Entry] = []
        self.open = True

    def register_for(self, kind: Kind) -> "StagedRegister":
        """What the hook of this kind is given as `register`."""
        return StagedRegister(self, kind)


class StagedRegister:
    """The `register` that a hook is given."""

    def __init__(self, staging: Staging, kind: Kind) -> None:
        self._staging = staging
        self._kind = kind

    def __call__(self, cls: Any, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = "") -> Any:
        """Stage one component and return it, so that it works as a decorator, too."""
        staging, kind = self._staging, self._kind
        if not staging.open:
            raise RegistrationError(f"register works only inside of {kind.hook}. Received: {cls!r} after its end")
        entry = make_entry(kind, staging.source, cls, name, aliases, summary)
        for earlier in staging.entries:
            if earlier.kind == kind and (both := set(earlier.names) & set(entry.names)):
                raise RegistrationError(
                    f"A plugin registers each {kind.name} name once. Received: {min(both)!r} for {earlier.target!r} "
                    f"and for {cls!r}"
                )
        staging.entries.append(entry)
        return cls


class Table:
    """Entries by the names that they claim."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries: list[Entry] = []
        self._claims: dict[tuple[Kind, str], list[Entry]] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Add one entry."""
        self.entries.append(entry)
        for name in entry.names:
            self._claims.setdefault((entry.kind, name), []).append(entry)

    def find(self, name: str, kinds: Sequence[Kind], plugin: str = "") -> list[Entry]:
        """Who claims `name`, in the order of `kinds`; only the entries of `plugin` if one is given."""
        claims = [entry for kind in kinds for entry in self._claims.get((kind, name), ())]
        return [entry for entry in claims if entry.source.plugin == plugin] if plugin else claims

    def names(self, kinds: Sequence[Kind]) -> Iterator[str]:
        """Every name that is claimed."""
        return (name for kind, name in self._claims if kind in kinds)
