"""The commands put together, and one sentence for whatever a person can mend."""

import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from minigrad.cli.check import check, gradcheck
from minigrad.cli.compare import compare
from minigrad.cli.components import components
from minigrad.cli.evaluate import evaluate
from minigrad.cli.init import init
from minigrad.cli.new_plugin import new_plugin
from minigrad.cli.plugins import doctor, plugins
from minigrad.cli.predict import predict
from minigrad.cli.show import show
from minigrad.cli.train import train
from minigrad.cli.version import version
from minigrad.cli.xor import xor
from minigrad.errors import MinigradError, PluginWarning
from minigrad.registry import Registry, use_registry

# typer has its own copy of click in newer versions and imports click in older ones; this is either's.
_UsageError: Any = typer.BadParameter.__base__


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 2, after one sentence, when the input cannot be used, and 1 when the
    system refuses something.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Said for the whole command, it may stand anywhere.
    words.sort(key=lambda word: word != "--no-plugins")
    with warnings.catch_warnings():
        warnings.simplefilter("always", PluginWarning)
        _tell_plugin_warnings()
        try:
            return int(_app()(words, prog_name="minigrad", standalone_mode=False) or 0)
        except _UsageError as error:
            command = error.ctx.command_path if error.ctx else "minigrad"
            return _refuse(command, error.format_message())
        except MinigradError as error:
            return _refuse("minigrad", str(error))
        except UnicodeEncodeError as error:
            text = f"the output has characters that {error.encoding} lacks; PYTHONIOENCODING=utf-8 writes them"
            return _refuse("minigrad", text, 1)
        except OSError as error:  # a full disk, a folder that nobody may enter or that is gone
            return _refuse("minigrad", f"the system refuses something. Received: {error}", 1)
        except typer.Abort:
            return 130


def _app() -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(_globally)
    app.command()(xor)
    for command in (init, train, predict, evaluate, show, compare):
        app.command()(command)
    app.command()(components)
    group = typer.Typer()
    group.callback(invoke_without_command=True)(plugins)
    group.command()(doctor)
    group.command()(check)
    app.add_typer(group, name="plugins")
    app.command()(new_plugin)
    app.command()(gradcheck)
    app.command()(version)
    return app


def _globally(
    context: typer.Context,
    no_plugins: Annotated[bool, typer.Option("--no-plugins", help="Import no installed plugin.")] = False,
) -> None:
    """Deep learning in which every gradient is written down."""
    if no_plugins:
        context.with_resource(use_registry(Registry(only=(), said_by="--no-plugins")))
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _refuse(command: str, text: str, status: int = 2) -> int:
    typer.echo(f"{command}: {text}", err=True)
    return status


def _tell_plugin_warnings() -> None:
    """Show a skipped plugin as a sentence, without a line of code; other warnings stay as they are."""
    show = warnings.showwarning

    def tell(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, PluginWarning):
            typer.echo(f"minigrad: {message}", err=True)
        else:
            show(message, category, *where, **more)

    warnings.showwarning = tell
