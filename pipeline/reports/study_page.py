# SPDX-License-Identifier: Apache-2.0
"""The page of a freezing study: the metrics of each policy on each test set, and its costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.common.vocabulary import IOU_TYPES
from pipeline.config.stages import StudyConfig
from pipeline.reports.study_runs import STUDY_METRICS, RunGroup
from pipeline.viz import html_pages
from pipeline.viz.charts import CLASS_COLOR_PLACEHOLDERS, bar_chart, dot_chart
from pipeline.viz.formatting import DASH, display_name, format_count, format_number
from pipeline.viz.overlays import class_color


def write(out: Path, config: StudyConfig, rows: Sequence[RunGroup]) -> None:
    """Write the page, which needs no other file."""
    scores = rows[0].runs[0].scores
    context = {
        "name": config.study.name,
        "class_colors": [class_color(index) for index in range(len(CLASS_COLOR_PLACEHOLDERS))],
        "backbones": list(config.study.backbones),
        "policies": list(config.study.policies),
        "seeds": config.study.seeds,
        "iterations": config.study.iterations or config.train.iterations,
        "batch_size": config.train.batch_size,
        "datasets": [_dataset_section(name, list(each["annotations"]), rows) for name, each in scores.items()],
        "costs": [_cost_row(row) for row in rows],
        "charts": _cost_charts(rows),
    }
    html_pages.write_page(out, "study.html.j2", context)


def row_name(row: RunGroup, rows: Sequence[RunGroup]) -> str:
    """Return the name of a row: its policy, its backbone or both, whichever differs between the rows."""
    parts = [display_name(row.policy)] if len({each.policy for each in rows}) > 1 else []
    parts += [row.backbone] if len({each.backbone for each in rows}) > 1 else []
    return ", ".join(parts) or display_name(row.policy)


def _dataset_section(name: str, classes: Sequence[str], rows: Sequence[RunGroup]) -> dict[str, Any]:
    """Return the charts, the table and the result of one test set."""
    scored = [each for each in classes if any(row.metric_spread(name, "box", "AP50", each) for row in rows)]
    iou_types = [each for each in IOU_TYPES if any(row.metric_spread(name, each, "AP50") for row in rows)]
    charts = {}
    for iou_type in iou_types:
        spreads = {row_name(row, rows): row.metric_spread(name, iou_type, "AP50") for row in rows}
        title = f"{iou_type} AP50 on {name}"
        charts[title] = dot_chart(spreads, title)
    return {
        "name": name,
        "result": describe_best(name, rows),
        "charts": charts,
        "headings": [
            *(f"{iou_type} {metric}" for iou_type in iou_types for metric in STUDY_METRICS),
            *(f"{iou_type} AP50, {display_name(each)}" for iou_type in iou_types for each in scored),
        ],
        "rows": [_metric_row(row, name, iou_types, scored) for row in rows],
    }


def _metric_row(row: RunGroup, name: str, iou_types: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    spreads = [row.metric_spread(name, iou_type, metric) for iou_type in iou_types for metric in STUDY_METRICS]
    spreads += [row.metric_spread(name, iou_type, "AP50", each) for iou_type in iou_types for each in classes]
    return _row_start(row) | {"cells": [DASH if each is None else str(each) for each in spreads]}


def _row_start(row: RunGroup) -> dict[str, Any]:
    return {"backbone": row.backbone, "weights": row.weights, "policy": display_name(row.policy)}


def describe_best(name: str, rows: Sequence[RunGroup]) -> str:
    """Say which row has the best box AP50, and whether its lead is larger than the differences between seeds."""
    scored = [(each, row) for row in rows if (each := row.metric_spread(name, "box", "AP50"))]
    if not scored:
        return "No class of this set could be scored."
    ranked = sorted(scored, key=lambda entry: -entry[0].mean)
    best, best_row = ranked[0]
    sentence = f"Best: {row_name(best_row, rows)}, box AP50 {best.mean:.2f}"
    if len(ranked) == 1:
        return f"{sentence}."
    second, second_row = ranked[1]
    lead, seed_range = best.mean - second.mean, max(each.half_range for each, _ in scored)
    sentence += f". Second: {row_name(second_row, rows)}, {second.mean:.2f}."
    if len(best.values) == 1:
        return f"{sentence} With one seed it is unknown whether the lead of {lead:.2f} is more than chance."
    comparison = "larger" if lead > 2 * seed_range else "not larger"
    return (
        f"{sentence} The lead of {lead:.2f} is {comparison} than the differences between seeds of the same settings "
        f"(±{seed_range:.2f} at most)."
    )


def _cost_row(row: RunGroup) -> dict[str, Any]:
    run, (seconds, memory_mb) = row.runs[0], row.mean_costs()
    trained_share = f"{run.trainable_parameters / run.parameters:.0%}"
    cells = [f"{seconds:.2f}", format_number(memory_mb), format_count(run.trainable_parameters), trained_share]
    return _row_start(row) | {"cells": cells}


def _cost_charts(rows: Sequence[RunGroup]) -> dict[str, str]:
    names = [row_name(row, rows) for row in rows]
    seconds, memory_mb = zip(*(row.mean_costs() for row in rows), strict=True)
    trained = [row.runs[0].trainable_parameters / 1e6 for row in rows]
    return {
        "Time": bar_chart(dict(zip(names, seconds, strict=True)), "seconds per step"),
        "Memory": bar_chart(dict(zip(names, memory_mb, strict=True)), "MB, peak"),
        "Trained parameters": bar_chart(dict(zip(names, trained, strict=True)), "millions"),
    }
