# SPDX-License-Identifier: Apache-2.0
"""Statistics of a COCO set with its images: heights of boxes, numbers of objects, brightness, …

Every statistic has one value per object of a class, or one per image. `iscrowd` regions are left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.coco import image_check, reader
from pipeline.common import image_files
from pipeline.common.color import REC709_LUMINANCE
from pipeline.common.image_remarks import Remarks
from pipeline.common.progress import track
from pipeline.common.validation_messages import at_most_ten

# Contrast is measured in the image shrunk to this longer side. Otherwise noise and texture, and so the resolution of
# the image, would change it.
CONTRAST_PX = 64
# A box within this share of the image's width or height from an edge touches it: boxes drawn by hand are not exact.
EDGE_TOLERANCE = 0.005
PERCENTILES = (5, 25, 50, 75, 95)
# NaN and numbers beyond it, which other tools may write under the same names, are left out.
MAX_NUMBER = 1e9
# Stands for the class in statistics with one value per image.
PER_IMAGE = ""
# Keys of images in rendered sets: kind of camera rig, layout and light.
SCENE_ATTRIBUTES = ("rig", "layout", "light")


@dataclass(frozen=True)
class Statistic:
    """How a statistic is shown and compared.

    `exceeds_phrase` completes "40% of the images …" with a value put in; empty: not compared between sets.
    `bin_edges`: of the histogram, ascending. Values outside are counted in the outermost bins. None: values are 0 or 1.
    """

    title: str
    unit: str
    exceeds_phrase: str
    bin_edges: np.ndarray | None
    log_scale: bool = False


CLASS_STATISTICS = {
    "box_height": Statistic(
        "Box height",
        "share of the image's height",
        "are taller than {:.2f} of the image",
        np.geomspace(0.01, 1, 21),
        True,
    ),
    # Images of different sets differ in size, so pixels are shown but not compared.
    "box_height_px": Statistic("Box height in pixels", "px", "", np.geomspace(4, 4096, 21), True),
    # It depends on the side from which objects are seen: a pallet truck has 2.2 from its tiller and 0.8 from the side.
    "height_to_width": Statistic(
        "Box height over width", "ratio", "are more than {:.1f} times as tall as wide", np.geomspace(0.2, 8, 21), True
    ),
    "at_edge": Statistic("Boxes at the image's edge", "share", "touch the image's edge", None),
    "truncated": Statistic("Truncated", "share", "are cut by the frame", None),
    "visible_fraction": Statistic(
        "Visible fraction", "share of the object", "are visible to more than {:.2f}", np.linspace(0, 1, 21)
    ),
    "distance_m": Statistic("Distance", "m", "are farther away than {:.1f} m", np.linspace(0, 30, 21)),
    "per_image": Statistic("Objects per image", "objects", "hold at least {:.0f}", np.arange(-0.5, 11)),
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


@dataclass(frozen=True)
class StatisticValues:
    """`values`: float64 (n,). `image_indices`: int64 (n,), the image that each value is from."""

    values: np.ndarray
    image_indices: np.ndarray


@dataclass(frozen=True)
class ValueSummary:
    """`percentiles`: percentile -> value; None if all values are 0 or 1, whose mean says all."""

    count: int
    mean: float
    percentiles: dict[int, float] | None


@dataclass(frozen=True)
class DatasetStatistics:
    """The statistics of one set.

    - `object_counts`: class -> number of objects. `empty_images`: number of images without any.
    - `statistics`: (name of the statistic, class or PER_IMAGE) -> values, in the order of STATISTICS and
      `object_counts`. A statistic that the set has no values for is missing.
    - `attribute_counts`: "rig", "layout", "light" -> kind -> images, if the set has them.
    """

    name: str
    image_count: int
    empty_images: int
    object_counts: dict[str, int]
    statistics: dict[tuple[str, str], StatisticValues]
    attribute_counts: dict[str, Counter[str]]

    def has_values(self, statistic: str, class_name: str) -> bool:
        """Whether the set says something about this statistic of this class.

        A class without any object does not count, also not as a rare one: sets of one class often declare others.
        """
        is_known = class_name == PER_IMAGE or self.object_counts[class_name] > 0
        return (statistic, class_name) in self.statistics and is_known

    def attribute_shares(self, key: str) -> dict[str, float]:
        """Return the share of the images of each kind of rig, layout or light."""
        counts = self.attribute_counts[key]
        return {kind: count / counts.total() for kind, count in counts.items()}


def measure_dataset(
    name: str, files: Sequence[reader.CocoFile], images_dir: Path, threads: int = 1
) -> DatasetStatistics:
    """Measure the images of all files; their names are relative to `images_dir`. Classes are the same by name.

    Raises:
        CocoError: images that are missing, unreadable or of another size, one line each.
        ImageFileError: damaged images, one line each, at most ten.
    """
    found = [list(image_check.check_images(file, images_dir).values()) for file in files]
    classes = list(dict.fromkeys(category.name for file in files for category in file.categories))
    images = list(_images_with_objects(files))
    # (statistic, class) -> [(value, index of the image)]
    columns: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for index, (image, objects) in enumerate(images):
        for class_name, annotation in objects:
            for statistic, value in _object_values(annotation, image).items():
                columns[statistic, class_name].append((value, index))
        counts = Counter(class_name for class_name, _ in objects)
        for class_name in classes:
            columns["per_image", class_name].append((counts[class_name], index))
    for index, image_values in enumerate(_measure_images(name, list(chain(*found)), threads)):
        for statistic, value in zip(IMAGE_STATISTICS, image_values, strict=True):
            columns[statistic, PER_IMAGE].append((value, index))
    object_counts = Counter(class_name for _, objects in images for class_name, _ in objects)
    keys = product(STATISTICS, (*classes, PER_IMAGE))
    return DatasetStatistics(
        name=name,
        image_count=len(images),
        empty_images=sum(not objects for _, objects in images),
        object_counts={class_name: object_counts[class_name] for class_name in classes},
        statistics={key: _to_statistic_values(columns[key]) for key in keys if key in columns},
        attribute_counts=_count_attributes([image for image, _ in images]),
    )


def summarize(statistic: str, values: StatisticValues) -> ValueSummary:
    """Return count, mean and percentiles of the values of a statistic."""
    percentiles = None
    if STATISTICS[statistic].bin_edges is not None:
        percentiles = {each: float(np.percentile(values.values, each)) for each in PERCENTILES}
    return ValueSummary(len(values.values), float(values.values.mean()), percentiles)


def brightness_and_contrast(image: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of the luma, 0 to 255, of uint8 RGB (height, width, 3); see CONTRAST_PX.

    Luma is the sum of the stored (sRGB) values with the weights of Rec. 709.
    """
    scale = min(1, CONTRAST_PX / max(image.shape))
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    thumbnail = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return float(np.array(cv2.mean(image)[:3]) @ REC709_LUMINANCE), float((thumbnail @ REC709_LUMINANCE).std())


def _images_with_objects(
    files: Sequence[reader.CocoFile],
) -> Iterator[tuple[reader.CocoImage, list[tuple[str, reader.Annotation]]]]:
    """Yield every image with the class and the annotation of each object in it."""
    for file in files:
        names = {category.id: category.name for category in file.categories}
        annotations = file.annotations_by_image()
        for image in file.images:
            yield image, [(names[each.category_id], each) for each in annotations[image.id] if not each.iscrowd]


def _object_values(annotation: reader.Annotation, image: reader.CocoImage) -> dict[str, float]:
    """Return the value of each statistic that an annotation has."""
    x, y, width, height = annotation.bbox
    near_sides = (x / image.width, y / image.height)
    far_sides = (1 - (x + width) / image.width, 1 - (y + height) / image.height)
    values = {
        "box_height": height / image.height,
        "box_height_px": height,
        "height_to_width": height / width,
        "at_edge": float(min(*near_sides, *far_sides) <= EDGE_TOLERANCE),
    }
    # Rendered objects have these keys. Sets of others may use the same names for values that are not numbers.
    optional = {key: annotation.model_extra.get(key) for key in ("truncated", "visible_fraction", "distance_m")}
    return values | {key: float(value) for key, value in optional.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float) and abs(value) < MAX_NUMBER


def _count_attributes(images: Sequence[reader.CocoImage]) -> dict[str, Counter[str]]:
    counts = {key: Counter(kind for image in images if (kind := _attribute(image, key))) for key in SCENE_ATTRIBUTES}
    return {key: kinds for key, kinds in counts.items() if kinds}


def _attribute(image: reader.CocoImage, key: str) -> str | None:
    value: Any = image.model_extra.get(key)
    value = value.get("scene") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def _to_statistic_values(column: Sequence[tuple[float, int]]) -> StatisticValues:
    values, image_indices = zip(*column, strict=True)
    return StatisticValues(np.array(values, float), np.array(image_indices, np.int64))


def _measure_images(name: str, files: Sequence[image_check.ImageFile], threads: int) -> Iterator[tuple[float, float]]:
    """Yield brightness and contrast of each image. All are read before damaged ones are named, at most ten."""
    remarks = Remarks()

    def measure(file: image_check.ImageFile) -> tuple[float, float] | image_files.ImageFileError:
        try:
            return brightness_and_contrast(file.read(remarks))
        except image_files.ImageFileError as error:
            return error

    damaged = []
    # Threads and not processes: decoding and shrinking release Python's global lock.
    with ThreadPoolExecutor(threads) as pool:
        for values in track(pool.map(measure, files), len(files), f"images of {name}"):
            if isinstance(values, image_files.ImageFileError):
                damaged.append(f"{name}: {values}")
            else:
                yield values
    if damaged:
        raise image_files.ImageFileError(at_most_ten(damaged))
    remarks.log()
