# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.scenes.geometry.transform import to_parent_frame
from pipeline.scenes.geometry.walls import hall_walls


def test_forward_and_left_are_turned_counterclockwise_and_shifted():
    assert to_parent_frame(2.0, 0.0, 90.0, (5.0, 1.0)) == pytest.approx((5.0, 3.0))
    assert to_parent_frame(0.0, 2.0, 90.0, (5.0, 1.0)) == pytest.approx((3.0, 1.0))
    assert to_parent_frame(1.0, 1.0, 180.0) == pytest.approx((-1.0, -1.0))


def test_arrays_are_transformed_point_by_point():
    x, y = to_parent_frame(np.array([1.0, 1.0]), 0.0, np.array([0.0, -90.0]), (0.5, 0.0))
    assert np.column_stack([x, y]) == pytest.approx(np.array([(1.5, 0.0), (0.5, -1.0)]))


def test_the_walls_of_a_hall_face_inwards():
    points = [wall.floor_point(1.0, depth_m=0.5) for wall in hall_walls((10.0, 6.0, 4.0))]
    assert points == [(-4.5, 1.0), (-1.0, -2.5), (4.5, -1.0), (1.0, 2.5)]
