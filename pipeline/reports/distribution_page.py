# SPDX-License-Identifier: Apache-2.0
"""The page of what a data set holds, beside the same figures of other sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.reports.dataset_statistics import PER_IMAGE, STATISTICS, DatasetStatistics
from pipeline.reports.ks_distance import (
    Comparison,
    Coverage,
    DistributionDifference,
    describe_difference,
    format_percent,
)
from pipeline.viz import html_pages
from pipeline.viz.charts import (
    ACCENT,
    CLASS_COLOR_PLACEHOLDERS,
    display_name,
    format_number,
    histogram_by_dataset,
    share_bars_by_dataset,
)
from pipeline.viz.overlays import class_color

KIND_TITLES = {"rig": "Camera rig", "layout": "Layout", "light": "Light"}
COLUMNS = {"Mean": None, "5 %": 5, "25 %": 25, "Median": 50, "75 %": 75, "95 %": 95}


def write(out: Path, ours: DatasetStatistics, comparisons: Sequence[Comparison]) -> None:
    """Write the page; it needs no other file."""
    sets = (ours, *(comparison.real for comparison in comparisons))
    facts = {
        "sets": sets,
        "classes": list(ours.objects),
        "class_colors": [class_color(number) for number in range(len(CLASS_COLOR_PLACEHOLDERS))],
        "compared": [_comparison(each) for each in comparisons],
        "charts": {_title(*key): _chart(*key, sets) for key in ours.values if STATISTICS[key[0]].edges is not None},
        "kinds": {
            title: share_bars_by_dataset(
                {each.name: each.shares(key) for each in sets if key in each.kinds}, title.lower()
            )
            for key, title in KIND_TITLES.items()
            if key in ours.kinds
        },
        "columns": list(COLUMNS),
        "rows": [
            {"title": _title(*key), "unit": STATISTICS[key[0]].unit, "sets": _rows(*key, sets)} for key in ours.values
        ],
    }
    html_pages.write_page(out, "distribution.html.j2", facts)


def _title(quantity: str, kind: str) -> str:
    return STATISTICS[quantity].title + (f", {display_name(kind)}" if kind != PER_IMAGE else "")


def _told(quantity: str, kind: str, sets: Sequence[DatasetStatistics]) -> dict[str, np.ndarray]:
    """Return the figures of the first set, and of each other one that tells of them."""
    telling = [sets[0], *(each for each in sets[1:] if each.tells(quantity, kind))]
    return {each.name: each.values[quantity, kind].figures for each in telling}


def _chart(quantity: str, kind: str, sets: Sequence[DatasetStatistics]) -> str:
    what, classes = STATISTICS[quantity], list(sets[0].objects)
    color = (
        ACCENT if kind == PER_IMAGE else CLASS_COLOR_PLACEHOLDERS[classes.index(kind) % len(CLASS_COLOR_PLACEHOLDERS)]
    )
    told = _told(quantity, kind, sets)
    return histogram_by_dataset(_title(quantity, kind), told, what.unit, what.edges, log=what.log, color=color)


def _rows(quantity: str, kind: str, sets: Sequence[DatasetStatistics]) -> list[dict[str, Any]]:
    """Return a row of figures per set: a mean and percentiles, of a yes or no its share alone."""
    rows = []
    for name, figures in _told(quantity, kind, sets).items():
        if STATISTICS[quantity].edges is None:
            cells = [format_percent(figures.mean())] + [""] * (len(COLUMNS) - 1)
        else:
            cells = [
                format_number(figures.mean() if which is None else np.percentile(figures, which))
                for which in COLUMNS.values()
            ]
        rows.append({"name": name, "count": len(figures), "cells": cells})
    return rows


def _comparison(each: Comparison) -> dict[str, Any]:
    gaps = [_gap(gap, each.real.name) for gap in each.gaps]
    return {
        "name": each.real.name,
        "sure": [gap for gap in gaps if gap["sure"]],
        "unsure": [gap for gap in gaps if not gap["sure"]],
        "coverages": [_coverage(coverage) for coverage in each.coverages],
    }


def _gap(gap: DistributionDifference, name: str) -> dict[str, Any]:
    return {
        "title": _title(gap.quantity, gap.kind),
        "words": describe_difference(gap, name),
        "size": gap.distance.size,
        "chance": gap.chance,
        "sure": gap.excess > 0,
        "medians": ""
        if STATISTICS[gap.quantity].edges is None
        else (format_number(gap.median_ours), format_number(gap.median_real)),
    }


def _coverage(each: Coverage) -> dict[str, Any]:
    lacking = []
    if each.ours[0] > each.real[0]:
        lacking.append(f"{format_percent(each.below)} of ours below")
    if each.ours[1] < each.real[1]:
        lacking.append(f"{format_percent(each.above)} of ours above")
    return {
        "title": _title(each.quantity, each.kind),
        "ours": " to ".join(format_number(end) for end in each.ours),
        "real": " to ".join(format_number(end) for end in each.real),
        "inside": format_percent(each.inside),
        "verdict": f"no: {', '.join(lacking)}" if lacking else "yes",
    }
