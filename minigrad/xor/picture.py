"""A picture of the main job: how the costs fell, and where each net draws its boundary."""

import importlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from minigrad.errors import ConfigError
from minigrad.layers import Sequential
from minigrad.xor.data import CORNERS, TARGETS
from minigrad.xor.report import TITLES, headline
from minigrad.xor.run import KINDS, Kind, PipelineReport, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet

SUFFIXES = (".png", ".svg")
# Okabe and Ito's blue and vermillion, which every kind of eye tells apart.
COLOURS: dict[Kind, str] = {"torch": "#0072B2", "manual": "#D55E00"}
SURFACE = ("#6A51A3", "#BCB1D9", "#FFFFFF", "#FBCB85", "#E08214")
STYLE = {"font.size": 10.0, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none"}


def check_picture(path: Path) -> None:
    """Make sure that a picture can be drawn and written, before the work that it shows is done.

    Raises:
        ConfigError: If the suffix is unknown, matplotlib is missing, or the file cannot be written.

    Examples:
        >>> check_picture(Path("xor.bmp"))
        Traceback (most recent call last):
        minigrad.errors.ConfigError: A picture's file name must end in .png or .svg. Received: plot=xor.bmp
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"A picture's file name must end in {' or '.join(SUFFIXES)}. Received: plot={path}")
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise ConfigError(
            f"A picture needs matplotlib: pip install 'minigrad-torch[plot]'. Received: plot={path}"
        ) from error
    existed = path.exists()
    try:
        path.open("ab").close()
    except OSError as error:
        raise _unwritable(path, error) from error
    if not existed:
        path.unlink()


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"The picture cannot be written: {error.strerror}. Received: plot={path}")


def save_picture(report: Report, path: Path) -> None:
    """Draw the cost curves of both pipelines and both decision boundaries, as PNG or SVG by the suffix.

    Raises:
        ConfigError: As `check_picture`.
    """
    check_picture(path)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(11, 8.4), layout="constrained")
        grid = figure.add_gridspec(2, 3, height_ratios=(1, 1.3), width_ratios=(1, 1, 0.3))
        _draw_costs(figure.add_subplot(grid[0, :2]), report)
        for column, kind in enumerate(KINDS):
            filled = _draw_boundary(figure.add_subplot(grid[1, column]), report.pipelines[kind])
        margin = figure.add_subplot(grid[1, 2])
        _draw_key(margin)
        bar = figure.colorbar(filled, cax=margin.inset_axes((0.05, 0, 0.15, 0.7)), ticks=[0, 0.25, 0.5, 0.75, 1])
        bar.set_label("prediction")
        try:
            figure.savefig(path, dpi=150)
        except OSError as error:
            raise _unwritable(path, error) from error


def _draw_costs(axes: "Axes", report: Report) -> None:
    settings = report.settings
    for kind in KINDS:
        costs, colour, title = report.pipelines[kind].comparison, COLOURS[kind], TITLES[kind][1]
        # The reference is a broad pale band, so that a thin line on it shows that both are there.
        axes.plot(costs.reference_costs, color=colour, alpha=0.3, linewidth=6, label=f"{title}, reference")
        axes.plot(costs.costs, color=colour, linewidth=1.4, label=f"{title}, minigrad")
    for level, name in ((math.log(2), "ln 2: 0.5 for all four"), (math.log(2) / 2, "½ ln 2: 0.5 for two")):
        axes.axhline(level, color="0.45", linewidth=0.8, linestyle=":", zorder=0)
        axes.text(
            1.01, level, name, transform=axes.get_yaxis_transform(), va="center", color="0.35", fontsize=9
        ).set_in_layout(False)
    axes.set_yscale("log")
    lowest, highest = axes.get_ylim()
    axes.set_ylim(min(lowest, 0.09), max(highest, 1.1))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlim(0, max(1, settings.steps - 1))
    axes.set_xlabel("step")
    axes.set_ylabel("cost (log scale)")
    axes.set_title(headline(settings), loc="left", fontweight="bold")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", color="0.92")
    axes.legend(frameon=False, ncols=2)


def _draw_boundary(axes: "Axes", pipeline: PipelineReport) -> "QuadContourSet":
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("prediction", SURFACE)
    ticks = torch.linspace(-0.4, 1.4, 181, dtype=torch.float64)
    surface = _surface(pipeline.net, ticks)
    filled = axes.contourf(ticks, ticks, surface, levels=[i / 20 for i in range(21)], cmap=colours, vmin=0, vmax=1)
    axes.contour(ticks, ticks, surface, levels=[0.5], colors="black", linewidths=1.5)
    for corner, target, prediction in zip(CORNERS, TARGETS, pipeline.predictions, strict=True):
        _draw_corner(axes, corner, target, prediction)
    solved = "solved" if pipeline.verdict.solved else f"not solved ({pipeline.verdict.accuracy:.0%} right)"
    axes.set_title(f"{TITLES[pipeline.kind][1]}: {solved}", loc="left", color=COLOURS[pipeline.kind], fontweight="bold")
    axes.set(aspect="equal", xlabel="x1", ylabel="x2", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    return filled


def _draw_key(axes: "Axes") -> None:
    from matplotlib.lines import Line2D

    one = Line2D([], [], linestyle="", marker="s", color="black", markersize=10, label="target 1")
    zero = Line2D(
        [], [], linestyle="", marker="o", color="white", markeredgecolor="black", markersize=10, label="target 0"
    )
    half = Line2D([], [], color="black", label="says 0.5")
    axes.set_axis_off()
    axes.legend(handles=[one, zero, half], loc="upper left", frameon=False, borderpad=0, handlelength=1.5)


def _draw_corner(axes: "Axes", corner: tuple[float, float], target: float, prediction: float) -> None:
    face, marker = ("black", "s") if target else ("white", "o")
    axes.plot(*corner, marker, color=face, markeredgecolor="black", markersize=15)
    axes.annotate(f"{target:g}", corner, ha="center", va="center", color="white" if target else "black", fontsize=10)
    axes.annotate(
        f"{prediction:.3f}", corner, xytext=(0, -18), textcoords="offset points", ha="center", va="center", fontsize=9,
        bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )  # fmt: skip


def _surface(net: Sequential, ticks: torch.Tensor) -> list[list[float]]:
    """The net's prediction at each point of a square grid; the rows run along x2."""
    weight: Any = next(net.parameters())
    x2, x1 = torch.meshgrid(ticks, ticks, indexing="ij")
    points = torch.stack([x1, x2], dim=-1).to(weight.device, weight.dtype)
    surface: list[list[float]] = net(points).squeeze(-1).tolist()
    return surface
