# SPDX-License-Identifier: Apache-2.0
"""The images of the report as JPEG data URIs: which ones are shown, and what is drawn on them."""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from pipeline.coco import reader
from pipeline.common import image_files
from pipeline.inference.detection_overlays import detection_overlays
from pipeline.viz.formatting import display_name
from pipeline.viz.overlays import CROWD_RGB, OverlayObject, class_color, draw_overlay

Item = TypeVar("Item")

# Images are drawn near the size in which the page shows them, so that lines are neither lost nor blurred.
EXAMPLE_PX = 480
COMPARISON_PX = 640
JPEG_QUALITY = 82


def evenly_spaced(items: Sequence[Item], count: int) -> list[Item]:
    """Return `count` items (or all, if there are fewer) at equal steps. The ends are half a step away."""
    count = min(count, len(items))
    return [items[(2 * number + 1) * len(items) // (2 * count)] for number in range(count)]


def evenly_spaced_with_all_rigs(images: Sequence[reader.CocoImage], count: int) -> list[reader.CocoImage]:
    """Return images at equal steps. A rig that none of them shows gets one image, in place of the nearest one."""
    chosen = evenly_spaced(images, count)
    by_rig: dict[str, list[reader.CocoImage]] = {}
    for image in images:
        by_rig.setdefault(image.model_extra["rig"], []).append(image)
    for rig in sorted(by_rig):
        rig_counts = Counter(image.model_extra["rig"] for image in chosen)
        # The only image of a rig stays. With fewer images than rigs, some rigs are not shown.
        replaceable = [image for image in chosen if rig_counts[image.model_extra["rig"]] > 1]
        if not rig_counts[rig] and replaceable:
            middle_image = by_rig[rig][len(by_rig[rig]) // 2]
            chosen.remove(min(replaceable, key=lambda image: abs(image.id - middle_image.id)))
            chosen.append(middle_image)
    return sorted(chosen, key=lambda image: image.id)


def labeled_examples(file: reader.CocoFile, data: Path, count: int) -> Iterator[dict[str, str]]:
    """Yield `uri` and `text` of images with their ground truth. File names are relative to `data`.

    Raises:
        CocoError, ImageFileError: a mask or an image that cannot be read.
    """
    annotations = file.annotations_by_image()
    for image in evenly_spaced_with_all_rigs(file.images, count):
        overlays = _ground_truth_overlays(file, image, annotations[image.id])
        name = ", ".join((_image_name(image), image.model_extra["rig"], image.model_extra["layout"]))
        text = f"{name}: {object_count_text(file, annotations[image.id])}"
        yield {"uri": jpeg_uri(image_with_overlays(data / image.file_name, overlays, EXAMPLE_PX)), "text": text}


def prediction_comparisons(
    file: reader.CocoFile, detections: Sequence[reader.Detection], data: Path, count: int, min_score: float
) -> Iterator[dict[str, str]]:
    """Yield ground truth and predictions of images at equal steps: name, a data URI of each and what each shows.

    Raises:
        CocoError, ImageFileError: a mask or an image that cannot be read.
    """
    annotations = file.annotations_by_image()
    for image in evenly_spaced(file.images, count):
        found = [each for each in detections if each.image_id == image.id and each.score >= min_score]
        image_path = data / image.file_name
        ground_truth = _ground_truth_overlays(file, image, annotations[image.id])
        predictions = detection_overlays(found, image, file.categories, with_names=False)
        yield {
            "name": _image_name(image),
            "ground_truth_uri": jpeg_uri(image_with_overlays(image_path, ground_truth, COMPARISON_PX)),
            "ground_truth": object_count_text(file, annotations[image.id]),
            "predicted_uri": jpeg_uri(image_with_overlays(image_path, predictions, COMPARISON_PX)),
            "predicted": object_count_text(file, found),
        }


def object_count_text(file: reader.CocoFile, objects: Sequence[Any]) -> str:
    """Return how many annotations or detections of each category there are: `2 pedestrians, 1 pallet truck`."""
    counts = Counter(each.category_id for each in objects if not getattr(each, "iscrowd", 0))
    named = [(counts[category.id], display_name(category.name)) for category in file.categories if counts[category.id]]
    parts = [f"{number} {name}{'s' if number > 1 else ''}" for number, name in named]
    if ignored := sum(getattr(each, "iscrowd", 0) for each in objects):
        parts.append(f"{ignored} ignored")
    return ", ".join(parts) or "nothing"


def jpeg_uri(image: np.ndarray) -> str:
    """Return an image, uint8 RGB (height, width, 3), as a `data:` URI."""
    _, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode('ascii')}"


def _image_name(image: reader.CocoImage) -> str:
    return Path(image.file_name).stem


def _ground_truth_overlays(
    file: reader.CocoFile, image: reader.CocoImage, annotations: Sequence[reader.Annotation]
) -> list[OverlayObject]:
    colors = {category.id: class_color(index) for index, category in enumerate(file.categories)}
    return [
        OverlayObject(
            "", CROWD_RGB if each.iscrowd else colors[each.category_id], each.bbox, file.decode_mask(each, image)
        )
        for each in annotations
    ]


def image_with_overlays(path: Path, overlays: Sequence[OverlayObject], long_side_px: int) -> np.ndarray:
    """Return the image, uint8 RGB, scaled to this longer side, with the overlays.

    It is scaled before drawing, so lines and text are sharp for any size of the rendered image.
    """
    return draw_scaled(image_files.read_image(path), overlays, long_side_px)


def draw_scaled(image: np.ndarray, overlays: Sequence[OverlayObject], long_side_px: int) -> np.ndarray:
    """Return `image`, uint8 RGB, scaled to this longer side, with the overlays, which are given in its pixels."""
    scale = long_side_px / max(image.shape)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return draw_overlay(resized, [_resize_overlay(each, scale, size) for each in overlays])


def _resize_overlay(overlay: OverlayObject, scale: float, size: tuple[int, int]) -> OverlayObject:
    box = tuple(side * scale for side in overlay.box)
    mask = None if overlay.mask is None else cv2.resize(overlay.mask, size, interpolation=cv2.INTER_LINEAR)
    return OverlayObject(overlay.text, overlay.color_rgb, box, mask)
