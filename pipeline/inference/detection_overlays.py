# SPDX-License-Identifier: Apache-2.0
"""Detections as objects to draw on their image."""

from collections.abc import Sequence

import numpy as np

from pipeline.coco import reader
from pipeline.viz.overlays import OverlayObject, class_color


def detection_overlays(
    detections: Sequence[reader.Detection],
    image: reader.CocoImage,
    categories: Sequence[reader.Category],
    *,
    with_names: bool,
) -> list[OverlayObject]:
    """Return what to draw for the detections of one image. The highest score comes last, so it is on top.

    The text is the score, with `with_names` after the name of the category.

    Raises:
        CocoError: a mask that cannot be decoded.
    """
    indices = {category.id: index for index, category in enumerate(categories)}
    names = {category.id: f"{category.name} " if with_names else "" for category in categories}
    return [
        OverlayObject(
            text=f"{names[each.category_id]}{each.score:.2f}",
            color_rgb=class_color(indices[each.category_id]),
            box=each.bbox,
            mask=_mask(each, image),
        )
        for each in sorted(detections, key=lambda each: each.score)
    ]


def _mask(detection: reader.Detection, image: reader.CocoImage) -> np.ndarray | None:
    if detection.segmentation is None:
        return None
    where = f"prediction for {image.file_name}, score {detection.score}: mask"
    return reader.decode_segmentation(detection.segmentation, image.height, image.width, where)
