# SPDX-License-Identifier: Apache-2.0
"""Augmentation: ids stay with their pixels, and the result depends only on the generator."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as transforms

from pipeline.config.training import AugmentSection
from pipeline.data.augment import (
    GAMMA,
    LabeledImage,
    add_noise,
    add_vignette,
    augment_camera,
    augment_geometry,
    blur_along_line,
    flip,
    jitter_colors,
    jpeg_roundtrip,
    sharpen,
    to_linear_light,
    to_srgb_image,
    white_balance_gains,
    zoom,
)
from tests.helpers.search import examples

OFF = dict.fromkeys(("brightness", "contrast", "saturation", "hue", "white_balance", "vignette"), 0)
NOTHING = AugmentSection(flip=0, scale=(1, 1), **OFF, blur=0, motion_blur=0, noise=0, sharpen=0, jpeg=0)
RED, BLUE = np.array([220, 20, 20], np.uint8), np.array([20, 20, 220], np.uint8)


def scene(height: int = 60, width: int = 80) -> LabeledImage:
    """Return a gray image with a red block (id 1) and a blue one, which has only a box."""
    image = np.full((height, width, 3), 120, np.uint8)
    image[5:40, 8:24], image[20:50, 40:72] = RED, BLUE
    ids = np.zeros((height, width), np.int32)
    ids[5:40, 8:24] = 1
    return LabeledImage(image, ids, np.array([1]), np.array([[40, 20, 72, 50]], np.float32), np.array([2]))


def noise_image(height: int = 40, width: int = 50) -> np.ndarray:
    return rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def flat(level: int, height: int = 200, width: int = 200) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def pixels_of(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Return where the image has this color; edges, where it is blended, are left out."""
    return np.abs(image.astype(int) - color).max(axis=2) < 4


def test_with_everything_off_a_image_stays_as_it_is():
    shown = scene()
    same = augment_geometry(shown, NOTHING, rng())
    assert (same.image == shown.image).all()
    assert (same.ids == shown.ids).all()
    assert (same.boxes == shown.boxes).all()
    assert (augment_camera(noise_image(), NOTHING, rng()) == noise_image()).all()


@settings(max_examples=examples(40))
@given(seed=st.integers(0, 10_000), factor=st.floats(0.3, 3.0))
def test_zoom_keeps_ids_and_boxes_on_their_pixels(seed, factor):
    shown = scene()
    zoomed = zoom(shown, factor, rng(seed))
    assert (zoomed.image.shape, zoomed.image.dtype) == ((60, 80, 3), np.uint8)
    assert (zoomed.ids.shape, zoomed.ids.dtype) == ((60, 80), np.int32)
    assert set(np.unique(zoomed.ids)) <= {0, 1}
    assert (zoomed.ids[pixels_of(zoomed.image, RED)] == 1).all()
    blue_rows, blue_columns = np.nonzero(pixels_of(zoomed.image, BLUE))
    x1, y1, x2, y2 = zoomed.boxes[0]
    if len(blue_rows):
        # Of the blended edge, up to a zoomed pixel is not blue enough.
        slack = 2.5 + factor
        assert x1 - 0.6 <= blue_columns.min() <= x1 + slack
        assert x2 - slack <= blue_columns.max() + 1 <= x2 + 0.6
        assert y1 - 0.6 <= blue_rows.min() <= y1 + slack
        assert y2 - slack <= blue_rows.max() + 1 <= y2 + 0.6


@pytest.mark.parametrize("factor", [0.1, 0.5, 0.8, 1.25, 2.0])
def test_zoom_changes_sizes_by_its_factor(factor):
    ids = np.zeros((200, 200), np.int32)
    ids[90:110, 90:110] = 1
    shown = LabeledImage(flat(0), ids, np.array([1]), np.array([[90, 90, 110, 110]], np.float32), np.array([1]))
    zoomed = [zoom(shown, factor, rng(seed)) for seed in range(30)]
    assert max(int(each.ids.sum()) for each in zoomed) == pytest.approx(400 * factor**2, rel=0.11)
    areas = [np.prod(each.boxes[0, 2:] - each.boxes[0, :2]) for each in zoomed]
    assert max(areas) == pytest.approx(400 * factor**2, rel=0.03)


def test_zoom_out_fills_with_the_mean_color():
    assert (zoom(scene()._replace(image=flat(200, 60, 80)), 0.5, rng()).image == 200).all()


def test_flip_turns_image_ids_and_boxes():
    shown = scene()
    flipped = augment_geometry(shown, NOTHING.model_copy(update={"flip": 1}), rng())
    assert (flipped.image == shown.image[:, ::-1]).all()
    assert (flipped.ids == shown.ids[:, ::-1]).all()
    assert flipped.boxes.tolist() == [[8, 20, 40, 50]]
    assert (flip(flipped).boxes == shown.boxes).all()


FAULTS = {"blur": 1, "motion_blur": 1, "noise": 1, "jpeg": 1, "brightness": 0.5, "hue": 0.4, "sharpen": 1}
FAULTS |= {"white_balance": 0.5, "vignette": 0.8, "contrast": 0.5, "saturation": 0.5}


@pytest.mark.parametrize("change", [{name: strength} for name, strength in FAULTS.items()])
def test_every_camera_fault_changes_the_image(change):
    image = scene().image
    changed = augment_camera(image, NOTHING.model_copy(update=change), rng(1))
    assert (changed.shape, changed.dtype) == (image.shape, np.uint8)
    assert not (changed == image).all()
    assert (image == scene().image).all()


def test_every_camera_fault_is_among_those_tested():
    geometry = {"scale", "flip", "copy_paste"}
    assert set(FAULTS) == set(AugmentSection.model_fields) - geometry


def test_light_and_back_is_the_same_image():
    levels = np.arange(256, dtype=np.uint8).reshape(1, -1, 1).repeat(3, axis=2)
    assert (to_srgb_image(to_linear_light(levels)) == levels).all()


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).copy())


@pytest.mark.parametrize("seed", range(4))
def test_colors_are_changed_as_by_torchvision(seed):
    strengths = NOTHING.model_copy(update={"brightness": 0.3, "contrast": 0.3, "saturation": 0.4, "hue": 0.04})
    ours, random, theirs = jitter_colors(noise_image(), strengths, rng(seed)), rng(seed), tensor(noise_image())
    theirs = transforms.adjust_brightness(theirs, 1 + random.uniform(-0.3, 0.3))
    theirs = transforms.adjust_contrast(theirs, 1 + random.uniform(-0.3, 0.3))
    theirs = transforms.adjust_saturation(theirs, 1 + random.uniform(-0.4, 0.4))
    theirs = transforms.adjust_hue(theirs, random.uniform(-0.04, 0.04))
    difference = (tensor(ours).int() - theirs.int()).abs()
    assert difference.max() <= 8  # near gray, the hue of a color that is off by one jumps
    assert difference.float().mean() < 1


def test_sharpening_is_torchvisions():
    theirs = transforms.adjust_sharpness(tensor(noise_image()), 2.5)
    assert (tensor(sharpen(noise_image(), 2.5)).int() - theirs.int()).abs().max() <= 1


def light_of(level: float) -> float:
    return (level / 255) ** GAMMA


@pytest.mark.parametrize(("level", "shot", "read"), [(128, 0.002, 0.0), (60, 0.0, 0.004), (200, 0.001, 0.005)])
def test_noise_has_the_variance_it_says_and_no_bias(level, shot, read):
    light = add_noise(to_linear_light(flat(level)), shot, read, rng()).astype(np.float64)
    assert light.mean() == pytest.approx(light_of(level), rel=0.01)
    assert light.var() == pytest.approx(shot * light_of(level) + read**2, rel=0.05)


def test_shot_noise_is_stronger_in_bright_light_and_weaker_in_levels():
    spread = [to_srgb_image(add_noise(to_linear_light(flat(level)), 0.002, 0.0, rng())).std() for level in (50, 200)]
    assert 1.05 < spread[0] / spread[1] < 1.5


def test_white_balance_moves_red_and_blue_and_keeps_brightness():
    red, green, blue = to_linear_light(flat(120, 4, 4), white_balance_gains(1.2, 0.8))[0, 0].tolist()
    assert (red / green, blue / green) == pytest.approx((1.2, 0.8))
    assert 0.2126 * red + 0.7152 * green + 0.0722 * blue == pytest.approx(light_of(120), rel=1e-4)


def test_a_vignette_takes_its_share_from_the_corners_and_nothing_from_the_middle():
    seen = add_vignette(to_linear_light(flat(200, 61, 81)), 0.4)[..., 0]
    assert seen[30, 40] == pytest.approx(light_of(200))
    assert seen[0, 0] == pytest.approx(0.6 * light_of(200), rel=1e-4)
    assert seen == pytest.approx(seen[::-1, ::-1])
    assert seen[0, 0] < seen[0, 40] < seen[15, 40] < light_of(200)


@pytest.mark.parametrize(("angle_deg", "along"), [(0, (0, 1)), (90, (1, 0)), (45, (1, 1))])
def test_motion_blur_smears_along_its_line_only_and_evenly_to_both_sides(angle_deg, along):
    point = np.zeros((31, 31, 3), np.float32)
    point[15, 15] = 1
    light = blur_along_line(point, 6.0, angle_deg)[..., 0].astype(np.float64)
    assert light.sum() == pytest.approx(1)
    rows, columns = np.nonzero(light)
    places = np.stack([rows - 15, columns - 15], axis=1)
    spread = (places * light[rows, columns][:, None]).T @ places
    assert (places.T @ light[rows, columns]).tolist() == pytest.approx([0, 0], abs=0.02)
    direction = np.array(along) / np.linalg.norm(along)
    # An even line of length 6 has a variance of 6 * 6 / 12; what is left across it is interpolation.
    assert direction @ spread @ direction == pytest.approx(3, abs=0.6)
    across = np.array([-direction[1], direction[0]])
    assert across @ spread @ across < 0.3
    even = to_linear_light(flat(77, 9, 9))
    assert blur_along_line(even, 5.5, angle_deg) == pytest.approx(even)


def test_compression_keeps_colors_and_loses_detail():
    image = scene().image
    off = [np.abs(jpeg_roundtrip(image, quality).astype(float) - image).mean() for quality in (60, 95)]
    assert 0 < off[0] < 8
    assert off[0] > off[1]


def test_colors_stay_within_their_strength():
    strengths = NOTHING.model_copy(update={"brightness": 0.3})
    means = [jitter_colors(flat(100, 8, 8), strengths, rng(seed)).mean() for seed in range(60)]
    assert 69 <= min(means) < 80
    assert 120 < max(means) <= 131


def test_the_generator_alone_decides():
    full = AugmentSection(blur=1, noise=1, jpeg=1)
    np.random.seed(1)
    first = augment_camera(augment_geometry(scene(), full, rng(4)).image, full, rng(4))
    np.random.seed(2)
    second = augment_camera(augment_geometry(scene(), full, rng(4)).image, full, rng(4))
    other = augment_camera(augment_geometry(scene(), full, rng(5)).image, full, rng(5))
    assert (first == second).all()
    assert not (first == other).all()


def test_images_of_one_pixel_go_through():
    one = LabeledImage(
        flat(9, 1, 1), np.ones((1, 1), np.int32), np.array([1]), np.zeros((0, 4), np.float32), np.array([], int)
    )
    everything = AugmentSection(scale=(0.1, 3), blur=1, motion_blur=1, noise=1, sharpen=1, jpeg=1)
    for seed in range(8):
        shown = augment_geometry(one, everything, rng(seed))
        assert augment_camera(shown.image, everything, rng(seed)).shape == (1, 1, 3)
