# SPDX-License-Identifier: GPL-3.0-or-later
"""Headwear, fitted around a head and its hair: an industrial helmet (EN 397), a baseball cap, a bump cap (EN 812)."""

from dataclasses import dataclass
from functools import partial

import bpy
import numpy as np

from blender.materials import person_materials
from blender.materials.common_materials import Rgb, plain_material
from blender.mesh.asset_cache import AssetCache
from blender.mesh.rings import ring_faces
from blender.mesh.rotation import rotation_matrix
from blender.mesh.surfaces import SkinSurface, join_surfaces, surface_object
from blender.people.attachment import attach_to_bone
from blender.people.head import HeadLandmarks

RING_POINTS, RING_COUNT = 40, 11


@dataclass(frozen=True)
class Dome:
    """The upper half of an ellipsoid, which fits around a head at rest.

    `center` (3,) m is the middle of its rim, `half_axes` (3,) m; the plane of the rim is tilted back by `tilt_deg`.
    """

    center: np.ndarray
    half_axes: np.ndarray
    tilt_deg: float

    def to_head_frame(self, points: np.ndarray) -> np.ndarray:
        """Take points (N, 3) m from the frame of the dome (origin in the middle of its rim) to the head at rest."""
        return points @ rotation_matrix("y", -self.tilt_deg).T + self.center


def build_headwear(
    kind: str,
    landmarks: HeadLandmarks,
    enclosed_points: np.ndarray,
    transforms: np.ndarray,
    color: Rgb,
    cache: AssetCache,
) -> bpy.types.Object:
    """Return the headwear as a posed object: `kind` is "helmet", "cap" or "bump_cap".

    It encloses `enclosed_points` (N, 3) m at rest; `transforms` (B, 4, 4) of the pose.
    """
    makers = {"helmet": _helmet, "cap": _cap, "bump_cap": partial(_cap, room_m=(0.010, 0.016), peak_m=0.036)}
    surface = attach_to_bone(makers[kind](landmarks, enclosed_points), "head", transforms)
    color = tuple(color)
    material_makers = {
        "helmet": lambda: plain_material("helmet", color, roughness=0.28),
        "cap": lambda: person_materials.cloth_material("cap", color, weave=900.0),
        "bump_cap": lambda: person_materials.cloth_material("bump cap", color, weave=500.0),
    }
    return surface_object(kind, surface, [cache.material((kind, color), material_makers[kind])])


def _fit_dome(
    landmarks: HeadLandmarks,
    enclosed_points: np.ndarray,
    rim_height_share: float,
    room_m: tuple[float, float],
    tilt_deg: float,
) -> Dome:
    """Fit a dome to a head; `room_m` is added at the sides and on top.

    `rim_height_share` is the height of the rim, from the eyes (0) to the top of the head (1).
    """
    rotation = rotation_matrix("y", -tilt_deg)
    rim_z = landmarks.eye[2] + rim_height_share * landmarks.size_m
    center = np.array([(landmarks.front_x + landmarks.back_x) / 2, 0.0, rim_z])
    local = (enclosed_points - center) @ rotation
    local = local[local[:, 2] > -0.01]
    middle = np.array([(local[:, 0].max() + local[:, 0].min()) / 2, 0, 0])
    local = local - middle
    extent = np.abs(local).max(axis=0)
    # A head has more corners than an ellipsoid: enlarge the dome until all points are inside.
    scale = np.linalg.norm(local / extent, axis=1).max()
    return Dome(center + rotation @ middle, extent * scale + [room_m[0], room_m[0], room_m[1]], tilt_deg)


def _unit_dome() -> tuple[np.ndarray, np.ndarray]:
    """Return points (RING_COUNT * RING_POINTS + 1, 3) and faces (F, 4) of a dome of radius 1: rings, then the pole."""
    elevation = np.linspace(0, np.pi / 2, RING_COUNT, endpoint=False)
    azimuth = _ring_angles()
    rings = [
        np.c_[np.cos(azimuth) * radius, np.sin(azimuth) * radius, np.full(RING_POINTS, height)]
        for height, radius in np.c_[np.sin(elevation), np.cos(elevation)]
    ]
    points = np.concatenate([*rings, [[0, 0, 1]]])
    last_ring = np.arange(RING_POINTS) + (RING_COUNT - 1) * RING_POINTS
    pole = np.full(RING_POINTS, len(points) - 1)
    triangles = np.c_[last_ring, np.roll(last_ring, -1), pole, pole]
    return points, np.concatenate([ring_faces(RING_COUNT, RING_POINTS), triangles])


def _ring_angles() -> np.ndarray:
    """Return the azimuths (RING_POINTS,) of the points of a ring; 0 is straight ahead."""
    return np.linspace(0, 2 * np.pi, RING_POINTS, endpoint=False)


def _helmet(landmarks: HeadLandmarks, enclosed_points: np.ndarray) -> SkinSurface:
    """Return a shell with a ridge and two ribs, a gutter all around and a short peak."""
    dome = _fit_dome(landmarks, enclosed_points, rim_height_share=0.40, room_m=(0.010, 0.022), tilt_deg=4)
    unit, faces = _unit_dome()
    points = unit * dome.half_axes
    on_top = np.clip((unit[:, 2] - 0.25) / 0.35, 0, 1)
    ridge = np.exp(-((points[:, 1] / 0.013) ** 2))
    ribs = 0.6 * np.exp(-(((np.abs(points[:, 1]) - 0.042) / 0.009) ** 2))
    points[:, 2] += 0.008 * on_top * (ridge + ribs)
    brim = _helmet_brim(points[:RING_POINTS], dome)
    brim_faces = ring_faces(len(brim) // RING_POINTS, RING_POINTS)[:, ::-1]
    return join_surfaces(
        [
            SkinSurface(dome.to_head_frame(points), faces, {}),
            SkinSurface(dome.to_head_frame(brim), brim_faces, {}),
        ]
    )


def _helmet_brim(rim: np.ndarray, dome: Dome) -> np.ndarray:
    """Return the rings of gutter and peak, the rim of the shell first, in the frame of the dome."""
    azimuth = _ring_angles()
    ahead = np.clip(np.cos(azimuth), 0, 1) ** 3
    rings = [rim]
    # How far a ring is outside the rim, how much farther at the peak, and how far below the rim.
    for out_m, peak_m, drop_m in (
        (0.0, 0.0, 0.004),
        (0.007, 0.018, 0.008),
        (0.013, 0.046, 0.012),
        (0.012, 0.044, 0.016),
    ):
        x = np.cos(azimuth) * (dome.half_axes[0] + out_m) + peak_m * ahead
        y = np.sin(azimuth) * (dome.half_axes[1] + out_m)
        rings.append(np.c_[x, y, -drop_m - 0.25 * peak_m * ahead])
    return np.concatenate(rings)


def _cap(
    landmarks: HeadLandmarks,
    enclosed_points: np.ndarray,
    room_m: tuple[float, float] = (0.003, 0.008),
    peak_m: float = 0.066,
) -> SkinSurface:
    """Return a cap of six panels with a button and a peak; more room and a shorter peak make it a bump cap."""
    dome = _fit_dome(landmarks, enclosed_points, rim_height_share=0.36, room_m=room_m, tilt_deg=9)
    unit, faces = _unit_dome()
    points = unit * dome.half_axes
    # Panels bulge between their seams.
    azimuth = np.arctan2(unit[:, 1], unit[:, 0])
    bulge = np.abs(np.sin(3 * azimuth)) * np.linalg.norm(unit[:, :2], axis=1)
    points *= (1.0 + 0.02 * bulge)[:, None]
    # The pole is the button.
    points[-1, 2] += 0.004
    edge = np.where(np.arange(len(points)) < RING_POINTS, 0.0, unit[:, 2] * 0.12)
    values = {"rest": points, "edge": edge, "crease": np.zeros(len(points))}
    crown = SkinSurface(dome.to_head_frame(points), faces, values)
    return join_surfaces([crown, _peak(dome, peak_m)])


def _peak(dome: Dome, length_m: float, rows: int = 5, columns: int = 17) -> SkinSurface:
    """Return the peak of a cap: a sheet with an underside, from the rim forward, curved down at its sides."""
    angle = np.radians(np.linspace(-62, 62, columns))
    layers = []
    for layer_z in (0.0, -0.003):
        for share in np.linspace(0, 1, rows):
            length = length_m * share * np.cos(angle * 1.05) ** 0.5
            x = np.cos(angle) * dome.half_axes[0] * 0.985 + length
            y = np.sin(angle) * dome.half_axes[1] * (0.985 - 0.04 * share)
            z = layer_z - 0.10 * length - 3.2 * y**2 * share - 0.004 * (1 - share)
            layers.append(np.c_[x, y, z])
    points = np.concatenate(layers)
    per_layer = rows * columns
    corner = np.add.outer(np.arange(rows - 1) * columns, np.arange(columns - 1)).ravel()
    top = np.c_[corner, corner + columns, corner + columns + 1, corner + 1]
    front = np.arange(columns - 1) + (rows - 1) * columns
    front_strip = np.c_[front, front + per_layer, front + per_layer + 1, front + 1]
    faces = np.concatenate([top, top[:, ::-1] + per_layer, front_strip])
    values = {"rest": points, "edge": np.full(len(points), 0.1), "crease": np.zeros(len(points))}
    return SkinSurface(dome.to_head_frame(points), faces, values)
