# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a record, in Blender and as a projection of points."""

import bpy
import numpy as np
from mathutils import Matrix

SENSOR_WIDTH_MM = 36.0
CLIP_START_M, CLIP_END_M = 0.02, 200.0

# Blender's camera looks along -z with y up; a record's (OpenCV's) along +z with y down.
OPENCV_TO_BLENDER = np.diag([1.0, -1.0, -1.0])


def build(camera: dict, width: int, height: int) -> bpy.types.Object:
    """Make the record's camera the scene's. Principal point and focal lengths are exact."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR_WIDTH_MM
    data.lens = camera["fx_px"] * SENSOR_WIDTH_MM / width
    data.clip_start, data.clip_end = CLIP_START_M, CLIP_END_M
    # Blender measures shifts in sensor widths, to the right and up, for both axes.
    data.shift_x = (width / 2 - camera["cx_px"]) / width
    data.shift_y = (camera["cy_px"] - height / 2) / width * camera["fx_px"] / camera["fy_px"]
    scene = bpy.context.scene
    scene.render.pixel_aspect_x = max(1.0, camera["fy_px"] / camera["fx_px"])
    scene.render.pixel_aspect_y = max(1.0, camera["fx_px"] / camera["fy_px"])

    made = bpy.data.objects.new("camera", data)
    pose = np.eye(4)
    pose[:3, :3] = np.array(camera["rotation"]) @ OPENCV_TO_BLENDER
    pose[:3, 3] = camera["position_m"]
    made.matrix_world = Matrix(pose.tolist())
    scene.collection.objects.link(made)
    scene.camera = made
    return made


def project(camera: dict, points_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project world points (N, 3): pixel coordinates (N, 2) and depth along the optical axis (N,) in metres.

    Points at a depth of 0 or less are behind the camera; their pixels mean nothing.
    """
    seen = seen_from(camera, points_m)
    depth_m = seen[:, 2]
    safe = np.c_[seen[:, :2], np.where(depth_m > 0, depth_m, 1.0)]
    return to_pixels(camera, safe), depth_m


def seen_from(camera: dict, points_m: np.ndarray) -> np.ndarray:
    """Return world points (N, 3) in camera axes (x right, y down, z forward), metres."""
    return (points_m - np.array(camera["position_m"])) @ np.array(camera["rotation"])


def to_pixels(camera: dict, seen: np.ndarray) -> np.ndarray:
    """Project points (..., 3) in camera axes, all before the camera, to pixel coordinates (..., 2)."""
    focal, center = (camera["fx_px"], camera["fy_px"]), (camera["cx_px"], camera["cy_px"])
    return seen[..., :2] / seen[..., 2:] * focal + center
