# SPDX-License-Identifier: GPL-3.0-or-later
"""MakeHuman's default rig in numpy: bones, skin weights, forward kinematics, inverse kinematics of two-bone limbs.

Frame: meters, x ahead, y left, z up. A pose is a dict {bone: 3x3 rotation matrix}. Each rotation is relative to the
parent bone and uses the axes of the body frame at rest, so a rotation has the same meaning for every bone. Example: a
positive angle about +y moves the upper end of a bone forward. Names of left bones end in ".L", of right bones in ".R".
"""

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from blender.people import body_shape

Rotations = dict[str, np.ndarray]

SIDES = {"L": 1.0, "R": -1.0}  # the sign of y on that side of the body
TOES = tuple(range(1, 6))
FINGERS = tuple(range(2, 6))  # without the thumb, which is number 1
MAX_EXTENSION = 0.9999  # of a limb's length: a limb that is exactly straight has no bend direction


@dataclass(frozen=True)
class BodyRig:
    """The bones, which are the same for all bodies.

    Parents come before their children. `parents` holds B ints, -1 for the root. `weights` (19158, B) float32 are the
    skin weights; each row sums to 1. The head of a bone is the mean of the vertices with the indices `heads[bone]`, so
    it follows the shape of the body.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: tuple[np.ndarray, ...]
    weights: np.ndarray

    def index(self, bone: str) -> int:
        return self.names.index(bone)

    def bone_weights(self, *prefixes: str) -> np.ndarray:
        """Return for every vertex (19158,) the summed weight of the bones whose name starts with one of `prefixes`."""
        columns = [i for i, name in enumerate(self.names) if name.startswith(prefixes)]
        return self.weights[:, columns].sum(axis=1)


@dataclass(frozen=True)
class Skeleton:
    """The rig inside one body: `joints` {bone: position (3,) of its head at rest, m}."""

    joints: dict[str, np.ndarray]

    def limb_lengths_m(self, bones: tuple[str, str, str]) -> tuple[float, float]:
        """Return the lengths of the upper and the lower part of a limb; `bones` start at its three joints."""
        start, middle, end = (self.joints[bone] for bone in bones)
        return float(np.linalg.norm(middle - start)), float(np.linalg.norm(end - middle))

    def leg_length_m(self) -> float:
        """Return the distance from the hip joint over the knee to the ankle."""
        return sum(self.limb_lengths_m(("upperleg01.L", "lowerleg01.L", "foot.L")))

    def foot_yaw_deg(self, side: str) -> float:
        """Return the heading of a foot at rest, from the ankle to the ball; positive is to the left."""
        direction = self.joints[f"toe2-1.{side}"] - self.joints[f"foot.{side}"]
        return float(np.degrees(np.arctan2(direction[1], direction[0])))


@lru_cache(maxsize=1)
def body_rig() -> BodyRig:
    """Read the bones and the weights of MakeHuman's default rig."""
    folder = body_shape.data_folder() / "rigs" / "standard"
    bones = json.loads((folder / "rig.default.json").read_text())
    bones = bones.get("bones", bones)
    names = _sort_parents_first({name: bone.get("parent") or None for name, bone in bones.items()})
    bone_index = {name: index for index, name in enumerate(names)}
    weights = np.zeros((len(body_shape.base_mesh().vertices), len(names)), np.float32)
    for name, pairs in json.loads((folder / "weights.default.json").read_text())["weights"].items():
        if name in bone_index and pairs:
            table = np.array(pairs)
            weights[table[:, 0].astype(int), bone_index[name]] = table[:, 1]
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    parents = tuple(bone_index.get(bones[name].get("parent"), -1) for name in names)
    return BodyRig(names, parents, tuple(_head_vertices(bones[name]["head"]) for name in names), weights)


def _sort_parents_first(parent_of: dict[str, str | None]) -> tuple[str, ...]:
    order: list[str] = []
    while len(order) < len(parent_of):
        order += [n for n, parent in parent_of.items() if n not in order and (parent is None or parent in order)]
    return tuple(order)


def _head_vertices(head_rule: dict) -> np.ndarray:
    """Return the indices of the vertices whose mean is a bone's head; `head_rule` is its entry in the rig file."""
    if head_rule["strategy"] == "CUBE":
        return np.unique(body_shape.base_mesh().groups[head_rule["cube_name"]])
    if head_rule["strategy"] == "VERTEX":
        return np.array([head_rule["vertex_index"]])
    return np.array(head_rule["vertex_indices"])


def find_skeleton(vertices: np.ndarray) -> Skeleton:
    """Return the joints of a body at rest; `vertices` (19158, 3) m."""
    return Skeleton(
        {name: vertices[head].mean(axis=0) for name, head in zip(body_rig().names, body_rig().heads, strict=True)}
    )


def forward_kinematics(skeleton: Skeleton, rotations: Rotations, root_offset_m: np.ndarray | None = None) -> np.ndarray:
    """Return the skinning transforms (B, 4, 4) of the bones: they map points at rest to points in the pose.

    `root_offset_m` (3,) moves the whole body.
    """
    transforms = np.zeros((len(body_rig().names), 4, 4))
    root = np.eye(4)
    root[:3, 3] = 0 if root_offset_m is None else root_offset_m
    for index, (name, parent) in enumerate(zip(body_rig().names, body_rig().parents, strict=True)):
        parent_transform = root if parent < 0 else transforms[parent]
        if name not in rotations:
            transforms[index] = parent_transform
            continue
        rotation, joint = rotations[name], skeleton.joints[name]
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = rotation, joint - rotation @ joint
        transforms[index] = parent_transform @ local
    return transforms


def apply_skinning(points: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Return the posed points (N, 3), by linear blend skinning.

    `points` (N, 3) at rest, `weights` (N, B) with rows that sum to 1, `transforms` (B, 4, 4).
    """
    blended = (weights @ transforms[:, :3].reshape(-1, 12).astype(weights.dtype)).reshape(-1, 3, 4)
    return np.einsum("nij,nj->ni", blended[:, :, :3], points) + blended[:, :, 3]


def joint_position(skeleton: Skeleton, transforms: np.ndarray, bone: str) -> np.ndarray:
    """Return the position (3,) of a bone's head in the pose."""
    transform = transforms[body_rig().index(bone)]
    return transform[:3, :3] @ skeleton.joints[bone] + transform[:3, 3]


def parent_rotation(transforms: np.ndarray, bone: str) -> np.ndarray:
    """Return the rotation (3, 3) of a bone's parent in the pose."""
    return transforms[body_rig().parents[body_rig().index(bone)]][:3, :3]


def unit_vector(vector: np.ndarray) -> np.ndarray:
    vector = np.asarray(vector, float)
    return vector / np.linalg.norm(vector)


def orthonormal_frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return a right-handed frame (3, 3) whose columns are unit vectors.

    Column 0 points along `first`. Column 1 is the part of `second` perpendicular to it. Column 2 is their cross
    product.
    """
    x = unit_vector(first)
    y = unit_vector(second - x * (x @ second))
    return np.c_[x, y, np.cross(x, y)]


def solve_middle_joint(
    start: np.ndarray, end: np.ndarray, lengths_m: tuple[float, float], bend_direction: np.ndarray
) -> np.ndarray:
    """Return the middle joint (3,) of a two-bone limb from `start` to `end`, by the law of cosines.

    The joint lies on the side of `bend_direction` (3,). If `end` is too far away, the limb is straight towards it.
    """
    upper_m, lower_m = lengths_m
    distance = min(np.linalg.norm(end - start), (upper_m + lower_m) * MAX_EXTENSION)
    axis, side = orthonormal_frame(end - start, bend_direction)[:, :2].T
    along_m = (upper_m**2 - lower_m**2 + distance**2) / (2 * distance)
    return start + axis * along_m + side * np.sqrt(max(upper_m**2 - along_m**2, 0.0))


def limb_rotations(
    skeleton: Skeleton,
    bones: tuple[str, str, str],
    joints: np.ndarray,
    bend_direction: np.ndarray,
    parent_rotation_matrix: np.ndarray,
) -> Rotations:
    """Return the rotations of the upper and the lower bone of an arm or a leg that move its joints to `joints`.

    Args:
        bones: the upper and the lower bone, and the bone at the end (a hand or a foot).
        joints: (3, 3), one row for the head of each bone in the pose.
        bend_direction: (3,), where the middle joint points in the pose. At rest, knees bend to +x and elbows to -x.
        parent_rotation_matrix: (3, 3), the rotation of the upper bone's parent in the pose.
    """
    upper, lower, _ = bones
    rest = [skeleton.joints[bone] for bone in bones]
    rest_bend = np.array([1.0, 0, 0]) if upper.startswith("upperleg") else np.array([-1.0, 0, 0])
    upper_rotation, lower_rotation = (
        orthonormal_frame(joints[i + 1] - joints[i], bend_direction)
        @ orthonormal_frame(rest[i + 1] - rest[i], rest_bend).T
        for i in (0, 1)
    )
    return {upper: parent_rotation_matrix.T @ upper_rotation, lower: upper_rotation.T @ lower_rotation}
