# SPDX-License-Identifier: Apache-2.0
"""COCO annotations become YOLO segmentation labels, in the layout that Ultralytics reads.

`python -m pipeline.coco.yolo_export --data results/data/NAME --out results/data/NAME/yolo` writes `data.yaml`,
`images/<split>/000012.png` and `labels/<split>/000012.txt`. A line of a label file is one instance: its class and one
polygon of pixel centres, x and y divided by width and height. `iscrowd` regions are left out: YOLO has no such thing.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml

from pipeline.coco import reader
from pipeline.common.errors import CaristeError
from pipeline.common.progress import track
from pipeline.common.vocabulary import SPLITS

# Puts an image (first) where the layout wants it (second).
PlaceFile = Callable[[Path, Path], object]


class YoloError(CaristeError):
    """The labels cannot be written; the message says where and what to do."""


class _Part(NamedTuple):
    """`outline`: int (n, 2), with the holes; `pixels`: of the part itself."""

    outline: np.ndarray
    pixels: int


class _Bridge(NamedTuple):
    """From point `start` of one path to point `end` of another, over so many pixels in between."""

    start: int
    end: int
    pixels: int


def mask_to_polygon(mask: np.ndarray) -> np.ndarray:
    """Return one closed polygon, int (n, 2) of pixels (x, y), n >= 3, that `cv2.fillPoly` fills to nearly the mask.

    `mask` is uint8 (height, width) of 0 and 1, not empty. Holes and further parts hang on thin bridges that run there
    and back, so the even-odd rule keeps holes open; a bridge outside the mask adds a line one pixel wide. A part with
    fewer pixels than the bridge to it is left out: the bridge would be the greater fault.
    """
    x, y, width, height = cv2.boundingRect(mask)
    parts = _parts(mask[y : y + height, x : x + width])
    path = parts.pop(0).outline
    while parts:
        bridges = [_bridge(path, part.outline) for part in parts]
        worth = [k for k, part in enumerate(parts) if part.pixels >= bridges[k].pixels]
        if not worth:
            break
        nearest = min(worth, key=lambda k: bridges[k].pixels)
        path = _splice(path, parts.pop(nearest).outline, bridges[nearest])
    corners = _corners(path)
    # A line or a dot is no polygon: readers want three points at least.
    return np.pad(corners, ((0, max(0, 3 - len(corners))), (0, 0)), mode="edge") + np.array((x, y))


def _parts(mask: np.ndarray) -> list[_Part]:
    """Return the connected parts of a mask, the largest first."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = [
        _Part(_outline((numbers == number).view(np.uint8)), int(stats[number, cv2.CC_STAT_AREA]))
        for number in range(1, count)
    ]
    return sorted(parts, key=lambda part: -part.pixels)


def _outline(part: np.ndarray) -> np.ndarray:
    """Return the outline of one connected part, int16 (n, 2), every pixel of it, with its holes on bridges."""
    contours, hierarchy = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    is_hole = hierarchy[0, :, 3] >= 0
    rings = [contour[:, 0].astype(np.int16) for contour in contours]
    path = rings[int(np.argmin(is_hole))]
    for hole in (ring for ring, within in zip(rings, is_hole, strict=True) if within):
        path = _splice(path, hole, _bridge(path, hole))
    return path


def _bridge(path: np.ndarray, other: np.ndarray) -> _Bridge:
    """Find the two nearest points; Chebyshev's distance counts the pixels of the line between them and one end."""
    distance = np.maximum(*(np.abs(path[:, None, axis] - other[None, :, axis]) for axis in (0, 1)))
    start, end = np.unravel_index(np.argmin(distance), distance.shape)
    return _Bridge(int(start), int(end), int(distance[start, end]) - 1)


def _splice(path: np.ndarray, other: np.ndarray, bridge: _Bridge) -> np.ndarray:
    """Walk `path` up to the bridge, cross it, walk once around the other, come back and walk on."""
    return np.vstack([path[: bridge.start + 1], other[bridge.end :], other[: bridge.end + 1], path[bridge.start :]])


def _corners(path: np.ndarray) -> np.ndarray:
    """Leave out the points of a closed path that lie on the way between their neighbours."""
    steps = np.diff(path, axis=0, append=path[:1])
    return path[np.any(steps != np.roll(steps, 1, axis=0), axis=1)] if np.any(steps) else path


def yolo_label_line(number: int, polygon: np.ndarray, width: int, height: int) -> str:
    """Return a line of a label file; half a pixel is added so that cutting off decimals gives the pixel again."""
    places = (polygon + 0.5) / (width, height)
    return " ".join([str(number), *(f"{place:.6f}" for place in places.ravel())]) + "\n"


def write_split(source: reader.CocoFile, data: Path, out: Path, split: str, place: PlaceFile) -> int:
    """Write the labels of a split and put its images in place; return how many instances there are."""
    (out / "images" / split).mkdir(parents=True)
    (out / "labels" / split).mkdir(parents=True)
    annotations = source.annotations_by_image()
    instances = 0
    for image in track(source.images, len(source.images), f"yolo {split}"):
        lines = _label(source, image, annotations[image.id])
        image_path = data / image.file_name
        (out / "labels" / split / f"{image_path.stem}.txt").write_text("".join(lines))
        try:
            place(image_path, out / "images" / split / image_path.name)
        except OSError as error:
            raise YoloError(
                f"{image_path}: cannot be put into {out}: {error.strerror}; --copy copies instead"
            ) from None
        instances += len(lines)
    return instances


def _label(source: reader.CocoFile, image: reader.CocoImage, annotations: Iterable[reader.Annotation]) -> list[str]:
    classes = {category.id: number for number, category in enumerate(_ordered(source.categories))}
    return [
        yolo_label_line(
            classes[annotation.category_id], mask_to_polygon(source.mask(annotation, image)), image.width, image.height
        )
        for annotation in annotations
        if not annotation.iscrowd
    ]


def _ordered(categories: Iterable[reader.Category]) -> list[reader.Category]:
    return sorted(categories, key=lambda category: category.id)


def data_yaml(categories: Iterable[reader.Category]) -> str:
    """Return the text of `data.yaml`. Without `path`, Ultralytics starts from the file's own folder, wherever it is."""
    names = {number: category.name for number, category in enumerate(_ordered(categories))}
    folders = {split: f"images/{split}" for split in SPLITS}
    return yaml.safe_dump({**folders, "names": names}, sort_keys=False)


def convert(data: Path, out: Path, place: PlaceFile = os.link) -> dict[str, tuple[int, int]]:
    """Write all splits of a data set; the folder appears whole or not at all. Return (images, instances) by split.

    Hard links (`os.link`) take no space and, unlike symbolic ones, outlive it when the folder is moved, copied, packed
    or uploaded without the shards. They need the file system of the shards; else `place` must copy.

    Raises:
        YoloError: `out` exists, or an image cannot be put in place.
        coco.CocoError: annotations that cannot be used.
    """
    if out.exists():
        raise YoloError(f"{out} exists; delete it first")
    growing = out.with_name(f".{out.name}.growing")
    shutil.rmtree(growing, ignore_errors=True)
    written = {}
    for split in SPLITS:
        source = reader.read_coco(data / "annotations" / f"{split}.json")
        written[split] = (len(source.images), write_split(source, data, growing, split, place))
    (growing / "data.yaml").write_text(data_yaml(source.categories))
    growing.rename(out)
    return written
