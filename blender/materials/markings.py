# SPDX-License-Identifier: GPL-3.0-or-later
"""Flat markings on the faces of objects: labels, tape, made-up brand names, arrows.

A marking lies slightly above its face, so that it covers the face in the render.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from blender.materials.lettering import text_triangles
from blender.mesh.rotation import rotate_in_plane
from blender.mesh.solids import UNIT_SQUARE, Solid

DECAL_LIFT_M = 0.0015
BRANDS = ("TELFO", "HICO", "FETIL", "OLTHE", "LUCEFI", "COTHEL", "IFTEC", "HELIO")
# 1 high, from its foot.
ARROW = np.array([(-0.12, 0), (0.12, 0), (0.12, 0.5), (0.3, 0.5), (0, 1), (-0.3, 0.5), (-0.12, 0.5)])


@dataclass(frozen=True)
class FacePlane:
    """A rectangle in space, on which markings are placed in meters from its center.

    `center` (3,) m; `right` and `up` (3,) are unit axes as seen from outside; `size_m` is measured along them.
    """

    center: np.ndarray
    right: np.ndarray
    up: np.ndarray
    size_m: tuple[float, float]

    @cached_property
    def normal(self) -> np.ndarray:
        """The unit vector (3,) that points outward."""
        return np.cross(self.right, self.up)

    def polygon(self, outline_m: np.ndarray, slot: int, lift_m: float = DECAL_LIFT_M) -> Solid:
        """Return a flat polygon (N, 2), counterclockwise, `lift_m` above the face."""
        outline = np.asarray(outline_m, float)
        vertices = self.center + lift_m * self.normal + outline[:, :1] * self.right + outline[:, 1:] * self.up
        return Solid(vertices, [tuple(range(len(outline)))], slot)

    def rectangle(
        self,
        center_m: tuple[float, float],
        size_m: tuple[float, float],
        slot: int,
        turn_rad: float = 0,
        lift_m: float = DECAL_LIFT_M,
    ) -> Solid:
        """Return a flat rectangle, turned counterclockwise by `turn_rad` about its center."""
        return self.polygon(rotate_in_plane(UNIT_SQUARE * size_m, turn_rad) + center_m, slot, lift_m)

    def text(
        self, text: str, center_m: tuple[float, float], height_m: float, slot: int, lift_m: float = DECAL_LIFT_M
    ) -> list[Solid]:
        """Return a line of text with capitals `height_m` high.

        Wide letters are compressed, so that a line of n letters is at most (0.8 n - 0.2) times as long as it is high.
        """
        corners, faces = text_triangles(text)
        compression = min(1.0, (0.8 * len(text) - 0.2) / np.ptp(corners[:, 0]))
        text_solid = self.polygon(corners * (compression * height_m, height_m) + center_m, slot, lift_m)
        return [replace(text_solid, faces=list(faces))]

    def arrow_up(self, center_m: tuple[float, float], height_m: float, slot: int) -> Solid:
        """Return an arrow that points up, by its middle and its height."""
        return self.polygon((ARROW - (0, 0.5)) * height_m + center_m, slot)


def side_faces(size_m: tuple[float, float, float]) -> list[FacePlane]:
    """Return the faces at +x, -x, +y and -y of a box that stands on the origin."""
    x, y, z = size_m
    up = np.array([0.0, 0.0, 1.0])
    outward = {(1, 0): y, (-1, 0): y, (0, 1): x, (0, -1): x}
    return [
        FacePlane(np.array([nx * x / 2, ny * y / 2, z / 2]), np.array([-ny, nx, 0.0]), up, (width, z))
        for (nx, ny), width in outward.items()
    ]


def top_face(size_m: tuple[float, float, float]) -> FacePlane:
    """Return the face at the top of a box that stands on the origin."""
    x, y, z = size_m
    return level_face((0, 0, z), (x, y))


def level_face(center_m: tuple[float, float, float], size_m: tuple[float, float] = (0.0, 0.0)) -> FacePlane:
    """Return a horizontal face that faces up: right is +x, up is +y. Not all callers need `size_m`."""
    return FacePlane(np.array(center_m), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), size_m)
