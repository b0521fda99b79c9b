# SPDX-License-Identifier: GPL-3.0-or-later
"""COCO's 17 keypoints of a person as the camera sees them: pixel and visibility (built by `blender.people.joints`)."""

import bpy
import numpy as np

from blender.camera import rays
from blender.camera.camera import CLIP_START_M, world_to_pixels
from blender.people.joints import KEYPOINT_NAMES, PROPERTY

# A joint without a pixel of its person this near is not visible: only slivers narrower than a pixel show of it.
REACH_PX = 2


def measure_keypoints(root: bpy.types.Object, camera: dict, visible: np.ndarray) -> list[dict] | None:
    """Return pipeline's `Keypoint`s of the object under `root`, in COCO's order; None if it has none.

    `visible`: its pixels in the image, bool (height, width).
    """
    empties = {child[PROPERTY]: child for child in root.children if PROPERTY in child}
    if not empties:
        return None
    points_m = np.array([empties[name].matrix_world.translation for name in KEYPOINT_NAMES])
    pixels, depths_m = world_to_pixels(camera, points_m)
    # Before it is told what is in the frame: 319.997 of 320 is written as 320, which is outside.
    pixels = np.round(pixels, 2)
    measured, (height, width) = [], visible.shape
    for name, point_m, (u, v), depth_m in zip(KEYPOINT_NAMES, points_m, pixels, depths_m, strict=True):
        if depth_m <= CLIP_START_M:
            measured.append({"u_px": None, "v_px": None, "visibility": 0})
            continue
        inside = 0 <= u < width and 0 <= v < height
        shown = inside and visible[_window(u, v)].any()
        seen = shown and _in_plain_view(camera, point_m, root.name, empties[name].empty_display_size)
        measured.append({"u_px": float(u), "v_px": float(v), "visibility": int(inside) + int(seen)})
    return measured


def _window(u_px: float, v_px: float) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels near a place in the frame."""
    return tuple(slice(max(int(place) - REACH_PX, 0), int(place) + REACH_PX + 1) for place in (v_px, u_px))


def _in_plain_view(camera: dict, point_m: np.ndarray, root_name: str, depth_m: float) -> bool:
    hit = rays.first_ray_hit(camera, point_m)
    return hit is None or (hit.root == root_name and hit.before_m <= depth_m)
