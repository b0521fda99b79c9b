# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from blender.mesh.rings import ring_faces, unit_sphere


def volume_m3(points: np.ndarray, faces: np.ndarray) -> float:
    """Return the volume inside a closed surface of quads; it is negative if the faces look inward."""
    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    first, second, third = points[triangles].transpose(1, 0, 2)
    return float((first * np.cross(second, third)).sum() / 6)


def test_sphere_has_radius_one_and_its_faces_look_outward():
    points, faces = unit_sphere(41, 80), ring_faces(41, 80, reverse=True)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    assert faces.shape == (40 * 80, 4)
    assert volume_m3(points, faces) == pytest.approx(4 / 3 * np.pi, rel=0.01)


def test_faces_look_outward_when_the_rings_run_upward():
    points = unit_sphere(41, 80) * (1, 1, -1)
    assert volume_m3(points, ring_faces(41, 80)) == pytest.approx(4 / 3 * np.pi, rel=0.01)
