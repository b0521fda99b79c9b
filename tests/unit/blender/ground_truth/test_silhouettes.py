# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blender.camera import camera
from blender.ground_truth import silhouettes
from blender.shards import build_scene
from tests.helpers import records
from tests.helpers.search import examples

WIDTH, HEIGHT = 50, 40

triangles = hnp.arrays(
    float, st.tuples(st.integers(1, 5), st.just(3), st.just(2)), elements=st.floats(-20, 60, width=32)
)


def filled(found, low=(0, 0), high=(WIDTH, HEIGHT)):
    return silhouettes.rasterize_triangles(np.asarray(found, float), low, high)


def on_an_edge(found):
    """Return the pixels with their center on an edge: only rounding decides whether they are inside."""
    y, x = np.mgrid[0.5:HEIGHT, 0.5:WIDTH]
    rings = [shapely.LinearRing(triangle) for triangle in found]
    return np.any([shapely.distance(ring, shapely.points(x, y)) < 1e-6 for ring in rings], axis=0)


@given(triangles)
def test_rasterized_pixels_agree_with_shapely(found):
    mask = filled(found).in_frame(WIDTH, HEIGHT)
    y, x = np.mgrid[0.5:HEIGHT, 0.5:WIDTH]
    inside = np.any([shapely.contains_xy(shapely.Polygon(triangle).buffer(0), x, y) for triangle in found], axis=0)
    unsure = on_an_edge(found)
    assert np.array_equal(mask | unsure, inside | unsure)


@given(triangles)
@example(np.array([[[-2.0, 11.0], [0.0, 0.0], [11.0, 11.0]]]))
def test_a_silhouette_is_cropped_to_its_pixels_and_the_same_on_a_larger_canvas(found):
    one = filled(found, (-WIDTH, -HEIGHT), (2 * WIDTH, 2 * HEIGHT))
    if one.box_px is None:
        assert not one.mask.size
        return
    assert one.mask.any(0)[[0, -1]].all()
    assert one.mask.any(1)[[0, -1]].all()
    unsure = on_an_edge(found)
    assert np.array_equal(one.in_frame(WIDTH, HEIGHT) | unsure, filled(found).in_frame(WIDTH, HEIGHT) | unsure)


def test_a_square_of_two_triangles_has_no_gap():
    found = filled([[[2, 3], [7, 3], [7, 9]], [[2, 3], [7, 9], [2, 9]]])
    assert found.box_px == (2, 3, 5, 6)
    assert found.mask.all()


def test_triangles_in_several_chunks_give_the_same_mask(monkeypatch):
    monkeypatch.setattr(silhouettes, "CHUNK_SPANS", 7)
    corners = np.array([(x, y) for x in range(8) for y in range(8)], float)
    cell = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    found = filled((corners[:, None, None] + cell).reshape(-1, 3, 2))
    assert found.box_px == (0, 0, 8, 8)
    assert found.mask.all()


VIEW = {
    "fx_px": 40.0,
    "fy_px": 40.0,
    "cx_px": WIDTH / 2,
    "cy_px": HEIGHT / 2,
    "position_m": (0.0, 0.0, 0.0),
    "rotation": np.eye(3).tolist(),
    "distortion": (0, 0, 0, 0, 0),
}


def test_a_floor_that_begins_behind_the_camera_fills_all_below_the_horizon():
    corners = np.array([[-1e4, 1, -10], [1e4, 1, -10], [1e4, 1, 1000], [-1e4, 1, 1000]], float)
    floor = silhouettes.ObjectGeometry(corners, np.array([[0, 1, 2], [0, 2, 3]]))
    found = silhouettes.render_silhouette(floor, VIEW, WIDTH, HEIGHT)
    assert found.box_px == (-WIDTH, HEIGHT // 2, 3 * WIDTH, 2 * HEIGHT - HEIGHT // 2)
    assert found.mask.all()


@pytest.mark.parametrize(("behind", "pieces"), [(0, 1), (1, 2), (2, 1), (3, 0)])
def test_a_triangle_is_clipped_at_the_near_plane(behind, pieces):
    corners = np.array([[0, 0, 2], [1, 0, 2], [0, 1, 2]], float)
    corners[:behind, 2] = -1
    for turn in range(3):
        kept = silhouettes.clip_at_depth(np.roll(corners, turn, axis=0)[None], 0.02)
        assert len(kept) == pieces
        assert (kept[:, :, 2] > 0.02 - 1e-9).all()
        # All pieces lie in the triangle's plane and are wound as it is.
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        for piece in kept:
            assert (piece - corners[0]) @ normal == pytest.approx(np.zeros(3), abs=1e-9)
            assert np.cross(piece[1] - piece[0], piece[2] - piece[0]) @ normal > 0


def test_the_clipped_area_is_the_part_beyond_the_near_plane():
    # A right triangle with legs 3 along x and z, from z = -1 to z = 2; before z = 0 it is similar with legs 2.
    kept = silhouettes.clip_at_depth(np.array([[[0, 5, 2], [3, 5, 2], [0, 5, -1]]], float), 1e-9)
    area = sum(np.linalg.norm(np.cross(b - a, c - a)) / 2 for a, b, c in kept)
    assert area == pytest.approx(4.5 - 0.5, abs=1e-6)


def test_an_object_behind_the_camera_has_no_pixel():
    corners = np.array([[0, 0, -3], [1, 0, -3], [0, 1, -3]], float)
    found = silhouettes.render_silhouette(
        silhouettes.ObjectGeometry(corners, np.array([[0, 1, 2]])), VIEW, WIDTH, HEIGHT
    )
    assert found.box_px is None
    assert not found.in_frame(WIDTH, HEIGHT).any()


DISTORTED = VIEW | {"fx_px": 30.0, "fy_px": 30.0, "distortion": (-0.3, 0.07, 0.0005, -0.0004, 0.0)}


@pytest.mark.parametrize("distortion", [(-0.3, 0.07, 0.0005, -0.0004, 0.0), (0.1, 0.008, 0.0, 0.001, 0.0)])
def test_long_edges_become_curves_under_distortion(distortion):
    """Two triangles and a fine mesh of the same square differ in a few pixels of the outline."""
    view = VIEW | {"fx_px": 300.0, "fy_px": 300.0, "cx_px": 200.0, "cy_px": 150.0, "distortion": distortion}
    square = np.array([[-0.5, -0.4, 1], [0.55, -0.35, 1], [0.5, 0.42, 1.2], [-0.6, 0.4, 0.9]], float)
    coarse = silhouettes.ObjectGeometry(square, np.array([[0, 1, 2], [0, 2, 3]]))
    net = square[[[0, 1, 2], [0, 2, 3]]]
    for _ in range(6):
        a, b, c = net[:, 0], net[:, 1], net[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        net = np.concatenate([np.stack(each, 1) for each in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    fine = silhouettes.ObjectGeometry(net.reshape(-1, 3), np.arange(len(net) * 3).reshape(-1, 3))
    found, expected = (
        silhouettes.render_silhouette(each, view, 400, 300).in_frame(400, 300) for each in (coarse, fine)
    )
    outline = sum(np.count_nonzero(expected & ~np.roll(expected, 1, axis)) for axis in (0, 1))
    assert np.count_nonzero(found ^ expected) <= 0.25 * outline
    straight = silhouettes.render_silhouette(coarse, view | {"distortion": (0,) * 5}, 400, 300).in_frame(400, 300)
    assert np.count_nonzero(straight ^ expected) > 3 * outline


def test_a_floor_through_a_distorting_lens_fills_all_below_the_horizon():
    corners = np.array([[-1e4, 1, -10], [1e4, 1, -10], [1e4, 1, 1000], [-1e4, 1, 1000]], float)
    floor = silhouettes.ObjectGeometry(corners, np.array([[0, 1, 2], [0, 2, 3]]))
    found = silhouettes.render_silhouette(floor, DISTORTED, WIDTH, HEIGHT).in_frame(WIDTH, HEIGHT)
    assert found[HEIGHT // 2 + 1 :].all()
    assert not found[: HEIGHT // 2 - 1].any()


@settings(max_examples=examples(50))
@given(hnp.arrays(float, (2, 3, 3), elements=st.floats(-3, 3)), st.floats(-0.35, 0.1), st.booleans())
def test_splitting_ends_for_all_triangles(corners, k1, grows):
    """Triangles in front of the camera, across its near plane or without area give a limited number of pieces."""
    view = DISTORTED | {"distortion": (k1, 0.8 * k1**2 if grows else 0.0, 0.0005, -0.0004, 0.0)}
    near = silhouettes.clip_at_depth(corners, 0.02)
    radius = silhouettes.lens_distortion.covering_radius(view, (-WIDTH, -HEIGHT), (2 * WIDTH, 2 * HEIGHT))
    longest = silhouettes.lens_distortion.max_straight_length(view, radius, 0.2)
    pieces = silhouettes.split_long_edges(near / near[:, :, 2:], longest, radius)
    assert len(pieces) < 50_000
    assert (np.abs(pieces[:, :, :2]) <= radius * (1 + 1e-9)).all()


def test_geometry_is_evaluated_and_in_world_coordinates():
    made = records.record(0, (records.truck(1, (1.0, 2.0, 0.0)),)).model_dump(mode="json")
    root = build_scene.build_scene(made).roots[1]
    geometry = silhouettes.world_geometry(root)
    lowest, highest = geometry.points_m.min(0), geometry.points_m.max(0)
    assert lowest[2] == pytest.approx(0, abs=0.01)
    assert lowest[1] < 2.0 < highest[1], "turned by 90 degrees: the forks run along y"
    assert highest[1] - lowest[1] > 1.4 > highest[0] - lowest[0]
    parts = [child for child in bpy.context.scene.objects if child.type == "MESH" and child.parent == root]
    assert len(geometry.points_m) == sum(len(part.data.vertices) for part in parts)
    _, depth_m = camera.world_to_pixels(made["camera"], geometry.points_m)
    assert (depth_m > 3).all()
