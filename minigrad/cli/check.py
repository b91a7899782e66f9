"""`minigrad plugins check` and `minigrad gradcheck`: the table of laws."""

from typing import Annotated

import typer

from minigrad.cli.tables import show_json
from minigrad.testing import CheckResult, check_component, check_registered, class_in_file, format_results

_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def check(
    name: Annotated[str, typer.Argument(help="A plugin, or a component by its name or id.")], as_object: _AsJson = False
) -> None:
    """Try a plugin's components by every law; exit status 1 if one is broken."""
    _show(check_registered(name), as_object)


def gradcheck(
    target: Annotated[str, typer.Argument(metavar="FILE.py:CLASS", help="A layer, loss or optimizer of your own.")],
    as_object: _AsJson = False,
) -> None:
    """Try a class in a file by every law, the gradient first; exit status 1 if one is broken."""
    cls = class_in_file(target)
    _show({cls.__name__: check_component(cls)}, as_object)


def _show(results: dict[str, list[CheckResult]], as_object: bool) -> None:
    every = [result for of_one in results.values() for result in of_one]
    if as_object:
        show_json({name: [vars(result) for result in of_one] for name, of_one in results.items()})
    else:
        typer.echo(format_results(every))
    if any(result.verdict == "failed" for result in every):
        raise typer.Exit(1)
