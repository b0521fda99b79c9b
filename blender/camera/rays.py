# SPDX-License-Identifier: GPL-3.0-or-later
"""Rays from the camera of a record to points of its scene: what is met first on the way."""

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from blender.camera.camera import CLIP_START_M, world_to_camera


@dataclass(frozen=True)
class RayHit:
    """`root`: name of the top-most parent of what was met; `before_m`: how far before the point that was."""

    root: str
    before_m: float


def first_ray_hit(camera: dict, point_m: np.ndarray, beyond_m: float = 0.0) -> RayHit | None:
    """Return the first surface between the near plane and a point (3,) in front of it; None if nothing is there.

    `beyond_m` goes on looking behind the point.
    """
    depth_m = float(world_to_camera(camera, point_m[None])[0, 2])
    eye, point = Vector(camera["position_m"]), Vector(point_m.tolist())
    start = eye.lerp(point, CLIP_START_M / depth_m)
    distance_m = (point - start).length
    hit, place, _, _, found, _ = bpy.context.scene.ray_cast(
        bpy.context.evaluated_depsgraph_get(), start, (point - start).normalized(), distance=distance_m + beyond_m
    )
    if not hit:
        return None
    while found.parent is not None:
        found = found.parent
    return RayHit(found.name, distance_m - (place - start).length)
