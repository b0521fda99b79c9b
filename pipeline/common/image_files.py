# SPDX-License-Identifier: Apache-2.0
"""Read and write image files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

from pipeline.common import atomic_write
from pipeline.common.errors import CaristeError


class ImageFileError(CaristeError):
    """An image file cannot be read; the message names the file and the reason."""


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as uint8 RGB (height, width, 3), turned upright by its EXIF orientation.

    Raises:
        ImageFileError: the file is missing, truncated or not an image.
    """
    # Pillow and not OpenCV, which accepts truncated JPEG files.
    with _open_image(path) as opened_image:
        return np.array(ImageOps.exif_transpose(opened_image).convert("RGB"))


def read_size(path: str | Path) -> tuple[int, int]:
    """Return (width, height) of what `read_image` returns, in pixels. Only the header is read.

    Raises:
        ImageFileError: the file is missing or not an image.
    """
    with _open_image(path) as opened_image:
        return upright_size(opened_image)


def upright_size(opened_image: Image.Image) -> tuple[int, int]:
    """Return (width, height) of the upright image, in pixels. EXIF orientations 5 to 8 are quarter turns."""
    width, height = opened_image.size
    quarter_turn = opened_image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
    return (height, width) if quarter_turn else (width, height)


@contextmanager
def _open_image(path: str | Path) -> Iterator[Image.Image]:
    """Open an image with Pillow; what it raises in the block, too, becomes an ImageFileError."""
    try:
        with Image.open(path) as opened_image:
            yield opened_image
    except FileNotFoundError:
        raise ImageFileError(f"{path}: no such file") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageFileError(f"{path}: not a readable image ({error})") from None


def write_png(path: Path, image: np.ndarray) -> None:
    """Write `image`, uint8 RGB (height, width, 3), as a PNG file, atomically.

    Raises:
        OSError: the file cannot be written.
    """
    _, content = cv2.imencode(".png", image[:, :, ::-1])
    atomic_write.write_bytes(path, content.tobytes())
