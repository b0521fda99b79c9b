# SPDX-License-Identifier: Apache-2.0
"""Images of every kind are read as upright RGB; what cannot be read is named."""

import numpy as np
import pytest
from PIL import Image

from pipeline.common import image_files


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


def test_images_are_turned_upright_by_their_exif_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(30, 40).save(tmp_path / "hall.png", exif=exif)
    assert image_files.read_image(tmp_path / "hall.png").shape == (30, 40, 3)
    assert image_files.read_size(tmp_path / "hall.png") == (40, 30)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_truncated_image_is_named(tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    noise(64, 64).save(path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(image_files.ImageFileError, match=f"cut{suffix}: not a readable image"):
        image_files.read_image(path)


def test_gray_and_transparent_images_become_rgb(tmp_path):
    for mode in ("L", "RGBA", "P"):
        noise(8, 6).convert(mode).save(tmp_path / "any.png")
        image = image_files.read_image(tmp_path / "any.png")
        assert (image.shape, image.dtype) == ((6, 8, 3), np.uint8)
