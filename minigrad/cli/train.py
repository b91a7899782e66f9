"""`minigrad train`: an experiment is trained into a folder."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from minigrad.cli.results import result_lines
from minigrad.cli.tables import show_json
from minigrad.experiments import Outcome, TrainingError
from minigrad.experiments import train as train_experiment


def train(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="The experiment.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Goes before the file: optimizer.lr=0.1.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The run's folder; by default runs/NAME.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, or the newest.")] = False,
    device: Annotated[str | None, typer.Option(help="A device that torch can use, such as cpu or cuda.")] = None,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Show no progress.")] = False,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Train an experiment into a folder.

    Exit status: 0 when it has come to its end, 1 when the training failed, 2 when the input cannot be used, 130 after
    Ctrl-C.
    """
    try:
        outcome = train_experiment(
            file,
            settings=settings or (),
            out=out,
            resume=resume,
            device=device,
            progress=not (no_progress or as_object),
        )
    except TrainingError as error:
        typer.echo(f"minigrad: {error}", err=True)
        raise typer.Exit(1) from None
    if as_object:
        show_json(outcome.as_dict())
    else:
        _show(outcome)
    raise typer.Exit(130 if outcome.status == "interrupted" else 0)


def _show(outcome: Outcome) -> None:
    folder = outcome.folder.path
    if outcome.status == "interrupted":
        # The run's own file has what --set said, too.
        words = shlex.join(["minigrad", "train", str(outcome.folder.experiment), "--out", str(folder), "--resume"])
        typer.echo(f"Interrupted after {outcome.steps} updates. Go on: {words}", err=True)
        return
    if outcome.was_done:
        typer.echo("The run has come to its end already; nothing is left to do.")
    if outcome.stopped:
        typer.echo(f"Stopped after {outcome.steps} updates: {outcome.stopped}")
    for line in result_lines(outcome.result):
        typer.echo(line)
    typer.echo(f"The run is in {folder}")
