# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces of boxes and wire grids on them, which several kinds of goods have."""

from dataclasses import replace

import numpy as np

from blender.materials.markings import FacePlane, side_faces
from blender.mesh.solids import Solid, loft


def wall_faces(size_m: tuple[float, float, float], low_m: float = 0.0) -> list[FacePlane]:
    """Return the faces at +x, -x, +y and -y of a box of this size that stands at the height `low_m`."""
    return [replace(face, center=face.center + np.array([0, 0, low_m])) for face in side_faces(size_m)]


def wire_grid(face: FacePlane, pitch_m: float, wire_m: float, slot: int) -> list[Solid]:
    """Return wires across a face in both directions, of square section; their center lines lie in the face."""
    solids = []
    for length, across, along, other in (
        (face.size_m[0], face.size_m[1], face.right, face.up),
        (face.size_m[1], face.size_m[0], face.up, face.right),
    ):
        profile = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * wire_m / 2
        section = profile[:, :1] * other + profile[:, 1:] * np.cross(along, other)
        count = max(round(across / pitch_m), 1)
        for offset in (np.arange(count) + 0.5) * across / count - across / 2:
            ends = [face.center + offset * other + sign * length / 2 * along + section for sign in (-1, 1)]
            solids.append(loft(np.array(ends), slot))
    return solids
