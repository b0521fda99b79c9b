# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest

from blender.materials import noise_textures


@pytest.mark.parametrize("octaves", [2, 4])
def test_noise_tile_has_its_mean_and_deviation_and_no_seam(octaves):
    tile = noise_textures.noise_tile(octaves)
    assert tile.mean() == pytest.approx(noise_textures.MEAN, abs=0.01)
    assert tile.std() == pytest.approx(noise_textures.STANDARD_DEVIATION, rel=0.03)
    inside = np.abs(np.diff(tile, axis=0)).mean()
    assert np.abs(tile[0] - tile[-1]).mean() == pytest.approx(inside, rel=0.35)


def test_a_blender_file_has_each_tile_only_once(asset_cache):
    first = noise_textures.noise_image(4)
    assert noise_textures.noise_image(4) == first
    assert first.packed_file is not None
    assert len(bpy.data.images) == 1
