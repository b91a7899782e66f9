"""`minigrad components`: what can be asked for by name."""

from typing import Annotated

import typer

from minigrad import registry
from minigrad.cli.tables import short, show_json, show_table


def components(
    kind: Annotated[str | None, typer.Option(help="Only one kind, such as layer or loss.")] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON array and nothing else.")] = False,
) -> None:
    """List every component by kind and name, with the plugin and the file that it comes from."""
    rows = registry.components(kind)
    if as_object:
        show_json([row.as_dict() for row in rows])
    else:
        show_table(
            ("kind", "name", "id", "plugin", "version", "file"),
            [(row.kind, row.name, row.id, row.plugin, row.version, short(row.file)) for row in rows],
        )
