# SPDX-License-Identifier: Apache-2.0
"""COCO's average precision from matches, for the set as it is and for resampled sets.

A resampled set is given by weights: how often each image is in it. All resampled sets share one matching and one sort.
"""

import numpy as np

from pipeline.evaluation.matching import ClassMatches

RECALL_POINTS = np.linspace(0, 1, 101)
RESAMPLES = 1000
# Of a large set, whose intervals are narrow anyway: time and memory grow with images times sets.
LARGE_SET, RESAMPLES_OF_LARGE_SET = 1000, 200
CONFIDENCE = 0.95


def average_precision(matches: ClassMatches, weights: np.ndarray) -> np.ndarray:
    """Return the average precision, float (sets, t), at each IoU threshold. NaN if a set has no objects.

    Args:
        weights: float (sets, images), how often each image is in each set.
    """
    objects = weights[:, matches.object_images].sum(axis=1)
    result = np.full((len(weights), len(matches.is_true)), np.nan)
    for number in np.flatnonzero(objects):
        weight = weights[number, matches.detection_images]
        for threshold, (is_true, is_ignored) in enumerate(zip(matches.is_true, matches.is_ignored, strict=True)):
            recall, precision = _curve(weight * is_true, weight * ~(is_true | is_ignored), objects[number])
            result[number, threshold] = interpolated_precision(recall, precision).mean()
    return result


def _curve(true: np.ndarray, false: np.ndarray, objects: float) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision, float (d,) each, with the k + 1 highest scores as detections."""
    found, wrong = np.cumsum(true), np.cumsum(false)
    return found / objects, found / np.maximum(found + wrong, np.finfo(float).eps)


def interpolated_precision(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Return the precision at COCO's 101 recalls, float (101,): the highest at this recall or above, or 0."""
    highest = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return highest[np.searchsorted(recall, RECALL_POINTS, side="left")]


def resample_images(images: int) -> np.ndarray:
    """Return how often each image is in each resampled set, float (sets, images); the same for each call.

    Every set has `images` images, drawn with replacement.
    """
    resamples = RESAMPLES if images <= LARGE_SET else RESAMPLES_OF_LARGE_SET
    random = np.random.default_rng(0)
    return random.multinomial(images, np.full(images, 1 / images), resamples).astype(float)


def interval(values: np.ndarray) -> list[float] | None:
    """Return [low, high] of the central 95 % of `values`, float (sets,), without NaN; None if all are NaN."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    low, high = np.quantile(finite, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return [round(float(low), 4), round(float(high), 4)]
