# SPDX-License-Identifier: GPL-3.0-or-later
"""Solids: volumes compared with formulas (a face that points inward reduces the volume), and their Blender meshes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender.mesh import solids
from blender.mesh.rotation import rotation_matrix
from blender.mesh.solids import Solid

lengths = st.floats(0.01, 3.0)
points = st.tuples(*[st.floats(-2, 2)] * 3)
angles = st.floats(-360, 360)
axes = st.sampled_from("xyz")


def volume_m3(solid: Solid) -> float:
    """Return the volume by the divergence theorem, over a fan of triangles of each face."""
    triangles = [(face[0], face[i], face[i + 1]) for face in solid.faces for i in range(1, len(face) - 1)]
    first, second, third = solid.vertices[np.array(triangles)].transpose(1, 0, 2)
    return float((first * np.cross(second, third)).sum() / 6)


def is_closed(solid: Solid) -> bool:
    """Return whether each edge is used once in each direction."""
    edges = [(face[i - 1], face[i]) for face in solid.faces for i in range(len(face))]
    return len(set(edges)) == len(edges) and {(b, a) for a, b in edges} == set(edges)


def polygon_area(count: int, radius_m: float) -> float:
    return 0.5 * count * radius_m**2 * np.sin(2 * np.pi / count)


@given(st.tuples(lengths, lengths, lengths), points, axes, angles)
def test_a_moved_rotated_and_mirrored_box_keeps_its_volume(size, offset, axis, angle_deg):
    solid = solids.box(size, offset).turned(axis, angle_deg).moved(offset)
    for made in (solid, solid.mirrored()):
        assert volume_m3(made) == pytest.approx(np.prod(size), rel=1e-6, abs=1e-9)
        assert is_closed(made)
    assert np.allclose(solid.mirrored().vertices * (1, -1, 1), solid.vertices)


@given(st.integers(3, 30), lengths, lengths)
def test_volume_of_a_prism_is_area_times_length(count, radius, length):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    solid = solids.prism(np.c_[radius * np.cos(angle), radius * np.sin(angle)], length)
    assert volume_m3(solid) == pytest.approx(polygon_area(count, radius) * length)
    assert is_closed(solid)


@given(points, points.filter(lambda p: np.linalg.norm(p) > 0.1), st.floats(0.001, 0.5), st.integers(3, 24))
def test_straight_tube_is_a_cylinder(start, way, radius, segments):
    solid = solids.tube([start, np.add(start, way)], radius, segments)
    expected = polygon_area(segments, radius) * np.linalg.norm(way)
    assert volume_m3(solid) == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert is_closed(solid)


@given(st.floats(0.3, 2.0), st.floats(0.01, 0.1), axes, angles)
def test_closed_tube_is_a_torus(ring_radius, radius, axis, angle_deg):
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    path = np.c_[ring_radius * np.cos(angle), ring_radius * np.sin(angle), 0 * angle]
    solid = solids.tube(path @ rotation_matrix(axis, angle_deg).T, radius, 12, closed=True)
    # Pappus: the section's area times the way of its centroid, here round a polygon of 40 corners.
    assert volume_m3(solid) == pytest.approx(polygon_area(12, radius) * 2 * np.pi * ring_radius, rel=0.01)
    assert is_closed(solid)


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_volume_of_a_revolved_profile_follows_pappus(inner, thickness, width):
    outline = [(inner, -width), (inner + thickness, -width), (inner + thickness, width), (inner, width)]
    solid = solids.revolve(np.array(outline), 48)
    expected = polygon_area(48, inner + thickness) - polygon_area(48, inner)
    assert volume_m3(solid) == pytest.approx(expected * 2 * width)
    assert is_closed(solid)


@given(points, points, lengths, lengths)
def test_a_flat_bar_is_a_rotated_box(start, end, width, height):
    way = np.subtract(end, start)
    if np.hypot(*way[:2]) < 0.01:
        return
    solid = solids.flat_bar(start, end, width, height)
    assert volume_m3(solid) == pytest.approx(np.linalg.norm(way) * width * height, rel=1e-5, abs=1e-7)
    assert is_closed(solid)
    assert np.allclose(solid.vertices.mean(axis=0), np.add(start, end) / 2)
    width_edge = solid.vertices[1] - solid.vertices[0]
    assert width_edge[2] == pytest.approx(0, abs=1e-9)


@given(lengths, lengths, st.floats(0.001, 0.1), axes, angles)
def test_a_plate_is_thickened_towards_its_front(length, width, thickness, axis, angle_deg):
    turn = rotation_matrix(axis, angle_deg)
    corners = np.array([(0, 0, 0), (length, 0, 0), (length, width, 0), (0, width, 0)]) @ turn.T
    solid = solids.plate(corners, thickness)
    assert volume_m3(solid) == pytest.approx(length * width * thickness)
    assert np.allclose(solid.vertices[4:] - corners, thickness * turn[:, 2])


def test_fillet_touches_both_sides_with_its_radius():
    path = solids.round_corners([(0, 0), (1, 0), (1, 2)], 0.25, 8)
    assert len(path) == 2 + 9
    assert np.allclose(path[[0, 1, -2, -1]], [(0, 0), (0.75, 0), (1, 0.25), (1, 2)])
    assert np.allclose(np.linalg.norm(path[1:-1] - (0.75, 0.25), axis=1), 0.25)


@given(st.floats(0.001, 5.0), st.integers(1, 6))
def test_fillet_of_a_square_stays_in_it(radius, segments):
    path = solids.round_corners([(0, 0), (1, 0), (1, 1), (0, 1)], radius, segments, closed=True)
    assert path.shape == (4 * (segments + 1), 2)
    assert path.min() > -1e-9
    assert path.max() < 1 + 1e-9
    assert volume_m3(solids.prism(path, 1.0)) > 0.49


def test_fillet_refuses_a_straight_corner():
    with pytest.raises(ValueError, match="in one line"):
        solids.round_corners([(0, 0), (1, 0), (2, 0)], 0.1)


part_lengths = st.floats(0.01, 0.5)


@given(st.tuples(part_lengths, part_lengths, part_lengths), st.floats(0.0005, 0.004))
def test_bevelling_changes_only_the_edges_of_a_box(size, radius):
    whole = solids.box(size, slot=3)
    solid = solids.bevelled(whole, radius)
    lost = np.prod(size) - volume_m3(solid)
    # An edge rounded by two segments loses (1 - sin 45 deg) r^2 of its section; Blender computes in float32.
    edges = 4 * sum(size) * (1 - np.sqrt(0.5)) * radius**2
    assert 0.5 * edges < lost < edges + 1e-6 * np.prod(size)
    assert is_closed(solid)
    assert solid.slot == 3
    assert np.allclose(np.ptp(solid.vertices, axis=0), size, atol=1e-6)


def test_mesh_joins_solids(asset_cache):
    cylinder, box = solids.cylinder(0.5, 1.0, 32, slot=1), solids.box((1, 1, 1), (3, 0, 0))
    mesh = solids.solids_to_mesh("two", [cylinder, box], [])
    assert (len(mesh.vertices), len(mesh.polygons)) == (64 + 8, 34 + 6)
    assert not mesh.validate()
    assert [tuple(polygon.vertices) for polygon in mesh.polygons][-1] == tuple(64 + i for i in box.faces[-1])
    assert [polygon.material_index for polygon in mesh.polygons] == [1] * 34 + [0] * 6
    assert [polygon.use_smooth for polygon in mesh.polygons] == [True] * 34 + [False] * 6
    # The caps of the cylinder keep their rims, its mantle is smooth.
    rims = sum(edge.use_edge_sharp for edge in mesh.edges if max(edge.vertices) < 64)
    assert rims == 64
