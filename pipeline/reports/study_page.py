# SPDX-License-Identifier: Apache-2.0
"""The page of a freezing study: what each policy scored on each set, and what it cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.config.stages import StudyConfig
from pipeline.reports.study_runs import IOU_TYPES, METRICS, RunGroup
from pipeline.viz import html_pages
from pipeline.viz.charts import bar_chart, display_name, dot_chart, format_number
from pipeline.viz.overlays import class_color

DASH = "–"


def write(out: Path, config: StudyConfig, rows: Sequence[RunGroup]) -> None:
    """Write the page; it needs no other file."""
    first = rows[0].runs[0]
    classes = {name: list(scores["annotations"]) for name, scores in first.scores.items()}
    facts = {
        "name": config.study.name,
        "class_colors": [class_color(number) for number in range(2)],
        "backbones": list(config.study.backbones),
        "several": len(config.study.backbones) > 1,
        "policies": list(config.study.policies),
        "seeds": config.study.seeds,
        "iterations": config.study.iterations or config.train.iterations,
        "batch": config.train.batch_size,
        "sets": [_set(name, classes[name], rows) for name in first.scores],
        "costs": [_cost(row) for row in rows],
        "charts": _cost_charts(rows),
    }
    html_pages.write_page(out, "study.html.j2", facts)


def row_name(row: RunGroup, rows: Sequence[RunGroup]) -> str:
    """Return the row's name: its policy or its backbone or both, whichever there are several of."""
    parts = [display_name(row.policy)] if len({each.policy for each in rows}) > 1 else []
    parts += [row.backbone] if len({each.backbone for each in rows}) > 1 else []
    return ", ".join(parts) or display_name(row.policy)


def _set(name: str, classes: Sequence[str], rows: Sequence[RunGroup]) -> dict[str, Any]:
    """Return charts, table and verdict of one set."""
    scored = [each for each in classes if any(row.spread(name, "box", "AP50", each) for row in rows)]
    kinds = [kind for kind in IOU_TYPES if any(row.spread(name, kind, "AP50") for row in rows)]
    shown = {f"{kind} AP50": {row_name(row, rows): row.spread(name, kind, "AP50") for row in rows} for kind in kinds}
    return {
        "name": name,
        "verdict": _verdict(name, rows),
        "charts": {f"{title} on {name}": dot_chart(spreads, f"{title} on {name}") for title, spreads in shown.items()},
        "headings": [
            *(f"{kind} {figure}" for kind in kinds for figure in METRICS),
            *(f"{kind} AP50, {display_name(each)}" for kind in kinds for each in scored),
        ],
        "rows": [_cells(row, name, kinds, scored) for row in rows],
    }


def _cells(row: RunGroup, name: str, kinds: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    spreads = [row.spread(name, kind, figure) for kind in kinds for figure in METRICS]
    spreads += [row.spread(name, kind, "AP50", each) for kind in kinds for each in classes]
    cells = [DASH if each is None else str(each) for each in spreads]
    return {"backbone": row.backbone, "weights": row.weights, "policy": display_name(row.policy), "cells": cells}


def _verdict(name: str, rows: Sequence[RunGroup]) -> str:
    """Say which is best, and whether it is further from the next than its own seeds are from each other."""
    scored = [(each, row) for row in rows if (each := row.spread(name, "box", "AP50"))]
    if not scored:
        return "Nothing could be scored here."
    ranked = sorted(scored, key=lambda entry: -entry[0].mean)
    best, winner = ranked[0]
    said = f"Best: {row_name(winner, rows)}, box AP50 {best.mean:.2f}"
    if len(ranked) == 1:
        return f"{said}."
    second, follower = ranked[1]
    lead, noise = best.mean - second.mean, max(each.half_width for each, _ in scored)
    said += f"; then {row_name(follower, rows)}, {second.mean:.2f}."
    if len(best.values) == 1:
        return f"{said} With one seed nobody knows whether the {lead:.2f} between them are more than chance."
    if lead > 2 * noise:
        return (
            f"{said} The {lead:.2f} between them are more than seeds make of the same settings (±{noise:.2f} at most)."
        )
    return (
        f"{said} The {lead:.2f} between them are not more than seeds make of the same settings (±{noise:.2f} at most)."
    )


def _cost(row: RunGroup) -> dict[str, Any]:
    first, (step, memory) = row.runs[0], row.costs()
    trained = f"{first.trainable:,}".replace(",", "\u202f")
    cells = [f"{step:.2f}", format_number(memory), trained, f"{first.trainable / first.parameters:.0%}"]
    return {"backbone": row.backbone, "weights": row.weights, "policy": display_name(row.policy), "cells": cells}


def _cost_charts(rows: Sequence[RunGroup]) -> dict[str, str]:
    names = [row_name(row, rows) for row in rows]
    steps, memory = zip(*(row.costs() for row in rows), strict=True)
    trained = [row.runs[0].trainable / 1e6 for row in rows]
    return {
        "Time": bar_chart(dict(zip(names, steps, strict=True)), "seconds per step"),
        "Memory": bar_chart(dict(zip(names, memory, strict=True)), "MB, at most"),
        "Trained": bar_chart(dict(zip(names, trained, strict=True)), "millions of parameters that train"),
    }
