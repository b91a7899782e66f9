"""Where the files of an experiment may lie: data beside it, what callbacks write in the run's folder."""

import re
from pathlib import Path

from minigrad.registry.fitting import UnfitError
from minigrad.registry.naming import nearest

# What a run writes itself; no callback may write there.
OWN_FILES = (
    "experiment.toml",
    "history.jsonl",
    "checkpoint.safetensors",
    "best.safetensors",
    "model.safetensors",
    "log.txt",
    "run.json",
    "data",
)
_FOREIGN = re.compile(r"[\x00-\x1f\\]|^~|^[A-Za-z]:")


def data_file(folder: Path, text: str) -> Path:
    """The data file that `text` names, beside the experiment or below.

    Raises:
        UnfitError: If it leads out of the folder, also by a link, or is no file.
    """
    _check_relative(text)
    root = folder.resolve()
    try:
        path = (root / text).resolve()
    except (OSError, RuntimeError):
        raise UnfitError("a file that can be found") from None
    if not path.is_relative_to(root):
        raise UnfitError("a file in the experiment's folder or below; this leads out of it")
    try:
        is_file = path.is_file()
    except OSError:
        is_file = False
    if not is_file:
        beside = sorted(p.name for p in path.parent.iterdir() if p.is_file())[:1000] if path.parent.is_dir() else []
        raise UnfitError(f"a file that is there, in the experiment's folder or below.{nearest(path.name, beside)}")
    return path


def run_file(text: str) -> Path:
    """The file that `text` names inside the run's folder.

    Raises:
        UnfitError: If it leads out of it, or is one that the run writes itself.
    """
    _check_relative(text)
    path = Path(text)
    first = path.parts[0].lower()  # some file systems take capitals for small letters
    if first in OWN_FILES or re.fullmatch(r"checkpoint-.*\.safetensors", first):
        raise UnfitError(f"another file: a run writes {first} itself")
    return path


def _check_relative(text: str) -> None:
    if not text or text.startswith("/") or ".." in Path(text).parts or _FOREIGN.search(text) or len(text) > 1000:
        raise UnfitError("a path without a root and without '..'")
    if Path(text) == Path():
        raise UnfitError("the path of a file")
