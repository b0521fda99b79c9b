# SPDX-License-Identifier: Apache-2.0
"""The page that describes a data set and compares it with others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.reports.dataset_comparison import Comparison, Coverage, DistributionDifference, describe_difference
from pipeline.reports.dataset_statistics import (
    PER_IMAGE,
    PERCENTILES,
    STATISTICS,
    DatasetStatistics,
    StatisticValues,
    summarize,
)
from pipeline.viz import html_pages
from pipeline.viz.charts import ACCENT, CLASS_COLOR_PLACEHOLDERS, histogram_by_dataset, share_bars_by_dataset
from pipeline.viz.formatting import display_name, format_number, format_percent
from pipeline.viz.overlays import class_color

ATTRIBUTE_TITLES = {"rig": "Camera rig", "layout": "Layout", "light": "Light"}


def write(out: Path, ours: DatasetStatistics, comparisons: Sequence[Comparison]) -> None:
    """Write the page, which needs no other file."""
    datasets = (ours, *(comparison.real for comparison in comparisons))
    context = {
        "datasets": datasets,
        "class_colors": [class_color(index) for index in range(len(CLASS_COLOR_PLACEHOLDERS))],
        "comparisons": [_comparison_section(each) for each in comparisons],
        "charts": {
            _title(*key): _chart(*key, datasets) for key in ours.statistics if STATISTICS[key[0]].bin_edges is not None
        }
        | _attribute_charts(datasets),
        "columns": ["Mean", *("Median" if each == 50 else f"{each}%" for each in PERCENTILES)],
        "groups": [
            {"title": _title(*key), "unit": STATISTICS[key[0]].unit, "rows": _value_rows(*key, datasets)}
            for key in ours.statistics
        ],
    }
    html_pages.write_page(out, "distribution.html.j2", context)


def _title(statistic: str, class_name: str) -> str:
    suffix = "" if class_name == PER_IMAGE else f", {display_name(class_name)}"
    return STATISTICS[statistic].title + suffix


def _values_by_dataset(
    statistic: str, class_name: str, datasets: Sequence[DatasetStatistics]
) -> dict[str, StatisticValues]:
    """Return the values of the first set, and of each other set that has values."""
    shown = [datasets[0], *(each for each in datasets[1:] if each.has_values(statistic, class_name))]
    return {each.name: each.statistics[statistic, class_name] for each in shown}


def _chart(statistic: str, class_name: str, datasets: Sequence[DatasetStatistics]) -> str:
    shown, classes = STATISTICS[statistic], list(datasets[0].object_counts)
    color = ACCENT
    if class_name != PER_IMAGE:
        color = CLASS_COLOR_PLACEHOLDERS[classes.index(class_name) % len(CLASS_COLOR_PLACEHOLDERS)]
    values = {name: each.values for name, each in _values_by_dataset(statistic, class_name, datasets).items()}
    title = _title(statistic, class_name)
    return histogram_by_dataset(title, values, shown.unit, shown.bin_edges, log=shown.log_scale, color=color)


def _attribute_charts(datasets: Sequence[DatasetStatistics]) -> dict[str, str]:
    """Draw the shares of rigs, layouts and lights, if the first set has them."""
    charts = {}
    for key, title in ATTRIBUTE_TITLES.items():
        if key in datasets[0].attribute_counts:
            shares = {each.name: each.attribute_shares(key) for each in datasets if key in each.attribute_counts}
            charts[title] = share_bars_by_dataset(shares, title.lower())
    return charts


def _value_rows(statistic: str, class_name: str, datasets: Sequence[DatasetStatistics]) -> list[dict[str, Any]]:
    """Return a row per set: count, mean and percentiles; of values 0 and 1 only the share of 1."""
    rows = []
    for name, values in _values_by_dataset(statistic, class_name, datasets).items():
        summary = summarize(statistic, values)
        if summary.percentiles is None:
            cells = [format_percent(summary.mean)] + [""] * len(PERCENTILES)
        else:
            cells = [format_number(value) for value in (summary.mean, *summary.percentiles.values())]
        rows.append({"name": name, "count": summary.count, "cells": cells})
    return rows


def _comparison_section(comparison: Comparison) -> dict[str, Any]:
    rows = [_difference_row(difference, comparison.real.name) for difference in comparison.differences]
    return {
        "name": comparison.real.name,
        "above_chance": [row for row in rows if row["is_above_chance"]],
        "below_chance": [row for row in rows if not row["is_above_chance"]],
        "coverages": [_coverage_row(coverage) for coverage in comparison.coverages],
    }


def _difference_row(difference: DistributionDifference, real_name: str) -> dict[str, Any]:
    has_median = STATISTICS[difference.statistic].bin_edges is not None
    medians = (format_number(difference.median_ours), format_number(difference.median_real))
    return {
        "title": _title(difference.statistic, difference.class_name),
        "description": describe_difference(difference, real_name),
        "distance": difference.distance.value,
        "chance_level": difference.chance_level,
        "is_above_chance": difference.excess_over_chance > 0,
        "medians": medians if has_median else None,
    }


def _coverage_row(coverage: Coverage) -> dict[str, Any]:
    missing = []
    if coverage.ours[0] > coverage.real[0]:
        missing.append(f"{format_percent(coverage.ours_below)} of ours below")
    if coverage.ours[1] < coverage.real[1]:
        missing.append(f"{format_percent(coverage.ours_above)} of ours above")
    return {
        "title": _title(coverage.statistic, coverage.class_name),
        "ours": " to ".join(format_number(end) for end in coverage.ours),
        "real": " to ".join(format_number(end) for end in coverage.real),
        "inside": format_percent(coverage.real_inside),
        "verdict": f"no: {', '.join(missing)}" if missing else "yes",
    }
