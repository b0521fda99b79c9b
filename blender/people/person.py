# SPDX-License-Identifier: GPL-3.0-or-later
"""A pedestrian: body, pose, clothes, garments, head, headwear and keypoints put together."""

import bpy
import numpy as np

from blender.mesh.mesh_cache import Library
from blender.people import body, carried, clothes, garment_patterns, head, headwear, joints, pose_solver, shoes, suit
from blender.people.skeleton import skeleton


def build(parameters: dict, library: Library) -> list[bpy.types.Object]:
    """Return the objects of one person, neither linked nor parented: meshes, and the keypoints as empties.

    `parameters` is the JSON dict of `pipeline.scene.PersonParameters`. Frame: metres, origin on the floor below the
    hips, facing +x, left = +y; the lowest point of the soles is at z = 0. The same parameters give the same vertices.

    Raises:
        FileNotFoundError: the body data is not installed.
        ValueError: a grip is out of reach, an unknown pose, ancestry shares that sum to 0.
    """
    outfit, pose = parameters["outfit"], parameters["pose"]
    vertices = body.shape(parameters)
    bones = skeleton(vertices)
    pair = shoes.fit(bones, vertices)
    transforms = pose_solver.solve(bones, pose, (pair.points, pair.weights))
    fitted = suit.fit(vertices, bones, transforms)
    shown = garment_patterns.bare_field(bones, vertices[: body.SKIN_VERTICES], outfit)
    skull = head.measure(vertices)
    hair = head.grow_hair(skull, vertices, head.HAIR_M[outfit["hair"]] if outfit["head"] == "hair" else head.PRESSED_M)
    worn, outer = clothes.dress(fitted, outfit, pose["seed"], library)
    objects = [
        *head.build(vertices, transforms, shown, hair, parameters, library),
        *worn,
        shoes.build(pair, transforms, outfit["shoes_rgb"], library),
        *joints.build(vertices, bones, transforms),
    ]
    if outfit["head"] != "hair":
        inside = hair.outside[head.head_net().ears < 0.1]
        objects.append(headwear.build(outfit["head"], skull, inside, transforms, outfit["head_rgb"], library))
    return objects + _carried(fitted, outer, parameters, library)


def _carried(fitted: suit.Fitted, outer: np.ndarray, parameters: dict, library: Library) -> list[bpy.types.Object]:
    """Return bag, hood and scanner, as far as the person has them; `outer` (V, 3) m is the outermost cloth."""
    outfit, made = parameters["outfit"], []
    if outfit["hood"] and not outfit["jacket_rgb"]:
        made.append(carried.hood(fitted, outfit["top_rgb"], library))
    if outfit["bag"]:
        made.append(carried.bag(outfit["bag"], fitted, outer, outfit["bag_rgb"], library))
    if parameters["pose"]["name"] == "scan":
        made.append(carried.scanner(fitted, library))
    return made
