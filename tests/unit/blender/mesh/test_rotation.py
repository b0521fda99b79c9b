# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotation matrices are orthogonal and right-handed, and the three functions agree with each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender.mesh.rotation import rotate_in_plane, rotation_about_vector, rotation_matrix

coordinates = st.floats(-2, 2)
angles = st.floats(-360, 360)
axes = st.sampled_from("xyz")


@given(axes, angles, st.tuples(*[coordinates] * 3))
def test_rotation_matrix_keeps_lengths_and_handedness(axis, angle_deg, point):
    matrix = rotation_matrix(axis, angle_deg)
    assert np.allclose(matrix @ matrix.T, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)
    assert np.allclose(rotation_matrix(axis, -angle_deg) @ (matrix @ np.array(point)), point)


@pytest.mark.parametrize(("axis", "start", "end"), [("x", "y", "z"), ("y", "z", "x"), ("z", "x", "y")])
def test_rotation_matrix_is_right_handed(axis, start, end):
    unit = dict(zip("xyz", np.eye(3), strict=True))
    assert np.allclose(rotation_matrix(axis, 90) @ unit[start], unit[end])


@given(axes, angles)
def test_rotation_about_a_coordinate_axis_given_as_a_vector(axis, angle_deg):
    unit_vector = np.eye(3)["xyz".index(axis)]
    assert np.allclose(rotation_about_vector(unit_vector, angle_deg), rotation_matrix(axis, angle_deg))


@given(angles, st.tuples(*[coordinates] * 2))
def test_rotation_in_the_plane_equals_the_rotation_about_z(angle_deg, point):
    rotated = rotate_in_plane(np.array([point]), np.radians(angle_deg))
    assert np.allclose(rotated[0], (rotation_matrix("z", angle_deg) @ [*point, 0])[:2])


def test_rotation_in_the_plane_by_many_angles_gives_one_copy_per_angle():
    points, angles_rad = np.array([(1.0, 0.0), (0.5, 0.2), (0.0, 1.0)]), np.array([0.0, 0.3, -2.0, 1.5])
    copies = rotate_in_plane(points, angles_rad)
    assert copies.shape == (4, 3, 2)
    for copy, angle_rad in zip(copies, angles_rad, strict=True):
        assert np.allclose(copy, rotate_in_plane(points, angle_rad))
