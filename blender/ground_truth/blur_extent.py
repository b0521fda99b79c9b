# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the camera's motion and its focus smear an object: what the audit must allow beyond its silhouette."""

from collections.abc import Iterator

import numpy as np

from blender.camera.camera import (
    CLIP_START_M,
    SENSOR_WIDTH_MM,
    camera_at_shutter,
    camera_to_pixels,
    is_moving,
    world_to_camera,
    world_to_pixels,
)

# Points up to this share of a frame beside it count: edges that reach into the frame may end there.
BESIDE = 0.25


def max_blur_px(camera: dict, points_m: np.ndarray, width: int, height: int) -> float:
    """Return how far points (N, 3) of an object are smeared from where they are in mid-exposure, in pixels, at most.

    Motion and focus add up. 0 if both are off, or if no point is near the frame.
    """
    if not is_moving(camera) and camera["aperture_f"] is None:
        return 0.0
    pixels, depth_m = world_to_pixels(camera, points_m)
    size = np.array([width, height])
    near = (pixels > -BESIDE * size).all(1) & (pixels < (1 + BESIDE) * size).all(1) & (depth_m > CLIP_START_M)
    if not near.any():
        return 0.0
    points_m, pixels = points_m[near], pixels[near]
    motion_px = max(np.linalg.norm(ends - pixels, axis=1).max() for ends in _ends(camera, points_m))
    focus_px = max(np.linalg.norm(rim - pixels, axis=1).max() for rim in _rims(camera, points_m, width))
    return float(motion_px + focus_px)


def _ends(camera: dict, points_m: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the pixels (N, 2) of points when the shutter opens and when it closes."""
    for share in (-0.5, 0.5):
        yield world_to_pixels(camera_at_shutter(camera, share), points_m)[0]


def _rims(camera: dict, points_m: np.ndarray, width: int) -> Iterator[np.ndarray]:
    """Yield the pixels (N, 2) of points as four places on the rim of the aperture see them.

    A thin lens of radius a that is sharp at f sees a point at depth d in the directions of a disc of radius
    a |1/f - 1/d| (Potmesil and Chakravarty 1981).
    """
    seen = world_to_camera(camera, points_m)
    if camera["aperture_f"] is None:
        yield camera_to_pixels(camera, seen)
        return
    lens_m = camera["fx_px"] * SENSOR_WIDTH_MM / width / 1000
    disc = lens_m / (2 * camera["aperture_f"]) * np.abs(1 / camera["focus_m"] - 1 / seen[:, 2])
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        yield camera_to_pixels(camera, seen + np.c_[x * disc, y * disc, np.zeros(len(disc))] * seen[:, 2:])
