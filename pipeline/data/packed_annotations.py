# SPDX-License-Identifier: Apache-2.0
"""What of a COCO file is taught, in a few arrays.

Reader processes share the memory of the one that started them until somebody writes to it, and Python writes to every
object that it looks at (its reference count). A set held as objects would be copied into every reader, little by
little, over an epoch. Arrays stay shared.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from faster_coco_eval import mask as coco_mask

from pipeline.coco import reader


class PackedStrings:
    """Many byte strings as two arrays."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.ends = np.cumsum([0, *map(len, texts)])
        self.bytes = np.frombuffer(b"".join(texts), np.uint8)

    def __getitem__(self, place: int) -> bytes:
        return self.bytes[self.ends[place] : self.ends[place + 1]].tobytes()


class PackedAnnotations:
    """The images of a COCO file and the instances that are taught: not `iscrowd`, and of a category in `labels`.

    `sizes`: int32 (images, 2), height and width. The instances of image k are those from `firsts[k]` up to
    `firsts[k + 1]`: first those with masks, the largest first, then those with a box alone. `labels`: int64.
    `boxes`: float32 (instances, 4), corners x1, y1, x2, y2 within the image. `has_mask`: bool.
    """

    def __init__(self, annotated: reader.CocoFile, labels: Mapping[int, int]) -> None:
        self.path = str(annotated.path)
        self.names = PackedStrings([image.file_name.encode() for image in annotated.images])
        self.sizes = np.array([(image.height, image.width) for image in annotated.images], np.int32).reshape(-1, 2)
        by_image = annotated.annotations_by_image()
        instances, instance_counts = [], []
        for image in annotated.images:
            taught = [each for each in by_image[image.id] if not each.iscrowd and each.category_id in labels]
            instance_counts.append(len(taught))
            instances += sorted((_instance(each, image, labels) for each in taught), key=lambda entry: -entry[-1])
        self.firsts = np.cumsum([0, *instance_counts])
        ids, places, boxes, runs, areas = zip(*instances, strict=True) if instances else [()] * 5
        self.annotation_ids = np.array(ids, np.int64)
        self.labels = np.array(places, np.int64)
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)
        self.runs = PackedStrings(runs)
        self.has_mask = np.array(areas, np.float64) >= 0

    def __len__(self) -> int:
        return len(self.sizes)

    def file_name(self, image_index: int) -> str:
        return self.names[image_index].decode()

    def id_map(self, image_index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the id map, int32 (height, width), and the labels, int64 (n,), of ids 1, 2, …, n; 0 is background.

        One map instead of a mask per instance: visible masks do not overlap, and a map costs the same to augment
        whatever it holds. Where masks of other makers do overlap, the smaller instance is in front.

        Raises:
            coco.CocoError: run lengths that do not fill the image.
        """
        height, width = self.sizes[image_index].tolist()
        masked = [each for each in self._instances(image_index) if self.has_mask[each]]
        # Masks come column by column; a map in the same order is filled in a third of the time.
        ids = np.zeros((height, width), np.int32, order="F")
        for instance_id, each in enumerate(masked, 1):
            try:
                mask = coco_mask.decode({"size": [height, width], "counts": self.runs[each]})
            except (ValueError, RuntimeError) as error:
                annotation = self.annotation_ids[each]
                raise reader.CocoError(f"{self.path}: annotation {annotation}: segmentation: {error}") from None
            np.copyto(ids, instance_id, where=mask.view(bool))
        return cv2.transpose(ids.T), self.labels[masked]  # in the usual order: row by row

    def boxes_alone(self, image_index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the boxes, float32 (n, 4), and labels, int64 (n,), of the instances that have no mask."""
        unmasked = [each for each in self._instances(image_index) if not self.has_mask[each]]
        return self.boxes[unmasked], self.labels[unmasked]

    def present(self, classes: int) -> np.ndarray:
        """Return which of the labels 1, 2, …, `classes` each image shows, bool (images, classes)."""
        shown = np.zeros((len(self), classes), bool)
        shown[np.repeat(np.arange(len(self)), np.diff(self.firsts)), self.labels - 1] = True
        return shown

    def _instances(self, image_index: int) -> range:
        return range(int(self.firsts[image_index]), int(self.firsts[image_index + 1]))


def _instance(
    annotation: reader.Annotation, image: reader.CocoImage, labels: Mapping[int, int]
) -> tuple[int, int, list[float], bytes, float]:
    """Return id, label, box, compressed run lengths, area of the mask; without a mask no run lengths and area -1."""
    x, y, width, height = annotation.bbox
    right, bottom = min(x + width, image.width), min(y + height, image.height)
    box = [max(0.0, x), max(0.0, y), right, bottom]
    runs, area = b"", -1.0
    if annotation.segmentation is not None:
        rle = reader.to_rle(annotation.segmentation, image.height, image.width)
        counts = rle["counts"]
        runs, area = counts.encode() if isinstance(counts, str) else counts, float(coco_mask.area(rle))
    return annotation.id, labels[annotation.category_id], box, runs, area
