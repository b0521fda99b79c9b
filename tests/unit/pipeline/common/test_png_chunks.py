# SPDX-License-Identifier: Apache-2.0
"""What the chunks of a PNG file tell: metadata behind the pixels, and pixels whose checksum is wrong."""

import numpy as np
import pytest
from PIL import Image

from pipeline.common import png_chunks
from tests.helpers.raw_images import png_chunk

END = png_chunk(b"IEND", b"")


@pytest.fixture
def content(tmp_path) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
    Image.fromarray(pixels).convert("P").save(tmp_path / "a.png")
    return (tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize(
    ("added", "expected"),
    [(b"", False), (png_chunk(b"tIME", bytes(7)), False)]
    + [(png_chunk(kind, b"Comment\0any"), True) for kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf")],
)
def test_metadata_after_the_pixels(tmp_path, content, added, expected):
    (tmp_path / "a.png").write_bytes(content.replace(END, added + END))
    assert png_chunks.has_metadata_after_pixels(tmp_path / "a.png") is expected


@pytest.mark.parametrize(("chunk", "expected"), [(b"IHDR", False), (b"PLTE", True), (b"IDAT", True), (b"IEND", False)])
def test_a_checksum_that_is_wrong(tmp_path, content, chunk, expected):
    assert not png_chunks.has_wrong_pixels(tmp_path / "a.png")
    start = content.index(chunk)
    end = start + 4 + int.from_bytes(content[start - 4 : start], "big")
    (tmp_path / "a.png").write_bytes(content[:end] + bytes(4) + content[end + 4 :])
    assert png_chunks.has_wrong_pixels(tmp_path / "a.png") is expected


@pytest.mark.parametrize("size", [0, 8, 12, 20, 60, 900])
def test_files_that_are_cut_off_end_the_search(tmp_path, content, size):
    (tmp_path / "a.png").write_bytes(content[:size])
    assert not png_chunks.has_metadata_after_pixels(tmp_path / "a.png")
    assert png_chunks.has_wrong_pixels(tmp_path / "a.png") is (size >= 60)
