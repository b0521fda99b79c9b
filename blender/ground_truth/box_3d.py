# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D box of an object: it encloses all vertices and is aligned with the axes of the object's own frame."""

import bpy
import numpy as np

from blender.camera.camera import CLIP_START_M, world_to_pixels


def box_corners_m(root: bpy.types.Object, points_m: np.ndarray) -> np.ndarray:
    """Return the corners (8, 3), in world coordinates, of the box around world points (N, 3) in the axes of `root`.

    Corner k is at the upper end of x, y or z if bit 0, 1 or 2 of k is set.
    """
    world = np.array(root.matrix_world)
    local_points = (points_m - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
    ends = np.array([local_points.min(0), local_points.max(0)])
    bits = np.arange(8)[:, None] >> np.arange(3) & 1
    return ends[bits, np.arange(3)] @ world[:3, :3].T + world[:3, 3]


def measure_corners(corners: np.ndarray, camera: dict) -> list[dict]:
    """Return pipeline's `BoxCorner` of each world corner (8, 3): pixel position, and depth along the optical axis.

    The pixel position of a corner behind the near plane is None.
    """
    pixels, depths_m = world_to_pixels(camera, corners)
    measured = []
    for (u, v), depth_m in zip(pixels, depths_m, strict=True):
        u_px, v_px = (round(float(u), 2), round(float(v), 2)) if depth_m > CLIP_START_M else (None, None)
        measured.append({"u_px": u_px, "v_px": v_px, "depth_m": round(float(depth_m), 3)})
    return measured
