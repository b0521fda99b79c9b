# SPDX-License-Identifier: Apache-2.0
"""Charts that show several evaluations side by side: each evaluation has its own marker and line style."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.viz.charts import ACCENT, DATASET_LINE_STYLES, GRID, HORIZONTAL_BARS_STYLE, INK, STYLE, new_axes, to_svg

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
ROW_OFFSET = 0.62  # the markers of one row are spread over this part of its height


class Estimate(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float


class Curve(NamedTuple):
    """A precision-recall curve, and the point of it, (recall, precision), at the threshold of the model."""

    recall: Sequence[float]
    precision: Sequence[float]
    point: tuple[float, float] | None


def interval_chart(rows: Mapping[str, Sequence[Estimate | None]], label: str, names: Sequence[str], title: str) -> str:
    """Draw for each row one marker with its interval per evaluation; None: no marker.

    Args:
        rows: name of the row -> an estimate for each evaluation, 0 to 1.
        label: of the values.
        names: of the evaluations.
        title: unique on the page.
    """
    with matplotlib.rc_context(HORIZONTAL_BARS_STYLE):
        figure, axes = new_axes(label, "", len(rows) * max(1, round(0.8 * len(names))))
        for row, estimates in enumerate(rows.values()):
            for index, estimate in enumerate(estimates):
                if estimate is not None:
                    _draw_estimate(axes, row + _offset(index, len(names)), estimate, index)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.hlines(np.arange(0.5, len(rows) - 1), -0.03, 1.03, color=GRID, linewidth=0.8)
        axes.set_xlim(-0.03, 1.03)  # markers at 0 and 1 are whole
        _legend_of_evaluations(figure, axes, names)
        return to_svg(figure, title)


def _offset(index: int, count: int) -> float:
    return 0.0 if count == 1 else ROW_OFFSET * (index / (count - 1) - 0.5)


def _draw_estimate(axes: Axes, row: float, estimate: Estimate, index: int) -> None:
    axes.hlines(row, estimate.low, estimate.high, color=ACCENT, linewidth=1.4, alpha=0.8)
    face = ACCENT if index == 0 else "none"
    axes.plot(estimate.value, row, MARKERS[index % len(MARKERS)], color=ACCENT, markerfacecolor=face, markersize=6)


def precision_recall_chart(curves: Sequence[Curve | None], names: Sequence[str], title: str) -> str:
    """Draw the curve of each evaluation, with a marker at the threshold of its model; None: no curve."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes("recall", "precision")
        for index, curve in enumerate(curves):
            if curve is not None:
                style = DATASET_LINE_STYLES[index % len(DATASET_LINE_STYLES)]
                axes.plot(curve.recall, curve.precision, color=ACCENT, linewidth=1.6, linestyle=style)
                if curve.point:
                    face = ACCENT if index == 0 else "none"
                    axes.plot(
                        *curve.point, MARKERS[index % len(MARKERS)], color=INK, markerfacecolor=face, markersize=7
                    )
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, 1.03)
        axes.grid(visible=True, axis="both", color=GRID)
        _legend_of_evaluations(figure, axes, names)
        return to_svg(figure, title)


def _legend_of_evaluations(figure: Figure, axes: Axes, names: Sequence[str]) -> None:
    """Draw a legend with the marker and the line of each evaluation, if there are several."""
    if len(names) < 2:
        return
    for index, name in enumerate(names):
        style = DATASET_LINE_STYLES[index % len(DATASET_LINE_STYLES)]
        face = ACCENT if index == 0 else "none"
        axes.plot(
            [], [], MARKERS[index % len(MARKERS)], color=ACCENT, markerfacecolor=face, linestyle=style, label=name
        )
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2, handlelength=2.2)
