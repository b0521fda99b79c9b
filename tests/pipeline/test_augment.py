# SPDX-License-Identifier: Apache-2.0
"""Another look of a picture: ids stay with their pixels, nothing depends on anything but the generator."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.augment import add_noise, augment, compress, jitter_colors, zoom
from pipeline.config import AugmentSection

NOTHING = AugmentSection(flip=0, scale=(1, 1), brightness=0, contrast=0, saturation=0, hue=0, blur=0, noise=0, jpeg=0)
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


@pytest.mark.parametrize("change", [{"blur": 1}, {"noise": 1}, {"jpeg": 1}, {"brightness": 0.5}, {"hue": 0.4}])
def test_camera_faults_change_the_picture_and_not_the_ids(change):
    picture, ids = scene()
    changed, same_ids = augment(picture, ids, NOTHING.model_copy(update=change), rng(1))
    assert not torch.equal(changed, picture)
    assert changed.shape == picture.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(same_ids, ids)


def test_noise_has_the_strength_it_says_and_no_bias():
    grey = torch.full((3, 100, 100), 128, dtype=torch.uint8)
    difference = add_noise(grey, 8.0, rng()).float() - 128
    assert difference.std().item() == pytest.approx(8, rel=0.05)
    assert difference.mean().item() == pytest.approx(0, abs=0.3)


def test_compression_keeps_colors_and_loses_detail():
    picture, _ = scene()
    difference = (compress(picture, 60).float() - picture.float()).abs()
    assert 0 < difference.mean() < 8
    assert difference.mean() > (compress(picture, 95).float() - picture.float()).abs().mean()


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
