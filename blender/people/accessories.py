# SPDX-License-Identifier: GPL-3.0-or-later
"""What people wear over their clothes or hold in one fist: a hood, a backpack, a shoulder bag, a scanner.

They are part of the person, and of its mask. What is carried with both hands is a thing of its own, as COCO has it.
"""

import bpy
import numpy as np

from blender.materials import person_materials
from blender.materials.common_materials import Rgb, plain_material
from blender.mesh.asset_cache import AssetCache
from blender.mesh.surfaces import SkinSurface, join_surfaces, surface_object, vertex_normals, with_border_strips
from blender.people.arms import hand_at_rest
from blender.people.clothes import cut_garment
from blender.people.garment_mesh import LAYER_GAP_M, FittedBody, garment_mesh
from blender.people.skeleton import body_rig, unit_vector

STRAP_M = 0.045
STRAP_EDGE = [(0.0, -0.004)]
# Length, width, height.
BACKPACK_M = (0.15, 0.30, 0.43)
SHOULDER_BAG_M = (0.30, 0.10, 0.24)
SCANNER_HEAD_M, SCANNER_HANDLE_M = (0.115, 0.055, 0.045), (0.032, 0.036, 0.13)


def build_bag(kind: str, fitted: FittedBody, outer: np.ndarray, color: Rgb, library: AssetCache) -> bpy.types.Object:
    """Return a bag and its straps; `kind` "backpack" or "shoulder_bag", `outer` (V, 3) m the outer cloth, posed."""
    neck, hip_z = fitted.skeleton.joints["neck01"], fitted.skeleton.joints["upperleg01.L"][2]
    ahead, aside, up = (fitted.rest - neck).T
    scale, no_arm = (neck[2] - hip_z) / 0.55, 9 * np.clip(garment_mesh().arm - 0.5, 0, 1)
    if kind == "backpack":
        field = STRAP_M / 2 - np.abs(np.abs(aside) - 0.105 * scale)
        field = np.where(ahead > 0, np.minimum(field, up + 0.36 * scale), np.minimum(field, up + 0.15 * scale))
        size, bone, place = np.array(BACKPACK_M) * scale, "spine02", neck - [0, 0, 0.29 * scale]
        behind = fitted.rest[(np.abs(aside) < 0.12) & (np.abs(up + 0.28 * scale) < 0.14) & (garment_mesh().arm < 0.1)]
        place = place * [0, 1, 1] + [behind[:, 0].min() - size[0] / 2 - 0.02, 0, 0]
    else:
        slope = 0.22 / 0.62
        across = (aside - 0.11 * scale - slope * up) / np.hypot(1, slope)
        field = np.minimum(STRAP_M / 2 - np.abs(across), up + 0.66 * scale)
        size, bone = np.array(SHOULDER_BAG_M) * scale, "root"
        side = fitted.rest[(np.abs(fitted.rest[:, 2] - hip_z) < 0.05) & (garment_mesh().arm < 0.1)][:, 1].min()
        place = np.array([neck[0] - 0.03, side - size[1] / 2 - 0.03, hip_z - 0.02])
    raised = outer + (LAYER_GAP_M - 0.001) * vertex_normals(outer, garment_mesh().faces)
    straps = with_border_strips(cut_garment(fitted, raised, field - no_arm), STRAP_EDGE)
    body = _rigid(_cushion(size, place), fitted, bone)
    color = tuple(color)
    fabric = library.material(("bag", color), lambda: person_materials.cloth_material("bag", color, weave=600.0))
    return surface_object(kind, join_surfaces([straps, body]), [fabric])


def build_hood(fitted: FittedBody, color: Rgb, library: AssetCache) -> bpy.types.Object:
    """Return the hood of a hoodie as it lies round the neck and on the back."""
    neck, scale = fitted.skeleton.joints["neck01"], fitted.skeleton.leg_length_m() / 0.82
    turn, around = np.radians(np.linspace(-128, 128, 15)), np.radians(np.arange(0, 360, 45))
    back = np.clip(np.cos(turn), 0, 1)[:, None]
    ring = np.stack([-np.cos(turn) * 0.088 - 0.012, np.sin(turn) * 0.098, 0.035 - 0.02 * np.cos(turn)], axis=1)
    out = np.stack([-np.cos(turn), np.sin(turn), np.zeros(len(turn))], axis=1)
    thick = 0.020 + 0.022 * back
    points = ring[:, None] + out[:, None] * (thick * np.cos(around))[:, :, None]
    points[..., 2] += (0.020 + 0.030 * back) * np.sin(around) - 0.02 * back
    count = len(around)
    a = np.add.outer(np.arange(len(turn) - 1) * count, np.arange(count)).ravel()
    b = np.add.outer(np.arange(len(turn) - 1) * count, (np.arange(count) + 1) % count).ravel()
    points = points.reshape(-1, 3) * scale + neck
    values = {"rest": points, "edge": np.full(len(points), 0.1), "crease": np.full(len(points), 0.6)}
    color = tuple(color)
    fabric = library.material(("shirt", color), lambda: person_materials.cloth_material("shirt", color, weave=1200.0))
    surface = SkinSurface(points, np.c_[a, b, b + count, a + count], values)
    return surface_object("hood", _rigid(surface, fitted, "spine01"), [fabric])


def build_scanner(fitted: FittedBody, library: AssetCache) -> bpy.types.Object:
    """Return a pistol scanner in the right fist, its head above the index finger."""
    hand, joints = hand_at_rest(fitted.skeleton, "R"), fitted.skeleton.joints
    up = unit_vector(joints["finger2-1.R"] - joints["finger5-1.R"])
    turn = np.c_[hand.along, np.cross(up, hand.along), up]
    handle = _cushion(np.array(SCANNER_HANDLE_M), np.zeros(3))
    barrel = _cushion(np.array(SCANNER_HEAD_M), np.array([0.03, 0, 0.075]))
    both = join_surfaces([handle, barrel])
    placed = SkinSurface(both.points @ turn.T + joints["wrist.R"] + hand.grip, both.faces, {})
    plastic = library.material("scanner", lambda: plain_material("scanner", (0.02, 0.022, 0.025), roughness=0.45))
    return surface_object("scanner", _rigid(placed, fitted, "wrist.R"), [plastic])


def _rigid(surface: SkinSurface, fitted: FittedBody, bone: str) -> SkinSurface:
    transform = fitted.transforms[body_rig().index(bone)]
    return SkinSurface(surface.points @ transform[:3, :3].T + transform[:3, 3], surface.faces, surface.values)


def _cushion(size_m: np.ndarray, center_m: np.ndarray, rings: int = 9, around: int = 20) -> SkinSurface:
    """A box with soft edges: a superellipsoid, exponent 0.35."""
    down, turn = np.meshgrid(np.linspace(0, np.pi, rings), np.arange(around) * 2 * np.pi / around, indexing="ij")
    ball = np.stack([np.sin(down) * np.cos(turn), np.sin(down) * np.sin(turn), np.cos(down)], axis=-1).reshape(-1, 3)
    points = np.sign(ball) * np.abs(ball) ** 0.35 * size_m / 2 + center_m
    a = np.add.outer(np.arange(rings - 1) * around, np.arange(around)).ravel()
    b = np.add.outer(np.arange(rings - 1) * around, (np.arange(around) + 1) % around).ravel()
    values = {"rest": points, "edge": np.full(len(points), 0.1), "crease": np.zeros(len(points))}
    return SkinSurface(points, np.c_[b, a, a + around, b + around], values)
