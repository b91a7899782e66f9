"""TOML files: reading them with care, setting single values, and writing."""

import datetime
import math
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from minigrad.errors import ConfigError
from minigrad.experiments.faults import Faults

LARGEST_FILE = 1 << 20
_DEEPEST = 32
_LARGEST_INTEGER = 2**63 - 1
_STEP = re.compile(r"\.?([A-Za-z0-9_-]+)|\[(\d{1,6})\]")
_WORD = re.compile(r"[A-Za-z][\w./:-]*")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file.

    Raises:
        ConfigError: If there is no such file, or it is none that an experiment can be read from.
    """
    content = _content(path)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: a TOML file is written in UTF-8. Received: byte {error.start} is not") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML. Received: {error}") from None
    except (RecursionError, ValueError, OverflowError):
        raise ConfigError(f"{path}: not to be read as TOML: its values are nested too deep, or too large") from None


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ConfigError(f"{path}: an experiment is a TOML file. Received: a folder")
        # Opened without waiting: a pipe would keep us until somebody writes.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(f"{path}: an experiment is a TOML file. Received: something that is no file")
            content = file.read(LARGEST_FILE + 1)
    except ConfigError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: the file cannot be read. Received: {reason}") from None
    if len(content) > LARGEST_FILE:
        raise ConfigError(f"{path}: an experiment has at most {LARGEST_FILE:,} bytes. Received: more")
    return content


def check_values(tables: Mapping[str, Any], faults: Faults) -> None:
    """Note every value that no experiment needs: dates, numbers that are not finite or do not fit, endless nesting."""
    for path, value, depth in _values(tables, "", 0):
        if depth > _DEEPEST:
            faults.add(path, f"values are nested at most {_DEEPEST} deep. Received: more")
            return
        if isinstance(value, float) and not math.isfinite(value):
            faults.add(path, f"a number must be finite. Received: {_last(path)}={value}")
        elif isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
            faults.add(path, f"an integer has at most 64 bits. Received: {_last(path)} of {value.bit_length()} bits")
        elif isinstance(value, datetime.date | datetime.time | datetime.datetime):
            faults.add(path, f"a date or a time means nothing here. Received: {_last(path)}={value}")


def _values(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    yield path, value, depth
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _values(item, f"{path}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _values(item, f"{path}[{i}]", depth + 1)


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def set_values(tables: dict[str, Any], assignments: Sequence[str], faults: Faults) -> None:
    """Set single values, as `--set` gives them: `optimizer.lr=0.1`, `net[2].p=0.5`, `loss=mse`.

    Whether the component there takes such an argument is found out when it is built.
    """
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        path = path.strip()
        if not equals or not path:
            faults.add("--set", f"a setting is PATH=VALUE, such as optimizer.lr=0.1. Received: {assignment!r}")
            continue
        steps = _steps(path)
        if steps is None:
            faults.add("--set", f"a path is written like net[0].out_features. Received: {path!r}")
            continue
        value = _value(text.strip())
        if value is _NO_VALUE:
            faults.add(f"--set {path}", f"a value is written as in TOML: 0.1, true, 'mean'. Received: {text!r}")
        elif problem := _assign(tables, steps, value):
            faults.add(f"--set {path}", problem)


_NO_VALUE = object()


def _steps(path: str) -> list[str | int] | None:
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if not found or (at == 0 and found[0][0] in ".["):
            return None
        steps.append(found[1] if found[2] is None else int(found[2]))
        at = found.end()
    return steps or None


def _value(text: str) -> Any:
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        # On a command line, the quotes of a name are easily lost to the shell.
        return text if _WORD.fullmatch(text) else _NO_VALUE
    return read["value"] if set(read) == {"value"} else _NO_VALUE


def _assign(tables: dict[str, Any], steps: list[str | int], value: Any) -> str:
    """Set one value; the text that is returned says why it cannot be."""
    here: Any = tables
    for i, step in enumerate(steps):
        if isinstance(step, int):
            if not isinstance(here, list):
                return f"only a list is counted through. Received: [{step}] of {_named(steps[:i])}, which is none"
            if step >= len(here):
                return f"{_named(steps[:i])} has {len(here)} items, counted from 0. Received: [{step}]"
        elif not isinstance(here, dict):
            return f"{_named(steps[:i])} has no keys. Received: {step!r}"
        if i == len(steps) - 1:
            here[step] = value
            return ""
        wanted = steps[i + 1]
        if isinstance(here, dict) and step not in here:
            if isinstance(wanted, int):
                return f"only a list that is there is counted through. Received: {_named(steps[: i + 1])}"
            here[step] = {}
        if isinstance(here[step], str) and isinstance(wanted, str):
            here[step] = {"name": here[step]}  # a component by its bare name takes an argument now
        here = here[step]
    return ""


def _named(steps: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".") or "the file"


def toml_text(tables: Mapping[str, Any], heading: str = "") -> str:
    """The file that holds these tables, a comment first."""
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    return f"{comment}\n{tomli_w.dumps(tables)}" if heading else tomli_w.dumps(tables)
