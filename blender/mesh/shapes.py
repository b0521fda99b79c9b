# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes that vehicles, goods and lamps are made of, on top of the basic ones in `solids`: turned, bent, rounded.

All lengths are in meters, in the frame of the object that the shape becomes part of: x forward, y left, z up.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from blender.mesh.solids import Solid, box, loft, round_corners, tube

Limits = tuple[float, float]
Point = Sequence[float]


def box_between(x_m: Limits, y_m: Limits, z_m: Limits, slot: int) -> Solid:
    """Return a cuboid from its limits along each axis."""
    limits = np.array([x_m, y_m, z_m])
    return box(tuple(np.ptp(limits, axis=1)), tuple(limits.mean(axis=1)), slot)


def lathe(rings_m: Sequence[tuple[float, float]], slot: int, segments: int = 24) -> Solid:
    """Return a round body about the z axis with flat ends; `rings_m` holds (radius, height), from bottom to top."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    circle = np.c_[np.cos(angle), np.sin(angle)]
    rings = [np.c_[radius * circle, np.full(segments, height)] for radius, height in rings_m]
    return replace(loft(np.array(rings), slot), smooth=True)


def rod(start_m: Point, end_m: Point, radius_m: float, slot: int, segments: int = 6) -> Solid:
    """Return a straight round bar between two points."""
    return tube(np.array([start_m, end_m], float), radius_m, segments, slot)


def bent_tube(points_m: Sequence[Point], radius_m: float, bend_m: float, slot: int, segments: int = 8) -> Solid:
    """Return a tube through points (N, 3); its bends have the radius `bend_m`."""
    return tube(round_corners(np.array(points_m, float), bend_m, 4), radius_m, segments, slot)


def rounded_rectangle(length_m: float, width_m: float, radius_m: float, segments: int = 3) -> np.ndarray:
    """Return a centered outline (N, 2), counterclockwise, with `segments` pieces in each corner."""
    corners = np.array([(1, -1), (1, 1), (-1, 1), (-1, -1)]) * (length_m / 2, width_m / 2)
    return round_corners(corners, radius_m, segments, closed=True)


def scaled_loft(outline_m: np.ndarray, levels: Sequence[tuple[float, float]], slot: int) -> Solid:
    """Return a body with flat ends: the outline (N, 2) at each (scale, height), from bottom to top."""
    return loft(np.array([np.c_[outline_m * scale, np.full(len(outline_m), z)] for scale, z in levels]), slot)


def curved_patch(radius_m: float, z_m: Limits, angles_rad: Limits, slot: int) -> Solid:
    """Return a patch on a round body about the z axis, between two heights and two angles."""
    angle = np.linspace(*angles_rad, 9)
    edges = [np.c_[radius_m * np.cos(angle), radius_m * np.sin(angle), np.full(9, z)] for z in z_m]
    return Solid(np.concatenate(edges), [(i, i + 1, i + 10, i + 9) for i in range(8)], slot, smooth=True)
