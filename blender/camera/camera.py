# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a record, in Blender and as a projection of points."""

import bpy
import numpy as np
from mathutils import Matrix

from blender.camera.lens_distortion import distort, is_distorted

SENSOR_WIDTH_MM = 36.0
CLIP_START_M, CLIP_END_M = 0.02, 200.0
# The shutter is open from the first to the last of these frames; the record's pose is in the middle.
OPEN_FRAME, MIDDLE_FRAME, CLOSE_FRAME = 0, 1, 2

# Blender's camera looks along -z with y up; a record's (OpenCV's) along +z with y down.
OPENCV_TO_BLENDER = np.diag([1.0, -1.0, -1.0])


def build_camera(camera: dict, width: int, height: int) -> bpy.types.Object:
    """Make the record's camera the scene's. Principal point and focal lengths are exact; distortion is `lens`'s."""
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
    if camera["aperture_f"] is not None:
        data.dof.use_dof = True
        data.dof.aperture_fstop, data.dof.focus_distance = camera["aperture_f"], camera["focus_m"]

    made = bpy.data.objects.new("camera", data)
    made.matrix_world = _matrix(camera)
    scene.collection.objects.link(made)
    scene.camera = made
    if is_moving(camera):
        _move(made, camera)
    return made


def _matrix(camera: dict) -> Matrix:
    pose = np.eye(4)
    pose[:3, :3] = np.array(camera["rotation"]) @ OPENCV_TO_BLENDER
    pose[:3, 3] = camera["position_m"]
    return Matrix(pose.tolist())


def is_moving(camera: dict) -> bool:
    return any(camera["motion_m"]) or any(camera["motion_deg"])


def camera_at_shutter(camera: dict, share: float) -> dict:
    """Return the camera after a share of its motion: -0.5 when the shutter opens, 0 as recorded, 0.5 when it closes."""
    rotation = np.array(camera["rotation"])
    x, y, z = share * np.radians(camera["motion_deg"])
    angle = np.sqrt(x * x + y * y + z * z)
    turn = Matrix.Rotation(angle, 3, (x, y, z)) if angle else Matrix.Identity(3)
    position = np.array(camera["position_m"]) + rotation @ (share * np.array(camera["motion_m"]))
    return camera | {"position_m": position.tolist(), "rotation": (rotation @ np.array(turn)).tolist()}


def _move(made: bpy.types.Object, camera: dict) -> None:
    """Move the camera while the shutter is open; all else stands still."""
    scene = bpy.context.scene
    made.rotation_mode = "QUATERNION"
    turned = None
    for frame, share in ((OPEN_FRAME, -0.5), (CLOSE_FRAME, 0.5)):
        made.matrix_world = _matrix(camera_at_shutter(camera, share))
        if turned is not None:
            made.rotation_quaternion.make_compatible(turned)
        turned = made.rotation_quaternion.copy()
        made.keyframe_insert("location", frame=frame)
        made.keyframe_insert("rotation_quaternion", frame=frame)
    for curve in made.animation_data.action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    scene.render.use_motion_blur, scene.render.motion_blur_position = True, "CENTER"
    scene.render.motion_blur_shutter = float(CLOSE_FRAME - OPEN_FRAME)
    for other in scene.objects:
        # Or Blender would look for the motion of every mesh.
        other.cycles.use_motion_blur = other is made
    scene.frame_set(MIDDLE_FRAME)


def world_to_pixels(camera: dict, points_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project world points (N, 3): pixel coordinates (N, 2) and depth along the optical axis (N,) in metres.

    Points at a depth of 0 or less are behind the camera; their pixels mean nothing.
    """
    seen = world_to_camera(camera, points_m)
    depth_m = seen[:, 2]
    safe = np.c_[seen[:, :2], np.where(depth_m > 0, depth_m, 1.0)]
    return camera_to_pixels(camera, safe), depth_m


def world_to_camera(camera: dict, points_m: np.ndarray) -> np.ndarray:
    """Return world points (N, 3) in camera axes (x right, y down, z forward), metres."""
    return (points_m - np.array(camera["position_m"])) @ np.array(camera["rotation"])


def camera_to_pixels(camera: dict, seen: np.ndarray) -> np.ndarray:
    """Project points (..., 3) in camera axes, all before the camera, to pixel coordinates (..., 2)."""
    focal, center = (camera["fx_px"], camera["fy_px"]), (camera["cx_px"], camera["cy_px"])
    plane = seen[..., :2] / seen[..., 2:]
    if is_distorted(camera):
        plane = distort(camera["distortion"], plane)
    return plane * focal + center
