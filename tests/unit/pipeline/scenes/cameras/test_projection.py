# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scenes.cameras.projection import floor_points, pixel_rays, project, shares_in_frame
from pipeline.scenes.geometry.boxes import Boxes
from tests.helpers.cameras import camera, image_box

HEADINGS, PITCHES, ROLLS = st.floats(-180, 180), st.floats(-80, 80), st.floats(-20, 20)


def test_projection_of_known_points():
    points = np.array([(5, 0, 1), (5, 5, 1), (5, 0, 2.25), (-5, 0, 1)])
    u, v, depth = project(camera(), points).T
    assert u[:3] == pytest.approx([192, 0, 192])
    assert v[:3] == pytest.approx([144, 144, 96])
    assert depth == pytest.approx([5, 5, 5, -5])


def test_positive_roll_turns_the_image_counterclockwise():
    right_of_middle = project(camera(roll=10), np.array([(5, -2, 1)]))[0]
    assert right_of_middle[1] < 144


@given(HEADINGS, PITCHES, ROLLS)
def test_projection_follows_the_definition_of_the_record(heading, pitch, roll):
    drawn = camera(heading, pitch, roll, (1.0, -2.0, 3.0))
    point = np.array([4.0, 5.0, 0.5])
    x, y, z = np.array(drawn.rotation).T @ (point - drawn.position_m)
    if z > 0.1:
        assert project(drawn, point[None])[0] == pytest.approx([192 + 192 * x / z, 144 + 192 * y / z, z])


def test_image_box_and_share_in_frame_of_a_truncated_object():
    half_outside = Boxes(np.array([(5.0, -5.0, 0, 0.02, 2.0, 0.0, 2.0)]))
    left, top, right, bottom = image_box(camera(), half_outside)
    assert ((left + right) / 2, bottom - top) == (pytest.approx(384, abs=2), pytest.approx(192 * 2 / 5, abs=1))
    to_middle, outside = ((0.0, 5.0, 0.0), 0.0), ((0.0, -9.0, 0.0), 0.0)
    shares = shares_in_frame(camera(), half_outside, [((0.0, 0.0, 0.0), 0.0), to_middle, outside])
    assert shares == pytest.approx([0.5, 1, 0], abs=0.02)
    assert shares_in_frame(camera(), half_outside, [((0.0, 0.0, 0.0), 180.0)]) == 0
    assert np.isnan(image_box(camera(heading=180), half_outside)).all()


@given(st.floats(0, 384), st.floats(1, 20), HEADINGS)
def test_floor_points_of_a_level_camera_lie_in_their_columns(column, distance, heading):
    x, y = floor_points(camera(heading), np.array([column]), np.array([distance]))[0]
    assert np.hypot(x, y) == pytest.approx(distance)
    assert project(camera(heading), np.array([(x, y, 0.0)]))[0, 0] == pytest.approx(column)


def test_floor_points_of_a_distorted_camera_lie_in_their_columns():
    drawn = camera().model_copy(update={"distortion": (-0.3, 0.07, 0.0, 0.0, 0.0), "fx_px": 260.0, "fy_px": 260.0})
    columns = np.array([3.0, 100.0, 192.0, 380.0])
    points = floor_points(drawn, columns, np.full(4, 6.0))
    level = np.c_[points, np.full(4, 1.0)]  # at the height of the camera, where distortion shifts nothing up or down
    assert project(drawn, level)[:, 0] == pytest.approx(columns, abs=0.01)


@pytest.mark.parametrize("distortion", [(0.0,) * 5, (-0.3, 0.07, 0.0, 0.0, 0.0)])
@given(HEADINGS, PITCHES, ROLLS)
def test_points_on_the_ray_of_a_pixel_are_projected_to_it(distortion, heading, pitch, roll):
    drawn = camera(heading, pitch, roll, (1.0, -2.0, 3.0)).model_copy(update={"distortion": distortion})
    pixels = np.array([(3.0, 5.0), (192.0, 144.0), (380.0, 100.0)])
    points = np.array(drawn.position_m) + 4.0 * pixel_rays(drawn, pixels)
    assert project(drawn, points)[:, :2] == pytest.approx(pixels, abs=0.01)
