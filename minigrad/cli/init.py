"""`minigrad init`: an example to begin one's own experiment from."""

from pathlib import Path
from typing import Annotated

import typer

from minigrad.experiments import EXAMPLES, write_example


def init(
    name: Annotated[str, typer.Argument(help=f"{', '.join(EXAMPLES)}.")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="By default NAME.toml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
) -> None:
    """Write a commented example of an experiment, ready to be trained."""
    written = write_example(name, file, force=force)
    typer.echo(f"Written: {', '.join(map(str, written))}. Train it: minigrad train {written[0]}")
