"""A model of a disk that loses power: what may be found there after each prefix of a program's calls.

What the model takes from the standards and from what file systems do:

- bytes that were written and not synced may be there, in part, or not at all;
- a new name, a rename or a removal that was not synced with its folder may be there or not, in the order in which they
  were made;
- the one does not wait for the other: a rename may be found whose file has lost its bytes.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Call(NamedTuple):
    """One call that changes the disk: what, and to which name; `value` is the bytes, or the new name."""

    what: str
    name: str
    value: Any = None


def recorded(action: Callable[[], None], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Run an action on the real disk and write down what it does to a folder."""
    calls: list[Call] = []
    names: dict[int, str] = {}
    real = {name: getattr(os, name) for name in ("open", "write", "fsync", "replace", "unlink", "close", "ftruncate")}

    def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        descriptor = real["open"](path, flags, *rest, **options)
        names[descriptor] = "" if Path(path) == folder else Path(path).name
        if flags & os.O_CREAT:
            calls.append(Call("create", names[descriptor]))
        return descriptor

    def written(descriptor: int, part: Any) -> int:
        count = real["write"](descriptor, part)
        calls.append(Call("write", names[descriptor], bytes(part[:count])))
        return count

    def synced(descriptor: int) -> None:
        real["fsync"](descriptor)
        calls.append(Call("fsync", names[descriptor]))

    def replaced(source: Any, target: Any) -> None:
        real["replace"](source, target)
        calls.append(Call("rename", Path(source).name, Path(target).name))

    def unlinked(path: Any) -> None:
        real["unlink"](path)
        calls.append(Call("unlink", Path(path).name))

    with monkeypatch.context() as patch:
        for name, fake in {
            "open": opened,
            "write": written,
            "fsync": synced,
            "replace": replaced,
            "unlink": unlinked,
        }.items():
            patch.setattr(os, name, fake)
        action()
    return calls


def after_power_loss(before: dict[str, bytes], calls: list[Call]) -> Iterator[dict[str, bytes]]:
    """Every content of the folder that may be found when the power fails after these calls."""
    contents = {name: [content] for name, content in before.items()}  # by file: every content that may be found
    names = {name: name for name in before}  # the folder: which name leads to which file
    durable = dict(names)
    pending: list[dict[str, str]] = []  # the folder after each change that was not synced yet
    written = dict(before)
    for call in calls:
        if call.what == "create":
            contents[call.name], written[call.name] = [b""], b""
            names[call.name] = call.name
        elif call.what == "write":
            file = names[call.name]
            whole = written[file] + call.value
            contents[file] += [written[file] + call.value[: len(call.value) // 2], bytes(len(whole)), whole]
            written[file] = whole
        elif call.what == "fsync" and call.name == "":
            durable, pending = dict(names), []
        elif call.what == "fsync":
            contents[names[call.name]] = [written[names[call.name]]]
        elif call.what == "rename":
            names[call.value] = names.pop(call.name)
        elif call.what == "unlink":
            names.pop(call.name)
        if call.what in ("create", "rename", "unlink"):
            pending.append(dict(names))
    for folder in [durable, *pending]:
        for found in itertools.product(*(contents[file] for file in folder.values())):
            yield dict(zip(folder, found, strict=True))


def violations(before: dict[str, bytes], calls: list[Call], name: str, new: bytes) -> list[str]:
    """What a power failure could do to the file `name` that must not be, after any prefix of the calls."""
    allowed = {before.get(name), new}
    found = []
    for count in range(len(calls) + 1):
        for state in after_power_loss(before, calls[:count]):
            if state.get(name) not in allowed:
                found.append(f"after {count} calls: {state.get(name)!r:.40}")
            if count == len(calls) and state.get(name) != new:
                found.append("after the end: the new content may be lost")
    return found
