"""Find the fenced blocks of a Markdown page, and the commands in a shell block."""

import re
import textwrap
from dataclasses import dataclass

FENCE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,})\s*(?P<language>[^\s`]*)(?P<options>[^`]*)$")


@dataclass
class Block:
    """One fenced block: where its body starts, and whether nothing but blank lines part it from the block before."""

    line: int
    language: str
    title: str | None
    body: str
    adjacent: bool


def blocks(text: str) -> list[Block]:
    """List the fenced blocks of a page, also those indented under a list or an admonition."""
    found: list[Block] = []
    lines = iter(enumerate(text.splitlines(), start=1))
    adjacent = False
    for number, line in lines:
        if not (opening := FENCE.match(line)):
            adjacent = adjacent and not line.strip()
            continue
        closing = re.compile(rf"\s*{opening['fence'][0]}{{{len(opening['fence'])},}}\s*$")
        body = []
        for _, inner in lines:
            if closing.match(inner):
                break
            body.append(inner + "\n")
        else:
            raise ValueError(f"line {number}: a block must be closed")
        title = re.search(r"title=\"([^\"]+)\"", opening["options"])
        code = textwrap.dedent("".join(body))
        found.append(Block(number + 1, opening["language"], title and title[1], code, adjacent))
        adjacent = True
    return found


def commands(block: Block) -> list[tuple[str, str]]:
    """Split a shell block into its commands and the output shown below each."""
    prompt = "$ " if block.language == "console" or block.body.startswith("$ ") else ""
    found: list[list[str]] = []
    for line in block.body.splitlines():
        if found and found[-1][0].endswith("\\"):
            found[-1][0] = found[-1][0][:-1] + line.strip().removeprefix("> ")
        elif line.startswith(prompt) and (prompt or (line.strip() and not line.startswith("#"))):
            found.append([line.removeprefix(prompt), ""])
        elif found and prompt:
            found[-1][1] += line + "\n"
        elif line.strip() and not line.startswith("#"):
            raise ValueError("a console block starts with a `$ command` line")
    return [(command, shown.rstrip()) for command, shown in found]
