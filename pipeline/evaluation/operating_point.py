# SPDX-License-Identifier: Apache-2.0
"""Recall, precision and false alarms at a confidence threshold, and the threshold for a wanted recall or precision.

All at IoU 0.5. Recall is the share of objects that are found. Precision is the share of detections that are right. A
false alarm is a detection that is not.
"""

from typing import Any, NamedTuple

import numpy as np

from pipeline.evaluation.average_precision import interval, resample_images
from pipeline.evaluation.matching import ClassMatches

IOU_50 = 0  # index in `matching.IOU_THRESHOLDS`
DEFAULT_THRESHOLD = 0.5


class ChosenThreshold(NamedTuple):
    """A confidence threshold with what it gives on the set it was chosen on. `reached`: it gives what was wanted."""

    threshold: float
    recall: float
    precision: float
    reached: bool


class _Counts(NamedTuple):
    """For each set, float (sets,): objects, found objects, false alarms, images."""

    objects: np.ndarray
    found: np.ndarray
    false: np.ndarray
    images: np.ndarray


def measure(matches: ClassMatches, threshold: float) -> dict[str, Any]:
    """Return recall, precision and false alarms per image at a threshold, each with its interval over images.

    A value is null if nothing defines it: recall without objects, precision without detections.
    """
    weights = np.concatenate([np.ones((1, matches.images)), resample_images(matches.images)])
    counts = _count(matches, threshold, weights)
    with np.errstate(invalid="ignore"):
        values = {
            "recall": counts.found / counts.objects,
            "precision": counts.found / (counts.found + counts.false),
            "false_alarms_per_image": counts.false / counts.images,
        }
    result: dict[str, Any] = {"threshold": round(threshold, 4)}
    for name, value in values.items():
        result[name] = round(float(value[0]), 4) if np.isfinite(value[0]) else None
        result[f"{name}_interval"] = interval(value[1:])
    return result | {"objects": int(counts.objects[0]), "false_alarms": int(counts.false[0])}


def _count(matches: ClassMatches, threshold: float, weights: np.ndarray) -> _Counts:
    drawn = matches.scores >= threshold
    true = matches.is_true[IOU_50] & drawn
    false = drawn & ~matches.is_true[IOU_50] & ~matches.is_ignored[IOU_50]
    return _Counts(
        objects=weights[:, matches.object_images].sum(axis=1),
        found=weights[:, matches.detection_images[true]].sum(axis=1),
        false=weights[:, matches.detection_images[false]].sum(axis=1),
        images=weights.sum(axis=1),
    )


def choose_threshold(matches: ClassMatches, metric: str, wanted: float) -> ChosenThreshold | None:
    """Return the threshold that gives the wanted recall or precision at the lowest cost, None without objects.

    For a recall: the highest threshold that still finds so many objects. For a precision: the lowest threshold at which
    so many detections are right. If no threshold gives it: the one that comes nearest, with `reached` false.

    Args:
        metric: "recall" or "precision".
        wanted: 0 to 1.
    """
    counted = ~matches.is_ignored[IOU_50]
    scores, true = matches.scores[counted], matches.is_true[IOU_50][counted]
    # A threshold takes all detections of its score: only the last of equal scores is a possible threshold.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if len(scores) else np.zeros(0, int)
    if not len(matches.objects) or not len(ends):
        return None
    found = np.cumsum(true)[ends]
    recall, precision = found / len(matches.objects), found / (ends + 1)
    values = recall if metric == "recall" else precision
    reaching = np.flatnonzero(values >= wanted)
    if not len(reaching):
        best = int(np.flatnonzero(values == values.max())[0 if metric == "recall" else -1])
    else:
        best = int(reaching[0 if metric == "recall" else -1])
    return ChosenThreshold(
        float(scores[ends[best]]), float(recall[best]), float(precision[best]), reached=bool(len(reaching))
    )
