# SPDX-License-Identifier: GPL-3.0-or-later
"""COCO's 17 keypoints of a person: where they are in the body, and how the camera sees them.

In the scene they are empties among the person's parts, shown as spheres: `NAME.keypoint` is a custom property, the
radius is how deep it may lie in its limb. Shoulders to ankles are the joints of MakeHuman's rig; the nose is the
foremost vertex of the head, an eye the middle of its ball, an ear the middle of what the ear's shape target moves.
"""

from functools import lru_cache

import bpy
import numpy as np

from blender.camera import rays
from blender.camera.camera import CLIP_START_M, project
from blender.people import body
from blender.people.head import head_net
from blender.people.skeleton import Skeleton, place_of, rig, skin

PROPERTY = "keypoint"

# A joint whose person has no pixel so near is not seen: only slivers narrower than a pixel show of it.
REACH_PX = 2

# Parts in COCO's order. In plain view is a joint if the first thing that the camera's ray meets is the same person, at
# most so far before the joint. Set between what six views of five people showed: a joint's own limb with clothes and
# shoes begins at most 0.18 (hip), 0.12 (shoulder, ankle), 0.10 (knee), 0.09 (elbow), 0.05 m (wrist) before it; another
# part of the person 0.06 (eye, ear) or 0.21 m (all else) and more.
DEPTH_M = {"nose": 0.03, "eye": 0.04, "ear": 0.05}
DEPTH_M |= {"shoulder": 0.15, "elbow": 0.10, "wrist": 0.08, "hip": 0.20, "knee": 0.12, "ankle": 0.14}
BONES = {"shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist"}
BONES |= {"hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot"}
NAMES = ("nose", *(f"{side}_{part}" for part in [*DEPTH_M][1:] for side in ("left", "right")))


def build(vertices: np.ndarray, bones: Skeleton, transforms: np.ndarray) -> list[bpy.types.Object]:
    """Return the keypoints of a person as empties in the person's own frame, in COCO's order.

    `vertices` (19158, 3) m at rest, `transforms` (B, 4, 4) of the pose.
    """
    places = {"nose": skin(vertices[[_nose()]], rig().weights[[_nose()]], transforms)[0]}
    for side in ("left", "right"):
        for part, weights in (("eye", _eye(side)), ("ear", _ear(side))):
            used = np.flatnonzero(weights)
            posed = skin(vertices[used], rig().weights[used], transforms)
            places[f"{side}_{part}"] = np.average(posed, axis=0, weights=weights[used])
        for part, bone in BONES.items():
            places[f"{side}_{part}"] = place_of(bones, transforms, f"{bone}.{side[0].upper()}")
    return [_empty(name, places[name]) for name in NAMES]


def _empty(name: str, place_m: np.ndarray) -> bpy.types.Object:
    made = bpy.data.objects.new(name, None)
    made[PROPERTY] = name
    made.location = place_m.tolist()
    made.empty_display_type, made.empty_display_size = "SPHERE", DEPTH_M[name.rpartition("_")[2]]
    return made


@lru_cache(maxsize=1)
def _nose() -> int:
    of_head = head_net().index[head_net().head > 0.5]
    return int(of_head[np.argmax(body.template().vertices[of_head, 0])])


def _eye(side: str) -> np.ndarray:
    weights = np.zeros(len(body.template().vertices))
    weights[np.unique(body.template().groups[f"helper-{side[0]}-eye"])] = 1
    return weights


def _ear(side: str) -> np.ndarray:
    weights = np.zeros(len(body.template().vertices))
    target = body.target(f"ears/{side[0]}-ear-scale-depth-incr")
    weights[target.index] = np.linalg.norm(target.offset, axis=1)
    return weights


def measure(root: bpy.types.Object, camera: dict, visible: np.ndarray) -> list[dict] | None:
    """Return pipeline's `Keypoint`s of the object under `root`, in COCO's order; None if it has none.

    `visible`: its pixels in the picture, bool (height, width).
    """
    empties = {child[PROPERTY]: child for child in root.children if PROPERTY in child}
    if not empties:
        return None
    points_m = np.array([empties[name].matrix_world.translation for name in NAMES])
    pixels, depths_m = project(camera, points_m)
    # Before it is told what is in the frame: 319.997 of 320 is written as 320, which is outside.
    pixels = np.round(pixels, 2)
    measured, (height, width) = [], visible.shape
    for name, point_m, (u, v), depth_m in zip(NAMES, points_m, pixels, depths_m, strict=True):
        if depth_m <= CLIP_START_M:
            measured.append({"u_px": None, "v_px": None, "visibility": 0})
            continue
        inside = 0 <= u < width and 0 <= v < height
        shown = inside and visible[_window(u, v)].any()
        seen = shown and _in_plain_view(camera, point_m, root.name, empties[name].empty_display_size)
        measured.append({"u_px": float(u), "v_px": float(v), "visibility": int(inside) + int(seen)})
    return measured


def _window(u_px: float, v_px: float) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels near a place in the frame."""
    return tuple(slice(max(int(place) - REACH_PX, 0), int(place) + REACH_PX + 1) for place in (v_px, u_px))


def _in_plain_view(camera: dict, point_m: np.ndarray, root_name: str, depth_m: float) -> bool:
    hit = rays.first_hit(camera, point_m)
    return hit is None or (hit.root == root_name and hit.before_m <= depth_m)
