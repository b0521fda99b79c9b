# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations in space and in a plane. All are right-handed (counterclockwise seen from the tip of the axis).

A matrix (3, 3) rotates column vectors: `matrix @ point`, or `points @ matrix.T` for rows (N, 3).
"""

import numpy as np


def rotation_matrix(axis: str, angle_deg: float) -> np.ndarray:
    """Return the matrix (3, 3) of a rotation about a coordinate axis: "x", "y" or "z"."""
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


def rotation_about_vector(unit_vector: np.ndarray, angle_deg: float) -> np.ndarray:
    """Return the matrix (3, 3) of a rotation about a unit vector (3,), by Rodrigues' formula."""
    x, y, z = unit_vector
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(angle_deg)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def rotate_in_plane(points: np.ndarray, angle_rad: float | np.ndarray) -> np.ndarray:
    """Rotate points (N, 2) of a plane about its origin, from the first axis to the second.

    One angle gives points (N, 2). Angles (K,) give one rotated copy of the points for each angle: (K, N, 2).
    """
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    # The matrix is transposed, because points are rows.
    return points @ np.moveaxis(np.array([[cos, sin], [-sin, cos]]), (0, 1), (-2, -1))
