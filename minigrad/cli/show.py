"""`minigrad show`: a run at a glance."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from minigrad.cli.results import number_text, result_lines
from minigrad.cli.tables import show_json
from minigrad.experiments import RunFolder, curves, look, net_summary

_WIDTH = 50


def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Show a run: its state, its net, its curves, its result, and where it comes from."""
    run = RunFolder(folder)
    facts = look(run)
    if as_object:
        show_json(facts)
        return
    table, drawn = net_summary(run), curves(run.rows(), _WIDTH)
    typer.echo(f"{folder}: {_state(facts)}")
    if table is not None:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = max(console.width, 120)
        console.print(table)
    longest = max(map(len, drawn), default=0)
    for name, (bars, first, last) in drawn.items():
        typer.echo(f"{name:>{longest}} {bars} {number_text(first)} to {number_text(last)}")
    for line in result_lines(facts["result"]):
        typer.echo(line)
    for name, value in facts.get("provenance", {}).items():
        if value not in (None, {}):
            typer.echo(f"{name}: {_text(value)}")


def _state(facts: dict[str, Any]) -> str:
    status, why = facts["status"], facts.get("stopped") or facts.get("error")
    text = f"{status}, {facts['steps']} updates, {facts['epochs']} epochs"
    return f"{text} ({why})" if why else text


def _text(value: Any) -> str:
    return ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
