# SPDX-License-Identifier: GPL-3.0-or-later
"""COCO's 17 keypoints in the body of a person.

In the scene, they are empties of the person, shown as spheres. The custom property `keypoint` holds the name. The
radius is the depth at which the joint may be inside its limb. Shoulders to ankles are joints of MakeHuman's rig. The
nose is the foremost vertex of the head. An eye is the middle of its ball. An ear is the middle of the vertices that
its shape target moves.
"""

from functools import lru_cache

import bpy
import numpy as np

from blender.people import body_shape
from blender.people.head import EAR_TARGETS, head_mesh
from blender.people.skeleton import Skeleton, apply_skinning, body_rig, joint_position

PROPERTY = "keypoint"

# Parts in COCO's order. A joint counts as visible if the first surface on the ray from the camera belongs to the same
# person and is at most this far in front of the joint. Measured in six views of five people: the limb of the joint
# itself, with clothes and shoes, begins up to 0.18 (hip), 0.12 (shoulder, ankle), 0.10 (knee), 0.09 (elbow), 0.05 m
# (wrist) in front of it. Other parts of the person are at least 0.06 (eye, ear) or 0.21 m (all others) in front.
DEPTH_M = {"nose": 0.03, "eye": 0.04, "ear": 0.05}
DEPTH_M |= {"shoulder": 0.15, "elbow": 0.10, "wrist": 0.08, "hip": 0.20, "knee": 0.12, "ankle": 0.14}
BONES = {"shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist"}
BONES |= {"hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot"}
KEYPOINT_NAMES = ("nose", *(f"{side}_{part}" for part in [*DEPTH_M][1:] for side in ("left", "right")))


def build_keypoints(vertices: np.ndarray, skeleton: Skeleton, transforms: np.ndarray) -> list[bpy.types.Object]:
    """Return the keypoints of a person as empties in the person's frame, in COCO's order.

    `vertices` (19158, 3) m at rest, `transforms` (B, 4, 4) of the pose.
    """
    nose = [_nose_vertex()]
    positions = {"nose": apply_skinning(vertices[nose], body_rig().weights[nose], transforms)[0]}
    for side in ("left", "right"):
        for part, weights in (("eye", _eye_weights(side)), ("ear", _ear_weights(side))):
            used = np.flatnonzero(weights)
            posed = apply_skinning(vertices[used], body_rig().weights[used], transforms)
            positions[f"{side}_{part}"] = np.average(posed, axis=0, weights=weights[used])
        for part, bone in BONES.items():
            positions[f"{side}_{part}"] = joint_position(skeleton, transforms, f"{bone}.{side[0].upper()}")
    return [_keypoint_empty(name, positions[name]) for name in KEYPOINT_NAMES]


def _keypoint_empty(name: str, position_m: np.ndarray) -> bpy.types.Object:
    empty = bpy.data.objects.new(name, None)
    empty[PROPERTY] = name
    empty.location = position_m.tolist()
    empty.empty_display_type, empty.empty_display_size = "SPHERE", DEPTH_M[name.rpartition("_")[2]]
    return empty


@lru_cache(maxsize=1)
def _nose_vertex() -> int:
    head_vertices = head_mesh().index[head_mesh().head > 0.5]
    return int(head_vertices[np.argmax(body_shape.base_mesh().vertices[head_vertices, 0])])


def _eye_weights(side: str) -> np.ndarray:
    """Return weights (19158,), which are 1 on the vertices of an eyeball; `side` is "left" or "right"."""
    weights = np.zeros(len(body_shape.base_mesh().vertices))
    weights[np.unique(body_shape.base_mesh().groups[f"helper-{side[0]}-eye"])] = 1
    return weights


def _ear_weights(side: str) -> np.ndarray:
    """Return weights (19158,): how far the shape target of an ear moves each vertex."""
    weights = np.zeros(len(body_shape.base_mesh().vertices))
    target = body_shape.shape_target(EAR_TARGETS[side[0]])
    weights[target.index] = np.linalg.norm(target.offset, axis=1)
    return weights
