# SPDX-License-Identifier: GPL-3.0-or-later
"""Points and faces of surfaces that are made of closed rings with equally many points."""

import numpy as np


def ring_faces(rings: int, around: int, reverse: bool = False) -> np.ndarray:
    """Return the quads (F, 4) between neighboring rings of `around` points each; the points are in order of the rings.

    Their normals point outward if the points of a ring run counterclockwise about the direction from the first ring to
    the last. With `reverse`, they point outward if the points run clockwise.
    """
    first = np.add.outer(np.arange(rings - 1) * around, np.arange(around)).ravel()
    second = np.add.outer(np.arange(rings - 1) * around, (np.arange(around) + 1) % around).ravel()
    if reverse:
        first, second = second, first
    return np.c_[first, second, second + around, first + around]


def unit_sphere(rings: int, around: int) -> np.ndarray:
    """Return points (rings * around, 3) of a unit sphere in rings from +z to -z; use `ring_faces` with `reverse`."""
    polar, azimuth = np.meshgrid(np.linspace(0, np.pi, rings), np.arange(around) * 2 * np.pi / around, indexing="ij")
    points = [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)]
    return np.stack(points, axis=-1).reshape(-1, 3)
