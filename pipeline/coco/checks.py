# SPDX-License-Identifier: Apache-2.0
"""The strict check of COCO files and results: what is wrong in entries that have the right types."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.coco.entries import BOX_TOLERANCE_PX, MAX_SIDE_PX, Annotation, CocoImage, Detection, Id
from pipeline.coco.masks import describe_image, extent, may_be_shares, rle_problems, segmentation_problems

if TYPE_CHECKING:
    from pipeline.coco.reader import CocoFile

# Boxes of detectors reach outside their image by this share of their shorter side, hardly by more.
DETECTION_OVERHANG = 0.5
# Boxes and polygons of an object differ by less than this, because tools round them differently.
SURE_SIDE_PX = 2
NO_PIXEL_BOXES = "COCO boxes are x, y, width, height in pixels"


def problems(coco: "CocoFile") -> Iterator[str]:
    """Yield what is wrong with a COCO file."""
    images = {image.id: image for image in coco.images}
    if kind := _other_kind_of_box(coco.annotations, images, lambda annotation: BOX_TOLERANCE_PX):
        yield f"bbox: all boxes seem to be {kind}; {NO_PIXEL_BOXES}: convert them"
        return
    yield from (f"image {image.id!r}: file_name: empty" for image in coco.images if not image.file_name)
    yield from (f"category {category.id!r}: name: empty" for category in coco.categories if not category.name)
    yield from _duplicates("image id", (image.id for image in coco.images))
    yield from _duplicates("annotation id", (annotation.id for annotation in coco.annotations))
    yield from _duplicates("category id", (category.id for category in coco.categories))
    yield from _duplicates("category name", (category.name for category in coco.categories))
    categories = {category.id for category in coco.categories}
    for annotation in coco.annotations:
        image = images.get(annotation.image_id)
        if annotation.category_id not in categories:
            yield f"annotation {annotation.id}: category {annotation.category_id} is not in the file's categories"
        if image is None:
            yield f"annotation {annotation.id}: image {annotation.image_id} is not in the file's images"
        else:
            yield from (f"annotation {annotation.id}: {reason}" for reason in _geometry_problems(annotation, image))


def _geometry_problems(annotation: Annotation, image: CocoImage) -> Iterator[str]:
    if annotation.bbox[2] <= 0 or annotation.bbox[3] <= 0:
        yield f"bbox {list(annotation.bbox)} has no area ({NO_PIXEL_BOXES})"
    elif _overhang(annotation, image) > BOX_TOLERANCE_PX:
        yield f"bbox {list(annotation.bbox)} reaches outside {describe_image(image)} ({NO_PIXEL_BOXES})"
    if _has_polygons_in_shares(annotation):
        yield "segmentation: polygons seem to be shares of the image's size, 0 to 1; COCO has pixels: convert them"
        return
    if annotation.segmentation is not None:
        yield from segmentation_problems(annotation.segmentation, image)


def _overhang(annotation: Annotation | Detection, image: CocoImage) -> float:
    """Return by how many pixels a box reaches outside its image, negative if it does not."""
    x, y, width, height = annotation.bbox
    return -min(x, y, image.width - x - width, image.height - y - height)


def _other_kind_of_box(
    entries: Sequence[Annotation | Detection],
    images: Mapping[Id, CocoImage],
    tolerance: Callable[[Annotation | Detection], float],
) -> str | None:
    """Return what all boxes of a file seem to be, if it is not x, y, width, height in pixels.

    `tolerance`: by how many pixels a box may reach outside its image.
    """
    boxes = [entry.bbox for entry in entries]
    if boxes and all(min(box) >= 0 and max(box) <= 1 for box in boxes) and not all(map(_is_whole, boxes)):
        return "shares of the image's size, 0 to 1"
    # Each test ends at the first box that is right.
    polygons = [entry for entry in entries if isinstance(entry.segmentation, list)]
    if polygons and all(map(_has_corners_of_its_polygons, polygons)):
        return "corners (x1, y1, x2, y2)"
    if all(_are_corners(each, images.get(each.image_id)) for each in entries) and any(
        _overhang(each, images[each.image_id]) > tolerance(each) for each in entries
    ):
        return "corners (x1, y1, x2, y2)"
    return None


def _has_polygons_in_shares(annotation: Annotation) -> bool:
    polygons = annotation.segmentation
    is_large = isinstance(polygons, list) and min(annotation.bbox[2:]) > SURE_SIDE_PX
    return is_large and all(may_be_shares(extent(polygon)) for polygon in polygons)


def _has_corners_of_its_polygons(annotation: Annotation) -> bool:
    """Whether a box fits the polygons of its object if it is read as corners, and not if it is read as COCO's box."""
    left, right, top, bottom = extent([value for polygon in annotation.segmentation for value in polygon])
    x, y, third, fourth = annotation.bbox
    is_box = max(abs(x + third - right), abs(y + fourth - bottom)) <= SURE_SIDE_PX
    corners = (x - left, y - top, third - right, fourth - bottom)
    return not is_box and max(map(abs, corners)) <= SURE_SIDE_PX


def _is_whole(box: Sequence[float]) -> bool:
    return all(side == int(side) for side in box)


def _are_corners(annotation: Annotation | Detection, image: CocoImage | None) -> bool:
    if image is None:
        return False
    x1, y1, x2, y2 = annotation.bbox
    return 0 <= x1 < x2 <= image.width + BOX_TOLERANCE_PX and 0 <= y1 < y2 <= image.height + BOX_TOLERANCE_PX


def result_problems(detections: Sequence[Detection], coco: "CocoFile") -> Iterator[str]:
    """Yield what is wrong with COCO results for the images of `coco`."""
    images = {image.id: image for image in coco.images}
    categories = {category.id for category in coco.categories}
    # Detectors that do not cut their boxes at the border leave the image by a part of the box.
    if kind := _other_kind_of_box(detections, images, lambda detection: DETECTION_OVERHANG * min(detection.bbox[2:])):
        yield f"bbox: all boxes seem to be {kind}; {NO_PIXEL_BOXES}: convert them"
        return
    for number, detection in enumerate(detections):
        image = images.get(detection.image_id)
        if detection.category_id not in categories:
            yield f"[{number}]: category {detection.category_id} is not in {coco.path}"
        if min(detection.bbox[2:]) < 0 or max(map(abs, detection.bbox)) > MAX_SIDE_PX:
            yield f"[{number}]: bbox {list(detection.bbox)} is no box in an image ({NO_PIXEL_BOXES})"
        if image is None:
            yield f"[{number}]: image {detection.image_id} is not in {coco.path}"
        elif detection.segmentation is not None:
            yield from (f"[{number}]: {reason}" for reason in rle_problems(detection.segmentation, image))


def _duplicates(noun: str, values: Iterable[int | str]) -> Iterator[str]:
    counts = Counter(values)
    yield from (f"{noun} {value!r} is used {count} times" for value, count in counts.items() if count > 1)
