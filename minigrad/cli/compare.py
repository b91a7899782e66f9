"""`minigrad compare`: where runs differ, and what came out of each."""

from pathlib import Path
from typing import Annotated

import typer

from minigrad.cli.results import number_text
from minigrad.cli.tables import show_json, show_table
from minigrad.experiments import RunFolder
from minigrad.experiments import compare as compare_runs


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR DIR...", help="Folders of runs.")],
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Put runs beside each other: the settings that differ, and the results."""
    compared = compare_runs([RunFolder(folder) for folder in folders])
    if as_object:
        show_json(compared)
        return
    rows = [(name, *map(number_text, values)) for name, values in compared["settings"].items()]
    rows += [(name, *map(number_text, values)) for name, values in compared["results"].items()]
    show_table(("", *compared["folders"]), rows)
