# SPDX-License-Identifier: GPL-3.0-or-later
"""The head: landmarks, bare skin with eyes, and hair. Hair is a shell over the scalp that thins out to the hairline."""

from dataclasses import dataclass
from functools import lru_cache

import bpy
import numpy as np

from blender.materials import fabrics
from blender.mesh.mesh_cache import Library
from blender.mesh.surfaces import Surface, compact, cut, joined, neighbours, normals, smoothed, to_object
from blender.people import body
from blender.people.skeleton import rig, skin

# Height of the hairline over the eyes, by depth from the nose (0) to the back of the head (1); eye to crown is 1.
# Across the forehead, down the temple to the sideburn, round the ear, down to the nape.
HAIRLINE_DEPTH = (0.0, 0.20, 0.30, 0.36, 0.43, 0.49, 0.60, 0.70, 1.0)
HAIRLINE_HEIGHT = (0.72, 0.70, 0.56, 0.30, 0.12, -0.14, -0.30, -0.60, -0.70)
# How thick it is on top: shaved, cut short, full, and long hair that is tied at the back.
HAIR_M = {"shaved": 0.002, "short": 0.013, "full": 0.030, "long": 0.012}
# Half axes of a bun.
BUN_M = (0.030, 0.042, 0.038)
# Under a helmet or a cap hair lies flat.
PRESSED_M = 0.004
EAR_TARGETS = ("ears/l-ear-scale-depth-incr", "ears/r-ear-scale-depth-incr")
LIP_TARGETS = ("mouth/mouth-upperlip-volume-incr", "mouth/mouth-lowerlip-volume-incr")


@dataclass(frozen=True)
class Head:
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
class HeadNet:
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
class Hair:
    """Hair on one head at rest: `field` (H,) m, positive where it grows; `outside` (H, 3) m, its outer surface."""

    field: np.ndarray
    outside: np.ndarray


@lru_cache(maxsize=1)
def head_net() -> HeadNet:
    bones = [i for i in range(len(rig().names)) if _in_head(i)]
    share = rig().weights[: body.SKIN_VERTICES, bones].sum(axis=1)
    quads = body.template().groups["body"]
    faces, index = compact(quads[(share[quads] > 0.2).any(axis=1)])
    ears, lips = (_moved_by(names)[index] for names in (EAR_TARGETS, LIP_TARGETS))
    table = neighbours(faces, len(index))
    return HeadNet(index, faces, table, rig().weights[index], share[index], ears, np.clip(2.5 * lips, 0, 1))


def _in_head(bone: int) -> bool:
    return bone >= 0 and (rig().names[bone] == "head" or _in_head(rig().parents[bone]))


def _moved_by(targets: tuple[str, ...]) -> np.ndarray:
    """Return 0..1 (13380,): how far shape targets move each vertex of the skin, which tells ears and lips apart."""
    mask = np.zeros(body.SKIN_VERTICES)
    for name in targets:
        found = body.target(name)
        strength = np.linalg.norm(found.offset, axis=1)
        mask[found.index] = np.maximum(mask[found.index], strength / strength.max())
    return mask


def measure(vertices: np.ndarray) -> Head:
    """Find the landmarks of a body at rest, `vertices` (19158, 3) m."""
    skull = vertices[head_net().index[(head_net().head > 0.5) & (head_net().ears < 0.1)]]
    eye = vertices[np.unique(body.template().groups["helper-l-eye"])].mean(axis=0)
    above = skull[skull[:, 2] > eye[2]]
    return Head(eye, skull[:, 2].max(), above[:, 0].max(), skull[:, 0].min(), np.abs(above[:, 1]).max())


def grow_hair(head: Head, vertices: np.ndarray, length_m: float) -> Hair:
    """Lay hair of `length_m` on a head at rest: nothing at the hairline, then thicker."""
    net = head_net()
    points = vertices[net.index]
    depth = (head.front_x - points[:, 0]) / (head.front_x - head.back_x)
    line = head.eye[2] + np.interp(depth, HAIRLINE_DEPTH, HAIRLINE_HEIGHT) * head.size_m
    field = np.where(net.head > 0.4, np.minimum(points[:, 2] - line, 0.04), -0.04)
    near_ear = smoothed(np.minimum(4 * net.ears, 1)[:, None], net.table, 2)[:, 0]
    field = np.minimum(field, 0.012 - 0.035 * near_ear + 0.03 * (near_ear < 0.05))
    field = smoothed(field[:, None], net.table, 2)[:, 0]
    up = smoothed(normals(points, net.faces), net.table, 3)
    # Cut short at the sides and the nape, longer on top.
    top = np.clip((points[:, 2] - head.eye[2]) / head.size_m, 0.15, 0.9)
    raised = points + up * (length_m * top * np.clip(field / 0.03, 0, 1) ** 0.7)[:, None]
    return Hair(field, np.where(field[:, None] > 0.004, smoothed(raised, net.table, 3), raised))


def build(
    vertices: np.ndarray,
    transforms: np.ndarray,
    shown: np.ndarray,
    hair: Hair,
    parameters: dict,
    library: Library,
) -> list[bpy.types.Object]:
    """Return the bare skin, the eyes and the hair as posed objects.

    `shown` (13380,) m: positive where the skin can be seen; `parameters` is the JSON dict of `PersonParameters`.
    """
    head = measure(vertices)
    colors = tuple(parameters["skin_rgb"]), tuple(parameters["outfit"]["hair_rgb"])
    skin_material = library.material(("skin", colors), lambda: fabrics.skin("skin", *colors))
    hair_material = library.material(("hair", colors[1]), lambda: fabrics.hair("hair", colors[1]))
    strands = _hair(head, vertices, hair, transforms)
    if parameters["outfit"]["hair"] == "long":
        strands = joined([strands, _bun(head, transforms)])
    return [
        to_object("skin", _skin(head, vertices, transforms, hair, shown), [skin_material]),
        to_object("eyes", _eyes(vertices, transforms), [library.material("eye", fabrics.eye)]),
        to_object("hair", strands, [hair_material]),
    ]


def _skin(head: Head, vertices: np.ndarray, transforms: np.ndarray, hair: Hair, shown: np.ndarray) -> Surface:
    net, rest = head_net(), vertices[: body.SKIN_VERTICES]
    grown, lips = np.full(len(rest), -1.0), np.zeros(len(rest))
    grown[net.index], lips[net.index] = hair.field, net.lips
    quads = body.template().groups["body"]
    seen = (shown[quads] > 0).any(axis=1) & ~(grown[quads] > 0.016).all(axis=1)
    faces, used = compact(quads[seen])
    unit_m = head.eye[1]
    face = np.c_[rest[:, 1] / unit_m, (rest[:, 2] - head.eye[2]) / unit_m, rest[:, 0] - head.eye[0]]
    values = {"rest": rest, "face": face, "lips": lips, "haired": np.clip(0.5 + grown / 0.012, 0, 1)}
    posed = skin(rest[used], rig().weights[used], transforms)
    return Surface(posed, faces, {name: value[used] for name, value in values.items()})


def _hair(head: Head, vertices: np.ndarray, hair: Hair, transforms: np.ndarray) -> Surface:
    net = head_net()
    kept = cut(net.faces, hair.field, snap=0.0005)
    crown = np.array([0.3 * head.front_x + 0.7 * head.back_x, 0.0, head.top_z])
    away = vertices[net.index] - crown
    angle = np.arctan2(away[:, 1], away[:, 0])
    flow = np.c_[44 * np.cos(angle), 44 * np.sin(angle), 50 * np.linalg.norm(away, axis=1)]
    values = {"flow": kept.carry(flow), "edge": kept.carry(hair.field)}
    return Surface(kept.carry(skin(hair.outside, net.weights, transforms)), kept.faces, values)


def _bun(head: Head, transforms: np.ndarray, rings: int = 7, around: int = 14) -> Surface:
    """Hair tied at the back of the head, low enough for a helmet's rim."""
    down, turn = np.meshgrid(np.linspace(0, np.pi, rings), np.arange(around) * 2 * np.pi / around, indexing="ij")
    ball = np.stack([np.sin(down) * np.cos(turn), np.sin(down) * np.sin(turn), np.cos(down)], axis=-1).reshape(-1, 3)
    points = ball * BUN_M + [head.back_x - 0.4 * BUN_M[0], 0, head.eye[2] - 0.1 * head.size_m]
    a = np.add.outer(np.arange(rings - 1) * around, np.arange(around)).ravel()
    b = np.add.outer(np.arange(rings - 1) * around, (np.arange(around) + 1) % around).ravel()
    turned = transforms[rig().index("head")]
    wound = np.c_[30 * ball[:, 0], 4 * ball[:, 1], 30 * ball[:, 2]]
    values = {"flow": wound, "edge": np.full(len(points), 0.04)}
    return Surface(points @ turned[:3, :3].T + turned[:3, 3], np.c_[b, a, a + around, b + around], values)


def _eyes(vertices: np.ndarray, transforms: np.ndarray) -> Surface:
    """Both eyeballs, with `iris` (N,) 1 at the middle of the pupil."""
    weights, parts = rig().weights, []
    for side in ("l", "r"):
        quads = body.template().groups[f"helper-{side}-eye"]
        faces, used = compact(quads)
        ball = vertices[used]
        ahead = ball - ball.mean(axis=0)
        iris = ahead[:, 0] / np.linalg.norm(ahead, axis=1)
        parts.append(Surface(skin(ball, weights[used], transforms), faces, {"iris": iris}))
    return joined(parts)
