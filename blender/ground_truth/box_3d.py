# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D box of an object: around all its vertices, along the axes of its own frame."""

import bpy
import numpy as np

from blender.camera.camera import CLIP_START_M, world_to_pixels


def box_corners_m(root: bpy.types.Object, points_m: np.ndarray) -> np.ndarray:
    """Return the corners (8, 3) in the world of the box around `points_m` (N, 3, world) in the axes of `root`.

    Corner k is at the high end of x, y, z where bit 0, 1, 2 of k is set.
    """
    world = np.array(root.matrix_world)
    own = (points_m - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T
    ends = np.array([own.min(0), own.max(0)])
    bits = np.arange(8)[:, None] >> np.arange(3) & 1
    return ends[bits, np.arange(3)] @ world[:3, :3].T + world[:3, 3]


def measure_corners(corners: np.ndarray, camera: dict) -> list[dict]:
    """Return pipeline's `BoxCorner`s of eight world corners (8, 3): pixels, and depth along the optical axis."""
    pixels, depths_m = world_to_pixels(camera, corners)
    measured = []
    for (u, v), depth_m in zip(pixels, depths_m, strict=True):
        u_px, v_px = (round(float(u), 2), round(float(v), 2)) if depth_m > CLIP_START_M else (None, None)
        measured.append({"u_px": u_px, "v_px": v_px, "depth_m": round(float(depth_m), 3)})
    return measured
