# SPDX-License-Identifier: Apache-2.0
"""Read and write image files. docs/reference/inputs.md says which are read and what is assumed about them."""

import contextlib
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

from pipeline.common import atomic_write, image_formats, image_modes, path_checks, png_chunks
from pipeline.common.errors import CaristeError
from pipeline.common.image_remarks import Remarks

# Larger images would need more than 1 GB of memory in most formats. Photographs of 50 megapixels are read, of 108 not.
MAX_PIXELS = 90_000_000
MIN_SIDE_PX = 4
MAX_SIDE_RATIO = 50
PNG_HEADER_BYTES = 33  # the signature and the chunk IHDR
# EXIF orientation -> the stored pixels upright.
UPRIGHT = 1
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}
INVERSE_TURNS = {6: 8, 8: 6}  # the others are their own inverse

# Of text in PNG files, such as the history of an image editor or the workflow of an image generator: Pillow refuses
# images with more than 1 MiB in one text. Its limit of 64 MiB for all texts stays.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# Pillow warns of metadata that it cannot read. They do not change the pixels.
warnings.filterwarnings("ignore", module=r"PIL\.")


class ImageFileError(CaristeError):
    """An image file cannot be read; the message names the file, the reason and what to do."""


def read_image(path: str | Path, remarks: Remarks | None = None, turn_upright: bool = True) -> np.ndarray:
    """Read an image as uint8 RGB (height, width, 3), turned upright by its EXIF orientation.

    What was assumed about the image is added to `remarks`.

    Raises:
        ImageFileError: the file is missing, damaged, no image, or of a kind that is not read.
    """
    # Pillow and not OpenCV, which accepts truncated JPEG files.
    with _open_image(path) as opened_image:
        turn = _turn_to_do(opened_image, turn_upright)
        opened_image.load()
        if opened_image.format == "PNG" and png_chunks.has_wrong_pixels(Path(path)):
            raise ImageFileError(
                f"{path_checks.shown(path)}: not a readable image (damaged: a checksum is wrong; copy it again)"
            )
        pixels, assumed = image_modes.to_rgb(opened_image)
    if remarks:
        remarks.add(Path(path), assumed)
    return pixels if turn == UPRIGHT else np.ascontiguousarray(TURNS[turn](pixels))


def read_size(path: str | Path, turn_upright: bool = True) -> tuple[int, int]:
    """Return (width, height) of what `read_image` returns, in pixels.

    Raises:
        ImageFileError: as in `read_image`, as far as the header tells.
    """
    with _open_image(path) as opened_image:
        width, height = opened_image.size
        return (height, width) if _turn_to_do(opened_image, turn_upright) >= 5 else (width, height)


def check_header(path: Path) -> None:
    """Check that an image can be read, as far as the header tells.

    Raises:
        ImageFileError: as in `read_image`.
    """
    with _open_image(path):
        pass


def check_pixels(path: Path, remarks: Remarks) -> None:
    """Check that an image can be decoded as a whole, in less time than `read_image`.

    Raises:
        ImageFileError: as in `read_image`.
    """
    with _open_image(path) as opened_image:
        is_plain = opened_image.format == "JPEG"
        if is_plain:
            opened_image.draft("RGB", (1, 1))  # all bytes are decoded, but to an eighth of the size
            opened_image.load()
    if not is_plain:
        read_image(path, remarks)


def orientation(opened_image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8. Values that are not defined, and EXIF that is damaged, count as upright."""
    if opened_image.format == "PNG" and png_chunks.has_metadata_after_pixels(Path(opened_image.filename)):
        opened_image.load()
    try:
        # That of PNG files decodes the pixels. If this fails here, Pillow takes them for decoded, and all are black.
        value = Image.Image.getexif(opened_image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # errors of many types, as in `_open_image`
        return UPRIGHT
    return int(value) if value in TURNS else UPRIGHT


def _turn_to_do(opened_image: Image.Image, turn_upright: bool) -> int:
    """Return the key in `TURNS` of the turn that is still to do. Pillow has turned TIFF files itself."""
    stored = orientation(opened_image)
    if isinstance(opened_image, TiffImagePlugin.TiffImageFile):
        return UPRIGHT if turn_upright else INVERSE_TURNS.get(stored, stored)
    return stored if turn_upright else UPRIGHT


@contextlib.contextmanager
def _open_image(path: str | Path) -> Iterator[Image.Image]:
    """Open an image with Pillow and check its header; what Pillow raises in the block becomes an ImageFileError."""
    where = path_checks.shown(path)
    try:
        if problem := _file_problem(Path(path)):
            raise ImageFileError(f"{where}: {problem}")
        with Image.open(path, formats=image_formats.FORMATS) as opened_image:
            if problem := size_problem(*opened_image.size):
                raise ImageFileError(f"{where}: {problem}")
            image_modes.check_mode(opened_image)
            yield opened_image
    except ImageFileError:
        raise
    except CaristeError as error:
        raise ImageFileError(f"{where}: {error}") from None
    except UnidentifiedImageError:
        raise ImageFileError(f"{where}: not a readable image ({image_formats.describe_unknown(Path(path))})") from None
    except Image.DecompressionBombError:
        raise ImageFileError(f"{where}: {_too_large('it')}") from None
    except MemoryError:
        raise ImageFileError(f"{where}: not enough memory for this image") from None
    # The decoders of Pillow raise errors of many types on damaged files: struct.error, KeyError, IndexError, …
    except Exception as error:
        raise ImageFileError(f"{where}: not a readable image ({_reason(error)})") from None


def _file_problem(path: Path) -> str | None:
    """Return why a path cannot be opened: reading a pipe or a device could wait forever."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        link = f", the link leads to {path_checks.shown(os.readlink(path))}" if path.is_symlink() else ""
        return f"no such file{link}"
    if stat.S_ISREG(mode):
        return None
    return "a folder, not an image" if stat.S_ISDIR(mode) else "a pipe or a device, not an image file"


def size_problem(width: int, height: int) -> str | None:
    """Return why an image of this size, in pixels, is not read."""
    short, long = sorted((width, height))
    if width * height > MAX_PIXELS:
        return _too_large(f"{width}x{height}")
    if short < MIN_SIDE_PX or long > MAX_SIDE_RATIO * short:
        return (
            f"{width}x{height}: too small or too narrow to detect anything in; each side must have "
            f"{MIN_SIDE_PX} px or more, and the longer one at most {MAX_SIDE_RATIO} times the shorter one"
        )
    return None


def _too_large(size: str) -> str:
    return f"{size} has more than {MAX_PIXELS // 1_000_000} megapixels; save a smaller copy"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if "truncated" in str(error).lower():
        return "its end is missing; copy it again"
    if "broken data stream" in str(error):
        return "damaged; copy it again"
    return " ".join(str(error).split())[:200] or type(error).__name__


def write_png(path: Path, image: np.ndarray, software: str = "") -> None:
    """Write `image`, uint8 RGB (height, width, 3), as a PNG file, atomically.

    `software`, Latin-1 text, is written as the keyword `Software`; `png_software` reads it.

    Raises:
        OSError: the file cannot be written.
    """
    _, encoded = cv2.imencode(".png", image[:, :, ::-1])
    content = encoded.tobytes()
    if software:
        chunk = b"tEXt" + b"Software\0" + software.encode("latin-1")
        chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        content = content[:PNG_HEADER_BYTES] + chunk + content[PNG_HEADER_BYTES:]
    atomic_write.write_bytes(path, content)


def png_software(path: Path) -> str | None:
    """Return which program wrote a PNG file, as `write_png` writes it; None if it does not say or is no PNG file."""
    start = PNG_HEADER_BYTES + 8
    if not path.is_file():  # to open a pipe would wait forever
        return None
    with contextlib.suppress(OSError), path.open("rb") as file:
        content = file.read(start + 200)
        if content.startswith(png_chunks.SIGNATURE) and content[start - 4 : start + 9] == b"tEXtSoftware\0":
            end = start + int.from_bytes(content[start - 8 : start - 4], "big")
            return content[start + 9 : end].decode("latin-1") if len(content) >= end else None
    return None
