"""Print the benchmark tables: `python -m tests.benchmarks --help`."""

import argparse
import platform
import sys
from collections.abc import Sequence

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import minigrad
from tests.benchmarks.compiled import compiled_steps
from tests.benchmarks.fitting import fits
from tests.benchmarks.measure import Ratio, compare
from tests.benchmarks.peers import peers
from tests.benchmarks.startup import startup
from tests.benchmarks.steps import cases, xor

IMPORT_TARGET = 0.060
FIT_TARGET = 15e-6
WIDTH = 110  # what the widest table needs


def steps_table(repeats: int, seconds: float) -> Table:
    """A training step of minigrad beside torch's."""
    table = _ratios("A training step, microseconds", "minigrad", "torch")
    for case in cases():
        case.check()
        _add(table, case.name, compare(case.ours, case.theirs, repeats, seconds), case.target)
    return table


def fit_table(repeats: int, seconds: float) -> Table:
    """A step of fit, with nothing logged, beside the bare step and beside others."""
    table = _table("A step of fit beside others, microseconds")
    table.add_column("", no_wrap=True)
    for heading in ("fit", "other", "ratio", "10-90 %", "beyond it", "target"):
        table.add_column(heading, justify="right")
    for name, found in fits(repeats, seconds):
        if found is None:
            table.add_row(f"{name}, not installed")
            continue
        beyond = found.theirs * (found.ratio - 1)
        target = _target(beyond, FIT_TARGET, f"{FIT_TARGET * 1e6:.0f}") if name.endswith("bare step") else ""
        table.add_row(name, *_cells(found), f"{beyond * 1e6:+,.1f}", target)
    return table


def peers_table(repeats: int, seconds: float) -> Table:
    """A training step of minigrad beside that of other small packages."""
    table = _ratios("An XOR step beside other packages, microseconds", "minigrad", "other")
    for name, step in peers():
        if step is None:
            table.add_row(name, "", "not installed", "", "", "")
        else:
            _add(table, name, compare(xor().ours, step, repeats, seconds), None)
    return table


def compiled_table(repeats: int, seconds: float) -> Table:
    """minigrad's XOR step, compiled beside eager."""
    table = _ratios("minigrad's XOR step by torch.compile(fullgraph=True), microseconds", "compiled", "eager")
    for name, outcome in compiled_steps(repeats, seconds):
        if isinstance(outcome, str):
            table.add_row(f"{name}: does not compile, {outcome}")
        else:
            _add(table, name, outcome, None)
    return table


def import_table(repeats: int) -> Table:
    """What importing minigrad adds to importing torch."""
    times = startup(repeats)
    table = _table(f"Import, milliseconds, median of {repeats} fresh interpreters")
    for heading in ("import torch", "import minigrad adds", "from-to", "processor", "target"):
        table.add_column(heading, justify="right")
    spread = f"{times.low * 1e3:.1f}-{times.high * 1e3:.1f}"
    target = _target(times.added, IMPORT_TARGET, f"{IMPORT_TARGET * 1e3:.0f}")
    table.add_row(f"{times.torch * 1e3:.0f}", f"{times.added * 1e3:.1f}", spread, f"{times.busy * 1e3:.1f}", target)
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)


def _ratios(title: str, ours: str, theirs: str) -> Table:
    table = _table(title)
    table.add_column("")
    for heading in (ours, theirs, "ratio", "10-90 %", "target"):
        table.add_column(heading, justify="right")
    return table


def _add(table: Table, name: str, found: Ratio, target: float | None) -> None:
    table.add_row(name, *_cells(found), "" if target is None else _target(found.ratio, target, f"{target:g}"))


def _cells(found: Ratio) -> tuple[str, ...]:
    spread = f"{found.low:.3f}-{found.high:.3f}"
    return f"{found.ours * 1e6:,.1f}", f"{found.theirs * 1e6:,.1f}", f"{found.ratio:.3f}", spread


def _target(value: float, target: float, shown: str) -> str:
    return f"≤ {shown} {'[green]met[/]' if value <= target else '[red]missed[/]'}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print as the results come."""
    tables = ("steps", "fit", "import", "peers", "compile")
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Print the benchmark tables.")
    parser.add_argument("--repeats", type=int, default=41, help="pairs that are timed in turn (default: 41)")
    parser.add_argument("--seconds", type=float, default=0.02, help="how long each side of a pair runs (default: 0.02)")
    parser.add_argument("--only", choices=tables, nargs="+", default=tables, help="which tables (default: all)")
    chosen = parser.parse_args(arguments)
    if chosen.repeats < 1 or chosen.seconds <= 0:
        parser.error("--repeats and --seconds must be positive")
    torch.set_num_threads(1)
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)
    console.print(
        f"minigrad {minigrad.__version__}, torch {torch.__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, one thread, "
        f"medians of {chosen.repeats} repeats, measured in turn\n",
        soft_wrap=True,
    )
    repeats, seconds = chosen.repeats, chosen.seconds
    draw = {
        "steps": lambda: steps_table(repeats, seconds),
        "fit": lambda: fit_table(repeats, seconds),
        "import": lambda: import_table(min(repeats, 9)),
        "peers": lambda: peers_table(repeats, seconds),
        "compile": lambda: compiled_table(repeats, seconds),
    }
    for name in chosen.only:
        console.print(draw[name]())


if __name__ == "__main__":
    sys.exit(main())
