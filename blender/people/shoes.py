# SPDX-License-Identifier: GPL-3.0-or-later
"""Safety shoes, fitted around the bare foot: a thick sole, and an upper from a large toe cap to the ankle."""

from dataclasses import dataclass

import bpy
import numpy as np

from blender.materials.common_materials import Rgb, new_material_builder, plain_material
from blender.materials.person_materials import scaled_rgb, vertex_attribute
from blender.mesh.asset_cache import AssetCache
from blender.mesh.rings import ring_faces
from blender.mesh.rotation import rotation_matrix
from blender.mesh.surfaces import SkinSurface, fan_faces, surface_object
from blender.people.skeleton import SIDES, Skeleton, apply_skinning, body_rig

# Outline of the sole from the middle of the heel along the outer side to the toe and back along the inner side: the
# position along the foot in 0..1, and the half width as a share of the greatest (positive is the outer side).
OUTLINE = np.array(
    [
        *((0.0, 0.0), (0.02, 0.4), (0.08, 0.66), (0.18, 0.74), (0.32, 0.74), (0.46, 0.82), (0.6, 0.96), (0.7, 1.0)),
        *((0.82, 0.9), (0.92, 0.66), (0.98, 0.34), (1.0, 0.0), (0.99, -0.36), (0.95, -0.68), (0.86, -0.9)),
        *((0.74, -0.98), (0.62, -0.9), (0.48, -0.72), (0.34, -0.64), (0.18, -0.7), (0.08, -0.64), (0.02, -0.4)),
    ]
)
# Rings from the floor up: height (m), heel end and toe end along the shoe (0..1), width, and slot: sole 0, upper 1.
RINGS = (
    (0.000, 0.030, 0.955, 0.90, 0),
    (0.004, 0.008, 0.985, 0.98, 0),
    (0.026, 0.000, 1.000, 1.00, 0),
    (0.031, 0.006, 0.994, 0.97, 1),
    (0.050, 0.008, 0.990, 0.96, 1),
    (0.066, 0.012, 0.965, 0.90, 1),
    (0.077, 0.016, 0.920, 0.80, 1),
    (0.085, 0.018, 0.800, 0.74, 1),
    (0.098, 0.016, 0.640, 0.70, 1),
    (0.114, 0.016, 0.520, 0.68, 1),
    (0.135, 0.012, 0.460, 0.68, 1),
    (0.150, 0.008, 0.440, 0.70, 1),
)
RING_LENGTH_M = 0.30  # length of the shoe for which the heights of the upper are given
SOLE_HEIGHT_M = 0.028
# Room for the toes and for the leather.
EXTRA_LENGTH_M, EXTRA_WIDTH_M = 0.032, 0.020


@dataclass(frozen=True)
class Shoes:
    """Both shoes at rest: points (N, 3) m, weights (N, B), faces (F, 4) and their material slots (F,).

    The soles are at z = -SOLE_HEIGHT_M, because the bare feet stand at z = 0.
    """

    points: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    slots: np.ndarray


def fit_shoes(skeleton: Skeleton, vertices: np.ndarray) -> Shoes:
    """Fit shoes to a body at rest; `vertices` (19158, 3) m."""
    around, rings = len(OUTLINE), len(RINGS)
    sides = ring_faces(rings, around, reverse=True)
    left = np.concatenate([sides, fan_faces(list(range(around)))])
    sole_faces = np.zeros(len(left) - len(sides), int)
    slots = np.concatenate([np.repeat([ring[4] for ring in RINGS[1:]], around), sole_faces])
    pair = [_fit_shoe(skeleton, vertices, side) for side in SIDES]
    points, weights = (np.concatenate(parts) for parts in zip(*pair, strict=True))
    faces = np.concatenate([left, left[:, ::-1] + around * rings])
    return Shoes(points, weights, faces, np.tile(slots, 2))


def _fit_shoe(skeleton: Skeleton, vertices: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return points (P, 3) m and weights (P, B) of one shoe."""
    sign, ankle = SIDES[side], skeleton.joints[f"foot.{side}"]
    yaw = rotation_matrix("z", skeleton.foot_yaw_deg(side))
    foot = vertices[body_rig().bone_weights("foot", "toe") > 0.6]
    foot = (foot[foot[:, 1] * sign > 0] - ankle) @ yaw
    sole = foot[foot[:, 2] < 0.06 - ankle[2]]
    heel, toe = sole[:, 0].min() - 0.35 * EXTRA_LENGTH_M, sole[:, 0].max() + 0.65 * EXTRA_LENGTH_M
    inner, outer = np.sort([sole[:, 1].min() * sign, sole[:, 1].max() * sign])
    half_width, middle = (outer - inner + EXTRA_WIDTH_M) / 2, (outer + inner) / 2
    scale = (toe - heel) / RING_LENGTH_M
    rings = []
    for height, back, front, width, _ in RINGS:
        along = heel + (toe - heel) * (back + (front - back) * OUTLINE[:, 0])
        z = SOLE_HEIGHT_M + (height - SOLE_HEIGHT_M) * scale if height > SOLE_HEIGHT_M else height
        rings.append(np.c_[along, sign * (middle + half_width * width * OUTLINE[:, 1]), np.full(len(along), z)])
    local = np.concatenate(rings)
    points = local @ yaw.T * [1, 1, 0] + ankle * [1, 1, 0] + local * [0, 0, 1] - [0, 0, SOLE_HEIGHT_M]
    return points, _shoe_weights(points, local[:, 0], skeleton, side)


def _shoe_weights(points: np.ndarray, along: np.ndarray, skeleton: Skeleton, side: str) -> np.ndarray:
    """Return weights (P, B) with which the shoe bends at the ball of the foot and its shaft follows the shin.

    `along` (P,) m is the distance ahead of the ankle.
    """
    ankle, ball = skeleton.joints[f"foot.{side}"], skeleton.joints[f"toe2-1.{side}"]
    bend = np.linalg.norm((ball - ankle)[:2])
    toes = _smoothstep(along, bend - 0.02, bend + 0.03)
    shin = _smoothstep(points[:, 2], ankle[2] - 0.005, ankle[2] + 0.06)
    weights = np.zeros((len(points), len(body_rig().names)))
    weights[:, body_rig().index(f"toe2-1.{side}")] = toes
    weights[:, body_rig().index(f"lowerleg02.{side}")] = shin * (1 - toes)
    weights[:, body_rig().index(f"foot.{side}")] = (1 - shin) * (1 - toes)
    return weights


def _smoothstep(value: np.ndarray, low: float, high: float) -> np.ndarray:
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def build_shoes(shoes: Shoes, transforms: np.ndarray, color: Rgb, cache: AssetCache) -> bpy.types.Object:
    """Return both shoes as one posed object; `transforms` (B, 4, 4) of the pose."""
    posed = SkinSurface(apply_skinning(shoes.points, shoes.weights, transforms), shoes.faces, {"rest": shoes.points})
    rubber = cache.material("shoe sole", lambda: plain_material("shoe sole", (0.012, 0.012, 0.012), roughness=0.75))
    leather = cache.material(("shoe", tuple(color)), lambda: _leather_material(color))
    return surface_object("shoes", posed, [rubber, leather], shoes.slots)


def _leather_material(color: Rgb) -> bpy.types.Material:
    builder = new_material_builder("shoe leather")
    grain = builder.noise(40.0, 3.0, vertex_attribute(builder, "rest", "Vector"))
    builder.set_principled(Base_Color=builder.mix_colors(grain, scaled_rgb(color, 0.7), color), Roughness=0.5)
    builder.add_bump(grain, 0.25, 0.004)
    return builder.material
