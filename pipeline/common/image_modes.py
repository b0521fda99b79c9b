# SPDX-License-Identifier: Apache-2.0
"""Pixels of any kind that Pillow opens as 8-bit RGB: deep gray, palettes, inks, transparency.

Color profiles (ICC) are ignored, as in training on other images.
"""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, TiffImagePlugin

from pipeline.common.errors import CaristeError

FIRST_FRAME = "only the first frame is used of files with more than one"
ON_WHITE = "transparent parts are shown on white"
ALPHA_IGNORED = "the transparency is ignored of images that are transparent everywhere"
DEEP_GRAY = "gray of more than 8 bits is scaled by the range of its type: 0 is black, 65535 of 16 bits is white"
ALMOST_BLACK = (
    "almost black: no value is above 63 of 255 (16383 of 65535). If a camera of 10 to 14 bits wrote 16-bit files, "
    "multiply their values so that white is 65535; for 12 bits: mogrify -evaluate multiply 16 *.png"
)
ALMOST_BLACK_MAX = 63
STRIP_PIXELS = 4_000_000
# Tags of TIFF files. Bit 0 of the subfile type marks a smaller copy, with which the raw files of cameras begin.
SUBFILE_TYPE, BITS_PER_SAMPLE, PHOTOMETRIC, DNG_VERSION = 254, 258, 262, 50706
PLANAR_CONFIGURATION, SAMPLE_FORMAT = 284, 339
PLANES, SIGNED = 2, 2
# ISO/IEC 15444-1, A.5.1: the marker SIZ follows the start of the code stream; its byte 38 is the depth less one.
JPEG_2000_HEADER_BYTES, SIZ_MARKER, SIZ_DEPTH_OFFSET = 1_000_000, b"\xff\x4f\xff\x51", 38
# In these formats, further frames belong to the first one: previews, depth, layers.
ONE_IMAGE_FORMATS = {"MPO", "PSD"}


class PixelError(CaristeError):
    """Pixels without a known black and white; the message says what to do, without the name of the file."""


def check_mode(image: Image.Image) -> None:
    """Check, from the header, that the pixels have a known black and white.

    Raises:
        PixelError: they do not; or the image is only the preview of a raw file.
    """
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if (image.mode == "I" and image.format != "PPM") or _number(tags.get(SAMPLE_FORMAT)) == SIGNED:
        raise PixelError("32-bit or signed integers have no known white; save it as 8 or 16 bits, unsigned")
    if _number(tags.get(PLANAR_CONFIGURATION)) == PLANES and _number(tags.get(BITS_PER_SAMPLE), 8) > 8:
        raise PixelError("color planes of more than 8 bits are not read; save it as 8-bit RGB")
    if image.format == "JPEG2000" and image.mode != "I;16" and _jpeg_2000_bits(image) > 8:
        raise PixelError("JPEG 2000 with colors of more than 8 bits is not read; save it as 8-bit RGB")
    if DNG_VERSION in tags or _number(tags.get(SUBFILE_TYPE)) & 1:
        raise PixelError("a raw file of a camera, which is not read; develop it to JPEG or TIFF first")


def to_rgb(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    """Return the first frame of a loaded image as uint8 RGB (height, width, 3), and what was assumed.

    Deep gray is scaled by its range, so that black stays black and white stays white. Large images are converted strip
    by strip, which needs little memory besides the image and the result.

    Raises:
        PixelError: floating-point values that are not all between 0 and 1.
    """
    remarks = []
    if image.format not in ONE_IMAGE_FORMATS and getattr(image, "is_animated", False):
        remarks.append(FIRST_FRAME)
    convert = _rgb
    if image.mode == "F" or image.mode.startswith("I"):
        convert = _deep_gray_converter(image)
        remarks += [DEEP_GRAY] if image.mode != "F" else []
    elif image.has_transparency_data:
        alphas = [_rgba(strip).getchannel("A").getextrema() for _, strip in _strips(image)]
        if max(highest for _, highest in alphas) == 0:
            remarks.append(ALPHA_IGNORED)
        elif min(lowest for lowest, _ in alphas) < 255:
            convert = _on_white
            remarks.append(ON_WHITE)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        pixels[top : top + strip.height] = convert(strip)
    if pixels.max() <= ALMOST_BLACK_MAX:
        remarks.append(ALMOST_BLACK)
    return pixels, remarks


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield (first row, part of the image) from top to bottom; a small image is one part."""
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield top, image if rows >= image.height else image.crop((0, top, image.width, bottom))


def _rgb(strip: Image.Image) -> np.ndarray:
    if strip.has_transparency_data:
        strip = _rgba(strip)
    return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))


def _rgba(strip: Image.Image) -> Image.Image:
    """Return RGBA. Colors that are stored multiplied by their alpha are divided by it."""
    premultiplied = {"La": "LA", "RGBa": "RGBA"}
    return strip.convert(premultiplied.get(strip.mode, strip.mode)).convert("RGBA")


def _on_white(strip: Image.Image) -> np.ndarray:
    return _rgb(Image.alpha_composite(Image.new("RGBA", strip.size, "white"), _rgba(strip)))


def _deep_gray_converter(image: Image.Image) -> Callable[[Image.Image], np.ndarray]:
    """Return the function from strips of 16-bit integers, or of floating-point values, to uint8 (height, width, 1)."""
    tags = getattr(image, "tag_v2", {})
    white = 2 ** _number(tags.get(BITS_PER_SAMPLE), 16) - 1
    is_inverted = _number(tags.get(PHOTOMETRIC), 1) == 0  # Pillow inverts only up to 8 bits

    def convert(strip: Image.Image) -> np.ndarray:
        values = np.asarray(strip)
        if image.mode == "F":
            gray = _unit_to_gray(values)
        else:
            gray = ((values.astype(np.uint32) * 255 + white // 2) // white).clip(0, 255).astype(np.uint8)
        return (255 - gray if is_inverted else gray)[:, :, None]

    return convert


def _unit_to_gray(values: np.ndarray) -> np.ndarray:
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        found = f"{values.min():g} to {values.max():g}"
        raise PixelError(f"floating-point values must be between 0 (black) and 1 (white), not {found}")
    return (values * 255 + 0.5).astype(np.uint8)


def _jpeg_2000_bits(image: Image.Image) -> int:
    """Return the bits of the first component. Of more than 8 bits in color, Pillow 13 decodes white as black."""
    place = image.fp.tell()
    image.fp.seek(0)
    start = image.fp.read(JPEG_2000_HEADER_BYTES)
    image.fp.seek(place)
    _, found, sizes = start.partition(SIZ_MARKER)
    return (sizes[SIZ_DEPTH_OFFSET] & 0x7F) + 1 if found and len(sizes) > SIZ_DEPTH_OFFSET else 0


def _number(value: object, default: int = 0) -> int:
    """Return the first whole number of a TIFF tag, which damaged files give any type."""
    first = value[0] if isinstance(value, tuple) and value else value
    return first if isinstance(first, int) else default
