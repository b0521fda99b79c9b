# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure COCO's 17 keypoints of a person: pixel position and visibility.

`blender.people.joints` marks the keypoints by empties, children of the person's root.
"""

import bpy
import numpy as np

from blender.camera import rays
from blender.camera.camera import CLIP_START_M, world_to_pixels
from blender.people.joints import KEYPOINT_NAMES, PROPERTY

# A keypoint is visible only if its person has a pixel within this distance, across and down.
NEARBY_PX = 2


def measure_keypoints(root: bpy.types.Object, camera: dict, visible: np.ndarray) -> list[dict] | None:
    """Return pipeline's `Keypoint` of each keypoint of a person, in COCO's order; None for objects without keypoints.

    `visible` (H, W) bool are the pixels of the object in the image. The visibility follows COCO: 0 outside the frame,
    1 inside but hidden, 2 visible.
    """
    empties = {child[PROPERTY]: child for child in root.children if PROPERTY in child}
    if not empties:
        return None
    points_m = np.array([empties[name].matrix_world.translation for name in KEYPOINT_NAMES])
    pixels, depths_m = world_to_pixels(camera, points_m)
    # Round first: 319.997 in a frame 320 pixels wide is written as 320, which is outside.
    pixels = np.round(pixels, 2)
    measured, (height, width) = [], visible.shape
    for name, point_m, (u, v), depth_m in zip(KEYPOINT_NAMES, points_m, pixels, depths_m, strict=True):
        if depth_m <= CLIP_START_M:
            measured.append({"u_px": None, "v_px": None, "visibility": 0})
            continue
        inside = 0 <= u < width and 0 <= v < height
        has_pixel_nearby = inside and visible[_nearby_pixels(u, v)].any()
        unoccluded = has_pixel_nearby and _is_unoccluded(camera, point_m, root.name, empties[name].empty_display_size)
        measured.append({"u_px": float(u), "v_px": float(v), "visibility": int(inside) + int(unoccluded)})
    return measured


def _nearby_pixels(u_px: float, v_px: float) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels near a position in the frame."""
    return tuple(slice(max(int(position) - NEARBY_PX, 0), int(position) + NEARBY_PX + 1) for position in (v_px, u_px))


def _is_unoccluded(camera: dict, point_m: np.ndarray, root_name: str, depth_m: float) -> bool:
    """Return whether no other object hides a keypoint, nor its own person by more than `depth_m`."""
    hit = rays.first_ray_hit(camera, point_m)
    return hit is None or (hit.root_name == root_name and hit.distance_before_m <= depth_m)
