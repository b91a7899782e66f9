"""A page for each registered component, made from the code: formula, picture, signature, and torch's verdict."""

import io
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from minigrad.registry import ComponentInfo, current_registry

ROOT = Path(__file__).resolve().parents[1]
KINDS = {
    "activation": "activations",
    "layer": "layers",
    "loss": "losses",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "initializer": "initializers",
    "callback": "callbacks",
    "metric": "metrics",
    "dataset": "datasets",
}
PAGE = """\
# {name}

`minigrad.{kind}("{name}")` gives the class, from {source}. Its full name is `{id}`{aliases}.
{plot}
::: {path}
    options:
      heading_level: 2
      show_root_heading: true
"""
PLOT = """
![y = f(x) and dy/dx](../../assets/components/{stem}.svg)

The line is $y = f(x)$; the dashed line, $\\partial y / \\partial x$, is what `backward` makes of an upstream gradient
of 1.
"""
PARITY = """
## Held against torch

| what torch's own sample inputs ask for | cases | passed | failed | unsupported |
|---|--:|--:|--:|--:|
| {what} | {cases} | {passed} | {failed} | {unsupported} |

`make conformance` prints the whole table.
"""
OVERVIEW = "| name | what it is | from |\n|---|---|---|\n"


def rows() -> list[ComponentInfo]:
    """Every component that has a page, each class once."""
    found: dict[type, ComponentInfo] = {}
    for row in current_registry().components():
        if row.kind in KINDS:
            cls = current_registry().get(row.kind, row.id)
            if row.kind == "activation" or cls not in found:
                found[cls] = row
    return list(found.values())


def pages() -> dict[str, str | bytes]:
    """Write every component's page and picture, and for each kind a table of them."""
    made: dict[str, str | bytes] = {}
    verdicts = dict(_verdicts())
    for row in rows():
        cls = current_registry().get(row.kind, row.id)
        stem = row.id.replace(":", "-")
        picture = _picture(cls)
        if picture is not None:
            made[f"assets/components/{stem}.svg"] = picture
        text = PAGE.format(
            name=row.name,
            kind=row.kind,
            source="minigrad itself" if row.plugin == "minigrad" else f"the plugin {row.plugin}",
            id=row.id,
            aliases="".join(f", it is also called `{alias}`" for alias in row.aliases),
            path=path_of(cls),
            plot="" if picture is None else PLOT.format(stem=stem),
        )
        if cls in verdicts:
            text += PARITY.format(**verdicts[cls])
        made[f"reference/{KINDS[row.kind]}/{stem}.md"] = text
    return made


def overview(kind: str) -> str:
    """The table of one kind's components, with links to their pages."""
    lines = []
    for row in sorted(rows(), key=lambda row: (row.plugin != "minigrad", row.plugin, row.name)):
        if row.kind == kind:
            link = f"{row.id.replace(':', '-')}.md"
            lines.append(f"| [{row.name}]({link}) | {row.summary.replace('|', chr(92) + '|')} | {row.plugin} |\n")
    return OVERVIEW + "".join(lines)


def path_of(cls: type) -> str:
    """Where a class is defined, as mkdocstrings asks for it."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _picture(cls: Any) -> bytes | None:
    """Draw f and f' of an elementwise activation; nothing for another component."""
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    try:
        layer = cls()
        y, cache = layer.forward(x)
        slope = layer.backward(torch.ones_like(x), cache)
        elementwise = y.shape == x.shape and torch.allclose(layer.forward(x[::2])[0], y[::2])
    except Exception:
        return None  # it needs arguments, or takes no line of numbers
    if not elementwise or torch.equal(x, y):
        return None
    return _drawn(x, y, slope)


def _drawn(x: torch.Tensor, y: torch.Tensor, slope: torch.Tensor) -> bytes:
    import matplotlib
    from matplotlib.figure import Figure

    grey = "#808080"  # to be seen on white and on black
    with matplotlib.rc_context({"svg.hashsalt": "minigrad", "svg.fonttype": "path"}):
        figure = Figure(figsize=(6, 3.2), layout="constrained")
        axes = figure.subplots()
        axes.axhline(0, color=grey, linewidth=0.6)
        axes.axvline(0, color=grey, linewidth=0.6)
        axes.plot(x, y, color="#3f51b5", linewidth=2.2, label="y = f(x)")
        axes.plot(x, slope, color="#e65100", linewidth=1.8, linestyle="--", label="dy/dx")
        axes.set_ylim(max(float(min(y.min(), slope.min())), -4) - 0.2, min(float(max(y.max(), slope.max())), 4) + 0.2)
        axes.tick_params(colors=grey)
        axes.set_xlabel("x", color=grey)
        axes.spines[:].set_visible(False)
        axes.legend(frameon=False, labelcolor=grey)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return buffer.getvalue()


def _verdicts() -> Iterator[tuple[type, dict[str, Any]]]:
    """Let torch judge every case now, and count the verdicts of each class."""
    sys.path.insert(0, str(ROOT))
    import minigrad
    from minigrad.registry import snake_case
    from tests.judges import modules, optimizers

    counts: dict[type, Counter[str]] = {}
    what: dict[type, str] = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="reduction: 'mean' divides", category=UserWarning)
        for case in modules.cases():
            cls = type(minigrad.from_torch(case.module))
            counts.setdefault(cls, Counter())[modules.judge(case).verdict] += 1
            what[cls] = f"outputs and gradients of `torch.nn.{case.name}` in float64, to {modules.RTOL:g}"
        for step in optimizers.cases():
            cls = minigrad.optimizer(snake_case(step.name))
            counts.setdefault(cls, Counter())[optimizers.judge(step).verdict] += 1
            what[cls] = f"{optimizers.STEPS} steps of `torch.optim.{step.name}` in float64, to {optimizers.RTOL:g}"
    for cls, found in counts.items():
        verdicts = {verdict: found[verdict] for verdict in ("passed", "failed", "unsupported")}
        yield cls, {"what": what[cls], "cases": found.total()} | verdicts
