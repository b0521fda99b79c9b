# SPDX-License-Identifier: Apache-2.0
"""Recall by properties of objects and images: which objects a model misses.

Every set has the height of boxes and the brightness of images. Rendered sets also have visible fraction, distance,
truncation, camera rig and light.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.coco import reader
from pipeline.evaluation.average_precision import interval, resample_images
from pipeline.evaluation.matching import ClassMatches
from pipeline.evaluation.operating_point import IOU_50

# Property -> edges of its bins; the last bin has no upper end.
NUMBER_BINS: dict[str, tuple[float, ...]] = {
    "box_height_px": (0, 16, 32, 64, 128, 256),
    "visible_fraction": (0, 0.25, 0.5, 0.75, 0.95),
    "distance_m": (0, 3, 6, 10, 15, 25),
    "brightness": (0, 40, 80, 120, 160),
}
KIND_PROPERTIES = ("truncated", "rig", "light")


def recall_by_property(
    ground_truth: reader.CocoFile, matches: ClassMatches, threshold: float, brightness: Sequence[float] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return property -> its bins or kinds, each with the number of objects, the recall at IoU 0.5 and its interval.

    Properties that no object has are left out, and so are bins without objects. A bin is named by `low` (included) and
    `high` (excluded, null: no end), a kind by `kind`.

    Args:
        matches: of a class.
        threshold: detections with a lower confidence do not count.
        brightness: mean luma of each image of the set, 0 to 255.
    """
    found_by = matches.found_by[IOU_50]
    found = (found_by >= 0) & (np.append(matches.scores, -np.inf)[found_by] >= threshold)
    weights = resample_images(matches.images)
    properties = [
        object_properties(
            ground_truth.images[image], ground_truth.annotations[row], None if brightness is None else brightness[image]
        )
        for row, image in zip(matches.objects, matches.object_images, strict=True)
    ]
    result = {}
    for name in (*NUMBER_BINS, *KIND_PROPERTIES):
        groups = _group(name, [each.get(name) for each in properties])
        entries = [group | _recall(matches, found, members, weights) for group, members in groups if members.any()]
        if entries:
            result[name] = entries
    return result


def object_properties(
    image: reader.CocoImage, annotation: reader.Annotation, brightness: float | None
) -> dict[str, Any]:
    """Return what is known of an object: the keys of `NUMBER_BINS` and `KIND_PROPERTIES` that it has."""
    light = image.model_extra.get("light")
    extra = annotation.model_extra
    values = {
        "box_height_px": annotation.bbox[3],
        "visible_fraction": extra.get("visible_fraction"),
        "distance_m": extra.get("distance_m"),
        "brightness": brightness,
        "truncated": {True: "yes", False: "no"}.get(extra.get("truncated")),
        "rig": image.model_extra.get("rig"),
        "light": light.get("scene") if isinstance(light, Mapping) else None,
    }
    # Sets of others may use the same names for values of other types.
    return {
        name: value
        for name, value in values.items()
        if (isinstance(value, int | float) if name in NUMBER_BINS else isinstance(value, str))
    }


def _group(name: str, values: Sequence[Any]) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Return the bins or kinds of a property, each with bool (objects,): which objects belong to it."""
    if name in NUMBER_BINS:
        numbers = np.array([np.nan if value is None else value for value in values], float)
        edges = (*NUMBER_BINS[name], np.inf)
        return [
            ({"low": low, "high": None if high == np.inf else high}, (numbers >= low) & (numbers < high))
            for low, high in itertools.pairwise(edges)
        ]
    kinds = sorted({value for value in values if value is not None})
    return [({"kind": kind}, np.array([value == kind for value in values])) for kind in kinds]


def _recall(matches: ClassMatches, found: np.ndarray, members: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    images = matches.object_images
    with np.errstate(invalid="ignore"):
        resampled = weights[:, images[members & found]].sum(axis=1) / weights[:, images[members]].sum(axis=1)
    recall = float(found[members].mean())
    return {"objects": int(members.sum()), "recall": round(recall, 4), "recall_interval": interval(resampled)}
