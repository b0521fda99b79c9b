# SPDX-License-Identifier: Apache-2.0
"""A page that shows one evaluation, or any number of them side by side: what `cariste evaluate` has measured."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.common.errors import CaristeError
from pipeline.common.path_checks import shown
from pipeline.common.vocabulary import IOU_TYPES, METRICS
from pipeline.viz import evaluation_charts, html_pages
from pipeline.viz.charts import CLASS_COLOR_PLACEHOLDERS
from pipeline.viz.evaluation_charts import Curve, Estimate
from pipeline.viz.formatting import DASH, display_name
from pipeline.viz.overlays import class_color

PROPERTY_TITLES = {
    "box_height_px": "Box height in pixels",
    "visible_fraction": "Visible fraction",
    "distance_m": "Distance in meters",
    "brightness": "Brightness of the image",
    "truncated": "Truncated by the frame",
    "rig": "Camera rig",
    "light": "Light",
}
KIND_TEXTS = {
    "background": "on no object",
    "loose": "too loose (IoU below 0.5)",
    "duplicate": "second detection of an object",
    "other_class": "object of another class",
}


class EvaluationPageError(CaristeError):
    """An evaluation that cannot be shown; the message says how to make it again."""


class Evaluation(NamedTuple):
    """The metrics of one model on one set, and the name that the page gives them."""

    name: str
    metrics: Mapping[str, Any]


class ErrorImage(NamedTuple):
    """A drawn image with a miss or a false alarm. `uri`: a `data:` URI."""

    uri: str
    text: str


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file: without its folder and suffix, or the whole path if two would be the same."""
    stems = [path.stem for path in paths]
    return [str(path) if stems.count(path.stem) > 1 else path.stem for path in paths]


def read(path: Path, name: str) -> list[Evaluation]:
    """Return the evaluations of a file that `cariste evaluate` wrote: one, or one for each split.

    Raises:
        EvaluationPageError: it is no such file.
    """
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EvaluationPageError(f"{shown(path)}: not JSON of `cariste evaluate`: {error}") from None
    sets = {name: values} if isinstance(values, dict) and "images" in values else values
    if not isinstance(sets, dict) or not sets or not all(_is_metrics(each) for each in sets.values()):
        raise EvaluationPageError(f"{shown(path)}: not metrics with intervals; write it with `cariste evaluate --out`")
    if sets is values:
        return [Evaluation(f"{name} {split}", metrics) for split, metrics in sets.items()]
    return [Evaluation(name, values)]


def _is_metrics(value: Any) -> bool:
    keys = {"box", "mask", "images", "annotations", "intervals", "curves", "operating_points", "recall_by"}
    return isinstance(value, dict) and keys | {"false_alarms"} <= set(value)


def write(
    out: Path, evaluations: Sequence[Evaluation], errors: Mapping[str, Sequence[ErrorImage]] | None = None
) -> None:
    """Write the page, which needs no other file.

    Args:
        errors: heading -> images of the worst errors, for a page of one evaluation.
    """
    classes = list(dict.fromkeys(name for each in evaluations for name in each.metrics["operating_points"]))
    context = {
        "class_colors": [class_color(index) for index in range(len(CLASS_COLOR_PLACEHOLDERS))],
        "evaluations": [{"name": each.name, **_counts(each.metrics)} for each in evaluations],
        "precision": {name: _precision_rows(evaluations, name) for name in (None, *classes)},
        "precision_chart": _precision_chart(evaluations, classes),
        "headings": [f"{iou_type} {metric}" for iou_type in _iou_types(evaluations) for metric in METRICS],
        "classes": [_class_section(evaluations, name) for name in classes],
        "errors": errors or {},
    }
    html_pages.write_page(out, "evaluation.html.j2", context)


def _counts(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {"images": metrics["images"], "objects": metrics["annotations"]}


def _iou_types(evaluations: Sequence[Evaluation]) -> list[str]:
    return [iou_type for iou_type in IOU_TYPES if any(each.metrics[iou_type] for each in evaluations)]


def _precision_rows(evaluations: Sequence[Evaluation], class_name: str | None) -> list[dict[str, Any]]:
    """Return a row per evaluation: its name and AP, AP50, AP75 of boxes and masks with intervals, as text."""
    return [
        {
            "name": each.name,
            "cells": [
                _with_interval(_estimate(each.metrics, iou_type, metric, class_name))
                for iou_type in _iou_types(evaluations)
                for metric in METRICS
            ],
        }
        for each in evaluations
    ]


def _estimate(metrics: Mapping[str, Any], iou_type: str, metric: str, class_name: str | None) -> Estimate | None:
    """Return a metric over all classes (`class_name` None) or of one class; None if it has no value."""
    values, bounds = metrics[iou_type], metrics["intervals"].get(iou_type)
    if class_name is not None:
        values, bounds = (values or {}).get(class_name), (bounds or {}).get(class_name)
    if not values or not bounds or values[metric] is None or bounds[metric] is None:
        return None
    return Estimate(values[metric], *bounds[metric])


def _with_interval(estimate: Estimate | None, digits: int = 2) -> str:
    if estimate is None:
        return DASH
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def _precision_chart(evaluations: Sequence[Evaluation], classes: Sequence[str]) -> str:
    rows = {
        f"{iou_type}, {display_name(name)}": [_estimate(each.metrics, iou_type, "AP50", name) for each in evaluations]
        for iou_type in _iou_types(evaluations)
        for name in classes
    }
    return evaluation_charts.interval_chart(rows, "AP50", [each.name for each in evaluations], "AP50 by class")


def _class_section(evaluations: Sequence[Evaluation], class_name: str) -> dict[str, Any]:
    """Return the curve, the operating points, the recall by property and the false alarms of a class."""
    names = [each.name for each in evaluations]
    points = [each.metrics["operating_points"].get(class_name) for each in evaluations]
    curves = [
        _curve(each.metrics["curves"].get(class_name), point) for each, point in zip(evaluations, points, strict=True)
    ]
    return {
        "name": class_name,
        "curve": evaluation_charts.precision_recall_chart(
            curves, names, f"Precision and recall, {display_name(class_name)}"
        ),
        "points": [_point_row(name, point) for name, point in zip(names, points, strict=True) if point],
        "thresholds": [_threshold_row(name, point) for name, point in zip(names, points, strict=True) if point],
        "recall": _recall_charts(evaluations, class_name),
        "kinds": [
            {"name": each.name, "cells": [alarms["kinds"].get(kind, 0) for kind in KIND_TEXTS]}
            for each in evaluations
            if (alarms := each.metrics["false_alarms"].get(class_name))
        ],
        "kind_headings": list(KIND_TEXTS.values()),
        "assets": _assets(evaluations, class_name),
    }


def _curve(values: Mapping[str, Any] | None, point: Mapping[str, Any] | None) -> Curve | None:
    if not values or not values["recall"]:
        return None
    known = point and point["recall"] is not None and point["precision"] is not None
    return Curve(values["recall"], values["precision"], (point["recall"], point["precision"]) if known else None)


def _point_row(name: str, point: Mapping[str, Any]) -> dict[str, Any]:
    values = ("recall", "precision", "false_alarms_per_image")
    estimates = [
        Estimate(point[value], *point[f"{value}_interval"])
        if point[value] is not None and point[f"{value}_interval"]
        else None
        for value in values
    ]
    empty = point["images_without_objects"]
    rate = empty["false_alarms_per_image"]
    noun = "image" if empty["images"] == 1 else "images"
    in_empty = DASH if rate is None else f"{rate:.2f} ({empty['images']} {noun})"
    return {"name": name, "cells": [f"{point['threshold']:.2f}", *map(_with_interval, estimates), in_empty]}


def _threshold_row(name: str, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the thresholds for a high recall and a high precision, each with what the other is then."""
    recall, precision = point["thresholds_for"].values()
    return {
        "name": name,
        "cells": [
            f"{recall['threshold']:.2f} (precision {recall['precision']:.2f})" if recall else "not reached",
            f"{precision['threshold']:.2f} (recall {precision['recall']:.2f})" if precision else "not reached",
        ],
    }


def _recall_charts(evaluations: Sequence[Evaluation], class_name: str) -> dict[str, str]:
    """Return title -> chart for every property that an evaluation has."""
    charts = {}
    for name, title in PROPERTY_TITLES.items():
        groups = [each.metrics["recall_by"].get(class_name, {}).get(name, []) for each in evaluations]
        labels = {_group_label(group): group.get("low", 0) for each in groups for group in each}
        if not labels:
            continue
        rows = {}
        for label in sorted(labels, key=lambda label: (labels[label], label)):
            found = [next((group for group in each if _group_label(group) == label), None) for each in groups]
            objects = "/".join(str(group["objects"] if group else 0) for group in found)
            rows[f"{label} ({objects})"] = [
                Estimate(group["recall"], *(group["recall_interval"] or (group["recall"],) * 2)) if group else None
                for group in found
            ]
        names = [each.name for each in evaluations]
        charts[title] = evaluation_charts.interval_chart(
            rows, "recall", names, f"Recall of {display_name(class_name)} by {title.lower()}"
        )
    return charts


def _group_label(group: Mapping[str, Any]) -> str:
    if "kind" in group:
        return display_name(group["kind"])
    return f"from {group['low']:g}" if group["high"] is None else f"{group['low']:g} to {group['high']:g}"


def _assets(evaluations: Sequence[Evaluation], class_name: str) -> list[dict[str, Any]]:
    """Return a row per asset: how many false alarms of each evaluation lie on it, most first."""
    counts = [each.metrics["false_alarms"].get(class_name, {}).get("assets", {}) for each in evaluations]
    totals = {asset: sum(each.get(asset, 0) for each in counts) for each in counts for asset in each}
    return [
        {"name": display_name(asset), "cells": [each.get(asset, 0) for each in counts]}
        for asset in sorted(totals, key=lambda asset: (-totals[asset], asset))
    ]
