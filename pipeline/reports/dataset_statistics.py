# SPDX-License-Identifier: Apache-2.0
"""What is measured of a COCO set with its images: how tall boxes are, how many there are, how bright it is, …

Every quantity has one value per object of a class, or one per image. `iscrowd` regions are left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.coco import reader
from pipeline.common.color import REC709_LUMINANCE
from pipeline.common.progress import track

# Rec. 709, on the stored (sRGB) values.
# Contrast is that of the image shrunk to this longer side: noise and texture would make it depend on the resolution.
CONTRAST_PX = 64
# A box that comes as near to the image's edge, as a share of the image, reaches it: hand-drawn boxes are not exact.
EDGE_TOLERANCE = 0.005


@dataclass(frozen=True)
class Statistic:
    """`exceeds` completes "40 % of the images …" with a value put in; empty: not compared between sets.

    `edges`: of the histogram, ascending; values beyond are counted in the outermost bins. None: a yes or no, 1 or 0.
    """

    title: str
    unit: str
    exceeds: str
    edges: np.ndarray | None
    log: bool = False


CLASS_STATISTICS = {
    "box_height": Statistic(
        "Box height",
        "of the image's height",
        "are taller than {:.2f} of the image",
        np.geomspace(0.01, 1, 21),
        True,
    ),
    # Images of different sets differ in size, so pixels are shown and not compared.
    "box_height_px": Statistic("Box height in pixels", "px", "", np.geomspace(4, 4096, 21), True),
    # Tells which side things show: a pallet truck is 2.2 times as tall as wide from its tiller, 0.8 from the side.
    "slenderness": Statistic(
        "Box height over width", "ratio", "are more than {:.1f} times as tall as wide", np.geomspace(0.2, 8, 21), True
    ),
    "at_edge": Statistic("Boxes at the image's edge", "share", "reach the image's edge", None),
    "truncated": Statistic("Truncated", "share", "are cut by the frame", None),
    "visible_fraction": Statistic(
        "Visible fraction", "share of the object", "are seen to more than {:.2f}", np.linspace(0, 1, 21)
    ),
    "distance_m": Statistic("Distance", "m", "are farther away than {:.1f} m", np.linspace(0, 30, 21)),
    "per_image": Statistic("Count in an image", "objects", "hold at least {:.0f}", np.arange(-0.5, 11)),
}
IMAGE_STATISTICS = {
    "brightness": Statistic(
        "Brightness", "mean luma, 0 to 255", "are brighter than {:.0f} of 255", np.linspace(0, 255, 21)
    ),
    "contrast": Statistic(
        "Contrast", "standard deviation of luma", "have more contrast than {:.0f} of 128", np.linspace(0, 128, 21)
    ),
}
STATISTICS = CLASS_STATISTICS | IMAGE_STATISTICS
# Facts of rendered images.
SCENE_ATTRIBUTES = ("rig", "layout", "light")
# Stands for the class in what has one value per image.
PER_IMAGE = ""


@dataclass(frozen=True)
class StatisticValues:
    """`figures`: float64 (n,). `images`: int64 (n,), the place of the image that each of them is from."""

    figures: np.ndarray
    images: np.ndarray


@dataclass(frozen=True)
class DatasetStatistics:
    """A set in figures. `objects`: class -> how many. `empty`: images without any.

    `values`: (quantity, class or ALL) -> values, in the order of QUANTITIES and `objects`; a quantity that the set does
    not tell is not there.
    `kinds`: "rig", "layout", "light" -> kind -> images, where the set tells them.
    """

    name: str
    images: int
    empty: int
    objects: dict[str, int]
    values: dict[tuple[str, str], StatisticValues]
    kinds: dict[str, Counter[str]]

    def tells(self, quantity: str, kind: str) -> bool:
        """Whether there are such values. Of a class without any object the set says nothing, not even that it is rare.

        Sets of one class often declare others, too.
        """
        return (quantity, kind) in self.values and (kind == PER_IMAGE or self.objects[kind] > 0)

    def shares(self, key: str) -> dict[str, float]:
        """Return the share of the images of each kind of rig, layout or light."""
        return {kind: count / self.kinds[key].total() for kind, count in self.kinds[key].items()}


def measure_dataset(
    name: str, files: Sequence[reader.CocoFile], images_dir: Path, threads: int = 1
) -> DatasetStatistics:
    """Measure the images of all files, whose names start from `images_dir`. Classes are told apart by name.

    Raises:
        CocoError: images that are missing, unreadable or of another size, one a line.
    """
    for file in files:
        reader.check_images(file, images_dir)
    classes = list(dict.fromkeys(category.name for file in files for category in file.categories))
    images = list(_images(files))
    columns: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for place, (image, objects) in enumerate(images):
        for kind, annotation in objects:
            for quantity, figure in _of_object(annotation, image).items():
                columns[quantity, kind].append((figure, place))
        counts = Counter(kind for kind, _ in objects)
        for kind in classes:
            columns["per_image", kind].append((counts[kind], place))
    paths = [images_dir / image.file_name for image, _ in images]
    for place, light in enumerate(_light(name, paths, threads)):
        for quantity, figure in zip(IMAGE_STATISTICS, light, strict=True):
            columns[quantity, PER_IMAGE].append((figure, place))
    counted = Counter(kind for _, objects in images for kind, _ in objects)
    return DatasetStatistics(
        name=name,
        images=len(images),
        empty=sum(not objects for _, objects in images),
        objects={kind: counted[kind] for kind in classes},
        values={key: _values(columns[key]) for key in product(STATISTICS, (*classes, PER_IMAGE)) if key in columns},
        kinds=_kinds([image for image, _ in images]),
    )


def _images(
    files: Sequence[reader.CocoFile],
) -> Iterator[tuple[reader.CocoImage, list[tuple[str, reader.Annotation]]]]:
    """Yield every image with the class and the annotation of each object in it."""
    for file in files:
        names = {category.id: category.name for category in file.categories}
        annotations = file.annotations_by_image()
        for image in file.images:
            yield image, [(names[each.category_id], each) for each in annotations[image.id] if not each.iscrowd]


def _of_object(annotation: reader.Annotation, image: reader.CocoImage) -> dict[str, float]:
    x, y, width, height = annotation.bbox
    sides = (x / image.width, y / image.height)
    far_sides = (1 - (x + width) / image.width, 1 - (y + height) / image.height)
    figures = {
        "box_height": height / image.height,
        "box_height_px": height,
        "slenderness": height / width,
        "at_edge": float(min(*sides, *far_sides) <= EDGE_TOLERANCE),
    }
    # Of rendered objects alone; another maker's keys may have the same name and hold no number.
    told = {key: annotation.model_extra.get(key) for key in ("truncated", "visible_fraction", "distance_m")}
    return figures | {key: float(value) for key, value in told.items() if isinstance(value, bool | int | float)}


def _kinds(images: Sequence[reader.CocoImage]) -> dict[str, Counter[str]]:
    told = {key: Counter(kind for image in images if (kind := _kind(image, key))) for key in SCENE_ATTRIBUTES}
    return {key: counts for key, counts in told.items() if counts}


def _kind(image: reader.CocoImage, key: str) -> str | None:
    value: Any = image.model_extra.get(key)
    value = value.get("scene") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def _values(column: Sequence[tuple[float, int]]) -> StatisticValues:
    figures, images = zip(*column, strict=True)
    return StatisticValues(np.array(figures, float), np.array(images, np.int64))


def _light(name: str, paths: Sequence[Path], threads: int) -> Iterator[tuple[float, float]]:
    # Threads, for decoding and shrinking let go of Python's lock.
    with ThreadPoolExecutor(threads) as pool:
        light = pool.map(lambda path: brightness_and_contrast(reader.read_image(path)), paths)
        yield from track(light, len(paths), f"images of {name}")


def brightness_and_contrast(image: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of the luma, 0 to 255, of uint8 RGB (height, width, 3); see CONTRAST_PX."""
    scale = min(1, CONTRAST_PX / max(image.shape))
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return float(np.array(cv2.mean(image)[:3]) @ REC709_LUMINANCE), float((small @ REC709_LUMINANCE).std())
