# SPDX-License-Identifier: Apache-2.0
"""What is measured of a COCO set with its pictures: how tall boxes are, how many there are, how bright it is, …

Every quantity has one value per object of a class, or one per picture. `iscrowd` regions are left out.
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
# Contrast is that of the picture shrunk to this longer side: noise and texture would make it depend on the resolution.
CONTRAST_PX = 64
# A box that comes as near to the picture's edge, as a share of the picture, reaches it: hand-drawn boxes are not exact.
EDGE_TOLERANCE = 0.005


@dataclass(frozen=True)
class Statistic:
    """`exceeds` completes "40 % of the pictures …" with a value put in; empty: not compared between sets.

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
        "of the picture's height",
        "are taller than {:.2f} of the picture",
        np.geomspace(0.01, 1, 21),
        True,
    ),
    # Pictures of different sets differ in size, so pixels are shown and not compared.
    "box_height_px": Statistic("Box height in pixels", "px", "", np.geomspace(4, 4096, 21), True),
    # Tells which side things show: a pallet truck is 2.2 times as tall as wide from its tiller, 0.8 from the side.
    "slenderness": Statistic(
        "Box height over width", "ratio", "are more than {:.1f} times as tall as wide", np.geomspace(0.2, 8, 21), True
    ),
    "at_edge": Statistic("Boxes at the picture's edge", "share", "reach the picture's edge", None),
    "truncated": Statistic("Truncated", "share", "are cut by the frame", None),
    "visible_fraction": Statistic(
        "Visible fraction", "share of the object", "are seen to more than {:.2f}", np.linspace(0, 1, 21)
    ),
    "distance_m": Statistic("Distance", "m", "are farther away than {:.1f} m", np.linspace(0, 30, 21)),
    "per_picture": Statistic("Count in a picture", "objects", "hold at least {:.0f}", np.arange(-0.5, 11)),
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
# Facts of rendered pictures.
SCENE_ATTRIBUTES = ("rig", "layout", "light")
# Stands for the class in what has one value per picture.
PER_IMAGE = ""


@dataclass(frozen=True)
class StatisticValues:
    """`figures`: float64 (n,). `pictures`: int64 (n,), the place of the picture that each of them is from."""

    figures: np.ndarray
    pictures: np.ndarray


@dataclass(frozen=True)
class DatasetStatistics:
    """A set in figures. `objects`: class -> how many. `empty`: pictures without any.

    `values`: (quantity, class or ALL) -> values, in the order of QUANTITIES and `objects`; a quantity that the set does
    not tell is not there.
    `kinds`: "rig", "layout", "light" -> kind -> pictures, where the set tells them.
    """

    name: str
    pictures: int
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
        """Return the share of the pictures of each kind of rig, layout or light."""
        return {kind: count / self.kinds[key].total() for kind, count in self.kinds[key].items()}


def measure_dataset(
    name: str, files: Sequence[reader.CocoFile], images_dir: Path, threads: int = 1
) -> DatasetStatistics:
    """Measure the pictures of all files, whose names start from `images_dir`. Classes are told apart by name.

    Raises:
        CocoError: pictures that are missing, unreadable or of another size, one a line.
    """
    for file in files:
        reader.check_images(file, images_dir)
    classes = list(dict.fromkeys(category.name for file in files for category in file.categories))
    pictures = list(_pictures(files))
    columns: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for place, (image, objects) in enumerate(pictures):
        for kind, annotation in objects:
            for quantity, figure in _of_object(annotation, image).items():
                columns[quantity, kind].append((figure, place))
        counts = Counter(kind for kind, _ in objects)
        for kind in classes:
            columns["per_picture", kind].append((counts[kind], place))
    paths = [images_dir / image.file_name for image, _ in pictures]
    for place, light in enumerate(_light(name, paths, threads)):
        for quantity, figure in zip(IMAGE_STATISTICS, light, strict=True):
            columns[quantity, PER_IMAGE].append((figure, place))
    counted = Counter(kind for _, objects in pictures for kind, _ in objects)
    return DatasetStatistics(
        name=name,
        pictures=len(pictures),
        empty=sum(not objects for _, objects in pictures),
        objects={kind: counted[kind] for kind in classes},
        values={key: _values(columns[key]) for key in product(STATISTICS, (*classes, PER_IMAGE)) if key in columns},
        kinds=_kinds([image for image, _ in pictures]),
    )


def _pictures(
    files: Sequence[reader.CocoFile],
) -> Iterator[tuple[reader.CocoImage, list[tuple[str, reader.Annotation]]]]:
    """Yield every picture with the class and the annotation of each object in it."""
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
    figures, pictures = zip(*column, strict=True)
    return StatisticValues(np.array(figures, float), np.array(pictures, np.int64))


def _light(name: str, paths: Sequence[Path], threads: int) -> Iterator[tuple[float, float]]:
    # Threads, for decoding and shrinking let go of Python's lock.
    with ThreadPoolExecutor(threads) as pool:
        light = pool.map(lambda path: brightness_and_contrast(reader.read_picture(path)), paths)
        yield from track(light, len(paths), f"pictures of {name}")


def brightness_and_contrast(picture: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of the luma, 0 to 255, of uint8 RGB (height, width, 3); see CONTRAST_PX."""
    scale = min(1, CONTRAST_PX / max(picture.shape))
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return float(np.array(cv2.mean(picture)[:3]) @ REC709_LUMINANCE), float((small @ REC709_LUMINANCE).std())
