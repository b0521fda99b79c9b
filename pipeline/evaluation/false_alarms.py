# SPDX-License-Identifier: Apache-2.0
"""What is wrong with each false alarm, and which objects are missed: the errors of a model, one by one.

The kinds follow TIDE (Bolya et al., 2020), by the IoU of boxes with the annotated objects of the image:

- `duplicate`: at least 0.5 with an object of the class, which a better detection has found already;
- `loose`: 0.1 to 0.5 with an object of the class;
- `other_class`: at least 0.5 with an object of another class;
- `background`: none of these.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.coco import reader
from pipeline.evaluation.matching import ClassMatches, pairwise_box_iou
from pipeline.evaluation.operating_point import IOU_50

KINDS = ("duplicate", "loose", "other_class", "background")
MIN_IOU_LOOSE, MIN_IOU_OVERLAP = 0.1, 0.5


class FalseAlarm(NamedTuple):
    """A detection that is wrong. `detection` and `image`: indices into the detections and images of the set."""

    detection: int
    image: int
    score: float
    kind: str


class Miss(NamedTuple):
    """An object that is not found. `annotation` and `image`: indices into those of the set."""

    annotation: int
    image: int


def list_false_alarms(
    ground_truth: reader.CocoFile, detections: Sequence[reader.Detection], matches: ClassMatches, threshold: float
) -> list[FalseAlarm]:
    """Return the false alarms of a class with at least this confidence, highest first.

    `detections`: those that were matched.
    """
    wrong = ~matches.is_true[IOU_50] & ~matches.is_ignored[IOU_50] & (matches.scores >= threshold)
    annotations = ground_truth.annotations_by_image()
    return [
        FalseAlarm(
            int(matches.detections[row]),
            int(matches.detection_images[row]),
            float(matches.scores[row]),
            kind_of(
                detections[matches.detections[row]],
                annotations[ground_truth.images[matches.detection_images[row]].id],
            ),
        )
        for row in np.flatnonzero(wrong)
    ]


def kind_of(detection: reader.Detection, annotations: Sequence[reader.Annotation]) -> str:
    """Return the kind of a false alarm among the annotations of its image."""
    objects = [each for each in annotations if not each.iscrowd]
    iou = pairwise_box_iou([detection.bbox], [each.bbox for each in objects])[0]
    same = np.array([each.category_id == detection.category_id for each in objects], bool)
    if (iou[same] >= MIN_IOU_OVERLAP).any():
        return "duplicate"
    if (iou[~same] >= MIN_IOU_OVERLAP).any():
        return "other_class"
    return "loose" if (iou[same] >= MIN_IOU_LOOSE).any() else "background"


def list_misses(ground_truth: reader.CocoFile, matches: ClassMatches, threshold: float) -> list[Miss]:
    """Return the objects of a class that no detection of at least this confidence has found, the largest first."""
    found_by = matches.found_by[IOU_50]
    missed = (found_by < 0) | (np.append(matches.scores, -np.inf)[found_by] < threshold)
    misses = [
        Miss(int(row), int(image))
        for row, image in zip(matches.objects[missed], matches.object_images[missed], strict=True)
    ]
    return sorted(misses, key=lambda miss: -np.prod(ground_truth.annotations[miss.annotation].bbox[2:]))
