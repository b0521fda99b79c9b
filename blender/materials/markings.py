# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stuck or printed on things: labels, tape, made-up brand names, arrows; flat patches a hair off a face."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from blender.materials.lettering import text_triangles
from blender.mesh.solids import Solid

DECAL_LIFT_M = 0.0015
BRANDS = ("TELFO", "HICO", "FETIL", "OLTHE", "LUCEFI", "COTHEL", "IFTEC", "HELIO")
ARROW = np.array([(-0.12, 0), (0.12, 0), (0.12, 0.5), (0.3, 0.5), (0, 1), (-0.3, 0.5), (-0.12, 0.5)])


@dataclass(frozen=True)
class FacePlane:
    """A rectangle in space: its centre, its unit axes `right` and `up` as seen from outside, and its size in metres."""

    center: np.ndarray
    right: np.ndarray
    up: np.ndarray
    size_m: tuple[float, float]

    @cached_property
    def normal(self) -> np.ndarray:
        return np.cross(self.right, self.up)

    def polygon(self, outline_m: np.ndarray, slot: int, lift_m: float = DECAL_LIFT_M) -> Solid:
        """A flat polygon (N, 2), counter-clockwise, in the face's coordinates from its centre."""
        outline = np.asarray(outline_m, float)
        vertices = self.center + lift_m * self.normal + outline[:, :1] * self.right + outline[:, 1:] * self.up
        return Solid(vertices, [tuple(range(len(outline)))], slot)

    def rectangle(
        self,
        center_m: tuple[float, float],
        size_m: tuple[float, float],
        slot: int,
        turn: float = 0,
        lift_m: float = DECAL_LIFT_M,
    ) -> Solid:
        """A flat rectangle, turned by `turn` radians."""
        corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * size_m
        cos, sin = np.cos(turn), np.sin(turn)
        return self.polygon(corners @ np.array([[cos, sin], [-sin, cos]]) + center_m, slot, lift_m)

    def text(
        self, text: str, center_m: tuple[float, float], height_m: float, slot: int, lift_m: float = DECAL_LIFT_M
    ) -> list[Solid]:
        """A line of text with capitals `height_m` high; wide letters are squeezed to 0.8 of that for each."""
        corners, faces = text_triangles(text)
        squeeze = min(1.0, (0.8 * len(text) - 0.2) / np.ptp(corners[:, 0]))
        flat = self.polygon(corners * (squeeze * height_m, height_m) + center_m, slot, lift_m)
        return [replace(flat, faces=list(faces))]

    def arrow_up(self, center_m: tuple[float, float], height_m: float, slot: int) -> Solid:
        return self.polygon((ARROW - (0, 0.5)) * height_m + center_m, slot)


def side_faces(size_m: tuple[float, float, float]) -> list[FacePlane]:
    """The faces at +x, -x, +y, -y of a box that stands centred on the origin."""
    x, y, z = size_m
    up = np.array([0.0, 0.0, 1.0])
    outward = {(1, 0): y, (-1, 0): y, (0, 1): x, (0, -1): x}
    return [
        FacePlane(np.array([nx * x / 2, ny * y / 2, z / 2]), np.array([-ny, nx, 0.0]), up, (width, z))
        for (nx, ny), width in outward.items()
    ]


def top_face(size_m: tuple[float, float, float]) -> FacePlane:
    x, y, z = size_m
    return FacePlane(np.array([0, 0, z]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), (x, y))
