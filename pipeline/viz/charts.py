# SPDX-License-Identifier: Apache-2.0
"""Charts of the pages: matplotlib figures as inline SVG that takes its colors and its font from the page.

Every chart has the same width, so its text has the same size wherever the page puts it. Colors are drawn as
placeholders and become CSS variables (`--ink`, `--class-0`, …) in the SVG, so a chart reads on light and dark pages.
"""

import html
import io
import re
import warnings
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from pipeline.common.spread import Spread
from pipeline.viz.formatting import display_name, format_number

SIZE_PX = (340, 215)
BAR_ROW_HEIGHT_PX, AXIS_HEIGHT_PX = 17, 50  # of charts with a name for each row; of an axis and its label
MAX_CURVE_POINTS = 800

INK, MUTED, GRID, ACCENT = "#0b0b01", "#0b0b02", "#0b0b03", "#0b0b04"
# By the index of the class in the categories of a COCO file, as in overlays.py.
CLASS_COLOR_PLACEHOLDERS = ("#0b0b05", "#0b0b06")
# Of all data sets but the first one, which is filled.
DATASET_LINE_STYLES = ("solid", "dashed", "dotted", "dashdot")
CSS_COLORS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--rule)",
    ACCENT: "var(--accent)",
    CLASS_COLOR_PLACEHOLDERS[0]: "var(--class-0)",
    CLASS_COLOR_PLACEHOLDERS[1]: "var(--class-1)",
}

STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold dollar signs
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10.5,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "legend.handlelength": 1.0,
    "legend.borderaxespad": 0.1,
}
HORIZONTAL_BARS_STYLE = STYLE | {"axes.grid.axis": "x"}


def histogram_by_class(
    values: Mapping[str, Sequence[float]], label: str, bins: np.ndarray, *, log: bool = False
) -> str:
    """Draw one outlined histogram per class over the same bins.

    Args:
        values: class name -> one value per annotation, in the unit that `label` names.
        bins: edges, ascending. Values outside are counted in the outermost bins.
        log: logarithmic horizontal axis.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes(label, "annotations")
        for color, (name, of_class) in zip(CLASS_COLOR_PLACEHOLDERS, values.items(), strict=True):
            clipped = np.clip(np.asarray(of_class, dtype=float), bins[0], bins[-1])
            axes.hist(clipped, bins=bins, color=color, alpha=0.25)
            axes.hist(
                clipped, bins=bins, color=color, histtype="step", linewidth=1.6, label=_legend_name(display_name(name))
            )
        if log:
            _log_ticks(axes, bins)
        axes.set_xlim(bins[0], bins[-1])
        _integer_y_axis(axes)
        _legend(figure, axes)
        return to_svg(figure, f"Histogram of {label} by class")


def count_bars(counts: Mapping[str, Sequence[int]]) -> str:
    """Draw how many images hold 0, 1, 2, … objects of each class; `counts`: class name -> one count per image."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes("objects in the image", "images")
        max_count = max((max(each, default=0) for each in counts.values()), default=0)
        positions = np.arange(max_count + 1)
        width = 0.8 / max(len(counts), 1)
        for number, (name, each) in enumerate(counts.items()):
            heights = np.bincount(np.asarray(each, dtype=int), minlength=max_count + 1)
            offset = (number - (len(counts) - 1) / 2) * width
            color = CLASS_COLOR_PLACEHOLDERS[number]
            axes.bar(positions + offset, heights, width * 0.92, color=color, label=_legend_name(display_name(name)))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _integer_y_axis(axes)
        _legend(figure, axes)
        return to_svg(figure, "How many images hold how many objects of each class")


def shares(counts: Mapping[str, int], configured: Mapping[str, float], label: str) -> str:
    """Draw the share of images of each kind as a bar, and the share that the config asks for as a tick.

    `counts`: kind -> images. `configured`: kind -> weight.
    """
    with matplotlib.rc_context(HORIZONTAL_BARS_STYLE):
        figure, axes = new_axes("share of the images", "")
        names = list(configured) + sorted(set(counts) - set(configured))
        total, configured_total = sum(counts.values()) or 1, sum(configured.values()) or 1
        positions = np.arange(len(names))
        fractions = np.array([counts.get(name, 0) / total for name in names])
        expected = np.array([configured.get(name, 0) / configured_total for name in names])
        axes.barh(positions, fractions, 0.55, color=ACCENT, alpha=0.75, label="rendered")
        axes.vlines(
            expected, positions - 0.4, positions + 0.4, color=INK, linewidth=1.8, label="expected from the config"
        )
        axes.set_yticks(positions, [display_name(name) for name in names])
        axes.invert_yaxis()
        axes.set_xlim(0, max(fractions.max(initial=0.5), expected.max(initial=0.5)) * 1.08)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        _legend(figure, axes)
        return to_svg(figure, f"Share of the images by {label}")


def histogram_by_dataset(
    title: str,
    values: Mapping[str, Sequence[float]],
    label: str,
    bins: np.ndarray,
    *,
    log: bool = False,
    color: str = ACCENT,
) -> str:
    """Draw the share of values per bin of each data set: the first one filled, the others as lines.

    Args:
        title: unique among the charts of the page.
        values: data set name -> its values, in the unit that `label` names. Sets without values are left out.
        bins: edges, ascending. Values outside are counted in the outermost bins.
        log: logarithmic horizontal axis.
        color: of the first data set.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes(label, "share")
        for number, (name, of_dataset) in enumerate(values.items()):
            counts, _ = np.histogram(np.clip(np.asarray(of_dataset, dtype=float), bins[0], bins[-1]), bins)
            fractions = counts / max(len(of_dataset), 1)
            if number == 0:
                axes.stairs(fractions, bins, fill=True, color=color, alpha=0.55, label=_legend_name(name))
            elif len(of_dataset):
                line = DATASET_LINE_STYLES[(number - 1) % len(DATASET_LINE_STYLES)]
                axes.stairs(fractions, bins, color=INK, linewidth=1.5, linestyle=line, label=_legend_name(name))
        if log:
            _log_ticks(axes, bins)
        axes.set_xlim(bins[0], bins[-1])
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        _legend(figure, axes)
        return to_svg(figure, f"Histogram by data set: {title}")


def share_bars_by_dataset(shares: Mapping[str, Mapping[str, float]], label: str) -> str:
    """Draw the share of each kind as a bar per data set; `shares`: data set name -> kind -> share, 0 to 1."""
    with matplotlib.rc_context(HORIZONTAL_BARS_STYLE):
        figure, axes = new_axes("share of the images", "")
        kinds = sorted({kind for each in shares.values() for kind in each})
        positions, width = np.arange(len(kinds)), 0.8 / len(shares)
        for number, (name, each) in enumerate(shares.items()):
            offset = (number - (len(shares) - 1) / 2) * width
            style = {"color": ACCENT, "alpha": 0.75} if number == 0 else {"color": "none", "edgecolor": INK}
            axes.barh(
                positions + offset,
                [each.get(kind, 0) for kind in kinds],
                width * 0.9,
                label=_legend_name(name),
                **style,
            )
        axes.set_yticks(positions, [_drawable(display_name(kind)) for kind in kinds])
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        _legend(figure, axes)
        return to_svg(figure, f"Share of the images by {label} and data set")


def line_chart(iterations: Sequence[int], values: Sequence[float], label: str, *, smooth: bool = True) -> str:
    """Draw values over the iterations; with `smooth` faint, with their moving mean in front."""
    x, y = np.asarray(iterations), np.asarray(values, dtype=float)
    step = max(1, -(-len(x) // MAX_CURVE_POINTS))
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes("iteration", label)
        marker = "o" if len(x) == 1 else None  # one point makes no line
        if smooth:
            axes.plot(x[::step], y[::step], color=ACCENT, alpha=0.35, linewidth=0.8, marker=marker)
        curve = moving_mean(y, smoothing_window(len(y))) if smooth else y
        axes.plot(x[::step], curve[::step], color=ACCENT, linewidth=1.8, marker=marker)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        return to_svg(figure, f"{label} over the iterations")


def bar_chart(values: Mapping[str, float], label: str) -> str:
    """Draw one horizontal bar with its value per name, in the given order."""
    with matplotlib.rc_context(HORIZONTAL_BARS_STYLE):
        figure, axes = new_axes(label, "", len(values))
        bars = axes.barh([display_name(name) for name in values], list(values.values()), 0.6, color=ACCENT, alpha=0.75)
        axes.bar_label(bars, labels=[format_number(value) for value in values.values()], padding=4, color=INK)
        axes.invert_yaxis()
        axes.margins(x=0.2)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
        return to_svg(figure, f"{label} by stage")


def dot_chart(values: Mapping[str, Spread | None], label: str) -> str:
    """Draw a dot per measurement and a tick at their mean for each name, in the given order; None: no dots."""
    with matplotlib.rc_context(HORIZONTAL_BARS_STYLE):
        figure, axes = new_axes(label, "", len(values))
        for row, each in enumerate(values.values()):
            if each is not None:
                axes.plot(each.values, [row] * len(each.values), "o", color=ACCENT, alpha=0.75, markersize=7)
                axes.vlines(each.mean, row - 0.3, row + 0.3, color=INK, linewidth=1.8)
        axes.set_yticks(range(len(values)), [display_name(name) for name in values])
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
        return to_svg(figure, label)


def smoothing_window(length: int) -> int:
    """Return how many iterations the moving mean spans: a twentieth of the training, rounded to an odd number."""
    return max(1, length // 20) | 1


def moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the centered mean over `window` (odd) values, over fewer at both ends; the shape stays (n,)."""
    half = window // 2
    sums = np.concatenate([[0.0], np.cumsum(values)])
    indices = np.arange(len(values))
    low, high = np.maximum(indices - half, 0), np.minimum(indices + half + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)


def new_axes(x_label: str, y_label: str, rows: int = 0) -> tuple[Figure, Axes]:
    """Return empty axes, high enough for `rows` rows with a name each."""
    height_px = max(SIZE_PX[1], BAR_ROW_HEIGHT_PX * rows + AXIS_HEIGHT_PX)
    # Not pyplot: it has global state and may open a display.
    figure = Figure(figsize=(SIZE_PX[0] / 72, height_px / 72), layout="constrained")
    figure.patch.set_visible(False)
    axes = figure.subplots()
    axes.patch.set_visible(False)
    # Long names of rows can make the axis narrower than its label.
    axes.set_xlabel(x_label, loc="right" if rows else "center")
    axes.set_ylabel(y_label)
    axes.tick_params(length=3)
    return figure, axes


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels))


def _log_ticks(axes: Axes, bins: np.ndarray) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if bins[-1] <= 200 * bins[0] else (1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _integer_y_axis(axes: Axes) -> None:
    axes.set_ylim(0, max(1, axes.dataLim.y1 * 1.05))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))


def _drawable(name: str) -> str:
    """Return a name of the user with escapes for what no font can draw, such as bytes that are no text."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in name)


def _legend_name(name: str) -> str:
    """Return a name for a legend. matplotlib leaves out names that begin with `_`: a space of no width helps."""
    return f"\u200b{_drawable(name)}" if name.startswith("_") else _drawable(name)


def to_svg(figure: Figure, title: str) -> str:
    """Return the figure as an `<svg>` element for an HTML page, without a size, a font or colors of its own.

    Ids are hashed with the title and kept only where something refers to them, because all charts share one page.
    """
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": _drawable(title)}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has fonts of its own
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    label = html.escape(_drawable(title))
    svg = re.sub(
        r'<svg[^>]*viewBox="([^"]*)"[^>]*>',
        lambda match: f'<svg role="img" aria-label="{label}" viewBox="{match[1]}">',
        svg,
    )
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    used_ids = set(re.findall(r'(?:url\(#|href="#)([\w.-]+)', svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda match: match[0] if match[1] in used_ids else "", svg)
    for placeholder, color in CSS_COLORS.items():
        svg = svg.replace(placeholder, color)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()
