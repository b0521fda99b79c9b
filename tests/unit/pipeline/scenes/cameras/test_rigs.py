# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.common.randomness import rng
from pipeline.config.world import CameraSection
from pipeline.record.scene import Camera
from pipeline.scenes.cameras.projection import floor_points, project, shares_in_frame
from pipeline.scenes.cameras.rigs import (
    camera_clearance_boxes,
    camera_rotation,
    draw_camera,
    draw_exposure_error_ev,
    draw_lens_effects,
)
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.geometry.free_space import HallSpace
from tests.helpers.image_boxes import image_box

HEADINGS, PITCHES, ROLLS = st.floats(-180, 180), st.floats(-80, 80), st.floats(-20, 20)


def camera(heading=0.0, pitch=0.0, roll=0.0, position=(0.0, 0.0, 1.0)):
    """384 x 288, 90 degrees wide."""
    matrix = tuple(map(tuple, camera_rotation(heading, pitch, roll).tolist()))
    return Camera(rig="handheld", fx_px=192, fy_px=192, cx_px=192, cy_px=144, position_m=position, rotation=matrix)


@given(HEADINGS, PITCHES, ROLLS)
def test_rotation_is_a_right_handed_orthonormal_frame(heading, pitch, roll):
    matrix = camera_rotation(heading, pitch, roll)
    assert np.allclose(matrix.T @ matrix, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_axes_are_right_down_forward():
    expected = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # columns: right = -y, down = -z, forward = +x
    assert np.allclose(camera_rotation(0, 0, 0), expected)
    assert camera_rotation(90, 0, 0)[:, 2] == pytest.approx([0, 1, 0])
    assert camera_rotation(0, 30, 0)[2, 2] == pytest.approx(0.5)


def test_projection_of_known_points():
    points = np.array([(5, 0, 1), (5, 5, 1), (5, 0, 2.25), (-5, 0, 1)])
    u, v, depth = project(camera(), points).T
    assert u[:3] == pytest.approx([192, 0, 192])
    assert v[:3] == pytest.approx([144, 144, 96])
    assert depth == pytest.approx([5, 5, 5, -5])


def test_positive_roll_turns_the_image_counter_clockwise():
    right_of_middle = project(camera(roll=10), np.array([(5, -2, 1)]))[0]
    assert right_of_middle[1] < 144


@given(HEADINGS, PITCHES, ROLLS)
def test_projection_follows_the_contract(heading, pitch, roll):
    made = camera(heading, pitch, roll, (1.0, -2.0, 3.0))
    point = np.array([4.0, 5.0, 0.5])
    x, y, z = np.array(made.rotation).T @ (point - made.position_m)
    if z > 0.1:
        assert project(made, point[None])[0] == pytest.approx([192 + 192 * x / z, 144 + 192 * y / z, z])


def test_image_box_and_share_of_a_cut_object():
    half_out = Boxes(np.array([(5.0, -5.0, 0, 0.02, 2.0, 0.0, 2.0)]))
    left, top, right, bottom = image_box(camera(), half_out)
    assert ((left + right) / 2, bottom - top) == (pytest.approx(384, abs=2), pytest.approx(192 * 2 / 5, abs=1))
    to_middle, out_of_view = ((0.0, 5.0, 0.0), 0.0), ((0.0, -9.0, 0.0), 0.0)
    shares = shares_in_frame(camera(), half_out, [((0.0, 0.0, 0.0), 0.0), to_middle, out_of_view])
    assert shares == pytest.approx([0.5, 1, 0], abs=0.02)
    assert shares_in_frame(camera(), half_out, [((0.0, 0.0, 0.0), 180.0)]) == 0
    assert np.isnan(image_box(camera(heading=180), half_out)).all()


@given(st.floats(0, 384), st.floats(1, 20), HEADINGS)
def test_floor_points_lie_below_their_column_when_the_camera_is_level(column, distance, heading):
    x, y = floor_points(camera(heading), np.array([column]), np.array([distance]))[0]
    assert np.hypot(x, y) == pytest.approx(distance)
    assert project(camera(heading), np.array([(x, y, 0.0)]))[0, 0] == pytest.approx(column)


HEIGHTS_M = [("robot", 0.3, 0.6), ("handheld", 1.2, 1.8), ("forklift_mast", 1.8, 4.5), ("ceiling", 2.5, 6)]


@pytest.mark.parametrize(("rig", "least", "most"), HEIGHTS_M)
def test_rigs_hang_at_their_heights_in_free_space_below_the_lamps(rig, least, most):
    space = HallSpace((12, 10, 5))
    walkway = FloorArea((-5, -4), (5, 4), 0.0)
    for index in range(20):
        section = CameraSection(rigs={rig: 1}, fov_deg={rig: (60, 60)})
        made = draw_camera(rng(0, index, "camera"), section, space, [walkway], 4.7)
        assert made.rig == rig
        assert least <= made.position_m[2] <= min(most, 4.4)
        assert made.fx_px == made.fy_px == pytest.approx(192 / np.tan(np.radians(30)), abs=0.001)
        assert space.fits(camera_clearance_boxes(made.position_m), 0.0)
        pitch = np.degrees(np.arcsin(np.array(made.rotation)[2, 2]))
        assert pitch < 0 or rig not in ("ceiling", "forklift_mast")


EVERY = {"distorted": 1, "motion_blur": 1, "depth_of_field": 1}


def fitted(fov_deg=90.0, **section):
    """40 cameras of a field of view with a lens each."""
    focal = 192 / np.tan(np.radians(fov_deg / 2))
    made = camera().model_copy(update={"fx_px": focal, "fy_px": focal})
    return [draw_lens_effects(rng(0, index, "lens"), CameraSection(**section), made) for index in range(40)]


def test_without_shares_a_camera_stays_as_it_is():
    section = CameraSection(distorted=0, motion_blur=0, depth_of_field=0)
    assert draw_lens_effects(rng(0, 0, "lens"), section, camera()) == camera()


@pytest.mark.parametrize("fov_deg", [50, 75, 84])
def test_a_lens_keeps_the_field_of_view(fov_deg):
    for made in fitted(fov_deg, **EVERY):
        x = np.tan(np.radians(fov_deg / 2))
        aside = np.array(made.position_m) + np.array(made.rotation) @ (x, 0, 1)
        assert project(made, aside[None])[0, 0] == pytest.approx(384, abs=2)


def test_the_wider_the_view_the_more_barrel():
    narrow, wide = ([made.distortion[0] for made in fitted(fov_deg, **EVERY)] for fov_deg in (46, 84))
    assert np.mean(wide) < -0.2 < -0.1 < np.mean(narrow)
    assert min(wide + narrow) >= -0.3
    assert max(wide + narrow) <= 0.05


def test_motion_and_focus_lie_in_their_ranges():
    for made in fitted(**EVERY, motion_m=(0.01, 0.02), motion_deg=(0.2, 0.3), aperture_f=(2, 3), focus_m=(4, 5)):
        assert 0.0099 < np.linalg.norm(made.motion_m) < 0.0201
        assert 0.199 < np.linalg.norm(made.motion_deg) < 0.301
        assert 2 <= made.aperture_f <= 3
        assert 4 <= made.focus_m <= 5
    assert 5 < sum(made.aperture_f is not None for made in fitted(depth_of_field=0.4)) < 28


def test_floor_points_lie_below_their_column_of_a_distorted_image():
    made = camera().model_copy(update={"distortion": (-0.3, 0.07, 0.0, 0.0, 0.0), "fx_px": 260.0, "fy_px": 260.0})
    columns = np.array([3.0, 100.0, 192.0, 380.0])
    points = floor_points(made, columns, np.full(4, 6.0))
    level = np.c_[points, np.full(4, 1.0)]  # at the camera's height, where p1 and k bend nothing up or down
    assert project(made, level)[:, 0] == pytest.approx(columns, abs=0.01)


def test_what_is_far_aside_stays_outside_a_distorted_image():
    for made in fitted(**EVERY):
        aside = np.array([(0.5, y, 1.0) for y in (-1, -3, -9, -50)])
        assert (project(made, aside)[:, 0] > 384).all()


def test_wrong_exposures_are_few_and_in_their_range():
    drawn = [draw_exposure_error_ev(rng(0, index, "test"), CameraSection()) for index in range(400)]
    wrong = [value for value in drawn if value]
    assert 20 < len(wrong) < 65
    assert -2 <= min(wrong) < -1
    assert 0.8 < max(wrong) <= 1.5
