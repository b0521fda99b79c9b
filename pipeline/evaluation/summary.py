# SPDX-License-Identifier: Apache-2.0
"""What is known of a model on one set beside its average precision: intervals, curves, operating points, errors.

The keys are described in docs/reference/metrics.md.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.coco import reader
from pipeline.common.vocabulary import IOU_TYPES, METRICS
from pipeline.evaluation import average_precision, breakdown, false_alarms, operating_point
from pipeline.evaluation.matching import ClassMatches, match_class

# Returns what lies under a box (x, y, width, height) of an image, None if that is not known.
AssetLookup = Callable[[reader.CocoImage, Sequence[float]], str | None]
CURVE_POINTS = 101
WANTED = 0.9  # recall or precision to name a threshold for


def summarize(
    ground_truth: reader.CocoFile,
    detections: Sequence[reader.Detection],
    scored_classes: Collection[str],
    thresholds: Mapping[str, float],
    has_masks: bool,
    brightness: Sequence[float] | None = None,
    asset_lookup: AssetLookup | None = None,
) -> dict[str, Any]:
    """Return `intervals`, `curves`, `operating_points`, `recall_by` and `false_alarms`, the last four by class name.

    Boxes count, except in `intervals`, which also has masks.

    Args:
        scored_classes: names of the categories that count.
        thresholds: class name -> confidence of its operating point; other classes have 0.5.
        brightness: mean luma of each image, 0 to 255.
    """
    classes = {each.name: each.id for each in ground_truth.categories if each.name in scored_classes}
    matches = {
        iou_type: {name: match_class(ground_truth, detections, number, iou_type) for name, number in classes.items()}
        for iou_type in IOU_TYPES
        if iou_type == "box" or has_masks
    }
    limits = {name: thresholds.get(name, operating_point.DEFAULT_THRESHOLD) for name in classes}
    boxes = matches["box"]
    return {
        "intervals": {iou_type: intervals(by_class) for iou_type, by_class in matches.items()},
        "curves": {name: curve(each) for name, each in boxes.items()},
        "operating_points": {name: _operating_point(ground_truth, each, limits[name]) for name, each in boxes.items()},
        "recall_by": {
            name: breakdown.recall_by_property(ground_truth, each, limits[name], brightness)
            for name, each in boxes.items()
        },
        "false_alarms": {
            name: _count_false_alarms(ground_truth, detections, each, limits[name], asset_lookup)
            for name, each in boxes.items()
        },
    }


def intervals(matches: Mapping[str, ClassMatches]) -> dict[str, Any]:
    """Return the 95 % intervals of AP, AP50 and AP75 over all classes, and by class name."""
    if not matches:
        return dict.fromkeys(METRICS)
    weights = average_precision.resample_images(next(iter(matches.values())).images)
    precision = {name: average_precision.average_precision(each, weights) for name, each in matches.items()}
    with np.errstate(invalid="ignore"):
        known = np.array([~np.isnan(each) for each in precision.values()])
        total = np.nansum(list(precision.values()), axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    return _metric_intervals(total) | {name: _metric_intervals(each) for name, each in precision.items()}


def _metric_intervals(precision: np.ndarray) -> dict[str, list[float] | None]:
    """Return the intervals of AP, AP50 and AP75 from the precision at 10 IoU thresholds, float (sets, 10)."""
    values = (precision.mean(axis=1), precision[:, 0], precision[:, 5])
    return {metric: average_precision.interval(each) for metric, each in zip(METRICS, values, strict=True)}


def curve(matches: ClassMatches) -> dict[str, list[float]] | None:
    """Return the precision-recall curve at IoU 0.5: `confidence`, `recall` and `precision`, None without objects.

    At most `CURVE_POINTS` points, evenly spaced over the detections.
    """
    counted = ~matches.is_ignored[operating_point.IOU_50]
    true = matches.is_true[operating_point.IOU_50][counted]
    if not len(matches.objects):
        return None
    found = np.cumsum(true)
    rows = np.unique(np.linspace(0, len(true) - 1, CURVE_POINTS).astype(int)) if len(true) else np.zeros(0, int)
    columns = {
        "confidence": matches.scores[counted][rows],
        "recall": found[rows] / len(matches.objects),
        "precision": found[rows] / (rows + 1),
    }
    return {name: [round(float(value), 4) for value in values] for name, values in columns.items()}


def _operating_point(ground_truth: reader.CocoFile, matches: ClassMatches, threshold: float) -> dict[str, Any]:
    """Return `operating_point.measure`, and the false alarms of the images without any annotated object."""
    annotated = {each.image_id for each in ground_truth.annotations if not each.iscrowd}
    empty = np.array([image.id not in annotated for image in ground_truth.images], bool)
    alarms = (
        ~matches.is_true[operating_point.IOU_50]
        & ~matches.is_ignored[operating_point.IOU_50]
        & (matches.scores >= threshold)
    )
    in_empty = int(empty[matches.detection_images[alarms]].sum())
    without_objects = {
        "images": int(empty.sum()),
        "false_alarms_per_image": round(in_empty / int(empty.sum()), 4) if empty.any() else None,
    }
    wanted = {f"{metric} {WANTED}": _threshold_for(matches, metric) for metric in ("recall", "precision")}
    return operating_point.measure(matches, threshold) | {
        "images_without_objects": without_objects,
        "thresholds_for": wanted,
    }


def _threshold_for(matches: ClassMatches, metric: str) -> dict[str, float] | None:
    """Return the threshold that gives the wanted recall or precision on this set, None if no threshold does."""
    chosen = operating_point.choose_threshold(matches, metric, WANTED)
    if chosen is None or not chosen.reached:
        return None
    return {key: round(value, 4) for key, value in chosen._asdict().items() if key != "reached"}


def _count_false_alarms(
    ground_truth: reader.CocoFile,
    detections: Sequence[reader.Detection],
    matches: ClassMatches,
    threshold: float,
    asset_lookup: AssetLookup | None,
) -> dict[str, Any]:
    """Return the number of false alarms by kind, and of those on the background by the asset that they lie on."""
    alarms = false_alarms.list_false_alarms(ground_truth, detections, matches, threshold)
    kinds = Counter(alarm.kind for alarm in alarms)
    result: dict[str, Any] = {"kinds": {kind: kinds[kind] for kind in false_alarms.KINDS}}
    if asset_lookup:
        assets = Counter(
            asset_lookup(ground_truth.images[alarm.image], detections[alarm.detection].bbox)
            for alarm in alarms
            if alarm.kind == "background"
        )
        assets.pop(None, None)
        if assets:
            result["assets"] = dict(sorted(assets.items(), key=lambda entry: (-entry[1], entry[0])))
    return result
