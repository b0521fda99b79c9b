# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image holds of each labelled object: pipeline's `MeasuredInstance`, and its silhouette.

All from the evaluated scene, the record's camera and the id map; an object that is missing for no reason is an error.
"""

import bpy
import numpy as np

from blender.camera import camera, rays
from blender.common.errors import CaristeError
from blender.ground_truth import blur_extent, box_3d, keypoints, silhouettes
from blender.ground_truth.silhouettes import ObjectGeometry, Silhouette

# A hidden object is explained if at most this share of its points that lie in the frame sees the camera.
HIDDEN_SHARE = 0.1
PROBED_POINTS = 100
# Objects with fewer whole pixels in the frame may vanish between the samples of an image.
SURELY_VISIBLE_PIXELS = 40


class MeasureError(CaristeError):
    """An image whose pixels do not agree with its record."""


def measure_instances(
    record: dict, roots: dict[int, bpy.types.Object], ids: np.ndarray
) -> tuple[list[dict], dict[int, Silhouette], dict[int, np.ndarray]]:
    """Measure all labelled objects of an image; return that, silhouettes and thin parts by instance id.

    Args:
        roots: the parent of all parts of each object, by instance id.
        ids: (H, W) uint16 instance ids.

    Raises:
        MeasureError: an object has no pixel, and neither the frame nor other things explain it.
    """
    measured, found, thin = [], {}, {}
    for number, root in sorted(roots.items()):
        geometry = silhouettes.world_geometry(root)
        height, width = ids.shape
        found[number] = silhouettes.render_silhouette(geometry, record["camera"], width, height)
        thin[number] = silhouettes.thin_pixels(geometry, record["camera"], found[number], width, height)
        measured.append(_instance(record["camera"], number, root, geometry, found[number], ids))
    return measured, found, thin


def _instance(
    view: dict, number: int, root: bpy.types.Object, geometry: ObjectGeometry, silhouette: Silhouette, ids: np.ndarray
) -> dict:
    height, width = ids.shape
    visible = ids == number
    visible_pixels = int(np.count_nonzero(visible))
    pixels, depth_m = camera.world_to_pixels(view, geometry.points_m)
    inside = (depth_m > camera.CLIP_START_M) & (pixels >= 0).all(1) & (pixels <= (width, height)).all(1)
    blur_px, absent = blur_extent.max_blur_px(view, geometry.points_m, width, height), None
    if not visible_pixels:
        in_frame = np.count_nonzero(silhouette.in_frame(width, height))
        absent = "hidden" if in_frame else "outside"
        if in_frame >= SURELY_VISIBLE_PIXELS * (1 + blur_px) ** 2:
            _check_hidden(view, number, root, geometry.points_m[inside])
    corners = box_3d.box_corners_m(root, geometry.points_m)
    return {
        "instance_id": number,
        "visible_pixels": visible_pixels,
        "amodal_pixels": int(np.count_nonzero(silhouette.mask)),
        "amodal_box_px": silhouette.box_px,
        "absent": absent,
        "truncated": not bool(inside.all()),
        "distance_m": round(float(np.linalg.norm(corners.mean(0) - np.array(view["position_m"]))), 3),
        "box_3d": box_3d.measure_corners(corners, view),
        "keypoints": keypoints.measure_keypoints(root, view, visible),
        "verified": False,
        "blur_px": round(blur_px, 2),
    }


def _check_hidden(view: dict, number: int, root: bpy.types.Object, points_m: np.ndarray) -> None:
    """Follow rays from the camera to points (N, 3) of an object without pixels: something else must stop them.

    Raises:
        MeasureError: many of its points see the camera.
    """
    probed = points_m[:: max(1, len(points_m) // PROBED_POINTS)]
    # A vertex is met a hair's breadth before or behind itself.
    hits = [rays.first_ray_hit(view, point_m, beyond_m=0.01) for point_m in probed]
    seen = sum(hit is not None and hit.root == root.name for hit in hits)
    if not len(probed) or seen > HIDDEN_SHARE * len(probed):
        raise MeasureError(
            f"instance {number} has no pixel, yet the camera sees {seen} of {len(probed)} of its points: "
            "the id map and the scene disagree"
        )
