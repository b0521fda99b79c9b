# SPDX-License-Identifier: GPL-3.0-or-later
"""The head: landmarks, bare skin with eyes, and hair. Hair is a shell over the scalp that thins out to the hairline."""

from dataclasses import dataclass
from functools import lru_cache

import bpy
import numpy as np

from blender.materials import person_materials
from blender.mesh.asset_cache import AssetCache
from blender.mesh.surfaces import (
    SkinSurface,
    compact_faces,
    cut_mesh,
    join_surfaces,
    neighbour_table,
    smoothed,
    surface_object,
    vertex_normals,
)
from blender.people import body_shape
from blender.people.skeleton import apply_skinning, body_rig

# Height of the hairline over the eyes, by depth from the nose (0) to the back of the head (1); eye to crown is 1.
# Across the forehead, down the temple to the sideburn, round the ear, down to the nape.
HAIRLINE_DEPTH = (0.0, 0.20, 0.30, 0.36, 0.43, 0.49, 0.60, 0.70, 1.0)
HAIRLINE_HEIGHT = (0.72, 0.70, 0.56, 0.30, 0.12, -0.14, -0.30, -0.60, -0.70)
# How thick it is on top: shaved, cut short, full, and long hair that is tied at the back.
HAIR_LENGTH_M = {"shaved": 0.002, "short": 0.013, "full": 0.030, "long": 0.012}
# Half axes of a bun.
BUN_M = (0.030, 0.042, 0.038)
# Under a helmet or a cap hair lies flat.
FLAT_HAIR_M = 0.004
EAR_TARGETS = ("ears/l-ear-scale-depth-incr", "ears/r-ear-scale-depth-incr")
LIP_TARGETS = ("mouth/mouth-upperlip-volume-incr", "mouth/mouth-lowerlip-volume-incr")


@dataclass(frozen=True)
class HeadLandmarks:
    """Landmarks at rest, m: left eye, crown (top), front (nose tip) and back of the head, half its width."""

    eye: np.ndarray
    top_z: float
    front_x: float
    back_x: float
    half_width: float

    @property
    def size_m(self) -> float:
        """From the eyes to the top."""
        return self.top_z - float(self.eye[2])


@dataclass(frozen=True)
class HeadMesh:
    """The head's part of the skin: `index` (H,) of its vertices, faces (F, 4), neighbours (H, K), skin weights (H, B).

    Masks 0..1 (H,): `head` share of the head's bones, `ears`, `lips`.
    """

    index: np.ndarray
    faces: np.ndarray
    table: np.ndarray
    weights: np.ndarray
    head: np.ndarray
    ears: np.ndarray
    lips: np.ndarray


@dataclass(frozen=True)
class HairShell:
    """Hair on one head at rest: `field` (H,) m, positive where it grows; `outside` (H, 3) m, its outer surface."""

    field: np.ndarray
    outside: np.ndarray


@lru_cache(maxsize=1)
def head_mesh() -> HeadMesh:
    bones = [i for i in range(len(body_rig().names)) if _in_head(i)]
    share = body_rig().weights[: body_shape.SKIN_VERTICES, bones].sum(axis=1)
    quads = body_shape.base_mesh().groups["body"]
    faces, index = compact_faces(quads[(share[quads] > 0.2).any(axis=1)])
    ears, lips = (_moved_by(names)[index] for names in (EAR_TARGETS, LIP_TARGETS))
    table = neighbour_table(faces, len(index))
    return HeadMesh(index, faces, table, body_rig().weights[index], share[index], ears, np.clip(2.5 * lips, 0, 1))


def _in_head(bone: int) -> bool:
    return bone >= 0 and (body_rig().names[bone] == "head" or _in_head(body_rig().parents[bone]))


def _moved_by(targets: tuple[str, ...]) -> np.ndarray:
    """Return 0..1 (13380,): how far shape targets move each vertex of the skin, which tells ears and lips apart."""
    mask = np.zeros(body_shape.SKIN_VERTICES)
    for name in targets:
        found = body_shape.shape_target(name)
        strength = np.linalg.norm(found.offset, axis=1)
        mask[found.index] = np.maximum(mask[found.index], strength / strength.max())
    return mask


def head_landmarks(vertices: np.ndarray) -> HeadLandmarks:
    """Find the landmarks of a body at rest, `vertices` (19158, 3) m."""
    skull = vertices[head_mesh().index[(head_mesh().head > 0.5) & (head_mesh().ears < 0.1)]]
    eye = vertices[np.unique(body_shape.base_mesh().groups["helper-l-eye"])].mean(axis=0)
    above = skull[skull[:, 2] > eye[2]]
    return HeadLandmarks(eye, skull[:, 2].max(), above[:, 0].max(), skull[:, 0].min(), np.abs(above[:, 1]).max())


def grow_hair(head: HeadLandmarks, vertices: np.ndarray, length_m: float) -> HairShell:
    """Lay hair of `length_m` on a head at rest: nothing at the hairline, then thicker."""
    net = head_mesh()
    points = vertices[net.index]
    depth = (head.front_x - points[:, 0]) / (head.front_x - head.back_x)
    line = head.eye[2] + np.interp(depth, HAIRLINE_DEPTH, HAIRLINE_HEIGHT) * head.size_m
    field = np.where(net.head > 0.4, np.minimum(points[:, 2] - line, 0.04), -0.04)
    near_ear = smoothed(np.minimum(4 * net.ears, 1)[:, None], net.table, 2)[:, 0]
    field = np.minimum(field, 0.012 - 0.035 * near_ear + 0.03 * (near_ear < 0.05))
    field = smoothed(field[:, None], net.table, 2)[:, 0]
    up = smoothed(vertex_normals(points, net.faces), net.table, 3)
    # Cut short at the sides and the nape, longer on top.
    top = np.clip((points[:, 2] - head.eye[2]) / head.size_m, 0.15, 0.9)
    raised = points + up * (length_m * top * np.clip(field / 0.03, 0, 1) ** 0.7)[:, None]
    return HairShell(field, np.where(field[:, None] > 0.004, smoothed(raised, net.table, 3), raised))


def build_head(
    vertices: np.ndarray,
    transforms: np.ndarray,
    shown: np.ndarray,
    hair: HairShell,
    parameters: dict,
    library: AssetCache,
) -> list[bpy.types.Object]:
    """Return the bare skin, the eyes and the hair as posed objects.

    `shown` (13380,) m: positive where the skin can be seen; `parameters` is the JSON dict of `PersonParameters`.
    """
    head = head_landmarks(vertices)
    colors = tuple(parameters["skin_rgb"]), tuple(parameters["outfit"]["hair_rgb"])
    skin_material = library.material(("skin", colors), lambda: person_materials.skin_material("skin", *colors))
    hair_material = library.material(("hair", colors[1]), lambda: person_materials.hair_material("hair", colors[1]))
    strands = _hair(head, vertices, hair, transforms)
    if parameters["outfit"]["hair"] == "long":
        strands = join_surfaces([strands, _bun(head, transforms)])
    return [
        surface_object("skin", _skin(head, vertices, transforms, hair, shown), [skin_material]),
        surface_object("eyes", _eyes(vertices, transforms), [library.material("eye", person_materials.eye_material)]),
        surface_object("hair", strands, [hair_material]),
    ]


def _skin(
    head: HeadLandmarks, vertices: np.ndarray, transforms: np.ndarray, hair: HairShell, shown: np.ndarray
) -> SkinSurface:
    net, rest = head_mesh(), vertices[: body_shape.SKIN_VERTICES]
    grown, lips = np.full(len(rest), -1.0), np.zeros(len(rest))
    grown[net.index], lips[net.index] = hair.field, net.lips
    quads = body_shape.base_mesh().groups["body"]
    seen = (shown[quads] > 0).any(axis=1) & ~(grown[quads] > 0.016).all(axis=1)
    faces, used = compact_faces(quads[seen])
    unit_m = head.eye[1]
    face = np.c_[rest[:, 1] / unit_m, (rest[:, 2] - head.eye[2]) / unit_m, rest[:, 0] - head.eye[0]]
    values = {"rest": rest, "face": face, "lips": lips, "haired": np.clip(0.5 + grown / 0.012, 0, 1)}
    posed = apply_skinning(rest[used], body_rig().weights[used], transforms)
    return SkinSurface(posed, faces, {name: value[used] for name, value in values.items()})


def _hair(head: HeadLandmarks, vertices: np.ndarray, hair: HairShell, transforms: np.ndarray) -> SkinSurface:
    net = head_mesh()
    kept = cut_mesh(net.faces, hair.field, snap=0.0005)
    crown = np.array([0.3 * head.front_x + 0.7 * head.back_x, 0.0, head.top_z])
    away = vertices[net.index] - crown
    angle = np.arctan2(away[:, 1], away[:, 0])
    flow = np.c_[44 * np.cos(angle), 44 * np.sin(angle), 50 * np.linalg.norm(away, axis=1)]
    values = {"flow": kept.carry(flow), "edge": kept.carry(hair.field)}
    return SkinSurface(kept.carry(apply_skinning(hair.outside, net.weights, transforms)), kept.faces, values)


def _bun(head: HeadLandmarks, transforms: np.ndarray, rings: int = 7, around: int = 14) -> SkinSurface:
    """Hair tied at the back of the head, low enough for a helmet's rim."""
    down, turn = np.meshgrid(np.linspace(0, np.pi, rings), np.arange(around) * 2 * np.pi / around, indexing="ij")
    ball = np.stack([np.sin(down) * np.cos(turn), np.sin(down) * np.sin(turn), np.cos(down)], axis=-1).reshape(-1, 3)
    points = ball * BUN_M + [head.back_x - 0.4 * BUN_M[0], 0, head.eye[2] - 0.1 * head.size_m]
    a = np.add.outer(np.arange(rings - 1) * around, np.arange(around)).ravel()
    b = np.add.outer(np.arange(rings - 1) * around, (np.arange(around) + 1) % around).ravel()
    turned = transforms[body_rig().index("head")]
    wound = np.c_[30 * ball[:, 0], 4 * ball[:, 1], 30 * ball[:, 2]]
    values = {"flow": wound, "edge": np.full(len(points), 0.04)}
    return SkinSurface(points @ turned[:3, :3].T + turned[:3, 3], np.c_[b, a, a + around, b + around], values)


def _eyes(vertices: np.ndarray, transforms: np.ndarray) -> SkinSurface:
    """Both eyeballs, with `iris` (N,) 1 at the middle of the pupil."""
    weights, parts = body_rig().weights, []
    for side in ("l", "r"):
        quads = body_shape.base_mesh().groups[f"helper-{side}-eye"]
        faces, used = compact_faces(quads)
        ball = vertices[used]
        ahead = ball - ball.mean(axis=0)
        iris = ahead[:, 0] / np.linalg.norm(ahead, axis=1)
        parts.append(SkinSurface(apply_skinning(ball, weights[used], transforms), faces, {"iris": iris}))
    return join_surfaces(parts)
