# SPDX-License-Identifier: GPL-3.0-or-later
"""Lens distortion: comparison with OpenCV, its limits, and the pinhole image that covers the frame."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender.camera import camera, lens_distortion
from tests.helpers import records

WIDTH, HEIGHT = 96, 72
BARREL, PINCUSHION = (-0.3, 0.07, 0.0005, -0.0004, 0.0), (0.1, 0.008, -0.0005, 0.0004, 0.0)
FOLDING = (-0.35, 0.0, 0.0, 0.0, 0.0)
coefficients = st.tuples(
    st.floats(-0.35, 0.1), st.floats(0, 0.1), st.floats(-0.002, 0.002), st.floats(-0.002, 0.002), st.floats(-0.01, 0.01)
)


def made(distortion, **changes):
    record = records.record(0, width=WIDTH, height=HEIGHT).model_dump(mode="json")
    record["camera"] |= {"distortion": distortion} | changes
    return record


def inside(distortion):
    """Return points (N, 2) of the plane within the valid radius and within 0.7 of the axis."""
    points = np.stack(np.meshgrid(*[np.linspace(-0.7, 0.7, 21)] * 2), -1).reshape(-1, 2)
    return points[np.linalg.norm(points, axis=1) < min(0.7, 0.8 * lens_distortion.valid_radius(distortion))]


@given(coefficients)
def test_distortion_agrees_with_opencv_and_can_be_inverted(distortion):
    points = inside(distortion)
    shown = lens_distortion.distort(distortion, points)
    still = np.zeros(3)
    ahead = np.c_[points, np.ones(len(points))]
    expected, _ = cv2.projectPoints(ahead, still, still, np.eye(3), np.array(distortion))
    assert np.allclose(shown, expected[:, 0], atol=1e-12)
    assert np.allclose(lens_distortion.undistort(distortion, shown), points, atol=1e-6)


@given(coefficients, st.floats(0, 2 * np.pi))
def test_distorted_radius_grows_with_the_radius(distortion, direction):
    radii = np.linspace(0, 30, 3000)[:, None]
    shown = np.linalg.norm(lens_distortion.distort(distortion, radii * (np.cos(direction), np.sin(direction))), axis=1)
    assert (np.diff(shown) > -1e-9).all()


def test_the_polynomial_alone_would_fold_back():
    far = np.array([[1.69, 0.0]])
    still = np.zeros(3)
    folded, _ = cv2.projectPoints(np.array([[1.69, 0.0, 1.0]]), still, still, np.eye(3), np.array(FOLDING))
    assert abs(folded[0, 0, 0]) < 0.01
    assert lens_distortion.valid_radius(FOLDING) == pytest.approx(np.sqrt(1 / 1.05), abs=0.003)
    assert lens_distortion.distort(FOLDING, far)[0, 0] > 1.3


def test_a_frame_beyond_the_fold_is_refused():
    with pytest.raises(lens_distortion.LensError, match="folds back within the frame: make it weaker"):
        lens_distortion.pinhole_record(made(FOLDING, fx_px=50.0, fy_px=50.0))


def test_a_record_without_distortion_is_unchanged():
    record = made((0.0,) * 5)
    assert lens_distortion.pinhole_record(record) is record


@pytest.mark.parametrize("distortion", [BARREL, PINCUSHION])
def test_the_pinhole_image_covers_all_pixels_at_full_resolution(distortion):
    record = made(distortion)
    wide, warp = lens_distortion.pinhole_record(record), lens_distortion.Warp.for_record(record)
    size = (wide["render"]["width"], wide["render"]["height"])
    assert warp.source_px.shape == (HEIGHT, WIDTH, 2)
    assert (warp.source_px > 2).all()
    assert (warp.source_px < np.subtract(size, 2)).all()
    steps = [np.linalg.norm(np.diff(warp.source_px, axis=axis), axis=-1).min() for axis in (0, 1)]
    assert min(steps) > 0.99
    # A ray through a pixel of the distorted image goes through the pixel it is fetched from.
    rays = np.random.default_rng(0).uniform((-0.5, -0.35, 1), (0.5, 0.35, 1), (50, 3))
    column, row = np.floor(camera.camera_to_pixels(record["camera"], rays)).astype(int).T
    apart = warp.source_px[row, column] - camera.camera_to_pixels(wide["camera"], rays)
    assert np.abs(apart).max() < 1


def test_pixels_at_the_image_center_are_unchanged():
    record = made((-0.3, 0.07, 0.0, 0.0, 0.0))
    wide, warp = lens_distortion.pinhole_record(record), lens_distortion.Warp.for_record(record)
    shape = (wide["render"]["height"], wide["render"]["width"], 3)
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    x, y = np.subtract((wide["camera"]["cx_px"], wide["camera"]["cy_px"]), (WIDTH / 2, HEIGHT / 2)).astype(int)
    middle = np.s_[HEIGHT // 2 - 2 : HEIGHT // 2 + 2, WIDTH // 2 - 2 : WIDTH // 2 + 2]
    straight = image[y : y + HEIGHT, x : x + WIDTH][middle].astype(int)
    assert np.abs(warp.fetch_bicubic(image)[middle].astype(int) - straight).max() <= 1
    assert np.array_equal(warp.fetch_nearest(image)[middle], straight)


def test_bicubic_fetch_keeps_gradients_and_agrees_with_opencv():
    record = made(BARREL)
    wide, warp = lens_distortion.pinhole_record(record), lens_distortion.Warp.for_record(record)
    y, x = np.mgrid[: wide["render"]["height"], : wide["render"]["width"]]
    image = np.stack([x, y, 127 + 100 * np.sin(x / 3) * np.cos(y / 4)], -1).astype(np.uint8)
    ours = warp.fetch_bicubic(image).astype(float)
    assert np.abs(ours[..., :2] - (warp.source_px - 0.5)).max() <= 0.51
    map_x, map_y = (warp.source_px - 0.5).astype(np.float32).transpose(2, 0, 1)
    theirs = cv2.remap(image, map_x, map_y, cv2.INTER_CUBIC)
    assert np.abs(ours[..., 2] - theirs[..., 2]).max() <= 4


def test_the_aperture_diameter_is_the_same_in_the_pinhole_image():
    record = made(BARREL, aperture_f=2.0, fx_px=60.0, fy_px=60.0)
    wide = lens_distortion.pinhole_record(record)
    glass_mm = [
        each["camera"]["fx_px"] * camera.SENSOR_WIDTH_MM / each["render"]["width"] / each["camera"]["aperture_f"]
        for each in (record, wide)
    ]
    assert glass_mm[0] == pytest.approx(glass_mm[1])
    assert wide["camera"]["aperture_f"] < 2
