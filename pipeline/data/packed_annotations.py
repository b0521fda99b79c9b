# SPDX-License-Identifier: Apache-2.0
"""The part of a COCO file that is trained on, in a few arrays.

Worker processes share the memory of their parent until one of them writes to it. Python writes to every object that it
reads (its reference count), so annotations as objects would be copied into every worker in the course of an epoch.
Arrays stay shared.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from faster_coco_eval import mask as coco_mask

from pipeline.coco import reader
from pipeline.coco.image_check import ImageFile


class PackedStrings:
    """Many byte strings as two arrays."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.ends = np.cumsum([0, *map(len, texts)])
        self.bytes = np.frombuffer(b"".join(texts), np.uint8)

    def __getitem__(self, index: int) -> bytes:
        return self.bytes[self.ends[index] : self.ends[index + 1]].tobytes()


class PackedImageFiles:
    """Many image files as arrays."""

    def __init__(self, files: Sequence[ImageFile]) -> None:
        self.paths = PackedStrings([os.fsencode(file.path) for file in files])
        self.turn_upright = np.array([file.turn_upright for file in files], bool)

    def __len__(self) -> int:
        return len(self.turn_upright)

    def __getitem__(self, index: int) -> ImageFile:
        return ImageFile(Path(os.fsdecode(self.paths[index])), bool(self.turn_upright[index]))


class PackedAnnotations:
    """The images of a COCO file and the instances that are trained on.

    These are the instances without `iscrowd` whose category is a key of `labels` (category id → label). Those of image
    k are `firsts[k]` up to, but not including, `firsts[k + 1]`: first those with masks, the largest first, then those
    with only a box.

    Attributes:
        sizes: int32 (images, 2), height and width.
        labels: int64 (instances,).
        boxes: float32 (instances, 4), corners x1, y1, x2, y2 within the image.
        has_mask: bool (instances,).
        runs: the compressed RLE of each mask.
    """

    def __init__(self, annotated: reader.CocoFile, labels: Mapping[reader.Id, int]) -> None:
        self.path = str(annotated.path)
        self.names = PackedStrings([os.fsencode(image.file_name) for image in annotated.images])
        self.sizes = np.array([(image.height, image.width) for image in annotated.images], np.int32).reshape(-1, 2)
        by_image = annotated.annotations_by_image()
        instances, instance_counts = [], []
        for image in annotated.images:
            used = [
                annotation
                for annotation in by_image[image.id]
                if not annotation.iscrowd and annotation.category_id in labels
            ]
            packed = [_pack_instance(annotation, image, labels) for annotation in used]
            instance_counts.append(len(used))
            instances += sorted(packed, key=lambda instance: -instance[-1])
        self.firsts = np.cumsum([0, *instance_counts])
        ids, instance_labels, boxes, runs, areas = zip(*instances, strict=True) if instances else [()] * 5
        self.annotation_ids = PackedStrings(ids)
        self.labels = np.array(instance_labels, np.int64)
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)
        self.runs = PackedStrings(runs)
        self.has_mask = np.array(areas, np.float64) >= 0

    def __len__(self) -> int:
        return len(self.sizes)

    def file_name(self, image_index: int) -> str:
        """Return the file name of an image."""
        return os.fsdecode(self.names[image_index])

    def id_map(self, image_index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the id map, int32 (height, width), and the labels, int64 (n,), of ids 1, 2, …, n. 0 is background.

        A map replaces a mask per instance: visible masks do not overlap, and a map takes the same time to augment for
        any number of instances. Where the masks of a real set do overlap, the smaller instance is in front.

        Raises:
            CocoError: an RLE does not fill the image.
        """
        height, width = self.sizes[image_index].tolist()
        with_mask = [instance for instance in self._instances(image_index) if self.has_mask[instance]]
        # Masks are decoded column by column; a map in the same memory order is filled in a third of the time.
        ids = np.zeros((height, width), np.int32, order="F")
        for instance_id, instance in enumerate(with_mask, 1):
            try:
                mask = coco_mask.decode({"size": [height, width], "counts": self.runs[instance]})
            except (ValueError, RuntimeError) as error:
                annotation = self.annotation_ids[instance].decode()
                raise reader.CocoError(f"{self.path}: annotation {annotation}: segmentation: {error}") from None
            np.copyto(ids, instance_id, where=mask.view(bool))
        return cv2.transpose(ids.T), self.labels[with_mask]  # in the usual memory order: row by row

    def boxes_without_mask(self, image_index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the boxes, float32 (n, 4), and labels, int64 (n,), of the instances without a mask."""
        without_mask = [instance for instance in self._instances(image_index) if not self.has_mask[instance]]
        return self.boxes[without_mask], self.labels[without_mask]

    def present(self, classes: int) -> np.ndarray:
        """Return which of the labels 1, 2, …, `classes` each image shows, bool (images, classes)."""
        presence = np.zeros((len(self), classes), bool)
        presence[np.repeat(np.arange(len(self)), np.diff(self.firsts)), self.labels - 1] = True
        return presence

    def _instances(self, image_index: int) -> range:
        return range(int(self.firsts[image_index]), int(self.firsts[image_index + 1]))


def _pack_instance(
    annotation: reader.Annotation, image: reader.CocoImage, labels: Mapping[reader.Id, int]
) -> tuple[bytes, int, list[float], bytes, float]:
    """Return id, label, box, compressed RLE and area of the mask.

    Without a mask, or if it has no pixels, the RLE is empty and the area -1.
    """
    x, y, width, height = annotation.bbox
    right, bottom = min(x + width, image.width), min(y + height, image.height)
    box = [max(0.0, x), max(0.0, y), right, bottom]
    counts, area = b"", -1.0
    if annotation.segmentation is not None:
        rle = reader.to_rle(annotation.segmentation, image.height, image.width)
        counts = rle["counts"].encode() if isinstance(rle["counts"], str) else rle["counts"]
        area = float(coco_mask.area(rle)) or -1.0
    return str(annotation.id).encode(), labels[annotation.category_id], box, counts, area
