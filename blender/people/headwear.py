# SPDX-License-Identifier: GPL-3.0-or-later
"""What sits on a head: an industrial helmet (EN 397), a baseball cap or a bump cap (EN 812).

Each is made to enclose the head and its hair.
"""

from dataclasses import dataclass
from functools import partial

import bpy
import numpy as np

from blender.materials import person_materials
from blender.materials.common_materials import Rgb, plain_material
from blender.mesh.asset_cache import AssetCache
from blender.mesh.rotation import rotation_matrix
from blender.mesh.surfaces import SkinSurface, join_surfaces, surface_object
from blender.people.head import HeadLandmarks
from blender.people.skeleton import body_rig

AROUND, LEVELS = 40, 11


@dataclass(frozen=True)
class Dome:
    """An upper half ellipsoid: centre on the rim's plane, half axes (3,) m, the plane tilted back by `tilt_deg`."""

    center: np.ndarray
    axes: np.ndarray
    tilt_deg: float

    def placed(self, points: np.ndarray) -> np.ndarray:
        """Take points (N, 3) m in the dome's own frame to the head at rest."""
        return points @ rotation_matrix("y", -self.tilt_deg).T + self.center


def build_headwear(
    kind: str, head: HeadLandmarks, inside: np.ndarray, transforms: np.ndarray, color: Rgb, library: AssetCache
) -> bpy.types.Object:
    """Return the posed headwear; `kind` "helmet", "cap" or "bump_cap", `inside` (N, 3) m at rest: what it encloses."""
    makers = {"helmet": _helmet, "cap": _cap, "bump_cap": partial(_cap, room_m=(0.010, 0.016), peak_m=0.036)}
    surface = makers[kind](head, inside)
    transform = transforms[body_rig().index("head")]
    posed = surface.points @ transform[:3, :3].T + transform[:3, 3]
    color = tuple(color)
    make = {
        "helmet": lambda: plain_material("helmet", color, roughness=0.28),
        "cap": lambda: person_materials.cloth_material("cap", color, weave=900.0),
        "bump_cap": lambda: person_materials.cloth_material("bump cap", color, weave=500.0),
    }
    material = library.material((kind, color), make[kind])
    return surface_object(kind, SkinSurface(posed, surface.faces, surface.values), [material])


def _dome(head: HeadLandmarks, inside: np.ndarray, rim_up: float, room_m: tuple[float, float], tilt_deg: float) -> Dome:
    """Fit a dome: rim `rim_up` of the way from the eyes to the top, room at the sides and above."""
    turn = rotation_matrix("y", -tilt_deg)
    center = np.array([(head.front_x + head.back_x) / 2, 0.0, head.eye[2] + rim_up * head.size_m])
    local = (inside - center) @ turn
    local = local[local[:, 2] > -0.01]
    middle = np.array([(local[:, 0].max() + local[:, 0].min()) / 2, 0, 0])
    local = local - middle
    extent = np.abs(local).max(axis=0)
    # A head is boxier than an ellipsoid: grow until all of it is inside.
    grow = np.linalg.norm(local / extent, axis=1).max()
    return Dome(center + turn @ middle, extent * grow + [room_m[0], room_m[0], room_m[1]], tilt_deg)


def _shell(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return unit points (L * AROUND + 1, 3) and faces of a dome: rings of (height, radius) `levels` (L, 2), a pole."""
    turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    rings = [np.c_[np.cos(turn) * r, np.sin(turn) * r, np.full(AROUND, z)] for z, r in levels]
    points = np.concatenate([*rings, [[0, 0, 1]]])
    last = np.arange(AROUND) + (len(levels) - 1) * AROUND
    pole = np.full(AROUND, len(points) - 1)
    return points, np.concatenate([_strips(len(levels) - 1), np.c_[last, np.roll(last, -1), pole, pole]])


def _strips(count: int) -> np.ndarray:
    """Return faces between closed rings of AROUND points, each ring inside or above the one before."""
    a = np.add.outer(np.arange(count) * AROUND, np.arange(AROUND)).ravel()
    b = np.add.outer(np.arange(count) * AROUND, (np.arange(AROUND) + 1) % AROUND).ravel()
    return np.c_[a, b, b + AROUND, a + AROUND]


def _levels() -> np.ndarray:
    """Heights and radii of a unit dome's rings, evenly spread along its curve."""
    angle = np.linspace(0, np.pi / 2, LEVELS, endpoint=False)
    return np.c_[np.sin(angle), np.cos(angle)]


def _helmet(head: HeadLandmarks, inside: np.ndarray) -> SkinSurface:
    """A shell with a ridge and two ribs, a gutter all round and a short peak."""
    dome = _dome(head, inside, rim_up=0.40, room_m=(0.010, 0.022), tilt_deg=4)
    unit, faces = _shell(_levels())
    points = unit * dome.axes
    high = np.clip((unit[:, 2] - 0.25) / 0.35, 0, 1)
    ribs = np.exp(-((points[:, 1] / 0.013) ** 2)) + 0.6 * np.exp(-(((np.abs(points[:, 1]) - 0.042) / 0.009) ** 2))
    points[:, 2] += 0.008 * high * ribs
    turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    ahead = np.clip(np.cos(turn), 0, 1) ** 3
    strips = []
    for out_m, peak_m, drop_m in (
        (0.0, 0.0, 0.004),
        (0.007, 0.018, 0.008),
        (0.013, 0.046, 0.012),
        (0.012, 0.044, 0.016),
    ):
        reach = np.c_[np.cos(turn) * (dome.axes[0] + out_m) + peak_m * ahead, np.sin(turn) * (dome.axes[1] + out_m)]
        strips.append(np.c_[reach, -drop_m - 0.25 * peak_m * ahead])
    brim = np.concatenate([points[:AROUND], *strips])
    shell = SkinSurface(dome.placed(points), faces, {})
    return join_surfaces([shell, SkinSurface(dome.placed(brim), _strips(len(strips))[:, ::-1], {})])


def _cap(
    head: HeadLandmarks, inside: np.ndarray, room_m: tuple[float, float] = (0.003, 0.008), peak_m: float = 0.066
) -> SkinSurface:
    """Six panels, a button, and a peak that curves down at its sides; a bump cap has a shell inside, a short peak."""
    dome = _dome(head, inside, rim_up=0.36, room_m=room_m, tilt_deg=9)
    unit, faces = _shell(_levels())
    points = unit * dome.axes
    # Panels sink a little at their seams; the front one stands up straight.
    turn = np.arctan2(unit[:, 1], unit[:, 0])
    seam = np.abs(np.sin(3 * turn)) * np.linalg.norm(unit[:, :2], axis=1)
    points *= (1.0 + 0.02 * seam)[:, None]
    points[-1, 2] += 0.004
    edge = np.where(np.arange(len(points)) < AROUND, 0.0, unit[:, 2] * 0.12)
    values = {"rest": points, "edge": edge, "crease": np.zeros(len(points))}
    crown = SkinSurface(dome.placed(points), faces, values)
    return join_surfaces([crown, _peak(dome, peak_m)])


def _peak(dome: Dome, length_m: float, rows: int = 5, columns: int = 17) -> SkinSurface:
    """The peak of a cap: a sheet from the rim ahead, with an underside."""
    angle = np.radians(np.linspace(-62, 62, columns))
    points = []
    for layer in (0.0, -0.003):
        for row in np.linspace(0, 1, rows):
            length = length_m * row * np.cos(angle * 1.05) ** 0.5
            x = np.cos(angle) * dome.axes[0] * 0.985 + length
            y = np.sin(angle) * dome.axes[1] * (0.985 - 0.04 * row)
            z = layer - 0.10 * length - 3.2 * y**2 * row - 0.004 * (1 - row)
            points.append(np.c_[x, y, z])
    points = np.concatenate(points)
    sheet = rows * columns
    corner = np.add.outer(np.arange(rows - 1) * columns, np.arange(columns - 1)).ravel()
    top = np.c_[corner, corner + columns, corner + columns + 1, corner + 1]
    rim = np.arange(columns - 1) + (rows - 1) * columns
    faces = np.concatenate([top, top[:, ::-1] + sheet, np.c_[rim, rim + sheet, rim + sheet + 1, rim + 1]])
    values = {"rest": points, "edge": np.full(len(points), 0.1), "crease": np.zeros(len(points))}
    return SkinSurface(dome.placed(points), faces, values)
