# SPDX-License-Identifier: GPL-3.0-or-later
"""What people wear over their clothes or hold in one hand: a hood, a backpack, a shoulder bag, a scanner.

These belong to the person and to its mask. What is carried with both hands is an object of its own, as in COCO.
"""

import bpy
import numpy as np

from blender.materials import person_materials
from blender.materials.common_materials import Rgb, plain_material
from blender.mesh.asset_cache import AssetCache
from blender.mesh.rings import ring_faces, unit_sphere
from blender.mesh.surfaces import SkinSurface, join_surfaces, surface_object, vertex_normals, with_border_strips
from blender.people.arms import hand_at_rest
from blender.people.attachment import attach_to_bone
from blender.people.clothes import cut_garment, shirt_fabric
from blender.people.garment_mesh import LAYER_GAP_M, FittedBody, garment_mesh
from blender.people.garment_patterns import LEG_LENGTH_M
from blender.people.skeleton import unit_vector

STRAP_WIDTH_M = 0.045
STRAP_EDGE = [(0.0, -0.004)]
TRUNK_M = 0.55  # from the hips to the neck, for a body of scale 1
# Length, width, height, for a body of scale 1.
BACKPACK_M = (0.15, 0.30, 0.43)
SHOULDER_BAG_M = (0.30, 0.10, 0.24)
SCANNER_HEAD_M, SCANNER_HANDLE_M = (0.115, 0.055, 0.045), (0.032, 0.036, 0.13)


def build_bag(kind: str, fitted: FittedBody, outer: np.ndarray, color: Rgb, cache: AssetCache) -> bpy.types.Object:
    """Return a bag with its straps as a posed object.

    `kind` is "backpack" or "shoulder_bag"; `outer` (V, 3) m is the outermost layer of clothes, posed.
    """
    place, bone = (_place_backpack, "spine02") if kind == "backpack" else (_place_shoulder_bag, "root")
    strap_field, body = place(fitted)
    no_arms = 9 * np.clip(garment_mesh().arm - 0.5, 0, 1)
    raised = outer + (LAYER_GAP_M - 0.001) * vertex_normals(outer, garment_mesh().faces)
    straps = with_border_strips(cut_garment(fitted, raised, strap_field - no_arms), STRAP_EDGE)
    color = tuple(color)
    fabric = cache.material(("bag", color), lambda: person_materials.cloth_material("bag", color, weave=600.0))
    return surface_object(kind, join_surfaces([straps, attach_to_bone(body, bone, fitted.transforms)]), [fabric])


def _place_backpack(fitted: FittedBody) -> tuple[np.ndarray, SkinSurface]:
    """Return the field (V,) m of both straps, positive on them, and the bag on the back at rest."""
    neck, _, scale = _trunk(fitted)
    ahead, side, up = (fitted.rest - neck).T
    field = STRAP_WIDTH_M / 2 - np.abs(np.abs(side) - 0.105 * scale)
    field = np.where(ahead > 0, np.minimum(field, up + 0.36 * scale), np.minimum(field, up + 0.15 * scale))
    size = np.array(BACKPACK_M) * scale
    on_back = (np.abs(side) < 0.12) & (np.abs(up + 0.28 * scale) < 0.14) & (garment_mesh().arm < 0.1)
    center_x = fitted.rest[on_back][:, 0].min() - size[0] / 2 - 0.02
    center = (neck - [0, 0, 0.29 * scale]) * [0, 1, 1] + [center_x, 0, 0]
    return field, _soft_box(size, center)


def _place_shoulder_bag(fitted: FittedBody) -> tuple[np.ndarray, SkinSurface]:
    """Return the field (V,) m of the strap from the left shoulder, positive on it, and the bag at the right hip."""
    neck, hip_z, scale = _trunk(fitted)
    _, side, up = (fitted.rest - neck).T
    slope = 0.22 / 0.62
    from_strap = (side - 0.11 * scale - slope * up) / np.hypot(1, slope)
    field = np.minimum(STRAP_WIDTH_M / 2 - np.abs(from_strap), up + 0.66 * scale)
    size = np.array(SHOULDER_BAG_M) * scale
    at_hips = (np.abs(fitted.rest[:, 2] - hip_z) < 0.05) & (garment_mesh().arm < 0.1)
    hip_y = fitted.rest[at_hips][:, 1].min()
    center = np.array([neck[0] - 0.03, hip_y - size[1] / 2 - 0.03, hip_z - 0.02])
    return field, _soft_box(size, center)


def _trunk(fitted: FittedBody) -> tuple[np.ndarray, float, float]:
    """Return the base of the neck (3,) m at rest, the height of the hip joints, and the scale of the trunk."""
    neck, hip_z = fitted.skeleton.joints["neck01"], fitted.skeleton.joints["upperleg01.L"][2]
    return neck, hip_z, (neck[2] - hip_z) / TRUNK_M


def build_hood(fitted: FittedBody, color: Rgb, cache: AssetCache) -> bpy.types.Object:
    """Return the hood of a hoodie as a posed object: a thick roll around the neck, open in front, larger behind."""
    neck, scale = fitted.skeleton.joints["neck01"], fitted.skeleton.leg_length_m() / LEG_LENGTH_M
    # Angle around the neck from straight behind, and around the section of the roll.
    angle, section_angle = np.radians(np.linspace(-128, 128, 15)), np.radians(np.arange(0, 360, 45))
    behind = np.clip(np.cos(angle), 0, 1)[:, None]
    center_line = np.stack(
        [-np.cos(angle) * 0.088 - 0.012, np.sin(angle) * 0.098, 0.035 - 0.02 * np.cos(angle)], axis=1
    )
    outward = np.stack([-np.cos(angle), np.sin(angle), np.zeros(len(angle))], axis=1)
    radius = 0.020 + 0.022 * behind
    points = center_line[:, None] + outward[:, None] * (radius * np.cos(section_angle))[:, :, None]
    points[..., 2] += (0.020 + 0.030 * behind) * np.sin(section_angle) - 0.02 * behind
    points = points.reshape(-1, 3) * scale + neck
    values = {"rest": points, "edge": np.full(len(points), 0.1), "crease": np.full(len(points), 0.6)}
    surface = SkinSurface(points, ring_faces(len(angle), len(section_angle)), values)
    posed = attach_to_bone(surface, "spine01", fitted.transforms)
    return surface_object("hood", posed, [shirt_fabric(tuple(color), cache)])


def build_scanner(fitted: FittedBody, cache: AssetCache) -> bpy.types.Object:
    """Return a scanner with a pistol grip in the right hand, its head above the index finger, as a posed object."""
    hand, joints = hand_at_rest(fitted.skeleton, "R"), fitted.skeleton.joints
    up = unit_vector(joints["finger2-1.R"] - joints["finger5-1.R"])
    scanner_axes = np.c_[hand.along, np.cross(up, hand.along), up]
    handle = _soft_box(np.array(SCANNER_HANDLE_M), np.zeros(3))
    scanner_head = _soft_box(np.array(SCANNER_HEAD_M), np.array([0.03, 0, 0.075]))
    scanner = join_surfaces([handle, scanner_head])
    in_hand = SkinSurface(scanner.points @ scanner_axes.T + joints["wrist.R"] + hand.grip, scanner.faces, {})
    plastic = cache.material("scanner", lambda: plain_material("scanner", (0.02, 0.022, 0.025), roughness=0.45))
    return surface_object("scanner", attach_to_bone(in_hand, "wrist.R", fitted.transforms), [plastic])


def _soft_box(size_m: np.ndarray, center_m: np.ndarray, rings: int = 9, around: int = 20) -> SkinSurface:
    """Return a box with soft edges (a superellipsoid, exponent 0.35) and the values that cloth materials read."""
    sphere = unit_sphere(rings, around)
    points = np.sign(sphere) * np.abs(sphere) ** 0.35 * size_m / 2 + center_m
    values = {"rest": points, "edge": np.full(len(points), 0.1), "crease": np.zeros(len(points))}
    return SkinSurface(points, ring_faces(rings, around, reverse=True), values)
