# SPDX-License-Identifier: Apache-2.0
"""Where points of the hall appear in the image of a camera, and back to the floor.

Axes, pixels and lens: `pipeline.record.scene.Camera`.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.record.scene import Camera
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.free_space import Place
from pipeline.scenes.geometry.transform import to_parent_frame

MIN_DEPTH_M = 0.05
UNDISTORT_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-9)


def project(camera: Camera, points_m: np.ndarray) -> np.ndarray:
    """Return (n, 3): u_px, v_px and depth_m of world points (n, 3).

    Points nearer than `MIN_DEPTH_M`, or behind the camera, are projected as if they were `MIN_DEPTH_M` away. This puts
    them far outside the image, on the correct side.
    """
    camera_points = (points_m - np.array(camera.position_m)) @ np.array(camera.rotation)
    plane = camera_points[:, :2] / np.maximum(camera_points[:, 2:], MIN_DEPTH_M)
    if any(camera.distortion):
        rays, zero = np.c_[plane, np.ones(len(plane))], np.zeros(3)
        plane = cv2.projectPoints(rays, zero, zero, np.eye(3), np.array(camera.distortion))[0][:, 0]
    u, v = camera.fx_px * plane[:, 0] + camera.cx_px, camera.fy_px * plane[:, 1] + camera.cy_px
    return np.c_[u, v, camera_points[:, 2]]


def projected_boxes(camera: Camera, points_m: np.ndarray) -> np.ndarray:
    """Return the image boxes (n, 4) of n sets of k points (n, k, 3): left, top, right, bottom in pixels.

    They may reach beyond the frame. A box is NaN if all of its points are behind the camera.
    """
    count = len(points_m)
    u, v, depth = project(camera, points_m.reshape(-1, 3)).T.reshape(3, count, -1)
    boxes_px = np.stack([u.min(axis=1), v.min(axis=1), u.max(axis=1), v.max(axis=1)], axis=1)
    return np.where(depth.max(axis=1, keepdims=True) < MIN_DEPTH_M, np.nan, boxes_px)


def shares_in_frame(camera: Camera, boxes: Boxes, places: Sequence[Place]) -> np.ndarray:
    """Return (n,): the share 0..1 of the image box of `boxes` that lies in the frame, at each of n places."""
    positions, yaws = np.array([place[0] for place in places]), np.array([[place[1]] for place in places])
    x, y, z = boxes.corners_m().T
    turned = np.stack([*to_parent_frame(x, y, yaws), np.broadcast_to(z, (len(places), len(z)))], axis=-1)
    boxes_px = projected_boxes(camera, turned + positions[:, None])
    low, high = boxes_px[:, :2], boxes_px[:, 2:]
    inside = np.minimum(high, (2 * camera.cx_px, 2 * camera.cy_px)) - np.maximum(low, 0)
    return np.nan_to_num(np.prod(np.maximum(inside, 0), axis=1) / np.prod(high - low, axis=1))


def floor_points(camera: Camera, columns_px: np.ndarray, distances_m: np.ndarray) -> np.ndarray:
    """Return (n, 2): the floor points that lie in the pixel columns (n,), at distances (n,) along the floor."""
    across = (columns_px - camera.cx_px) / camera.fx_px
    across = _undistort(camera, np.c_[across, np.zeros_like(across)])[:, 0]
    rays = np.column_stack([across, np.zeros_like(across), np.ones_like(across)])
    floor_rays = (rays @ np.array(camera.rotation).T)[:, :2]
    return np.array(camera.position_m[:2]) + floor_rays * (distances_m / np.linalg.norm(floor_rays, axis=1))[:, None]


def pixel_rays(camera: Camera, points_px: np.ndarray) -> np.ndarray:
    """Return (n, 3): the directions in the hall, not normalized, of the rays through image points (n, 2)."""
    plane = (points_px - (camera.cx_px, camera.cy_px)) / (camera.fx_px, camera.fy_px)
    plane = _undistort(camera, plane)
    return np.c_[plane, np.ones(len(plane))] @ np.array(camera.rotation).T


def _undistort(camera: Camera, plane: np.ndarray) -> np.ndarray:
    """Return the points (n, 2) at depth 1 without the distortion of the lens."""
    if not any(camera.distortion):
        return plane
    distortion = np.array(camera.distortion)
    return cv2.undistortPointsIter(plane[:, None], np.eye(3), distortion, None, None, UNDISTORT_CRITERIA)[:, 0]
