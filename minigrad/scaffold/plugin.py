"""A new plugin package: a component that works, its hook, and tests that hold it to every law."""

import re
from importlib.resources import files
from pathlib import Path

from minigrad.errors import ConfigError
from minigrad.registry import KINDS, Registry, snake_case

_TEMPLATES = files("minigrad.scaffold") / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

PLUGIN_KINDS = tuple(kind.name for kind in KINDS if (_TEMPLATES / kind.name).is_dir())


def new_plugin(name: str, kind: str = "activation", directory: Path | str = ".") -> Path:
    """Write a package `minigrad-NAME` that adds one component, and return its folder.

    The component begins as a small example of its kind, with its gradient: replace both, and the package's own tests
    say whether they still belong together.

    Args:
        name: The name under which the component is registered, in snake case.
        kind: `"activation"`, `"layer"`, `"loss"` or `"optimizer"`.
        directory: Where the folder is made.

    Raises:
        ConfigError: If the name or the kind cannot be, or the folder exists or cannot be made.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     sorted(path.name for path in new_plugin("snake", directory=directory).iterdir())
        ['README.md', 'minigrad_snake.py', 'pyproject.toml', 'tests']
    """
    if kind not in PLUGIN_KINDS:
        raise ConfigError(f"A plugin's kind must be one of {', '.join(PLUGIN_KINDS)}. Received: {kind!r}")
    _check_name(name)
    folder = Path(directory) / f"minigrad-{name.replace('_', '-')}"
    if folder.exists():
        raise ConfigError(f"The folder of a new plugin must not exist yet. Received: {folder}")
    words = _words(name, kind)
    try:
        (folder / "tests").mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f"The folder of a new plugin must be one that can be made. Received: {error}") from error
    for file, template in (
        ("pyproject.toml", "package/pyproject.toml"),
        ("README.md", "package/README.md"),
        (f"{words['module']}.py", f"{kind}/module.py"),
        (f"tests/test_{name}.py", f"{kind}/test.py"),
    ):
        text = (_TEMPLATES / f"{template}.template").read_text(encoding="utf-8")
        filled = re.sub(r"\{\{(\w+)\}\}", lambda found: words[found[1]], text)
        (folder / file).write_text(filled, encoding="utf-8")
    return folder


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        better = re.sub(r"_+", "_", snake_case(name.removeprefix("minigrad-")).strip("_"))
        hint = f" How about {better}?" if _NAME.fullmatch(better) else ""
        raise ConfigError(
            f"A plugin's name consists of words of a-z and 0-9, joined by single _, and begins with a letter.{hint} "
            f"Received: {name!r}"
        )
    taken = [row.id for row in Registry(only=()).components() if name in (row.name, *row.aliases)]
    if taken or name in ("minigrad", "local"):
        raise ConfigError(f"A built-in keeps its name, so a plugin needs another one. Received: {name!r}")


def _words(name: str, kind: str) -> dict[str, str]:
    """What the placeholders of the templates stand for."""
    cls = "".join(word.capitalize() for word in name.split("_"))
    return {
        "name": name,
        "class": cls,
        "registered": cls if snake_case(cls) == name else f'{cls}, name="{name}"',
        "package": f"minigrad-{name.replace('_', '-')}",
        "module": f"minigrad_{name}",
        "kind": kind,
        "article": "an" if kind[0] in "aeiou" else "a",
    }
