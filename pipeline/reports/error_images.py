# SPDX-License-Identifier: Apache-2.0
"""The worst errors of a model as images: false alarms with the highest confidence, and the largest missed objects."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pipeline.coco import reader
from pipeline.coco.image_check import ImageFile
from pipeline.common.image_files import ImageFileError
from pipeline.evaluation.false_alarms import FalseAlarm, list_false_alarms, list_misses
from pipeline.evaluation.matching import match_class
from pipeline.reports.evaluation_page import KIND_TEXTS, ErrorImage
from pipeline.reports.example_images import EXAMPLE_PX, draw_scaled, jpeg_uri
from pipeline.viz.formatting import display_name
from pipeline.viz.overlays import OverlayObject, class_color

IMAGES_PER_HEADING = 9
ERROR_RGB = (225, 0, 130)  # magenta: no class has it


def worst_errors(
    ground_truth: reader.CocoFile,
    files: Mapping[reader.Id, ImageFile],
    detections: Sequence[reader.Detection],
    thresholds: Mapping[str, float],
) -> dict[str, list[ErrorImage]]:
    """Return heading -> images, for each class that `thresholds` names.

    Args:
        files: of the images that can be read; errors in other images are left out.
        thresholds: class name -> detections with a lower confidence do not count.
    """
    errors = {}
    for category in (each for each in ground_truth.categories if each.name in thresholds):
        matches = match_class(ground_truth, detections, category.id, "box")
        alarms = list_false_alarms(ground_truth, detections, matches, thresholds[category.name])
        misses = list_misses(ground_truth, matches, thresholds[category.name])
        drawings = {
            "False alarms": (_draw_false_alarm(ground_truth, files, detections, alarm) for alarm in alarms),
            "Missed": (
                _draw(ground_truth, files, miss.image, "missed", ground_truth.annotations[miss.annotation].bbox)
                for miss in misses
            ),
        }
        for noun, images in drawings.items():
            if shown := _first(images, IMAGES_PER_HEADING):
                errors[f"{noun}: {display_name(category.name)}s"] = shown
    return errors


def _first(images: Iterator[ErrorImage | None], count: int) -> list[ErrorImage]:
    """Return the first images that can be drawn. The others are never read."""
    shown: list[ErrorImage] = []
    while len(shown) < count and (image := next(images, StopIteration)) is not StopIteration:
        if image is not None:
            shown.append(image)
    return shown


def _draw_false_alarm(
    ground_truth: reader.CocoFile,
    files: Mapping[reader.Id, ImageFile],
    detections: Sequence[reader.Detection],
    alarm: FalseAlarm,
) -> ErrorImage | None:
    text = f"{alarm.score:.2f}, {KIND_TEXTS[alarm.kind]}"
    return _draw(ground_truth, files, alarm.image, text, detections[alarm.detection].bbox)


def _draw(
    ground_truth: reader.CocoFile,
    files: Mapping[reader.Id, ImageFile],
    image_index: int,
    text: str,
    box: Sequence[float],
) -> ErrorImage | None:
    """Draw a box on an image, and thin boxes of its annotated objects; None if the image cannot be read."""
    image = ground_truth.images[image_index]
    try:
        pixels: np.ndarray = files[image.id].read()
    except (KeyError, ImageFileError):
        return None
    colors = {category.id: class_color(index) for index, category in enumerate(ground_truth.categories)}
    objects = [
        OverlayObject("", colors[each.category_id], each.bbox)
        for each in ground_truth.annotations_by_image()[image.id]
        if not each.iscrowd
    ]
    drawn = draw_scaled(pixels, [*objects, OverlayObject(text, ERROR_RGB, tuple(box))], EXAMPLE_PX)
    return ErrorImage(jpeg_uri(drawn), f"{image.file_name}: {text}")
