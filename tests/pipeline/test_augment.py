# SPDX-License-Identifier: Apache-2.0
"""Another look of a picture: ids stay with their pixels, nothing depends on anything but the generator."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.augment import (
    GAMMA,
    add_noise,
    augment,
    blur_along,
    compress,
    darken_corners,
    jitter_colors,
    shift_white_balance,
    zoom,
)
from pipeline.config_learning import AugmentSection

OFF = dict.fromkeys(("brightness", "contrast", "saturation", "hue", "white_balance", "vignette"), 0)
NOTHING = AugmentSection(flip=0, scale=(1, 1), **OFF, blur=0, motion_blur=0, noise=0, sharpen=0, jpeg=0)
RED, BLUE = torch.tensor([220, 20, 20]), torch.tensor([20, 20, 220])


def scene(height: int = 60, width: int = 80) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a grey picture with a red block (id 1) and a blue one (id 300), and its id map."""
    picture = torch.full((3, height, width), 120, dtype=torch.uint8)
    ids = torch.zeros(height, width, dtype=torch.int32)
    for value, color, rows, columns in ((1, RED, (5, 40), (8, 24)), (300, BLUE, (20, 50), (40, 72))):
        picture[:, slice(*rows), slice(*columns)] = color[:, None, None].to(torch.uint8)
        ids[slice(*rows), slice(*columns)] = value
    return picture, ids


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_with_everything_off_a_picture_stays_as_it_is():
    picture, ids = scene()
    same_picture, same_ids = augment(picture, ids, NOTHING, rng())
    assert torch.equal(same_picture, picture)
    assert torch.equal(same_ids, ids)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.3, 3.0))
def test_zoom_keeps_ids_on_their_pixels(seed, factor):
    picture, ids = scene()
    zoomed, zoomed_ids = zoom(picture, ids, factor, rng(seed))
    assert zoomed.shape == picture.shape
    assert zoomed.dtype == torch.uint8
    assert zoomed_ids.shape == ids.shape
    assert zoomed_ids.dtype == torch.int32
    assert set(zoomed_ids.unique().tolist()) <= {0, 1, 300}
    # Away from edges, where the picture is blended, the colour says what the id must be.
    red = (zoomed.permute(1, 2, 0).long() - RED).abs().amax(2) < 4
    blue = (zoomed.permute(1, 2, 0).long() - BLUE).abs().amax(2) < 4
    assert (zoomed_ids[red] == 1).all()
    assert (zoomed_ids[blue] == 300).all()


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_zoom_changes_sizes_by_its_factor(factor):
    picture, ids = torch.zeros(3, 200, 200, dtype=torch.uint8), torch.zeros(200, 200, dtype=torch.int32)
    ids[90:110, 90:110] = 1
    areas = [int(zoom(picture, ids, factor, rng(seed))[1].sum()) for seed in range(30)]
    assert max(areas) == pytest.approx(400 * factor**2, rel=0.11)


def test_zoom_out_fills_with_the_mean_color():
    picture = torch.full((3, 60, 80), 200, dtype=torch.uint8)
    zoomed, _ = zoom(picture, torch.zeros(60, 80, dtype=torch.int32), 0.5, rng())
    assert (zoomed == 200).all()


def test_flip_turns_picture_and_ids():
    picture, ids = scene()
    flipped, flipped_ids = augment(picture, ids, NOTHING.model_copy(update={"flip": 1}), rng())
    assert torch.equal(flipped, picture.flip(2))
    assert torch.equal(flipped_ids, ids.flip(1))


FAULTS = {"blur": 1, "motion_blur": 1, "noise": 1, "jpeg": 1, "brightness": 0.5, "hue": 0.4}
FAULTS |= {"white_balance": 0.5, "vignette": 0.8}


@pytest.mark.parametrize("change", [{name: strength} for name, strength in FAULTS.items()])
def test_camera_faults_change_the_picture_and_not_the_ids(change):
    picture, ids = scene()
    changed, same_ids = augment(picture, ids, NOTHING.model_copy(update=change), rng(1))
    assert not torch.equal(changed, picture)
    assert changed.shape == picture.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(same_ids, ids)


def light_of(level: float) -> float:
    return (level / 255) ** GAMMA


@pytest.mark.parametrize(("level", "shot", "read"), [(128, 0.002, 0.0), (60, 0.0, 0.004), (200, 0.001, 0.005)])
def test_noise_has_the_variance_it_says_and_no_bias(level, shot, read):
    grey = torch.full((3, 200, 200), level, dtype=torch.uint8)
    light = (add_noise(grey, shot, read, rng()).double() / 255) ** GAMMA
    assert light.mean().item() == pytest.approx(light_of(level), rel=0.01)
    rounding = (light_of(level + 0.5) - light_of(level - 0.5)) ** 2 / 12
    assert light.var().item() == pytest.approx(shot * light_of(level) + read**2 + rounding, rel=0.05)


def test_shot_noise_is_stronger_in_bright_light_and_weaker_in_levels():
    dark, bright = (torch.full((3, 200, 200), level, dtype=torch.uint8) for level in (50, 200))
    spread = [add_noise(grey, 0.002, 0.0, rng()).float().std().item() for grey in (dark, bright)]
    assert 1.05 < spread[0] / spread[1] < 1.5


def test_white_balance_moves_red_and_blue_and_keeps_brightness():
    grey = torch.full((3, 4, 4), 120, dtype=torch.uint8)
    red, green, blue = shift_white_balance(grey, 1.2, 0.8)[:, 0, 0].tolist()
    assert (light_of(red) / light_of(green), light_of(blue) / light_of(green)) == pytest.approx((1.2, 0.8), rel=0.03)
    luminance = 0.2126 * light_of(red) + 0.7152 * light_of(green) + 0.0722 * light_of(blue)
    assert luminance == pytest.approx(light_of(120), rel=0.02)


def test_a_vignette_takes_its_share_from_the_corners_and_nothing_from_the_middle():
    grey = torch.full((3, 61, 81), 200, dtype=torch.uint8)
    seen = darken_corners(grey, 0.4)[0]
    assert seen[30, 40] == 200
    assert light_of(seen[0, 0].item()) == pytest.approx(0.6 * light_of(200), rel=0.02)
    assert torch.equal(seen, seen.flip(0, 1))
    assert seen[0, 0] < seen[0, 40] < seen[15, 40] < 200


@pytest.mark.parametrize(("angle_deg", "along"), [(0, (0, 1)), (90, (1, 0)), (45, (1, 1))])
def test_motion_blur_smears_along_its_line_only_and_evenly_to_both_sides(angle_deg, along):
    picture = torch.zeros(3, 31, 31, dtype=torch.uint8)
    picture[:, 15, 15] = 255
    light = (blur_along(picture, 6.0, angle_deg)[0].double() / 255) ** GAMMA
    assert light.sum().item() == pytest.approx(1, rel=0.05)
    rows, columns = torch.nonzero(light > 0.004, as_tuple=True)
    places = torch.stack([rows - 15, columns - 15], 1).double()
    spread = (places * light[rows, columns][:, None]).T @ places
    assert (places.T @ light[rows, columns]).tolist() == pytest.approx([0, 0], abs=0.02)
    direction = torch.tensor(along).double() / torch.tensor(along).double().norm()
    # An even line of length 6 has a variance of 6 * 6 / 12; what is left across it is interpolation.
    assert (direction @ spread @ direction).item() == pytest.approx(3, abs=0.6)
    across = torch.tensor([-direction[1], direction[0]])
    assert (across @ spread @ across).item() < 0.3
    flat = torch.full((3, 9, 9), 77, dtype=torch.uint8)
    assert torch.equal(blur_along(flat, 5.5, angle_deg), flat)


def test_compression_keeps_colors_and_loses_detail():
    picture, _ = scene()
    difference = (compress(picture, 60).float() - picture.float()).abs()
    assert 0 < difference.mean() < 8
    assert difference.mean() > (compress(picture, 95).float() - picture.float()).abs().mean()


def test_sharpening_raises_contrast_at_edges_and_nowhere_else():
    picture = torch.full((3, 20, 20), 100, dtype=torch.uint8)
    picture[:, :, 10:] = 150
    sharp, _ = augment(
        picture, torch.zeros(20, 20, dtype=torch.int32), NOTHING.model_copy(update={"sharpen": 1}), rng()
    )
    assert sharp[0, 10, 9] < 100
    assert sharp[0, 10, 10] > 150
    assert torch.equal(sharp[:, 1:-1, [2, 17]], picture[:, 1:-1, [2, 17]])


def test_colors_stay_within_their_strength():
    grey = torch.full((3, 8, 8), 100, dtype=torch.uint8)
    strengths = NOTHING.model_copy(update={"brightness": 0.3})
    means = [jitter_colors(grey, strengths, rng(seed)).float().mean().item() for seed in range(60)]
    assert 69 <= min(means) < 80
    assert 120 < max(means) <= 131


def test_the_generator_alone_decides():
    picture, ids = scene()
    full = AugmentSection(blur=1, noise=1, jpeg=1)
    torch.manual_seed(1)
    first = augment(picture, ids, full, rng(4))
    torch.manual_seed(2)
    second = augment(picture, ids, full, rng(4))
    other = augment(picture, ids, full, rng(5))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])
