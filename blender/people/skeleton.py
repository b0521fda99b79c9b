# SPDX-License-Identifier: GPL-3.0-or-later
"""MakeHuman's default rig in numpy: bones, skin weights, forward kinematics, two-bone inverse kinematics.

A pose is {bone: 3x3 rotation} relative to the parent bone, in the axes of the person's own frame at rest (x ahead,
y left, z up), so that a turn means the same for every bone: about +y by a positive angle the upper end goes forward.
Left bones end in ".L", right ones in ".R".
"""

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from blender.people import body_shape

Rotations = dict[str, np.ndarray]

SIDES = {"L": 1.0, "R": -1.0}
TOES = tuple(range(1, 6))
FINGERS = tuple(range(2, 6))


@dataclass(frozen=True)
class BodyRig:
    """Bones, parents first. `parents` (B,) int, -1 for the root; `weights` (19158, B) float32, rows sum to 1.

    A bone's head is the mean of the vertices `heads[bone]` (index arrays), so it follows every shape.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: tuple[np.ndarray, ...]
    weights: np.ndarray

    def index(self, bone: str) -> int:
        return self.names.index(bone)

    def share(self, *prefixes: str) -> np.ndarray:
        """Return for every vertex (19158,) the weight of all bones whose name starts with one of `prefixes`."""
        columns = [i for i, name in enumerate(self.names) if name.startswith(prefixes)]
        return self.weights[:, columns].sum(axis=1)


@dataclass(frozen=True)
class Skeleton:
    """The rig inside one body: `joints` {bone: its head at rest, (3,) m}."""

    joints: dict[str, np.ndarray]

    def arm_length_m(self) -> float:
        """From the shoulder joint to the wrist."""
        upper, elbow, wrist = (self.joints[f"{bone}.L"] for bone in ("upperarm01", "lowerarm01", "wrist"))
        return float(np.linalg.norm(elbow - upper) + np.linalg.norm(wrist - elbow))

    def leg_length_m(self) -> float:
        """From the hip joint to the ankle."""
        hip, knee, ankle = (self.joints[f"{bone}.L"] for bone in ("upperleg01", "lowerleg01", "foot"))
        return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))


@lru_cache(maxsize=1)
def body_rig() -> BodyRig:
    """Read the bones and the weights of MakeHuman's default rig."""
    folder = body_shape.data_folder() / "rigs" / "standard"
    bones = json.loads((folder / "rig.default.json").read_text())
    bones = bones.get("bones", bones)
    names = _parents_first({name: bone.get("parent") or None for name, bone in bones.items()})
    place = {name: index for index, name in enumerate(names)}
    weights = np.zeros((len(body_shape.base_mesh().vertices), len(names)), np.float32)
    for name, pairs in json.loads((folder / "weights.default.json").read_text())["weights"].items():
        if name in place and pairs:
            table = np.array(pairs)
            weights[table[:, 0].astype(int), place[name]] = table[:, 1]
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    parents = tuple(place.get(bones[name].get("parent"), -1) for name in names)
    return BodyRig(names, parents, tuple(_head(bones[name]["head"]) for name in names), weights)


def _parents_first(parent_of: dict[str, str | None]) -> tuple[str, ...]:
    order: list[str] = []
    while len(order) < len(parent_of):
        order += [n for n, parent in parent_of.items() if n not in order and (parent is None or parent in order)]
    return tuple(order)


def _head(place: dict) -> np.ndarray:
    """Return the vertices whose mean is a bone's head."""
    if place["strategy"] == "CUBE":
        return np.unique(body_shape.base_mesh().groups[place["cube_name"]])
    if place["strategy"] == "VERTEX":
        return np.array([place["vertex_index"]])
    return np.array(place["vertex_indices"])


def skeleton(vertices: np.ndarray) -> Skeleton:
    """Find the joints of a body at rest, `vertices` (19158, 3) m."""
    return Skeleton(
        {name: vertices[head].mean(axis=0) for name, head in zip(body_rig().names, body_rig().heads, strict=True)}
    )


def forward_kinematics(skeleton: Skeleton, rotations: Rotations, offset_m: np.ndarray | None = None) -> np.ndarray:
    """Return the bones' skinning transforms (B, 4, 4): they take points at rest to points posed.

    `offset_m` (3,) moves the whole body.
    """
    transforms = np.zeros((len(body_rig().names), 4, 4))
    root = np.eye(4)
    root[:3, 3] = 0 if offset_m is None else offset_m
    for index, (name, parent) in enumerate(zip(body_rig().names, body_rig().parents, strict=True)):
        above = root if parent < 0 else transforms[parent]
        if name not in rotations:
            transforms[index] = above
            continue
        turn, joint = rotations[name], skeleton.joints[name]
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = turn, joint - turn @ joint
        transforms[index] = above @ local
    return transforms


def apply_skinning(points: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Linear blend skinning: points (N, 3) at rest, weights (N, B) with rows that sum to 1, transforms (B, 4, 4)."""
    blended = (weights @ transforms[:, :3].reshape(-1, 12).astype(weights.dtype)).reshape(-1, 3, 4)
    return np.einsum("nij,nj->ni", blended[:, :, :3], points) + blended[:, :, 3]


def joint_position(skeleton: Skeleton, transforms: np.ndarray, bone: str) -> np.ndarray:
    """Return where a bone's head (3,) is in the pose."""
    transform = transforms[body_rig().index(bone)]
    return transform[:3, :3] @ skeleton.joints[bone] + transform[:3, 3]


def parent_rotation(transforms: np.ndarray, bone: str) -> np.ndarray:
    """Return the rotation (3, 3) of a bone's parent in the pose."""
    return transforms[body_rig().parents[body_rig().index(bone)]][:3, :3]


def unit_vector(vector: np.ndarray) -> np.ndarray:
    vector = np.asarray(vector, float)
    return vector / np.linalg.norm(vector)


def orthonormal_frame(along: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Return the right-handed frame (3, 3), columns: `along`, `towards` made square to it, their cross product."""
    first = unit_vector(along)
    second = unit_vector(towards - first * (first @ towards))
    return np.c_[first, second, np.cross(first, second)]


def solve_middle_joint(
    start: np.ndarray, end: np.ndarray, lengths_m: tuple[float, float], bend: np.ndarray
) -> np.ndarray:
    """Return the middle joint (3,) of a chain of two bones from `start` to `end` that bends towards `bend`.

    The law of cosines. An end too far away gives a straight chain towards it.
    """
    first, second = lengths_m
    distance = min(np.linalg.norm(end - start), (first + second) * 0.9999)
    along, side = orthonormal_frame(end - start, bend)[:, :2].T
    reach = (first**2 - second**2 + distance**2) / (2 * distance)
    return start + along * reach + side * np.sqrt(max(first**2 - reach**2, 0.0))


def limb_rotations(
    skeleton: Skeleton, bones: tuple[str, str, str], joints: np.ndarray, bend: np.ndarray, above: np.ndarray
) -> Rotations:
    """Return the rotations of the upper and the lower bone of an arm or a leg that put its joints where asked.

    `bones` upper, lower, end; `joints` (3, 3) their heads posed; `bend` where the middle joint points, posed;
    `above` (3, 3) rotation of the upper bone's parent. At rest knees bend to +x and elbows to -x.
    """
    upper, lower, _ = bones
    rest = [skeleton.joints[bone] for bone in bones]
    rest_bend = np.array([1.0, 0, 0]) if upper.startswith("upperleg") else np.array([-1.0, 0, 0])
    turn_upper = orthonormal_frame(joints[1] - joints[0], bend) @ orthonormal_frame(rest[1] - rest[0], rest_bend).T
    turn_lower = orthonormal_frame(joints[2] - joints[1], bend) @ orthonormal_frame(rest[2] - rest[1], rest_bend).T
    return {upper: above.T @ turn_upper, lower: turn_upper.T @ turn_lower}
