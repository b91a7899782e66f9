"""The report on the main job: tables for a person, one JSON object for a program."""

import math
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from minigrad.xor.data import CORNERS, TARGETS
from minigrad.xor.lockstep import SAME_BITS, Comparison
from minigrad.xor.run import KINDS, Kind, PipelineReport, Report
from minigrad.xor.settings import Settings

Marks = dict[bool | None, str]
SIGNS: Marks = {True: "[green]✓[/]", False: "[bold red]✗[/]", None: "·"}
WORDS: Marks = {True: "[green]ok[/]", False: "[bold red]NO[/]", None: "-"}
TITLES: dict[Kind, tuple[str, str]] = {
    "torch": ("1. The torch.nn pipeline", "torch.nn"),
    "manual": ("2. The hand-written pipeline", "hand-written"),
}


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values; what is no number becomes null, which JSON has.

    Examples:
        >>> from minigrad.xor import Settings, run
        >>> as_json(run(Settings(steps=1)))["pipelines"]["torch"]["bit_identical"]
        True
    """
    pipelines = {kind: _pipeline_json(report.pipelines[kind]) for kind in KINDS}
    return {"seed": report.settings.seed, "steps": report.settings.steps, "pipelines": pipelines}


def _pipeline_json(pipeline: PipelineReport) -> dict[str, Any]:
    comparison = pipeline.comparison
    values = {
        "first_cost": comparison.costs[0],
        "last_cost": comparison.costs[-1],
        "max_cost_difference": comparison.max_cost_difference,
        "max_weight_difference": comparison.max_weight_difference,
        "bit_identical": comparison.bit_identical,
        "accuracy": pipeline.verdict.accuracy,
        "solved": pipeline.verdict.solved,
    }
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


def as_renderable(report: Report, *, ascii_only: bool = False) -> RenderableType:
    """The report for a terminal, by rich.

    Args:
        report: What to show.
        ascii_only: Whether ticks and crosses must be words, because the terminal has no signs for them.
    """
    marks = WORDS if ascii_only else SIGNS
    parts: list[RenderableType] = [Text(headline(report.settings), style="bold")]
    for kind in KINDS:
        pipeline = report.pipelines[kind]
        parts += ["", _costs(pipeline, report.settings.log_every), _marked(_parity(pipeline), marks)]
    verdicts: list[tuple[bool | None, str]] = [
        (pipeline.verdict.solved, f"{TITLES[kind][1]}: {pipeline.verdict.text}")
        for kind in KINDS
        for pipeline in [report.pipelines[kind]]
    ]
    parts += ["", _truth(report, marks), _marked(verdicts, marks), "", _conclusion(report)]
    return Group(*parts)


def headline(settings: Settings) -> str:
    """What was run, in a line.

    Examples:
        >>> headline(Settings())
        'XOR: seed 777, 10,001 steps, rate 1, 2 hidden units, float32 on cpu'
    """
    units = "1 hidden unit" if settings.hidden == 1 else f"{settings.hidden:,} hidden units"
    return (
        f"XOR: seed {settings.seed}, {settings.steps:,} steps, rate {settings.lr:g}, {units}, "
        f"{settings.dtype} on {settings.device}"
    )


def _costs(pipeline: PipelineReport, log_every: int) -> Table:
    title, reference = TITLES[pipeline.kind]
    table = Table(title=f"{title}: cost", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for heading in ("step", reference, "minigrad", "difference"):
        table.add_column(heading, justify="right", overflow="fold")
    costs = pipeline.comparison
    last = len(costs.costs) - 1
    for step in [*range(0, last, log_every), last]:
        theirs, ours = costs.reference_costs[step], costs.costs[step]
        table.add_row(f"{step:,}", repr(theirs), repr(ours), _gap(abs(theirs - ours)))
    return table


def _gap(difference: float) -> str:
    return "0" if difference == 0 else f"{difference:.1e}"


def _parity(pipeline: PipelineReport) -> list[tuple[bool | None, str]]:
    """What was found, and whether it is as it must be; `None` is what nobody asks for."""
    four, seven = pipeline.comparison, pipeline.seven
    exact = four.tolerance == SAME_BITS
    lines: list[tuple[bool | None, str]] = [
        (four.holds, f"largest difference: {_differences(four)}"),
        (four.bit_identical if exact else None, _bits(four)),
        (seven.holds, f"a batch of 7 rows, {len(seven.costs):,} steps: {_differences(seven)}"),
    ]
    if four.first_breach is not None and not exact:
        lines.append((False, f"more than is allowed, first in {four.first_breach}"))
    if seven.first_breach is not None:
        lines.append((False, f"the batch of 7 rows differs by more than is allowed, first in {seven.first_breach}"))
    if four.stopped:
        lines.append((False, f"stopped in {four.stopped}"))
    if pipeline.why:
        lines.append((None, pipeline.why))
    return lines


def _marked(lines: list[tuple[bool | None, str]], marks: Marks) -> Table:
    """Lines that hang from a tick, a cross or a dot."""
    table = Table.grid(padding=(0, 1))
    for mark, line in lines:
        table.add_row(f" {marks[mark]}", Text(line))
    return table


def _judged(difference: float, allowed: float | None) -> str:
    if not allowed:
        return _gap(difference)
    return f"{_gap(difference)} (allowed: {allowed:.0e})"


def _differences(comparison: Comparison) -> str:
    allowed = comparison.tolerance
    if comparison.bit_identical:
        return "none, cost or weight"
    return (
        f"cost {_judged(comparison.max_cost_difference, allowed.costs)}, "
        f"weight {_judged(comparison.max_weight_difference, allowed.weights)}"
    )


def _bits(comparison: Comparison) -> str:
    if comparison.bit_identical:
        return f"bit-identical: yes, every cost and every weight of {len(comparison.costs):,} steps"
    return f"bit-identical: no, first in {comparison.first_difference}"


def _truth(report: Report, marks: Marks) -> Table:
    table = Table(title="3. What the two nets answer", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for heading in ("x1", "x2", "xor", *(TITLES[kind][1] for kind in KINDS)):
        table.add_column(heading, justify="right")
    for row, ((x1, x2), target) in enumerate(zip(CORNERS, TARGETS, strict=True)):
        answers = [_answer(report.pipelines[kind].predictions[row], target, marks) for kind in KINDS]
        table.add_row(f"{x1:g}", f"{x2:g}", f"{target:g}", *answers)
    table.add_section()
    table.add_row("", "", "right", *(f"{report.pipelines[kind].verdict.accuracy:.0%}" for kind in KINDS))
    return table


def _answer(prediction: float, target: float, marks: Marks) -> str:
    right = not math.isnan(prediction) and (prediction > 0.5) == (target > 0.5)
    return f"{prediction:.4f} {marks[right]}"


def _conclusion(report: Report) -> str:
    if report.holds:
        return "[bold green]The parity holds[/]: minigrad does what both references do."
    broken = " and ".join(TITLES[kind][1] for kind in KINDS if not report.pipelines[kind].holds)
    return f"[bold red]The parity does not hold[/] for the {escape(broken)} pipeline."
