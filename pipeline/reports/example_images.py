# SPDX-License-Identifier: Apache-2.0
"""The report's images: which ones, with what drawn on them, as JPEG data URIs."""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from faster_coco_eval import mask as coco_mask

from pipeline.coco import reader
from pipeline.viz.charts import display_name
from pipeline.viz.overlays import CROWD_RGB, OverlayObject, class_color, draw_overlay

Item = TypeVar("Item")

# Drawn near the size that the page shows them in, so that lines are neither lost nor blurred.
EXAMPLE_PX = 480
COMPARISON_PX = 640
JPEG_QUALITY = 82


def evenly_spaced(items: Sequence[Item], count: int) -> list[Item]:
    """Return `count` items (or all, if there are fewer) at equal steps, as far from the ends as from each other."""
    count = min(count, len(items))
    return [items[(2 * place + 1) * len(items) // (2 * count)] for place in range(count)]


def evenly_spaced_with_all_rigs(images: Sequence[reader.CocoImage], count: int) -> list[reader.CocoImage]:
    """Return images at equal steps; where that leaves out a rig, one of its images takes its neighbour's place."""
    chosen = evenly_spaced(images, count)
    by_rig: dict[str, list[reader.CocoImage]] = {}
    for image in images:
        by_rig.setdefault(image.model_extra["rig"], []).append(image)
    for rig in sorted(by_rig):
        rigs = Counter(image.model_extra["rig"] for image in chosen)
        # A rig's only image stays; with fewer places than rigs some rig stays out.
        replaceable = [image for image in chosen if rigs[image.model_extra["rig"]] > 1]
        if not rigs[rig] and replaceable:
            middle = by_rig[rig][len(by_rig[rig]) // 2]
            chosen.remove(min(replaceable, key=lambda image: abs(image.id - middle.id)))
            chosen.append(middle)
    return sorted(chosen, key=lambda image: image.id)


def labelled_examples(file: reader.CocoFile, data: Path, count: int) -> Iterator[dict[str, str]]:
    """Yield `uri` and `text` of images with their true masks.

    Raises:
        CocoError: an image or a mask that cannot be read.
    """
    annotations = file.annotations_by_image()
    for image in evenly_spaced_with_all_rigs(file.images, count):
        truth = _true_marks(file, image, annotations[image.id])
        facts = (_name(image), image.model_extra["rig"], image.model_extra["layout"])
        text = f"{', '.join(facts)}: {object_count_text(file, annotations[image.id])}"
        yield {"uri": jpeg_uri(_drawn(data / image.file_name, truth, EXAMPLE_PX)), "text": text}


def prediction_comparisons(
    file: reader.CocoFile, detections: Sequence[reader.Detection], data: Path, count: int, min_score: float
) -> Iterator[dict[str, str]]:
    """Yield truth and predictions of images at equal steps: `name`, two data URIs and what each shows in words.

    Raises:
        CocoError: an image or a mask that cannot be read.
    """
    annotations = file.annotations_by_image()
    for image in evenly_spaced(file.images, count):
        found = [each for each in detections if each.image_id == image.id and each.score >= min_score]
        image_path = data / image.file_name
        truth = _true_marks(file, image, annotations[image.id])
        yield {
            "name": _name(image),
            "truth_uri": jpeg_uri(_drawn(image_path, truth, COMPARISON_PX)),
            "truth": object_count_text(file, annotations[image.id]),
            "predicted_uri": jpeg_uri(_drawn(image_path, _predicted_marks(file, image, found), COMPARISON_PX)),
            "predicted": object_count_text(file, found),
        }


def object_count_text(file: reader.CocoFile, objects: Sequence[Any]) -> str:
    """Return how many objects of each category there are: `2 pedestrians, 1 pallet truck`."""
    counts = Counter(each.category_id for each in objects if not getattr(each, "iscrowd", 0))
    named = [(counts[category.id], display_name(category.name)) for category in file.categories if counts[category.id]]
    words = [f"{number} {name}{'s' if number > 1 else ''}" for number, name in named]
    if crowds := sum(getattr(each, "iscrowd", 0) for each in objects):
        words.append(f"{crowds} ignored")
    return ", ".join(words) or "nothing"


def jpeg_uri(image: np.ndarray) -> str:
    """Return an image, uint8 RGB (height, width, 3), as a `data:` URI."""
    _, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode('ascii')}"


def _name(image: reader.CocoImage) -> str:
    return Path(image.file_name).stem


def _true_marks(
    file: reader.CocoFile, image: reader.CocoImage, annotations: Sequence[reader.Annotation]
) -> list[OverlayObject]:
    colors = _colors(file)
    return [
        OverlayObject("", CROWD_RGB if each.iscrowd else colors[each.category_id], each.bbox, file.mask(each, image))
        for each in annotations
    ]


def _predicted_marks(
    file: reader.CocoFile, image: reader.CocoImage, found: Sequence[reader.Detection]
) -> list[OverlayObject]:
    colors = _colors(file)
    return [
        OverlayObject(f"{each.score:.2f}", colors[each.category_id], each.bbox, _predicted_mask(each, image))
        for each in sorted(found, key=lambda each: each.score)
    ]


def _predicted_mask(detection: reader.Detection, image: reader.CocoImage) -> np.ndarray | None:
    if detection.segmentation is None:
        return None
    try:
        return coco_mask.decode(reader.to_rle(detection.segmentation, image.height, image.width))
    except (ValueError, RuntimeError) as error:
        raise reader.CocoError(f"prediction for {image.file_name}, score {detection.score}: mask: {error}") from None


def _colors(file: reader.CocoFile) -> dict[int, tuple[int, int, int]]:
    return {category.id: class_color(number) for number, category in enumerate(file.categories)}


def _drawn(path: Path, marks: Sequence[OverlayObject], long_side_px: int) -> np.ndarray:
    """Return the image with its marks, uint8 RGB, its longer side as long as asked for.

    It is resized before drawing: lines and figures stay sharp whatever the size of the rendered image.
    """
    image = reader.read_image(path)
    scale = long_side_px / max(image.shape)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return draw_overlay(resized, [_resized(mark, scale, size) for mark in marks])


def _resized(mark: OverlayObject, scale: float, size: tuple[int, int]) -> OverlayObject:
    box = tuple(side * scale for side in mark.box)
    mask = None if mark.mask is None else cv2.resize(mark.mask, size, interpolation=cv2.INTER_LINEAR)
    return OverlayObject(mark.text, mark.color_rgb, box, mask)
