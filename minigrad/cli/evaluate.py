"""`minigrad evaluate`: how good a trained net is on a part of its data."""

from pathlib import Path
from typing import Annotated

import typer

from minigrad.cli.results import result_lines
from minigrad.cli.tables import show_json
from minigrad.experiments import RunFolder, evaluate_run


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
    on: Annotated[str, typer.Option(help="test, validation or train.")] = "test",
    device: Annotated[str | None, typer.Option(help="A device that torch can use, such as cpu or cuda.")] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Measure the cost and the metrics of a trained net again."""
    values = evaluate_run(RunFolder(folder), on, device)
    if as_object:
        show_json({"folder": str(folder), **values})
        return
    measured = {name: value for name, value in values.items() if name not in ("on", "rows")}
    for line in result_lines({f"{on}, {values['rows']} rows": measured}):
        typer.echo(line)
