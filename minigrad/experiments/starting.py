"""Example experiments, to begin one's own from."""

from importlib.resources import files
from pathlib import Path

from minigrad.errors import ConfigError
from minigrad.files import write_file
from minigrad.registry.naming import nearest

# The files of each example, the experiment first.
EXAMPLES = {"xor": ("xor.toml",), "digits": ("digits.toml",), "chargpt": ("chargpt.toml", "chargpt.txt")}


def write_example(name: str, file: Path | None = None, *, force: bool = False) -> list[Path]:
    """Write an example experiment, and the data that it needs beside it.

    Args:
        name: One of `EXAMPLES`.
        file: The experiment's file; by default `<name>.toml` in the working folder.
        force: Whether files that are there already are written over.

    Returns:
        The files that were written.

    Raises:
        ConfigError: If there is no such example, or a file is there already or cannot be written; then none is.
    """
    if name not in EXAMPLES:
        known = ", ".join(EXAMPLES)
        raise ConfigError(f"An example is one of {known}.{nearest(name, EXAMPLES)} Received: {name!r}")
    first, *others = EXAMPLES[name]
    target = Path(first) if file is None else file
    targets = {first: target, **{other: target.parent / other for other in others}}
    if not force and (taken := [path for path in targets.values() if path.exists()]):
        raise ConfigError(f"{taken[0]} is there already; --force writes over it")
    examples = files("minigrad.experiments") / "examples"
    for source, path in targets.items():
        try:
            write_file(path, (examples / source).read_bytes())
        except OSError as error:
            raise ConfigError(f"{path} cannot be written. Received: {error.strerror or error}") from None
    return list(targets.values())
