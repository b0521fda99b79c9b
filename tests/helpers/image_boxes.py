# SPDX-License-Identifier: Apache-2.0
"""Image boxes of the boxes around objects."""

import numpy as np

from pipeline.record.scene import Camera
from pipeline.scenes.cameras.projection import projected_boxes
from pipeline.scenes.geometry.boxes import Boxes


def image_box(camera: Camera, boxes: Boxes) -> np.ndarray:
    """Return (left, top, right, bottom) in pixels of `boxes`, also beyond the frame; NaN if behind the camera."""
    return projected_boxes(camera, boxes.corners_m()[None])[0]
