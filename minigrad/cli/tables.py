"""Tables for people, and JSON for programs."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

_NO_LIMIT = 10_000


def show_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table in which nothing is cut off; to a file or a program, each row is one line, however long."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _NO_LIMIT
    console.print(table)


def show_json(value: Any) -> None:
    """Print one JSON value and nothing else."""
    typer.echo(json.dumps(value, indent=2))


def short(path: str) -> str:
    """A path as it is typed from here, if it lies below."""
    return str(Path(path).relative_to(Path.cwd())) if path and Path(path).is_relative_to(Path.cwd()) else path
