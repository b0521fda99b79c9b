# SPDX-License-Identifier: GPL-3.0-or-later
"""The head: landmarks, bare skin, eyes and hair. Hair is a shell over the scalp that thins out at the hairline.

H is the number of vertices of the head's part of the skin, B the number of bones.
"""

from dataclasses import dataclass
from functools import lru_cache

import bpy
import numpy as np

from blender.materials import person_materials
from blender.mesh.asset_cache import AssetCache
from blender.mesh.rings import ring_faces, unit_sphere
from blender.mesh.surfaces import (
    SkinSurface,
    compact_faces,
    cut_mesh,
    join_surfaces,
    neighbor_table,
    smoothed,
    surface_object,
    vertex_normals,
)
from blender.people import body_shape
from blender.people.attachment import attach_to_bone
from blender.people.skeleton import apply_skinning, body_rig

# Height of the hairline above the eyes (1 is the top of the head) by depth from the nose (0) to the back (1): across
# the forehead, down the temple to the sideburn, around the ear, down to the nape.
HAIRLINE_DEPTH = (0.0, 0.20, 0.30, 0.36, 0.43, 0.49, 0.60, 0.70, 1.0)
HAIRLINE_HEIGHT = (0.72, 0.70, 0.56, 0.30, 0.12, -0.14, -0.30, -0.60, -0.70)
# Thickness on top by `Outfit.hair`; long hair is tied to a bun.
HAIR_LENGTH_M = {"shaved": 0.002, "short": 0.013, "full": 0.030, "long": 0.012}
FLAT_HAIR_M = 0.004  # under a helmet or a cap
BUN_HALF_AXES_M = (0.030, 0.042, 0.038)
# Shape targets that move the ears, and the lips.
EAR_TARGETS = {side: f"ears/{side}-ear-scale-depth-incr" for side in "lr"}
LIP_TARGETS = ("mouth/mouth-upperlip-volume-incr", "mouth/mouth-lowerlip-volume-incr")


@dataclass(frozen=True)
class HeadLandmarks:
    """Landmarks at rest, m: left eye (3,), x of nose tip and back of the head, z of its top, half its width."""

    eye: np.ndarray
    top_z: float
    front_x: float
    back_x: float
    half_width: float

    @property
    def size_m(self) -> float:
        """Height of the top above the eyes."""
        return self.top_z - float(self.eye[2])


@dataclass(frozen=True)
class HeadMesh:
    """The head's part of the skin: `index` (H,) of its vertices, faces (F, 4), neighbors (H, K), weights (H, B).

    `head` (H,) is the weight of the head's bones; `ears` and `lips` (H,) are masks in 0..1.
    """

    index: np.ndarray
    faces: np.ndarray
    neighbors: np.ndarray
    weights: np.ndarray
    head: np.ndarray
    ears: np.ndarray
    lips: np.ndarray


@dataclass(frozen=True)
class HairShell:
    """Hair on one head at rest: `field` (H,) m is positive where it grows, `outside` (H, 3) m is its outer surface."""

    field: np.ndarray
    outside: np.ndarray


@lru_cache(maxsize=1)
def head_mesh() -> HeadMesh:
    """Return the head's part of the skin, which is the same for all bodies."""
    bones = [i for i in range(len(body_rig().names)) if _is_head_bone(i)]
    head_weight = body_rig().weights[: body_shape.SKIN_VERTICES, bones].sum(axis=1)
    quads = body_shape.base_mesh().groups["body"]
    faces, index = compact_faces(quads[(head_weight[quads] > 0.2).any(axis=1)])
    ears, lips = (_target_mask(names)[index] for names in (tuple(EAR_TARGETS.values()), LIP_TARGETS))
    neighbors, weights = neighbor_table(faces, len(index)), body_rig().weights[index]
    return HeadMesh(index, faces, neighbors, weights, head_weight[index], ears, np.clip(2.5 * lips, 0, 1))


def _is_head_bone(bone: int) -> bool:
    """Return whether a bone is the head or one of its descendants."""
    return bone >= 0 and (body_rig().names[bone] == "head" or _is_head_bone(body_rig().parents[bone]))


def _target_mask(targets: tuple[str, ...]) -> np.ndarray:
    """Return how far shape targets move each vertex of the skin: (13380,) in 0..1, 1 where a target moves most."""
    mask = np.zeros(body_shape.SKIN_VERTICES)
    for name in targets:
        target = body_shape.shape_target(name)
        strength = np.linalg.norm(target.offset, axis=1)
        mask[target.index] = np.maximum(mask[target.index], strength / strength.max())
    return mask


def head_landmarks(vertices: np.ndarray) -> HeadLandmarks:
    """Find the landmarks of a body at rest, `vertices` (19158, 3) m."""
    skull = vertices[head_mesh().index[(head_mesh().head > 0.5) & (head_mesh().ears < 0.1)]]
    eye = vertices[np.unique(body_shape.base_mesh().groups["helper-l-eye"])].mean(axis=0)
    above_eyes = skull[skull[:, 2] > eye[2]]
    half_width = np.abs(above_eyes[:, 1]).max()
    return HeadLandmarks(eye, skull[:, 2].max(), above_eyes[:, 0].max(), skull[:, 0].min(), half_width)


def grow_hair(landmarks: HeadLandmarks, vertices: np.ndarray, length_m: float) -> HairShell:
    """Return hair on a head at rest: `length_m` thick on top, thinner at the sides and towards the hairline."""
    mesh = head_mesh()
    points = vertices[mesh.index]
    depth = (landmarks.front_x - points[:, 0]) / (landmarks.front_x - landmarks.back_x)
    hairline_z = landmarks.eye[2] + np.interp(depth, HAIRLINE_DEPTH, HAIRLINE_HEIGHT) * landmarks.size_m
    field = np.where(mesh.head > 0.4, np.minimum(points[:, 2] - hairline_z, 0.04), -0.04)
    near_ear = smoothed(np.minimum(4 * mesh.ears, 1)[:, None], mesh.neighbors, 2)[:, 0]
    field = np.minimum(field, 0.012 - 0.035 * near_ear + 0.03 * (near_ear < 0.05))
    field = smoothed(field[:, None], mesh.neighbors, 2)[:, 0]
    up = smoothed(vertex_normals(points, mesh.faces), mesh.neighbors, 3)
    # Short at the sides and the nape, longer on top.
    share = np.clip((points[:, 2] - landmarks.eye[2]) / landmarks.size_m, 0.15, 0.9)
    raised = points + up * (length_m * share * np.clip(field / 0.03, 0, 1) ** 0.7)[:, None]
    outside = np.where(field[:, None] > 0.004, smoothed(raised, mesh.neighbors, 3), raised)
    return HairShell(field, outside)


def build_head(
    vertices: np.ndarray,
    transforms: np.ndarray,
    skin_field: np.ndarray,
    hair: HairShell,
    parameters: dict,
    cache: AssetCache,
) -> list[bpy.types.Object]:
    """Return the bare skin of the whole body, the eyes and the hair as posed objects.

    `vertices` (19158, 3) m at rest; `transforms` (B, 4, 4) of the pose; `skin_field` (13380,) m is positive where the
    skin shows; `parameters` is the JSON dict of `PersonParameters`.
    """
    landmarks = head_landmarks(vertices)
    skin_rgb, hair_rgb = tuple(parameters["skin_rgb"]), tuple(parameters["outfit"]["hair_rgb"])
    skin_material = cache.material(
        ("skin", (skin_rgb, hair_rgb)), lambda: person_materials.skin_material("skin", skin_rgb, hair_rgb)
    )
    hair_material = cache.material(("hair", hair_rgb), lambda: person_materials.hair_material("hair", hair_rgb))
    strands = _hair_surface(landmarks, vertices, hair, transforms)
    if parameters["outfit"]["hair"] == "long":
        strands = join_surfaces([strands, _bun(landmarks, transforms)])
    skin = _skin_surface(landmarks, vertices, transforms, hair, skin_field)
    return [
        surface_object("skin", skin, [skin_material]),
        surface_object("eyes", _eyes(vertices, transforms), [cache.material("eye", person_materials.eye_material)]),
        surface_object("hair", strands, [hair_material]),
    ]


def _skin_surface(
    landmarks: HeadLandmarks,
    vertices: np.ndarray,
    transforms: np.ndarray,
    hair: HairShell,
    skin_field: np.ndarray,
) -> SkinSurface:
    """Return the skin that neither clothes nor thick hair cover, with the values that the skin material reads."""
    mesh, rest = head_mesh(), vertices[: body_shape.SKIN_VERTICES]
    hair_field, lips = np.full(len(rest), -1.0), np.zeros(len(rest))
    hair_field[mesh.index], lips[mesh.index] = hair.field, mesh.lips
    quads = body_shape.base_mesh().groups["body"]
    visible = (skin_field[quads] > 0).any(axis=1) & ~(hair_field[quads] > 0.016).all(axis=1)
    faces, used = compact_faces(quads[visible])
    eye_distance = landmarks.eye[1]
    face = np.c_[
        rest[:, 1] / eye_distance, (rest[:, 2] - landmarks.eye[2]) / eye_distance, rest[:, 0] - landmarks.eye[0]
    ]
    values = {"rest": rest, "face": face, "lips": lips, "haired": np.clip(0.5 + hair_field / 0.012, 0, 1)}
    posed = apply_skinning(rest[used], body_rig().weights[used], transforms)
    return SkinSurface(posed, faces, {name: value[used] for name, value in values.items()})


def _hair_surface(
    landmarks: HeadLandmarks, vertices: np.ndarray, hair: HairShell, transforms: np.ndarray
) -> SkinSurface:
    """Return the hair inside the hairline; its streaks run from the crown outward."""
    mesh = head_mesh()
    cut = cut_mesh(mesh.faces, hair.field, snap=0.0005)
    crown = np.array([0.3 * landmarks.front_x + 0.7 * landmarks.back_x, 0.0, landmarks.top_z])
    from_crown = vertices[mesh.index] - crown
    angle = np.arctan2(from_crown[:, 1], from_crown[:, 0])
    flow = np.c_[44 * np.cos(angle), 44 * np.sin(angle), 50 * np.linalg.norm(from_crown, axis=1)]
    values = {"flow": cut.interpolate(flow), "edge": cut.interpolate(hair.field)}
    return SkinSurface(cut.interpolate(apply_skinning(hair.outside, mesh.weights, transforms)), cut.faces, values)


def _bun(landmarks: HeadLandmarks, transforms: np.ndarray, rings: int = 7, around: int = 14) -> SkinSurface:
    """Return hair tied at the back of the head, below the rim of a helmet."""
    sphere = unit_sphere(rings, around)
    center = [landmarks.back_x - 0.4 * BUN_HALF_AXES_M[0], 0, landmarks.eye[2] - 0.1 * landmarks.size_m]
    points = sphere * BUN_HALF_AXES_M + center
    flow = np.c_[30 * sphere[:, 0], 4 * sphere[:, 1], 30 * sphere[:, 2]]
    values = {"flow": flow, "edge": np.full(len(points), 0.04)}
    return attach_to_bone(SkinSurface(points, ring_faces(rings, around, reverse=True), values), "head", transforms)


def _eyes(vertices: np.ndarray, transforms: np.ndarray) -> SkinSurface:
    """Return both eyeballs, with the value `iris` (N,), which is 1 in the middle of the pupil."""
    weights, eyeballs = body_rig().weights, []
    for side in ("l", "r"):
        faces, used = compact_faces(body_shape.base_mesh().groups[f"helper-{side}-eye"])
        ball = vertices[used]
        from_center = ball - ball.mean(axis=0)
        iris = from_center[:, 0] / np.linalg.norm(from_center, axis=1)
        eyeballs.append(SkinSurface(apply_skinning(ball, weights[used], transforms), faces, {"iris": iris}))
    return join_surfaces(eyeballs)
