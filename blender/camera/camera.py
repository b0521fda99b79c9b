# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a scene record: as a Blender object, and as a projection of points to pixels.

A record's camera has the axes of OpenCV (x right, y down, z forward). `rotation` is camera-to-world, `position_m` in
the world frame. Pixel coordinates start at the top left corner of the image; pixel centers are at halves.
"""

import bpy
import numpy as np
from mathutils import Matrix

from blender.camera.lens_distortion import distort, is_distorted

SENSOR_WIDTH_MM = 36.0
CLIP_START_M, CLIP_END_M = 0.02, 200.0
# The shutter opens at the first of these frames and closes at the last; the record's pose is the one in the middle.
OPEN_FRAME, MIDDLE_FRAME, CLOSE_FRAME = 0, 1, 2

# Blender's camera looks along -z with y up, OpenCV's along +z with y down.
OPENCV_TO_BLENDER = np.diag([1.0, -1.0, -1.0])


def build_camera(camera: dict, width: int, height: int) -> bpy.types.Object:
    """Create the record's camera, make it the scene's camera and return it.

    Focal lengths and principal point are exact. Lens distortion is applied later (`lens_distortion.Warp`).
    """
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR_WIDTH_MM
    data.lens = camera["fx_px"] * SENSOR_WIDTH_MM / width
    data.clip_start, data.clip_end = CLIP_START_M, CLIP_END_M
    # Both shifts are in sensor widths, to the right and up.
    data.shift_x = (width / 2 - camera["cx_px"]) / width
    data.shift_y = (camera["cy_px"] - height / 2) / width * camera["fx_px"] / camera["fy_px"]
    scene = bpy.context.scene
    scene.render.pixel_aspect_x = max(1.0, camera["fy_px"] / camera["fx_px"])
    scene.render.pixel_aspect_y = max(1.0, camera["fx_px"] / camera["fy_px"])
    if camera["aperture_f"] is not None:
        data.dof.use_dof = True
        data.dof.aperture_fstop, data.dof.focus_distance = camera["aperture_f"], camera["focus_m"]

    camera_object = bpy.data.objects.new("camera", data)
    camera_object.matrix_world = _world_matrix(camera)
    scene.collection.objects.link(camera_object)
    scene.camera = camera_object
    if is_moving(camera):
        _animate_motion(camera_object, camera)
    return camera_object


def _world_matrix(camera: dict) -> Matrix:
    """Return the camera-to-world matrix (4, 4) in the axes of Blender's camera."""
    pose = np.eye(4)
    pose[:3, :3] = np.array(camera["rotation"]) @ OPENCV_TO_BLENDER
    pose[:3, 3] = camera["position_m"]
    return Matrix(pose.tolist())


def is_moving(camera: dict) -> bool:
    """Return whether the camera moves while the shutter is open."""
    return any(camera["motion_m"]) or any(camera["motion_deg"])


def camera_at_shutter(camera: dict, exposure_fraction: float) -> dict:
    """Return the camera at a moment of the exposure.

    `exposure_fraction` is -0.5 when the shutter opens, 0 for the recorded pose and 0.5 when the shutter closes.
    """
    rotation = np.array(camera["rotation"])
    x, y, z = exposure_fraction * np.radians(camera["motion_deg"])
    angle = np.sqrt(x * x + y * y + z * z)
    motion = Matrix.Rotation(angle, 3, (x, y, z)) if angle else Matrix.Identity(3)
    position = np.array(camera["position_m"]) + rotation @ (exposure_fraction * np.array(camera["motion_m"]))
    return camera | {"position_m": position.tolist(), "rotation": (rotation @ np.array(motion)).tolist()}


def _animate_motion(camera_object: bpy.types.Object, camera: dict) -> None:
    """Animate the camera while the shutter is open; all other objects stand still."""
    scene = bpy.context.scene
    camera_object.rotation_mode = "QUATERNION"
    previous_rotation = None
    for frame, exposure_fraction in ((OPEN_FRAME, -0.5), (CLOSE_FRAME, 0.5)):
        camera_object.matrix_world = _world_matrix(camera_at_shutter(camera, exposure_fraction))
        if previous_rotation is not None:
            camera_object.rotation_quaternion.make_compatible(previous_rotation)
        previous_rotation = camera_object.rotation_quaternion.copy()
        camera_object.keyframe_insert("location", frame=frame)
        camera_object.keyframe_insert("rotation_quaternion", frame=frame)
    for curve in camera_object.animation_data.action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    scene.render.use_motion_blur, scene.render.motion_blur_position = True, "CENTER"
    scene.render.motion_blur_shutter = float(CLOSE_FRAME - OPEN_FRAME)
    for other in scene.objects:
        # Otherwise Blender would look for motion of all meshes.
        other.cycles.use_motion_blur = other is camera_object
    scene.frame_set(MIDDLE_FRAME)


def world_to_pixels(camera: dict, points_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project world points (N, 3); return pixel coordinates (N, 2) and depths along the optical axis (N,) in meters.

    Points with a depth of 0 or less are behind the camera; their pixel coordinates are meaningless.
    """
    camera_points = world_to_camera(camera, points_m)
    depth_m = camera_points[:, 2]
    safe = np.c_[camera_points[:, :2], np.where(depth_m > 0, depth_m, 1.0)]
    return camera_to_pixels(camera, safe), depth_m


def world_to_camera(camera: dict, points_m: np.ndarray) -> np.ndarray:
    """Return world points (N, 3) in camera axes, in meters."""
    return (points_m - np.array(camera["position_m"])) @ np.array(camera["rotation"])


def camera_to_pixels(camera: dict, camera_points: np.ndarray) -> np.ndarray:
    """Project points (..., 3) in camera axes, all in front of the camera, to pixel coordinates (..., 2)."""
    focal, center = (camera["fx_px"], camera["fy_px"]), (camera["cx_px"], camera["cy_px"])
    plane = camera_points[..., :2] / camera_points[..., 2:]
    if is_distorted(camera):
        plane = distort(camera["distortion"], plane)
    return plane * focal + center
