# SPDX-License-Identifier: Apache-2.0
"""Convert COCO annotations to YOLO segmentation labels in the layout that Ultralytics reads (`cariste yolo`).

It writes `data.yaml`, `images/<split>/000012.png` and `labels/<split>/000012.txt`. A line of a label file is one
instance: its class and one polygon through pixel centers, x and y divided by width and height. YOLO has no regions to
ignore, so `iscrowd` annotations are left out.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml

from pipeline.coco import reader
from pipeline.coco.polygons import drop_collinear_points
from pipeline.common.atomic_write import atomic_folder
from pipeline.common.errors import CaristeError
from pipeline.common.progress import track
from pipeline.common.vocabulary import SPLITS

# Links or copies an image (first path) to its place in the layout (second path).
PlaceFile = Callable[[Path, Path], object]


class YoloError(CaristeError):
    """The labels cannot be written; the message says where and what to do."""


class _Part(NamedTuple):
    """A connected part of a mask: its outline, int (n, 2), joined with those of its holes; and its pixels."""

    outline: np.ndarray
    pixels: int


class _Bridge(NamedTuple):
    """A line from point `start` of one path to point `end` of another, and the number of pixels in between."""

    start: int
    end: int
    pixels: int


def convert(data: Path, out: Path, place_file: PlaceFile = os.link) -> dict[str, tuple[int, int]]:
    """Convert all splits of a data set; return (images, instances) by split. The folder appears as a whole.

    By default the images are hard links, which take no space. Unlike symbolic links they survive when the folder is
    moved, packed or uploaded without the shards. They need the file system of the shards; otherwise `place_file` must
    copy.

    Raises:
        YoloError: `out` exists, or an image cannot be linked.
        CocoError: annotations that cannot be used.
    """
    if out.exists():
        raise YoloError(f"{out} exists; delete it first")
    counts = {}
    with atomic_folder(out) as temporary:
        for split in SPLITS:
            source = reader.read_coco(data / "annotations" / f"{split}.json")
            counts[split] = (len(source.images), write_split(source, data, temporary, split, place_file))
        (temporary / "data.yaml").write_text(data_yaml(source.categories))
    return counts


def write_split(source: reader.CocoFile, data: Path, out: Path, split: str, place_file: PlaceFile) -> int:
    """Write the labels of a split and link its images; return the number of instances."""
    (out / "images" / split).mkdir(parents=True)
    (out / "labels" / split).mkdir(parents=True)
    annotations = source.annotations_by_image()
    instances = 0
    for image in track(source.images, len(source.images), f"yolo {split}"):
        lines = _label_lines(source, image, annotations[image.id])
        image_path = data / image.file_name
        (out / "labels" / split / f"{image_path.stem}.txt").write_text("".join(lines))
        try:
            place_file(image_path, out / "images" / split / image_path.name)
        except OSError as error:
            message = f"{image_path}: cannot be linked or copied into {out}: {error.strerror}; --copy works everywhere"
            raise YoloError(message) from None
        instances += len(lines)
    return instances


def _label_lines(
    source: reader.CocoFile, image: reader.CocoImage, annotations: Iterable[reader.Annotation]
) -> list[str]:
    classes = {category.id: index for index, category in enumerate(_sorted_by_id(source.categories))}
    return [
        yolo_label_line(
            classes[annotation.category_id],
            mask_to_polygon(source.decode_mask(annotation, image)),
            image.width,
            image.height,
        )
        for annotation in annotations
        if not annotation.iscrowd
    ]


def yolo_label_line(class_index: int, polygon: np.ndarray, width: int, height: int) -> str:
    """Return a line of a label file. Half a pixel is added, so that truncation gives the pixel again."""
    relative_points = (polygon + 0.5) / (width, height)
    return " ".join([str(class_index), *(f"{value:.6f}" for value in relative_points.ravel())]) + "\n"


def data_yaml(categories: Iterable[reader.Category]) -> str:
    """Return the text of `data.yaml`. It has no key `path`: Ultralytics then starts from the folder of the file."""
    names = {index: category.name for index, category in enumerate(_sorted_by_id(categories))}
    folders = {split: f"images/{split}" for split in SPLITS}
    return yaml.safe_dump({**folders, "names": names}, sort_keys=False)


def _sorted_by_id(categories: Iterable[reader.Category]) -> list[reader.Category]:
    return sorted(categories, key=lambda category: category.id)


def mask_to_polygon(mask: np.ndarray) -> np.ndarray:
    """Return one closed polygon, int (n, 2) of pixels (x, y), n >= 3, that `cv2.fillPoly` fills to nearly the mask.

    `mask` is uint8 (height, width) of 0 and 1, not empty. Holes and further parts are joined by thin bridges that the
    polygon passes there and back. The even-odd rule keeps holes open. A bridge outside the mask adds a line one pixel
    wide, so a part with fewer pixels than its bridge is left out.
    """
    x, y, width, height = cv2.boundingRect(mask)
    parts = _connected_parts(mask[y : y + height, x : x + width])
    path = parts.pop(0).outline
    while parts:
        bridges = [_shortest_bridge(path, part.outline) for part in parts]
        worthwhile = [index for index, part in enumerate(parts) if part.pixels >= bridges[index].pixels]
        if not worthwhile:
            break
        nearest = min(worthwhile, key=lambda index: bridges[index].pixels)
        path = _insert_path(path, parts.pop(nearest).outline, bridges[nearest])
    corners = drop_collinear_points(path)
    # Readers expect three points at least, also of a line or a dot.
    return np.pad(corners, ((0, max(0, 3 - len(corners))), (0, 0)), mode="edge") + np.array((x, y))


def _connected_parts(mask: np.ndarray) -> list[_Part]:
    """Return the connected parts of a mask, the largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = [
        _Part(_outline((labels == label).view(np.uint8)), int(stats[label, cv2.CC_STAT_AREA]))
        for label in range(1, count)
    ]
    return sorted(parts, key=lambda part: -part.pixels)


def _outline(part: np.ndarray) -> np.ndarray:
    """Return every pixel of the outline of one connected part, int16 (n, 2), with its holes on bridges."""
    contours, hierarchy = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    is_hole = hierarchy[0, :, 3] >= 0
    rings = [contour[:, 0].astype(np.int16) for contour in contours]
    path = rings[int(np.argmin(is_hole))]
    for hole in (ring for ring, within in zip(rings, is_hole, strict=True) if within):
        path = _insert_path(path, hole, _shortest_bridge(path, hole))
    return path


def _shortest_bridge(path: np.ndarray, other: np.ndarray) -> _Bridge:
    """Find the two nearest points. Their Chebyshev distance is the pixels of the line between them and one end."""
    distance = np.maximum(*(np.abs(path[:, None, axis] - other[None, :, axis]) for axis in (0, 1)))
    start, end = np.unravel_index(np.argmin(distance), distance.shape)
    return _Bridge(int(start), int(end), int(distance[start, end]) - 1)


def _insert_path(path: np.ndarray, other: np.ndarray, bridge: _Bridge) -> np.ndarray:
    """Follow `path` up to the bridge, cross it, go once around `other`, come back and follow the rest of `path`."""
    return np.vstack([path[: bridge.start + 1], other[bridge.end :], other[: bridge.end + 1], path[bridge.start :]])
