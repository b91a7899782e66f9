"""`minigrad new-plugin`: a plugin package to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from minigrad import scaffold


def new_plugin(
    name: Annotated[str, typer.Argument(help="What the component is called, such as hard_swish.")],
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(scaffold.PLUGIN_KINDS)}.")] = "activation",
    directory: Annotated[Path, typer.Option(help="Where its folder is made.")] = Path(),
) -> None:
    """Write a plugin package whose own tests pass, and fail when its gradient is wrong."""
    folder = scaffold.new_plugin(name, kind, directory)
    module = next(folder.glob("minigrad_*.py"))
    typer.echo(f"{folder} holds a plugin with the {kind} {name}. Write your equations into {module.name}, and then:")
    typer.echo(f'  pip install --editable "{folder}[test]"')
    typer.echo(f"  pytest {folder}")
