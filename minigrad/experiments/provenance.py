"""Where a run comes from: what must be equal for the same run to come out again."""

import platform
import subprocess
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from minigrad._version import __version__
from minigrad.registry import KINDS, current_registry

_SECONDS = 5


def provenance(tables: dict[str, Any]) -> dict[str, Any]:
    """The versions, the machine and the settings that the bits of a run depend on; no time is among them.

    Args:
        tables: The complete experiment, with qualified names.
    """
    return {
        "minigrad": __version__,
        "torch": str(torch.__version__),
        "numpy": _version("numpy"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "device": tables["train"]["device"],
        "threads": tables["train"]["threads"],
        "seed": tables["seed"],
        "plugins": _plugins(tables),
        "git": _git(Path.cwd()),
    }


def now() -> str:
    """This moment, as a file says it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _plugins(value: Any) -> dict[str, str]:
    """The distributions that the named components come from, with their versions, but for minigrad's own."""
    if isinstance(value, list):
        return {name: version for item in value for name, version in _plugins(item).items()}
    if not isinstance(value, dict):
        return {}
    found = {name: version for item in value.values() for name, version in _plugins(item).items()}
    plugin, colon, _ = str(value.get("name", "")).partition(":")
    if colon and plugin != "minigrad":
        source = current_registry().find(value["name"], KINDS)[0].source
        found[source.distribution or source.plugin] = source.version
    return dict(sorted(found.items()))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder: Path) -> dict[str, Any] | None:
    """The commit that the working folder stands at, and whether files differ from it."""
    commit = _ask_git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "changed": bool(_ask_git(folder, "status", "--porcelain", "--untracked-files=no"))}


def _ask_git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return None if done.returncode else done.stdout.strip()
