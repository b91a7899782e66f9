"""`minigrad xor`: the main job."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from minigrad.xor import Report, Settings, as_json, as_renderable, check_picture, run, save_picture


def xor(
    seed: Annotated[int, typer.Option(help="What the weights are drawn from.")] = 777,
    steps: Annotated[int, typer.Option(help="Steps of each pipeline.")] = 10_001,
    lr: Annotated[float, typer.Option(help="Learning rate.")] = 1.0,
    hidden: Annotated[int, typer.Option(help="Hidden units.")] = 2,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    device: Annotated[str, typer.Option(help="A device that torch can use, such as cpu or cuda.")] = "cpu",
    log_every: Annotated[int, typer.Option(help="Show the costs of every so many steps.")] = 1000,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw a picture: .png or .svg.")] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Train XOR by two pipelines, each in lock step with its reference, and compare every cost and every weight.

    Exit status: 0 when the parity holds, 1 when it does not, 2 when the input cannot be used.
    """
    settings = Settings(seed, steps, lr, hidden, dtype, device, log_every)
    if plot is not None:
        check_picture(plot)
    report = _run_with_progress(settings)
    if plot is not None:
        save_picture(report, plot)
    if as_object:
        typer.echo(json.dumps(as_json(report), indent=2, allow_nan=False))
    else:
        console = Console(highlight=False)
        console.print(as_renderable(report, ascii_only=console.options.ascii_only))
    if plot is not None:
        typer.echo(f"The picture is in {plot}", err=True)
    raise typer.Exit(0 if report.holds else 1)


def _run_with_progress(settings: Settings) -> Report:
    """Run with a live bar on standard error, if a person is looking."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>12}"), BarColumn(), TextColumn("cost {task.fields[cost]:.4f}"))
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    with bar:
        names = {"torch": "torch.nn", "manual": "hand-written"}
        tasks = {kind: bar.add_task(name, total=settings.steps, cost=0.0) for kind, name in names.items()}

        def on_step(kind: str, step: int, cost: float) -> None:
            if step % 50 == 0 or step == settings.steps - 1:
                bar.update(tasks[kind], completed=step + 1, cost=cost)

        return run(settings, on_step)
