# SPDX-License-Identifier: GPL-3.0-or-later
"""A pedestrian: body, pose, clothes, garments, head, headwear and keypoints put together."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.people import (
    accessories,
    body_shape,
    clothes,
    garment_mesh,
    garment_patterns,
    head,
    headwear,
    joints,
    pose_solver,
    shoes,
)
from blender.people.skeleton import skeleton


def build_person(parameters: dict, library: AssetCache) -> list[bpy.types.Object]:
    """Return the objects of one person, neither linked nor parented: meshes, and the keypoints as empties.

    `parameters` is the JSON dict of `pipeline.scene.PersonParameters`. Frame: metres, origin on the floor below the
    hips, facing +x, left = +y; the lowest point of the soles is at z = 0. The same parameters give the same vertices.

    Raises:
        FileNotFoundError: the body data is not installed.
        ValueError: a grip is out of reach, an unknown pose, ancestry shares that sum to 0.
    """
    outfit, pose = parameters["outfit"], parameters["pose"]
    vertices = body_shape.shape_vertices(parameters)
    bones = skeleton(vertices)
    pair = shoes.fit_shoes(bones, vertices)
    transforms = pose_solver.solve_pose(bones, pose, (pair.points, pair.weights))
    fitted = garment_mesh.fit_garment_mesh(vertices, bones, transforms)
    shown = garment_patterns.bare_skin_field(bones, vertices[: body_shape.SKIN_VERTICES], outfit)
    skull = head.head_landmarks(vertices)
    hair = head.grow_hair(
        skull, vertices, head.HAIR_LENGTH_M[outfit["hair"]] if outfit["head"] == "hair" else head.FLAT_HAIR_M
    )
    worn, outer = clothes.build_clothes(fitted, outfit, pose["seed"], library)
    objects = [
        *head.build_head(vertices, transforms, shown, hair, parameters, library),
        *worn,
        shoes.build_shoes(pair, transforms, outfit["shoes_rgb"], library),
        *joints.build_keypoints(vertices, bones, transforms),
    ]
    if outfit["head"] != "hair":
        inside = hair.outside[head.head_mesh().ears < 0.1]
        objects.append(headwear.build_headwear(outfit["head"], skull, inside, transforms, outfit["head_rgb"], library))
    return objects + _carried(fitted, outer, parameters, library)


def _carried(
    fitted: garment_mesh.FittedBody, outer: np.ndarray, parameters: dict, library: AssetCache
) -> list[bpy.types.Object]:
    """Return bag, hood and scanner, as far as the person has them; `outer` (V, 3) m is the outermost cloth."""
    outfit, made = parameters["outfit"], []
    if outfit["hood"] and not outfit["jacket_rgb"]:
        made.append(accessories.build_hood(fitted, outfit["top_rgb"], library))
    if outfit["bag"]:
        made.append(accessories.build_bag(outfit["bag"], fitted, outer, outfit["bag_rgb"], library))
    if parameters["pose"]["name"] == "scan":
        made.append(accessories.build_scanner(fitted, library))
    return made
