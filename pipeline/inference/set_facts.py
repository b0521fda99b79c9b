# SPDX-License-Identifier: Apache-2.0
"""What the images of a set say beside the annotations: their brightness, and on rendered sets what lies under a box."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from pipeline.coco import reader
from pipeline.coco.image_check import ImageFile
from pipeline.common.color import REC709_LUMINANCE
from pipeline.common.image_files import ImageFileError
from pipeline.evaluation.summary import AssetLookup
from pipeline.inference.rendered_assets import asset_under, scene_of_image


def brightness_of_images(ground_truth: reader.CocoFile, files: Mapping[reader.Id, ImageFile]) -> list[float]:
    """Return the mean luma of each image, 0 to 255, NaN for those that cannot be read."""
    return [_brightness(files.get(image.id)) for image in ground_truth.images]


def _brightness(file: ImageFile | None) -> float:
    try:
        return float(np.array(cv2.mean(file.read())[:3]) @ REC709_LUMINANCE) if file else float("nan")
    except ImageFileError:
        return float("nan")


def asset_lookup(data: Path) -> AssetLookup:
    """Return a function that names the asset under a box of an image of the rendered set in folder `data`."""

    def lookup(image: reader.CocoImage, box: Sequence[float]) -> str | None:
        scene = scene_of_image(image, data)
        return asset_under(scene, box) if scene else None

    return lookup
