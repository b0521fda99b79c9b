# SPDX-License-Identifier: GPL-3.0-or-later
"""Cast rays from the camera of a record to points of its scene."""

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from blender.camera.camera import CLIP_START_M, world_to_camera


@dataclass(frozen=True)
class RayHit:
    """The first surface on a ray: the name of its topmost parent, and how far in front of the point it is.

    The distance is negative for a surface behind the point.
    """

    root_name: str
    distance_before_m: float


def first_ray_hit(camera: dict, point_m: np.ndarray, extra_m: float = 0.0) -> RayHit | None:
    """Return the first surface between the camera's near plane and a world point (3,); None if there is none.

    The point must lie in front of the near plane. The ray ends `extra_m` behind the point.
    """
    depth_m = float(world_to_camera(camera, point_m[None])[0, 2])
    eye, point = Vector(camera["position_m"]), Vector(point_m.tolist())
    start = eye.lerp(point, CLIP_START_M / depth_m)
    distance_m = (point - start).length
    hit, hit_position, _, _, hit_object, _ = bpy.context.scene.ray_cast(
        bpy.context.evaluated_depsgraph_get(), start, (point - start).normalized(), distance=distance_m + extra_m
    )
    if not hit:
        return None
    while hit_object.parent is not None:
        hit_object = hit_object.parent
    return RayHit(hit_object.name, distance_m - (hit_position - start).length)
