# SPDX-License-Identifier: GPL-3.0-or-later
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blender.common import png

sides = st.integers(1, 20)
shapes = st.one_of(st.tuples(sides, sides), st.tuples(sides, sides, st.just(3)))


@given(hnp.arrays(np.uint16, shapes))
def test_opencv_reads_the_values_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("png") / "values.png"
    png.write_uint16(path, values)
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read if values.ndim == 2 else read[..., ::-1], values)


@given(hnp.arrays(np.uint8, shapes))
def test_opencv_reads_8_bits_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("png") / "values.png"
    png.write_uint8(path, values)
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read if values.ndim == 2 else read[..., ::-1], values)


@pytest.mark.parametrize("pixels", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 4), np.uint16), np.zeros(3, np.uint16)])
def test_other_shapes_and_dtypes_are_refused(tmp_path, pixels):
    with pytest.raises(ValueError, match="expected an"):
        png.write_uint16(tmp_path / "ids.png", pixels)


def test_text_is_removed_and_pixels_stay(tmp_path):
    path = tmp_path / "image.png"
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    bare = cv2.imencode(".png", image)[1].tobytes()
    text = png._chunk(b"tEXt", b"RenderTime\x0000:01.23")
    path.write_bytes(bare[:33] + text + bare[33:])
    png.strip_metadata(path)
    assert path.read_bytes() == bare


def test_an_incomplete_file_is_an_error(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].tobytes()[:-9])
    with pytest.raises(ValueError, match=r"image\.png is cut short"):
        png.strip_metadata(path)
