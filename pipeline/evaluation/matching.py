# SPDX-License-Identifier: Apache-2.0
"""Match the detections of each image with its annotated objects, as COCO's evaluation does.

faster_coco_eval matches in the same way, but it returns only averages. Intervals, curves and lists of errors need the
matches themselves. The tests compare the averages of both.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from faster_coco_eval import mask as coco_mask

from pipeline.coco import reader
from pipeline.coco.entries import Box

IouType = Literal["box", "mask"]
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
MAX_DETECTIONS = 100  # per image and class


@dataclass(frozen=True)
class ClassMatches:
    """The d detections and n objects of one class in a set, over t IoU thresholds. `iscrowd` regions are no objects.

    Attributes:
        images: number of images of the set.
        detections: int (d,), indices into the list of detections, highest score first.
        detection_images: int (d,), indices into the images of the set.
        scores: float (d,).
        is_true: bool (t, d): the detection is the best one of an object.
        is_ignored: bool (t, d): the detection lies on an `iscrowd` region and does not count.
        objects: int (n,), indices into the annotations of the set.
        object_images: int (n,), indices into the images of the set.
        found_by: int (t, n), index into `detections` of the match of each object, -1 if there is none.
    """

    images: int
    detections: np.ndarray
    detection_images: np.ndarray
    scores: np.ndarray
    is_true: np.ndarray
    is_ignored: np.ndarray
    objects: np.ndarray
    object_images: np.ndarray
    found_by: np.ndarray


def match_class(
    ground_truth: reader.CocoFile, detections: Sequence[reader.Detection], category_id: reader.Id, iou_type: IouType
) -> ClassMatches:
    """Match all images of a set. With `iou_type` "mask", objects and detections must have masks."""
    image_index = {image.id: index for index, image in enumerate(ground_truth.images)}
    objects, found = defaultdict(list), defaultdict(list)
    for row, annotation in enumerate(ground_truth.annotations):
        if annotation.category_id == category_id:
            objects[image_index[annotation.image_id]].append(row)
    for row, detection in enumerate(detections):
        if detection.category_id == category_id:
            found[image_index[detection.image_id]].append(row)
    parts = [
        _match_image(ground_truth, detections, found[index], objects[index], index, iou_type)
        for index in sorted({*objects, *found})
    ]
    return _concatenate(parts, len(ground_truth.images))


def _match_image(
    ground_truth: reader.CocoFile,
    detections: Sequence[reader.Detection],
    found: list[int],
    objects: list[int],
    image_index: int,
    iou_type: IouType,
) -> ClassMatches:
    """Match the detections `found` with the annotations `objects` of one image and class."""
    found = sorted(found, key=lambda row: -detections[row].score)[:MAX_DETECTIONS]
    # Real objects first: a detection takes an ignored region only if no real object fits.
    objects = sorted(objects, key=lambda row: ground_truth.annotations[row].iscrowd)
    crowd = np.array([ground_truth.annotations[row].iscrowd for row in objects], bool)
    image = ground_truth.images[image_index]
    iou = _pairwise_iou(
        [_shape(detections[row], image, iou_type) for row in found],
        [_shape(ground_truth.annotations[row], image, iou_type) for row in objects],
        crowd,
    )
    matched = np.stack([assign_greedily(iou, crowd, threshold) for threshold in IOU_THRESHOLDS])
    is_ignored = (matched >= 0) & np.append(crowd, False)[matched]
    found_by = np.full((len(IOU_THRESHOLDS), len(objects)), -1)
    for threshold, row in zip(*np.nonzero((matched >= 0) & ~is_ignored), strict=True):
        found_by[threshold, matched[threshold, row]] = row
    return ClassMatches(
        images=1,
        detections=np.array(found, int),
        detection_images=np.full(len(found), image_index),
        scores=np.array([detections[row].score for row in found]),
        is_true=(matched >= 0) & ~is_ignored,
        is_ignored=is_ignored,
        objects=np.array(objects, int)[~crowd],
        object_images=np.full((~crowd).sum(), image_index),
        found_by=found_by[:, ~crowd],
    )


def _shape(entry: reader.Annotation | reader.Detection, image: reader.CocoImage, iou_type: IouType) -> object:
    """Return what COCO's IoU takes: a box [x, y, width, height], or RLE. Regions without a mask are their box."""
    if iou_type == "box":
        return list(entry.bbox)
    x, y, width, height = entry.bbox
    box_polygon = [[x, y, x + width, y, x + width, y + height, x, y + height]]
    segmentation = box_polygon if entry.segmentation is None else entry.segmentation
    return reader.to_rle(segmentation, image.height, image.width)


def pairwise_box_iou(found: Sequence[Box], objects: Sequence[Box]) -> np.ndarray:
    """Return the IoU of boxes (x, y, width, height), float (found, objects)."""
    return _pairwise_iou([list(box) for box in found], [list(box) for box in objects], np.zeros(len(objects), bool))


def _pairwise_iou(found: list, objects: list, crowd: np.ndarray) -> np.ndarray:
    """Return IoU, float (detections, objects). For crowd regions: the share of the detection inside the region."""
    if not found or not objects:
        return np.zeros((len(found), len(objects)))
    return np.asarray(coco_mask.iou(found, objects, crowd.astype(int).tolist()))


def assign_greedily(iou: np.ndarray, crowd: np.ndarray, threshold: float) -> np.ndarray:
    """Return for each detection, in order, the index of its object, -1 for none.

    A detection takes the free object with the highest IoU of at least `threshold`. Only if there is none, it takes a
    crowd region, which stays free for others. Of equal objects the last one is taken, as in COCO's code.

    Args:
        iou: float (detections, objects), detections by score, highest first; crowd regions last.
        crowd: bool (objects,).
    """
    matched = np.full(len(iou), -1)
    free = np.ones(iou.shape[1], bool)
    lowest = min(threshold, 1 - 1e-10)
    for row, values in enumerate(iou):
        for candidates in (free & ~crowd, crowd):
            usable = np.where(candidates, values, -1.0)
            if usable.size and usable.max() >= lowest:
                matched[row] = len(usable) - 1 - int(np.argmax(usable[::-1]))
                free[matched[row]] = crowd[matched[row]]
                break
    return matched


def _concatenate(parts: Sequence[ClassMatches], images: int) -> ClassMatches:
    """Join the matches of images, and sort the detections of all by score. Equal scores stay in the order of images."""
    empty = np.zeros((len(IOU_THRESHOLDS), 0))
    scores = np.concatenate([np.zeros(0), *(part.scores for part in parts)])
    order = np.argsort(-scores, kind="stable")
    position = np.empty(len(order), int)
    position[order] = np.arange(len(order))
    starts = np.cumsum([0, *(len(part.scores) for part in parts)])
    # Indices into the detections of an image become indices into all, sorted; -1 stays.
    new_index = [np.append(position[start:end], -1) for start, end in itertools.pairwise(starts)]
    found_by = [index[part.found_by] for part, index in zip(parts, new_index, strict=True)]
    return ClassMatches(
        images=images,
        detections=_join(parts, "detections")[order],
        detection_images=_join(parts, "detection_images")[order],
        scores=scores[order],
        is_true=np.concatenate([empty.astype(bool), *(part.is_true for part in parts)], axis=1)[:, order],
        is_ignored=np.concatenate([empty.astype(bool), *(part.is_ignored for part in parts)], axis=1)[:, order],
        objects=_join(parts, "objects"),
        object_images=_join(parts, "object_images"),
        found_by=np.concatenate([empty.astype(int), *found_by], axis=1),
    )


def _join(parts: Sequence[ClassMatches], name: str) -> np.ndarray:
    return np.concatenate([np.zeros(0, int), *(getattr(part, name) for part in parts)])
