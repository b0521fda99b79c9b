# SPDX-License-Identifier: GPL-3.0-or-later
"""How far motion blur and defocus blur spread an object beyond its silhouette, as a tolerance for the audit."""

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

# As a share of the frame. Points in this margin around the frame count: edges that reach into it may end there.
FRAME_MARGIN = 0.25


def max_blur_px(camera: dict, points_m: np.ndarray, width: int, height: int) -> float:
    """Return the largest distance, in pixels, between an object's points in mid-exposure and where blur shows them.

    `points_m` are world points (N, 3). Motion blur and defocus blur add up. The result is 0 if both are off, or if no
    point is near the frame.
    """
    if not is_moving(camera) and camera["aperture_f"] is None:
        return 0.0
    pixels, depth_m = world_to_pixels(camera, points_m)
    size = np.array([width, height])
    near = (
        (pixels > -FRAME_MARGIN * size).all(1) & (pixels < (1 + FRAME_MARGIN) * size).all(1) & (depth_m > CLIP_START_M)
    )
    if not near.any():
        return 0.0
    points_m, pixels = points_m[near], pixels[near]
    motion_px = max(np.linalg.norm(ends - pixels, axis=1).max() for ends in _shutter_pixels(camera, points_m))
    focus_px = max(np.linalg.norm(rim - pixels, axis=1).max() for rim in _aperture_rim_pixels(camera, points_m, width))
    return float(motion_px + focus_px)


def _shutter_pixels(camera: dict, points_m: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the pixel positions (N, 2) of points when the shutter opens and when it closes."""
    for exposure_fraction in (-0.5, 0.5):
        yield world_to_pixels(camera_at_shutter(camera, exposure_fraction), points_m)[0]


def _aperture_rim_pixels(camera: dict, points_m: np.ndarray, width: int) -> Iterator[np.ndarray]:
    """Yield the pixel positions (N, 2) of points as seen from four places on the rim of the aperture.

    A thin lens of radius a that is focused at depth f shows a point at depth d as a disc of radius a |1/f - 1/d| in the
    plane at depth 1 (Potmesil and Chakravarty 1981).
    """
    camera_points = world_to_camera(camera, points_m)
    if camera["aperture_f"] is None:
        yield camera_to_pixels(camera, camera_points)
        return
    lens_m = camera["fx_px"] * SENSOR_WIDTH_MM / width / 1000
    disc = lens_m / (2 * camera["aperture_f"]) * np.abs(1 / camera["focus_m"] - 1 / camera_points[:, 2])
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        yield camera_to_pixels(
            camera, camera_points + np.c_[x * disc, y * disc, np.zeros(len(disc))] * camera_points[:, 2:]
        )
