"""Which plugins are installed, which of them are wanted, and how the loading of each ends."""

import os
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from typing import Any, Literal

from minigrad.errors import PluginError
from minigrad.registry.entries import Entry, Source
from minigrad.registry.loading import Refused, load_plugin, told
from minigrad.registry.naming import PLUGIN_NAME, nearest

GROUP = "minigrad"
BUILTIN = "minigrad"
LOCAL = "local"

Status = Literal["loaded", "failed", "disabled"]


@dataclass(frozen=True)
class Settings:
    """What a person wants of plugins.

    Attributes:
        wanted: The plugins that may load; `None` is all of them.
        strict: Whether a plugin that cannot be loaded is an error.
        said_by: Where `wanted` was said, for messages.
    """

    wanted: frozenset[str] | None = None
    strict: bool = False
    said_by: str = ""

    @classmethod
    def read(cls, only: Collection[str] | None = None, strict: bool | None = None, said_by: str = "") -> "Settings":
        """Settings from arguments and, where those are `None`, from the environment.

        Raises:
            PluginError: If a variable of the environment is no boolean.
        """
        strict = flag("MINIGRAD_STRICT_PLUGINS") if strict is None else strict
        if only is not None:
            return cls(frozenset(only), strict, said_by or f"only={tuple(only)!r}")
        if flag("MINIGRAD_DISABLE_PLUGINS", " MINIGRAD_PLUGINS lists single ones that may load."):
            return cls(frozenset(), strict, f"MINIGRAD_DISABLE_PLUGINS={os.environ['MINIGRAD_DISABLE_PLUGINS']}")
        listed = os.environ.get("MINIGRAD_PLUGINS")
        if listed is None:
            return cls(None, strict)
        names = frozenset(name.strip() for name in listed.split(",") if name.strip())
        return cls(names, strict, f"MINIGRAD_PLUGINS={listed}")


def flag(variable: str, hint: str = "") -> bool:
    """A boolean from the environment; unset or empty is false.

    Raises:
        PluginError: If it is neither.
    """
    value = os.environ.get(variable, "")
    if value.strip().lower() in ("1", "true", "yes", "on"):
        return True
    if value.strip().lower() in ("", "0", "false", "no", "off"):
        return False
    raise PluginError(f"{variable} must be 1, true, yes, on or 0, false, no, off.{hint} Received: {variable}={value}")


@dataclass(frozen=True)
class PluginInfo:
    """A plugin, and how its loading ended.

    Attributes:
        name: Its entry point's name, the first part of its components' ids.
        distribution: The package that it comes from.
        version: Of the distribution.
        status: `"loaded"`, `"failed"` or `"disabled"`.
        cause: Why it is not loaded.
        cure: What to do about it.
        components: The ids of what it registers.
        notes: Which bare names it claims and does not have.
    """

    name: str
    distribution: str
    version: str
    status: Status
    cause: str = ""
    cure: str = ""
    components: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """How the loading of one plugin ended, what it registers, and what was raised."""

    source: Source
    status: Status
    cause: str = ""
    cure: str = ""
    entries: tuple[Entry, ...] = ()
    error: BaseException | None = None

    @property
    def message(self) -> str:
        """Why it was skipped, and the cure."""
        return f"The plugin {self.source} was skipped: {self.cause}. {self.cure}."

    def info(self, notes: tuple[str, ...] = ()) -> PluginInfo:
        """The row that a listing shows."""
        source, components = self.source, tuple(entry.id for entry in self.entries)
        return PluginInfo(
            source.plugin,
            source.distribution,
            source.version,
            self.status,
            self.cause,
            self.cure,
            components,
            notes,
        )


def load_one(source: Source, find: Callable[[], Any]) -> Outcome:
    """Load one plugin and say how it went."""
    try:
        return Outcome(source, "loaded", entries=tuple(load_plugin(source, find)))
    except Refused as refused:
        return Outcome(source, "failed", refused.cause, refused.cure, error=refused.__cause__ or refused)


def load_installed(settings: Settings) -> list[Outcome]:
    """Load the plugins that are installed and wanted, one at a time; the others are not even imported."""
    points, outcomes = _installed()
    packages: dict[str, list[Source]] = {}
    for point in points:
        packages.setdefault(point.name, []).append(_source(point))
    for point in sorted(points, key=lambda point: point.name):
        outcomes.append(
            _refusal(_source(point), packages[point.name], settings) or load_one(_source(point), point.load)
        )
    for name in sorted((settings.wanted or frozenset()) - packages.keys()):
        near = nearest(name, packages).strip()
        cure = (
            f"{near} Otherwise install it, or take it off the list" if near else "Install it, or take it off the list"
        )
        outcomes.append(Outcome(Source(name), "failed", f"{settings.said_by} names it, but it is not installed", cure))
    return outcomes


def _refusal(source: Source, namesakes: list[Source], settings: Settings) -> Outcome | None:
    """Why a plugin is not even imported, if so."""
    name = source.plugin
    if settings.wanted is not None and name not in settings.wanted:
        variable, _, _ = settings.said_by.partition("=")
        cure = f"Add {name} to it" if variable == "MINIGRAD_PLUGINS" else f"Leave {variable} out"
        return Outcome(source, "disabled", f"it is switched off by {settings.said_by}", cure)
    if name in (BUILTIN, LOCAL) or not PLUGIN_NAME.fullmatch(name):
        cause = f"a plugin's name has only letters, digits and . _ - and is neither {BUILTIN} nor {LOCAL}"
        return Outcome(source, "failed", cause, "Its entry point needs another name")
    if len(namesakes) > 1:
        packages = " and ".join(f"{other.distribution} {other.version}" for other in namesakes)
        cause = f"{len(namesakes)} entry points have that name, of {packages}"
        return Outcome(source, "failed", cause, "Uninstall all but one, or have them renamed")
    return None


def _source(point: EntryPoint) -> Source:
    return Source(point.name, *_package(point.dist))


def _package(distribution: Distribution | None) -> tuple[str, str]:
    return _field(distribution, "Name") or "an unknown package", _field(distribution, "Version")


def _field(distribution: Distribution | None, name: str) -> str:
    """A line of a package's metadata, `""` where they are damaged."""
    try:
        return str(distribution.metadata[name]) if distribution and name in distribution.metadata else ""
    except Exception:
        return ""


def _installed() -> tuple[list[EntryPoint], list[Outcome]]:
    """The entry points of the group, and the packages whose entry points cannot be read."""
    try:
        return list(entry_points(group=GROUP)), []
    except Exception:
        # One unreadable entry_points.txt hides everybody's: read them one by one.
        return _installed_one_by_one()


def _installed_one_by_one() -> tuple[list[EntryPoint], list[Outcome]]:
    points: list[EntryPoint] = []
    outcomes = []
    seen = set()
    for distribution in distributions():
        name, version = _package(distribution)
        canonical = re.sub(r"[-_.]+", "-", name).lower()
        if canonical in seen:
            continue
        seen.add(canonical)
        try:
            points += distribution.entry_points.select(group=GROUP)
        except Exception as error:
            if f"[{GROUP}]" not in (distribution.read_text("entry_points.txt") or ""):
                continue
            cause = f"its entry_points.txt cannot be read: {told(error)}"
            outcomes.append(Outcome(Source(name, name, version), "failed", cause, f"Reinstall {name}", error=error))
    return points, outcomes
