# SPDX-License-Identifier: Apache-2.0
"""A camera with known axes, and the image boxes of objects."""

import numpy as np

from pipeline.record.base_types import Vec3
from pipeline.record.scene import Camera
from pipeline.scenes.cameras.projection import projected_boxes
from pipeline.scenes.cameras.rigs import camera_rotation
from pipeline.scenes.geometry.boxes import Boxes


def camera(heading: float = 0.0, pitch: float = 0.0, roll: float = 0.0, position: Vec3 = (0.0, 0.0, 1.0)) -> Camera:
    """Return a pinhole camera with 384 x 288 pixels and a horizontal field of view of 90 degrees."""
    matrix = tuple(map(tuple, camera_rotation(heading, pitch, roll).tolist()))
    return Camera(rig="handheld", fx_px=192, fy_px=192, cx_px=192, cy_px=144, position_m=position, rotation=matrix)


def image_box(seen_by: Camera, boxes: Boxes) -> np.ndarray:
    """Return (left, top, right, bottom) in pixels of `boxes`, also beyond the frame; NaN if behind the camera."""
    return projected_boxes(seen_by, boxes.corners_m()[None])[0]
