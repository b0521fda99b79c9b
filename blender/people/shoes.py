# SPDX-License-Identifier: GPL-3.0-or-later
"""Safety shoes: a thick sole and an upper that rises from a bulky toe cap to the ankle, laid round the bare foot."""

from dataclasses import dataclass

import bpy
import numpy as np

from blender.materials.common_materials import new_material_builder, plain_material
from blender.mesh.asset_cache import AssetCache
from blender.mesh.rotation import rotation_matrix
from blender.mesh.surfaces import SkinSurface, fan_faces, surface_object
from blender.people.skeleton import SIDES, Skeleton, apply_skinning, body_rig

# Outline of the sole, from the middle of the heel along the outer side to the toe and back along the inner side:
# place along the foot 0..1, half width as a share of the greatest (positive = outer side).
OUTLINE = np.array(
    [
        *((0.0, 0.0), (0.02, 0.4), (0.08, 0.66), (0.18, 0.74), (0.32, 0.74), (0.46, 0.82), (0.6, 0.96), (0.7, 1.0)),
        *((0.82, 0.9), (0.92, 0.66), (0.98, 0.34), (1.0, 0.0), (0.99, -0.36), (0.95, -0.68), (0.86, -0.9)),
        *((0.74, -0.98), (0.62, -0.9), (0.48, -0.72), (0.34, -0.64), (0.18, -0.7), (0.08, -0.64), (0.02, -0.4)),
    ]
)
# Rings from the floor up: height above the floor, heel end and toe end along the shoe, width, sole (0) or upper (1).
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
SOLE_M = 0.028
# Room for the toes and for the leather.
LONGER_M, WIDER_M = 0.032, 0.020


@dataclass(frozen=True)
class Shoes:
    """Both shoes at rest: points (N, 3) m, soles at z = -SOLE_M; weights (N, B); faces (F, 4) and their slots (F,)."""

    points: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    slots: np.ndarray


def fit_shoes(skeleton: Skeleton, vertices: np.ndarray) -> Shoes:
    """Make shoes for a body at rest; `vertices` (19158, 3) m."""
    around, levels = len(OUTLINE), len(RINGS)
    a = np.add.outer(np.arange(levels - 1) * around, np.arange(around)).ravel()
    b = np.add.outer(np.arange(levels - 1) * around, (np.arange(around) + 1) % around).ravel()
    left = np.concatenate([np.c_[b, a, a + around, b + around], fan_faces(list(range(around)))])
    slots = np.concatenate([np.repeat([ring[4] for ring in RINGS[1:]], around), np.zeros(len(left) - len(a), int)])
    made = [_one(skeleton, vertices, side) for side in SIDES]
    faces = np.concatenate([left, left[:, ::-1] + around * levels])
    points, weights = (np.concatenate(parts) for parts in zip(*made, strict=True))
    return Shoes(points, weights, faces, np.tile(slots, 2))


def _one(skeleton: Skeleton, vertices: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return points (R * O, 3) and weights (R * O, B) of one shoe."""
    sign, ankle, ball = SIDES[side], skeleton.joints[f"foot.{side}"], skeleton.joints[f"toe2-1.{side}"]
    yaw = rotation_matrix("z", np.degrees(np.arctan2(*(ball - ankle)[[1, 0]])))
    foot = vertices[body_rig().share("foot", "toe") > 0.6]
    foot = (foot[foot[:, 1] * sign > 0] - ankle) @ yaw
    low = foot[foot[:, 2] < 0.06 - ankle[2]]
    heel, toe = low[:, 0].min() - 0.35 * LONGER_M, low[:, 0].max() + 0.65 * LONGER_M
    inner, outer = np.sort([low[:, 1].min() * sign, low[:, 1].max() * sign])
    half, middle = (outer - inner + WIDER_M) / 2, (outer + inner) / 2
    size = (toe - heel) / 0.30
    rings = []
    for height, back, front, width, _ in RINGS:
        along = heel + (toe - heel) * (back + (front - back) * OUTLINE[:, 0])
        rise = SOLE_M + (height - SOLE_M) * size if height > SOLE_M else height
        rings.append(np.c_[along, sign * (middle + half * width * OUTLINE[:, 1]), np.full(len(along), rise)])
    local = np.concatenate(rings)
    points = local @ yaw.T * [1, 1, 0] + ankle * [1, 1, 0] + local * [0, 0, 1] - [0, 0, SOLE_M]
    return points, _weights(points, local[:, 0], skeleton, side)


def _weights(points: np.ndarray, along: np.ndarray, skeleton: Skeleton, side: str) -> np.ndarray:
    """Bend the shoe at the ball of the foot, and its shaft with the shin."""
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
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def build_shoes(
    shoes: Shoes, transforms: np.ndarray, color: tuple[float, float, float], library: AssetCache
) -> bpy.types.Object:
    """Return the posed shoes as one object."""
    posed = SkinSurface(apply_skinning(shoes.points, shoes.weights, transforms), shoes.faces, {"rest": shoes.points})
    rubber = library.material("shoe sole", lambda: plain_material("shoe sole", (0.012, 0.012, 0.012), roughness=0.75))
    leather = library.material(("shoe", tuple(color)), lambda: _leather(color))
    return surface_object("shoes", posed, [rubber, leather], shoes.slots)


def _leather(color: tuple[float, float, float]) -> bpy.types.Material:
    builder = new_material_builder("shoe leather")
    place = builder.node("ShaderNodeAttribute", attribute_name="rest").outputs["Vector"]
    grain = builder.noise(40.0, 3.0, place)
    builder.set_principled(Base_Color=builder.mix_colors(grain, [0.7 * c for c in color], color), Roughness=0.5)
    builder.add_bump(grain, 0.25, 0.004)
    return builder.material
