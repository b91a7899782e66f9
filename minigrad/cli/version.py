"""`minigrad version`: what to write into a report."""

import platform

import torch
import typer

from minigrad._version import __version__


def version() -> None:
    """Show the versions of minigrad, torch and Python."""
    typer.echo(f"minigrad {__version__}, torch {torch.__version__}, Python {platform.python_version()}")
