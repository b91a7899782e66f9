"""`minigrad plugins` and `minigrad plugins doctor`: what is installed, and what keeps it from working."""

from typing import Annotated

import typer

from minigrad import registry
from minigrad.cli.tables import show_json, show_table


def plugins(
    context: typer.Context,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON array and nothing else.")] = False,
) -> None:
    """List the plugins that are installed, and whether each is loaded; `doctor` says what to do."""
    if context.invoked_subcommand is not None:
        return
    rows = registry.plugins()
    if as_object:
        show_json([row.as_dict() for row in rows])
    else:
        show_table(
            ("name", "package", "version", "status", "components", "cause"),
            [(row.name, row.distribution, row.version, row.status, len(row.components), row.cause) for row in rows],
        )


def doctor() -> None:
    """Say of each plugin how it is, why, and what to do; exit status 1 if one, or a class of it, cannot be loaded."""
    rows, faults = registry.plugins(), registry.current_registry().faults()
    for row in rows:
        package = f" ({row.distribution} {row.version})" if row.distribution else ""
        count = f", components: {len(row.components)}" if row.status == "loaded" else ""
        typer.echo(f"{row.name}{package}: {row.status}{count}")
        said = [("fault", fault) for fault in faults.get(row.name, ())] + [("note", note) for note in row.notes]
        for what, text in (("cause", row.cause), ("cure", row.cure), *said):
            if text:
                typer.echo(f"  {what}: {text}.")
    if faults or any(row.status == "failed" for row in rows):
        raise typer.Exit(1)
