# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure each labeled object of an image: pipeline's `MeasuredInstance`, and the silhouette.

Everything comes from the evaluated scene, the record's camera and the id map. An object without pixels is an error if
neither the frame nor other objects explain it.
"""

import bpy
import numpy as np

from blender.camera import camera, rays
from blender.common.errors import CaristeError
from blender.ground_truth import blur_extent, box_3d, keypoints, silhouettes
from blender.ground_truth.silhouettes import ObjectGeometry, Silhouette

# An object counts as hidden if the camera sees at most this share of its points in the frame.
MAX_SEEN_SHARE = 0.1
MAX_PROBED_POINTS = 100
# Objects with fewer amodal pixels in the frame may be missed by the samples of an image.
MIN_SURE_PIXELS = 40


class MeasureError(CaristeError):
    """An image whose pixels do not agree with its record."""


def measure_instances(
    record: dict, roots: dict[int, bpy.types.Object], ids: np.ndarray
) -> tuple[list[dict], dict[int, Silhouette], dict[int, np.ndarray]]:
    """Measure all labeled objects of an image.

    Args:
        record: the scene record.
        roots: the parent of all parts of each object, by instance id.
        ids: (H, W) uint16 instance ids.

    Returns:
        Pipeline's `MeasuredInstance` of each object, sorted by id; the silhouettes and the thin pixels (H, W) bool,
        both by instance id.

    Raises:
        MeasureError: an object has no pixel, and neither the frame nor other objects explain it.
    """
    measured, silhouettes_by_id, thin_by_id = [], {}, {}
    for instance_id, root in sorted(roots.items()):
        geometry = silhouettes.world_geometry(root)
        height, width = ids.shape
        silhouettes_by_id[instance_id] = silhouettes.render_silhouette(geometry, record["camera"], width, height)
        thin_by_id[instance_id] = silhouettes.thin_pixels(
            geometry, record["camera"], silhouettes_by_id[instance_id], width, height
        )
        measured.append(
            _measure_instance(record["camera"], instance_id, root, geometry, silhouettes_by_id[instance_id], ids)
        )
    return measured, silhouettes_by_id, thin_by_id


def _measure_instance(
    camera_record: dict,
    instance_id: int,
    root: bpy.types.Object,
    geometry: ObjectGeometry,
    silhouette: Silhouette,
    ids: np.ndarray,
) -> dict:
    height, width = ids.shape
    visible = ids == instance_id
    visible_pixels = int(np.count_nonzero(visible))
    pixels, depth_m = camera.world_to_pixels(camera_record, geometry.points_m)
    inside = (depth_m > camera.CLIP_START_M) & (pixels >= 0).all(1) & (pixels <= (width, height)).all(1)
    blur_px, absence_reason = blur_extent.max_blur_px(camera_record, geometry.points_m, width, height), None
    if not visible_pixels:
        in_frame = np.count_nonzero(silhouette.in_frame(width, height))
        absence_reason = "hidden" if in_frame else "outside"
        if in_frame >= MIN_SURE_PIXELS * (1 + blur_px) ** 2:
            _check_occluded(camera_record, instance_id, root, geometry.points_m[inside])
    corners = box_3d.box_corners_m(root, geometry.points_m)
    return {
        "instance_id": instance_id,
        "visible_pixels": visible_pixels,
        "amodal_pixels": int(np.count_nonzero(silhouette.mask)),
        "amodal_box_px": silhouette.box_px,
        "absent": absence_reason,
        "truncated": not bool(inside.all()),
        "distance_m": round(float(np.linalg.norm(corners.mean(0) - np.array(camera_record["position_m"]))), 3),
        "box_3d": box_3d.measure_corners(corners, camera_record),
        "keypoints": keypoints.measure_keypoints(root, camera_record, visible),
        "verified": False,
        "blur_px": round(blur_px, 2),
    }


def _check_occluded(camera_record: dict, instance_id: int, root: bpy.types.Object, points_m: np.ndarray) -> None:
    """Cast rays from the camera to points (N, 3) of an object without pixels: other objects must stop them.

    Raises:
        MeasureError: the camera sees many of the points.
    """
    probed = points_m[:: max(1, len(points_m) // MAX_PROBED_POINTS)]
    # A ray may hit the surface a little in front of or behind a vertex.
    hits = [rays.first_ray_hit(camera_record, point_m, extra_m=0.01) for point_m in probed]
    seen = sum(hit is not None and hit.root_name == root.name for hit in hits)
    if not len(probed) or seen > MAX_SEEN_SHARE * len(probed):
        raise MeasureError(
            f"instance {instance_id} has no pixel, yet the camera sees {seen} of {len(probed)} of its points: "
            "the id map and the scene disagree"
        )
