# SPDX-License-Identifier: GPL-3.0-or-later
"""Where COCO's 17 keypoints are in a person's body.

In the scene they are empties among the person's parts, shown as spheres. The custom property `keypoint` holds the name.
The radius is the depth at which the joint may lie inside its limb. Shoulders to ankles are the joints of MakeHuman's
rig. The nose is the foremost vertex of the head, an eye is the middle of its ball, an ear is the middle of what the
ear's shape target moves.
"""

from functools import lru_cache

import bpy
import numpy as np

from blender.people import body_shape
from blender.people.head import head_mesh
from blender.people.skeleton import Skeleton, apply_skinning, body_rig, joint_position

PROPERTY = "keypoint"

# Parts in COCO's order. A joint is in plain view if the first surface that the camera's ray meets belongs to the same
# person and lies at most this far before the joint. The values are set between what six views of five people showed:
# the joint's own limb with clothes and shoes begins at most 0.18 (hip), 0.12 (shoulder, ankle), 0.10 (knee), 0.09
# (elbow), 0.05 m (wrist) before it; another part of the person 0.06 (eye, ear) or 0.21 m (all else) and more.
DEPTH_M = {"nose": 0.03, "eye": 0.04, "ear": 0.05}
DEPTH_M |= {"shoulder": 0.15, "elbow": 0.10, "wrist": 0.08, "hip": 0.20, "knee": 0.12, "ankle": 0.14}
BONES = {"shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist"}
BONES |= {"hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot"}
KEYPOINT_NAMES = ("nose", *(f"{side}_{part}" for part in [*DEPTH_M][1:] for side in ("left", "right")))


def build_keypoints(vertices: np.ndarray, bones: Skeleton, transforms: np.ndarray) -> list[bpy.types.Object]:
    """Return the keypoints of a person as empties in the person's own frame, in COCO's order.

    `vertices` (19158, 3) m at rest, `transforms` (B, 4, 4) of the pose.
    """
    places = {"nose": apply_skinning(vertices[[_nose()]], body_rig().weights[[_nose()]], transforms)[0]}
    for side in ("left", "right"):
        for part, weights in (("eye", _eye(side)), ("ear", _ear(side))):
            used = np.flatnonzero(weights)
            posed = apply_skinning(vertices[used], body_rig().weights[used], transforms)
            places[f"{side}_{part}"] = np.average(posed, axis=0, weights=weights[used])
        for part, bone in BONES.items():
            places[f"{side}_{part}"] = joint_position(bones, transforms, f"{bone}.{side[0].upper()}")
    return [_empty(name, places[name]) for name in KEYPOINT_NAMES]


def _empty(name: str, place_m: np.ndarray) -> bpy.types.Object:
    made = bpy.data.objects.new(name, None)
    made[PROPERTY] = name
    made.location = place_m.tolist()
    made.empty_display_type, made.empty_display_size = "SPHERE", DEPTH_M[name.rpartition("_")[2]]
    return made


@lru_cache(maxsize=1)
def _nose() -> int:
    of_head = head_mesh().index[head_mesh().head > 0.5]
    return int(of_head[np.argmax(body_shape.base_mesh().vertices[of_head, 0])])


def _eye(side: str) -> np.ndarray:
    weights = np.zeros(len(body_shape.base_mesh().vertices))
    weights[np.unique(body_shape.base_mesh().groups[f"helper-{side[0]}-eye"])] = 1
    return weights


def _ear(side: str) -> np.ndarray:
    weights = np.zeros(len(body_shape.base_mesh().vertices))
    target = body_shape.shape_target(f"ears/{side[0]}-ear-scale-depth-incr")
    weights[target.index] = np.linalg.norm(target.offset, axis=1)
    return weights
