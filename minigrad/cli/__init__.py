"""The `minigrad` command: thin, no logic of its own."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end with its exit status.

    Args:
        arguments: What stands after `minigrad`; by default what was typed.
    """
    from minigrad.cli.app import run  # the commands bring in typer and rich

    raise SystemExit(run(arguments))
