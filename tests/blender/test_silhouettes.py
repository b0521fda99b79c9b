# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blender import silhouettes

triangles = hnp.arrays(
    float, st.tuples(st.integers(1, 5), st.just(3), st.just(2)), elements=st.floats(-20, 60, width=32)
)


@settings(deadline=None)
@given(triangles)
def test_the_pixels_whose_centres_shapely_finds_inside(found):
    mask = np.zeros((40, 50), bool)
    silhouettes.fill(mask, found)
    y, x = np.mgrid[0.5:40, 0.5:50]
    inside, near_an_edge = np.zeros_like(mask), np.zeros_like(mask)
    for triangle in found:
        polygon = shapely.Polygon(triangle)
        inside |= shapely.contains_xy(polygon.buffer(0), x, y)
        near_an_edge |= shapely.distance(shapely.LinearRing(triangle), shapely.points(x, y)) < 1e-6
    assert np.array_equal(mask | near_an_edge, inside | near_an_edge)


def test_a_square_of_two_triangles_has_no_seam_and_the_right_pixels():
    square = np.array([[[2, 3], [7, 3], [7, 9]], [[2, 3], [7, 9], [2, 9]]], float)
    mask = np.zeros((12, 10), bool)
    silhouettes.fill(mask, square)
    assert mask.sum() == 5 * 6
    assert mask[3:9, 2:7].all()


def test_many_small_triangles_in_several_chunks(monkeypatch):
    monkeypatch.setattr(silhouettes, "CHUNK_PIXELS", 7)
    corners = np.array([(x, y) for x in range(8) for y in range(8)], float)
    cell = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    mask = np.zeros((10, 10), bool)
    silhouettes.fill(mask, (corners[:, None, None] + cell).reshape(-1, 3, 2))
    assert mask.sum() == 64
