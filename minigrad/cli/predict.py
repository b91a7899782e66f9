"""`minigrad predict`: a trained net and new data."""

from pathlib import Path
from typing import Annotated

import typer

from minigrad.cli.tables import show_json
from minigrad.experiments import RunFolder, continue_text, predict_table
from minigrad.files import write_file


def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
    file: Annotated[Path, typer.Argument(metavar="INPUT", help="New rows as CSV or, for a net of text, a text.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of to the screen.")] = None,
    length: Annotated[int, typer.Option(help="For text: how many characters to add.")] = 200,
    seed: Annotated[int, typer.Option(help="For text: what they are drawn from.")] = 0,
    temperature: Annotated[float, typer.Option(help="For text: below 1 bolder, above 1 wilder.")] = 1.0,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Let a trained net judge the rows of a CSV file, or go on with a text."""
    run = RunFolder(folder)
    if run.notes["vocabulary"]:
        continued = continue_text(run, file, length=length, seed=seed, temperature=temperature)
        text, value = continued["prompt"] + continued["continuation"] + "\n", continued
    else:
        predictions = predict_table(run, file)
        text, value = predictions.as_csv(), predictions.as_dict()
    if out is not None:
        _write(out, text)
    if as_object:
        show_json(value)
    elif out is None:
        typer.echo(text, nl=False)


def _write(out: Path, text: str) -> None:
    try:
        write_file(out, text)
    except OSError as error:
        raise typer.BadParameter(f"{out} cannot be written: {error.strerror or error}", param_hint="--out") from None
