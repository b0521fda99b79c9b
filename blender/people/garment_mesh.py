# SPDX-License-Identifier: GPL-3.0-or-later
"""The suit: one net of vertices round the body that all garments are pieces of.

MakeHuman's `helper-tights` wrap the body from neck to toes, about a vertex every 22 mm. A garment is eased away from
the skin at rest, posed, smoothed, folded, and lifted off the garment below it, vertex by vertex. So layers cannot
cross, whatever the pose.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from blender.mesh.surfaces import compact_faces, neighbour_table, smoothed, vertex_normals
from blender.people import body_shape
from blender.people.skeleton import SIDES, Skeleton, apply_skinning, body_rig, unit_vector

# Layers keep this far apart.
LAYER_GAP_M = 0.007
# Cloth does not follow every bend of the body.
POSED_ROUNDS = 2
# Cloth stays this far above the floor.
FLOOR_M = 0.004
ARM = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")
LEG = ("upperleg", "lowerleg", "foot", "toe")


@dataclass(frozen=True)
class GarmentMesh:
    """The net: `index` (V,) of its vertices in the base mesh, faces (F, 4), neighbours (V, K).

    `weights` (V, B) let cloth end at wrists, ankles and neck: hands, feet and head do not pull it. `arm`, `leg` (V,)
    are the shares of the limbs.
    """

    index: np.ndarray
    faces: np.ndarray
    table: np.ndarray
    weights: np.ndarray
    arm: np.ndarray
    leg: np.ndarray


@dataclass(frozen=True)
class FittedBody:
    """The suit on one posed body: the skin at rest and posed (V, 3) m.

    `crease` (V,) 0..1 says how much cloth is squeezed: inside of a bent elbow, back of a knee.
    """

    skeleton: Skeleton
    transforms: np.ndarray
    rest: np.ndarray
    posed: np.ndarray
    crease: np.ndarray


@lru_cache(maxsize=1)
def garment_mesh() -> GarmentMesh:
    """Read the net from the template."""
    faces, index = compact_faces(body_shape.base_mesh().groups["helper-tights"])
    return GarmentMesh(
        index,
        faces,
        neighbour_table(faces, len(index)),
        _cloth_weights(body_rig().weights[index]),
        body_rig().share(*ARM)[index],
        body_rig().share(*LEG)[index],
    )


def _cloth_weights(weights: np.ndarray) -> np.ndarray:
    """Give the weights of hands, feet and head to the bones above them."""
    weights = weights.copy()
    moves = {"spine01": (("neck", "head"), "")}
    for side in SIDES:
        moves[f"lowerarm02.{side}"] = (("wrist", "metacarpal", "finger"), side)
        moves[f"lowerleg02.{side}"] = (("foot", "toe"), side)
    for bone, (sources, ending) in moves.items():
        columns = [i for i, name in enumerate(body_rig().names) if name.startswith(sources) and name.endswith(ending)]
        weights[:, body_rig().index(bone)] += weights[:, columns].sum(axis=1)
        weights[:, columns] = 0
    return weights


def fit_garment_mesh(vertices: np.ndarray, skeleton: Skeleton, transforms: np.ndarray) -> FittedBody:
    """Put the suit on a body: `vertices` (19158, 3) m at rest, `transforms` (B, 4, 4)."""
    rest = vertices[garment_mesh().index]
    posed = apply_skinning(rest, garment_mesh().weights, transforms)
    before, after = (np.linalg.norm(points[garment_mesh().table] - points[:, None], axis=2) for points in (rest, posed))
    squeezed = np.clip(1 - after / (before + 1e-6), 0, 0.6).max(axis=1) / 0.6
    return FittedBody(skeleton, transforms, rest, posed, smoothed(squeezed[:, None], garment_mesh().table, 2)[:, 0])


def with_ease(fitted: FittedBody, ease_m: np.ndarray, rounds: int) -> np.ndarray:
    """Blow the suit up by `ease_m` (V,) and smooth out the anatomy; returns (V, 3) at rest."""
    up = vertex_normals(fitted.rest, garment_mesh().faces)
    loose = smoothed(fitted.rest + up * ease_m[:, None], garment_mesh().table, rounds)
    # Smoothing shrinks: nowhere closer to the skin than half the ease.
    return lift_above(loose, fitted.rest, up, ease_m / 2)


def widen_limb(
    points: np.ndarray, chosen: np.ndarray, ends: tuple[np.ndarray, np.ndarray], radii_m: tuple[float, float]
) -> np.ndarray:
    """Push the chosen points (N,) bool of a limb out to a cone round its bone: sleeves and trouser legs hang loose.

    `ends` are the bone's, at rest; `radii_m` the least distances there.
    """
    start, along = ends[0], unit_vector(ends[1] - ends[0])
    length = np.linalg.norm(ends[1] - ends[0])
    t = (points[chosen] - start) @ along
    foot = start + t[:, None] * along
    away = points[chosen] - foot
    distance = np.linalg.norm(away, axis=1)
    least = radii_m[0] + (radii_m[1] - radii_m[0]) * np.clip(t / length, 0, 1)
    result = points.copy()
    result[chosen] = foot + away / np.maximum(distance, 1e-6)[:, None] * np.maximum(distance, least)[:, None]
    return result


def lift_above(points: np.ndarray, below: np.ndarray, up: np.ndarray, gap_m: np.ndarray | float) -> np.ndarray:
    """Raise points (N, 3) along `up` (N, 3) until they are `gap_m` above the surface `below` (N, 3) at each vertex."""
    height = ((points - below) * up).sum(axis=1)
    return points + up * np.maximum(gap_m - height, 0)[:, None]


def drape(fitted: FittedBody, garment: np.ndarray, below: np.ndarray, fold_m: np.ndarray) -> np.ndarray:
    """Pose a garment and lay it over the layer below.

    `garment` (V, 3) at rest; `below` (V, 3) posed; `fold_m` (V,) displacement of the folds along the normals. Returns
    (V, 3) m.
    """
    cloth = smoothed(
        apply_skinning(garment, garment_mesh().weights, fitted.transforms), garment_mesh().table, POSED_ROUNDS
    )
    cloth = cloth + vertex_normals(cloth, garment_mesh().faces) * fold_m[:, None]
    cloth = lift_above(cloth, below, vertex_normals(below, garment_mesh().faces), LAYER_GAP_M)
    # A knee on the floor flattens its trouser leg.
    return np.maximum(cloth, [-np.inf, -np.inf, FLOOR_M])


def fold_heights(fitted: FittedBody, seed: tuple[int, int], height_m: float) -> np.ndarray:
    """Return folds (V,) m: crossing waves of many lengths, faint everywhere, strong where the cloth is squeezed."""
    rng = np.random.default_rng(seed)
    waves = np.zeros(len(fitted.rest))
    for _ in range(9):
        way = unit_vector(rng.normal(size=3) * [1.0, 1.0, 0.9])
        waves += np.sin(fitted.rest @ way * (2 * np.pi / rng.uniform(0.06, 0.30)) + rng.uniform(0, 2 * np.pi))
    return height_m * waves / 3 * (0.3 + 2.4 * fitted.crease)
