# SPDX-License-Identifier: GPL-3.0-or-later
"""A person: body, pose, clothes, accessories, head, headwear and keypoints."""

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
from blender.people.skeleton import find_skeleton


def build_person(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return the objects of one person, neither linked nor parented: meshes, and the keypoints as empties.

    `parameters` is the JSON dict of `PersonParameters`. Objects are in the person's frame, in meters: origin on the
    floor below the hips, facing +x, left is +y, the lowest point of the soles at z = 0. Equal parameters give equal
    vertices.

    Raises:
        FileNotFoundError: the body data is not installed.
        ValueError: a grip is out of reach, the pose is unknown, or the ancestry shares sum to 0.
    """
    outfit, pose = parameters["outfit"], parameters["pose"]
    vertices = body_shape.shape_vertices(parameters)
    skeleton = find_skeleton(vertices)
    shoe_pair = shoes.fit_shoes(skeleton, vertices)
    transforms = pose_solver.solve_pose(skeleton, pose, (shoe_pair.points, shoe_pair.weights))
    fitted = garment_mesh.fit_garment_mesh(vertices, skeleton, transforms)
    skin_field = garment_patterns.bare_skin_field(skeleton, vertices[: body_shape.SKIN_VERTICES], outfit)
    landmarks = head.head_landmarks(vertices)
    bareheaded = outfit["head"] == "hair"
    hair_length_m = head.HAIR_LENGTH_M[outfit["hair"]] if bareheaded else head.FLAT_HAIR_M
    hair = head.grow_hair(landmarks, vertices, hair_length_m)
    garments, outer = clothes.build_clothes(fitted, outfit, pose["seed"], cache)
    objects = [
        *head.build_head(vertices, transforms, skin_field, hair, parameters, cache),
        *garments,
        shoes.build_shoes(shoe_pair, transforms, outfit["shoes_rgb"], cache),
        *joints.build_keypoints(vertices, skeleton, transforms),
    ]
    if not bareheaded:
        # Ears may stick out of a helmet or a cap.
        enclosed = hair.outside[head.head_mesh().ears < 0.1]
        objects.append(
            headwear.build_headwear(outfit["head"], landmarks, enclosed, transforms, outfit["head_rgb"], cache)
        )
    return objects + _build_accessories(fitted, outer, parameters, cache)


def _build_accessories(
    fitted: garment_mesh.FittedBody, outer: np.ndarray, parameters: dict, cache: AssetCache
) -> list[bpy.types.Object]:
    """Return those of hood, bag and scanner that the person has; `outer` (V, 3) m is the outermost layer of clothes."""
    outfit, objects = parameters["outfit"], []
    if outfit["hood"] and not outfit["jacket_rgb"]:
        objects.append(accessories.build_hood(fitted, outfit["top_rgb"], cache))
    if outfit["bag"]:
        objects.append(accessories.build_bag(outfit["bag"], fitted, outer, outfit["bag_rgb"], cache))
    if parameters["pose"]["name"] == "scan":
        objects.append(accessories.build_scanner(fitted, cache))
    return objects
