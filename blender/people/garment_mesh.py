# SPDX-License-Identifier: GPL-3.0-or-later
"""The garment mesh: one mesh around the body, from which all garments are cut.

It is MakeHuman's `helper-tights`, which covers the body from neck to toes with a vertex about every 22 mm. A garment
is moved away from the skin at rest, then posed, smoothed, folded, and lifted above the garment below it, vertex by
vertex. So layers do not cross in any pose.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from blender.mesh.surfaces import compact_faces, neighbor_table, smoothed, vertex_normals
from blender.people import body_shape
from blender.people.skeleton import SIDES, Skeleton, apply_skinning, body_rig, unit_vector

LAYER_GAP_M = 0.007
FLOOR_GAP_M = 0.004
POSED_SMOOTHING_ROUNDS = 2  # cloth does not follow every bend of the body
FOLD_WAVES = 9
ARM = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")
LEG = ("upperleg", "lowerleg", "foot", "toe")


@dataclass(frozen=True)
class GarmentMesh:
    """The mesh: `index` (V,) of its vertices in the base mesh, faces (F, 4), neighbors (V, K).

    `weights` (V, B) are skin weights without those of hands, feet and head, so that cloth ends at wrists, ankles and
    neck. `arm` and `leg` (V,) are the weights of all bones of arms and legs.
    """

    index: np.ndarray
    faces: np.ndarray
    neighbors: np.ndarray
    weights: np.ndarray
    arm: np.ndarray
    leg: np.ndarray


@dataclass(frozen=True)
class FittedBody:
    """The garment mesh on the skin of one body: `rest` and `posed` (V, 3) m; `transforms` (B, 4, 4) of the pose.

    `crease` (V,) in 0..1 says how much cloth is squeezed there: inside a bent elbow, at the back of a knee.
    """

    skeleton: Skeleton
    transforms: np.ndarray
    rest: np.ndarray
    posed: np.ndarray
    crease: np.ndarray


@lru_cache(maxsize=1)
def garment_mesh() -> GarmentMesh:
    """Return the mesh, which is the same for all bodies."""
    faces, index = compact_faces(body_shape.base_mesh().groups["helper-tights"])
    return GarmentMesh(
        index,
        faces,
        neighbor_table(faces, len(index)),
        _cloth_weights(body_rig().weights[index]),
        body_rig().bone_weights(*ARM)[index],
        body_rig().bone_weights(*LEG)[index],
    )


def _cloth_weights(weights: np.ndarray) -> np.ndarray:
    """Return weights (V, B) where the bones above hands, feet and head have taken over the weights of these."""
    weights = weights.copy()
    moves = {"spine01": (("neck", "head"), "")}
    for side in SIDES:
        moves[f"lowerarm02.{side}"] = (("wrist", "metacarpal", "finger"), side)
        moves[f"lowerleg02.{side}"] = (("foot", "toe"), side)
    for bone, (prefixes, suffix) in moves.items():
        columns = [i for i, name in enumerate(body_rig().names) if name.startswith(prefixes) and name.endswith(suffix)]
        weights[:, body_rig().index(bone)] += weights[:, columns].sum(axis=1)
        weights[:, columns] = 0
    return weights


def fit_garment_mesh(vertices: np.ndarray, skeleton: Skeleton, transforms: np.ndarray) -> FittedBody:
    """Put the garment mesh on a body: `vertices` (19158, 3) m at rest, `transforms` (B, 4, 4) of the pose."""
    neighbors = garment_mesh().neighbors
    rest = vertices[garment_mesh().index]
    posed = apply_skinning(rest, garment_mesh().weights, transforms)
    before, after = (np.linalg.norm(points[neighbors] - points[:, None], axis=2) for points in (rest, posed))
    squeezed = np.clip(1 - after / (before + 1e-6), 0, 0.6).max(axis=1) / 0.6
    return FittedBody(skeleton, transforms, rest, posed, smoothed(squeezed[:, None], neighbors, 2)[:, 0])


def with_ease(fitted: FittedBody, ease_m: np.ndarray, rounds: int) -> np.ndarray:
    """Return points (V, 3) at rest that are `ease_m` (V,) outside the skin, smoothed to hide the anatomy."""
    up = vertex_normals(fitted.rest, garment_mesh().faces)
    loose = smoothed(fitted.rest + up * ease_m[:, None], garment_mesh().neighbors, rounds)
    # Smoothing shrinks the mesh; keep at least half of the ease.
    return lift_above(loose, fitted.rest, up, ease_m / 2)


def widen_limb(
    points: np.ndarray, mask: np.ndarray, ends: tuple[np.ndarray, np.ndarray], radii_m: tuple[float, float]
) -> np.ndarray:
    """Return points (N, 3) where those of a limb are pushed out to a cone around its bone: cloth hangs loose there.

    `mask` (N,) bool chooses the points, `ends` are the ends of the bone at rest, `radii_m` the least radii there.
    """
    start, along = ends[0], unit_vector(ends[1] - ends[0])
    length = np.linalg.norm(ends[1] - ends[0])
    distance_along = (points[mask] - start) @ along
    axis_points = start + distance_along[:, None] * along
    from_axis = points[mask] - axis_points
    radius = np.linalg.norm(from_axis, axis=1)
    least = radii_m[0] + (radii_m[1] - radii_m[0]) * np.clip(distance_along / length, 0, 1)
    result = points.copy()
    result[mask] = axis_points + from_axis / np.maximum(radius, 1e-6)[:, None] * np.maximum(radius, least)[:, None]
    return result


def lift_above(points: np.ndarray, below: np.ndarray, up: np.ndarray, gap_m: np.ndarray | float) -> np.ndarray:
    """Raise points (N, 3) along `up` (N, 3) until each is `gap_m` above the same vertex of `below` (N, 3)."""
    height = ((points - below) * up).sum(axis=1)
    return points + up * np.maximum(gap_m - height, 0)[:, None]


def drape(fitted: FittedBody, garment: np.ndarray, below: np.ndarray, fold_m: np.ndarray) -> np.ndarray:
    """Pose a garment and lay it over the layer below; return its points (V, 3) m.

    `garment` (V, 3) is at rest, `below` (V, 3) is posed, `fold_m` (V,) is the height of the folds along the normals.
    """
    faces = garment_mesh().faces
    posed = apply_skinning(garment, garment_mesh().weights, fitted.transforms)
    cloth = smoothed(posed, garment_mesh().neighbors, POSED_SMOOTHING_ROUNDS)
    cloth = cloth + vertex_normals(cloth, faces) * fold_m[:, None]
    cloth = lift_above(cloth, below, vertex_normals(below, faces), LAYER_GAP_M)
    # A knee on the floor flattens its trouser leg.
    return np.maximum(cloth, [-np.inf, -np.inf, FLOOR_GAP_M])


def fold_heights(fitted: FittedBody, seed: tuple[int, int], height_m: float) -> np.ndarray:
    """Return the heights (V,) m of folds: waves of many lengths and directions, strongest where cloth is squeezed."""
    rng = np.random.default_rng(seed)
    waves = np.zeros(len(fitted.rest))
    for _ in range(FOLD_WAVES):
        direction = unit_vector(rng.normal(size=3) * [1.0, 1.0, 0.9])
        waves += np.sin(fitted.rest @ direction * (2 * np.pi / rng.uniform(0.06, 0.30)) + rng.uniform(0, 2 * np.pi))
    return height_m * waves / 3 * (0.3 + 2.4 * fitted.crease)
