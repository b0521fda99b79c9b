# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.common.randomness import rng
from pipeline.config.world import CameraSection
from pipeline.scenes.cameras.projection import project
from pipeline.scenes.cameras.rigs import (
    camera_clearance_boxes,
    camera_rotation,
    draw_camera,
    draw_exposure_error_ev,
    draw_lens_effects,
)
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.geometry.free_space import HallSpace
from tests.helpers.cameras import camera

HEADINGS, PITCHES, ROLLS = st.floats(-180, 180), st.floats(-80, 80), st.floats(-20, 20)


@given(HEADINGS, PITCHES, ROLLS)
def test_rotation_is_a_right_handed_orthonormal_frame(heading, pitch, roll):
    matrix = camera_rotation(heading, pitch, roll)
    assert np.allclose(matrix.T @ matrix, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_the_axes_of_a_camera_are_right_down_forward():
    expected = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # columns: right = -y, down = -z, forward = +x
    assert np.allclose(camera_rotation(0, 0, 0), expected)
    assert camera_rotation(90, 0, 0)[:, 2] == pytest.approx([0, 1, 0])
    assert camera_rotation(0, 30, 0)[2, 2] == pytest.approx(0.5)


HEIGHTS_M = [("robot", 0.3, 0.6), ("handheld", 1.2, 1.8), ("forklift_mast", 1.8, 4.5), ("ceiling", 2.5, 6)]


@pytest.mark.parametrize(("rig", "least", "most"), HEIGHTS_M)
def test_rigs_hang_at_their_heights_in_free_space_below_the_lamps(rig, least, most):
    space = HallSpace((12, 10, 5))
    walkway = FloorArea((-5, -4), (5, 4), 0.0)
    for index in range(20):
        section = CameraSection(rigs={rig: 1}, fov_deg={rig: (60, 60)})
        drawn = draw_camera(rng(0, index, "camera"), section, space, [walkway], 4.7)
        assert drawn.rig == rig
        assert least <= drawn.position_m[2] <= min(most, 4.4)
        assert drawn.fx_px == drawn.fy_px == pytest.approx(section.width / 2 / np.tan(np.radians(30)), abs=0.001)
        assert space.fits(camera_clearance_boxes(drawn.position_m), 0.0)
        pitch = np.degrees(np.arcsin(np.array(drawn.rotation)[2, 2]))
        assert pitch < 0 or rig not in ("ceiling", "forklift_mast")


ALL_EFFECTS = {"distorted": 1, "motion_blur": 1, "depth_of_field": 1}


def cameras_with_lenses(fov_deg=90.0, **section):
    """Return 40 cameras with the same field of view and different lenses."""
    focal = 192 / np.tan(np.radians(fov_deg / 2))
    drawn = camera().model_copy(update={"fx_px": focal, "fy_px": focal})
    return [draw_lens_effects(rng(0, index, "lens"), CameraSection(**section), drawn) for index in range(40)]


def test_without_lens_effects_a_camera_does_not_change():
    section = CameraSection(distorted=0, motion_blur=0, depth_of_field=0)
    assert draw_lens_effects(rng(0, 0, "lens"), section, camera()) == camera()


@pytest.mark.parametrize("fov_deg", [50, 75, 84])
def test_distortion_keeps_the_field_of_view(fov_deg):
    for drawn in cameras_with_lenses(fov_deg, **ALL_EFFECTS):
        x = np.tan(np.radians(fov_deg / 2))
        aside = np.array(drawn.position_m) + np.array(drawn.rotation) @ (x, 0, 1)
        assert project(drawn, aside[None])[0, 0] == pytest.approx(384, abs=2)


def test_wide_views_have_more_barrel_distortion():
    narrow, wide = (
        [drawn.distortion[0] for drawn in cameras_with_lenses(fov_deg, **ALL_EFFECTS)] for fov_deg in (46, 84)
    )
    assert np.mean(wide) < -0.2 < -0.1 < np.mean(narrow)
    assert min(wide + narrow) >= -0.3
    assert max(wide + narrow) <= 0.05


def test_motion_and_focus_lie_in_the_ranges_of_the_config():
    for drawn in cameras_with_lenses(
        **ALL_EFFECTS, motion_m=(0.01, 0.02), motion_deg=(0.2, 0.3), aperture_f=(2, 3), focus_m=(4, 5)
    ):
        assert 0.0099 < np.linalg.norm(drawn.motion_m) < 0.0201
        assert 0.199 < np.linalg.norm(drawn.motion_deg) < 0.301
        assert 2 <= drawn.aperture_f <= 3
        assert 4 <= drawn.focus_m <= 5
    assert 5 < sum(drawn.aperture_f is not None for drawn in cameras_with_lenses(depth_of_field=0.4)) < 28


def test_points_far_to_the_side_stay_outside_a_distorted_image():
    for drawn in cameras_with_lenses(**ALL_EFFECTS):
        aside = np.array([(0.5, y, 1.0) for y in (-1, -3, -9, -50)])
        assert (project(drawn, aside)[:, 0] > 384).all()


def test_exposure_errors_are_rare_and_in_their_range():
    drawn = [draw_exposure_error_ev(rng(0, index, "test"), CameraSection()) for index in range(400)]
    wrong = [value for value in drawn if value]
    assert 20 < len(wrong) < 65
    assert -2 <= min(wrong) < -1
    assert 0.8 < max(wrong) <= 1.5
