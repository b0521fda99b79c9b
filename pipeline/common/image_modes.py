# SPDX-License-Identifier: Apache-2.0
"""Pixels of any kind that Pillow opens as 8-bit RGB: deep gray, palettes, inks, transparency.

Color profiles (ICC) are ignored, as in training on other images.
"""

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
# Tags of TIFF files. Bit 0 of the subfile type marks a smaller copy, with which the raw files of cameras begin.
SUBFILE_TYPE, BITS_PER_SAMPLE, PHOTOMETRIC, DNG_VERSION = 254, 258, 262, 50706
PLANAR_CONFIGURATION, SAMPLE_FORMAT = 284, 339
PLANES, SIGNED = 2, 2
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
    if DNG_VERSION in tags or _number(tags.get(SUBFILE_TYPE)) & 1:
        raise PixelError("a raw file of a camera, which is not read; develop it to JPEG or TIFF first")


def to_rgb(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    """Return the first frame of a loaded image as uint8 RGB (height, width, 3), and what was assumed.

    Deep gray is scaled by its range, so that black stays black and white stays white.

    Raises:
        PixelError: floating-point values that are not all between 0 and 1.
    """
    remarks = []
    if image.format not in ONE_IMAGE_FORMATS and getattr(image, "is_animated", False):
        remarks.append(FIRST_FRAME)
    if image.mode == "F" or image.mode.startswith("I"):
        gray = _deep_gray(image)
        pixels = np.repeat(gray[:, :, None], 3, axis=2)
        remarks += [DEEP_GRAY] if image.mode != "F" else []
    elif image.has_transparency_data:
        pixels, remark = _without_transparency(image)
        remarks += remark
    else:
        pixels = np.array(image.convert("RGB"))
    if pixels.max() <= ALMOST_BLACK_MAX:
        remarks.append(ALMOST_BLACK)
    return pixels, remarks


def _deep_gray(image: Image.Image) -> np.ndarray:
    """Return 16-bit integers, or floating-point values from 0 to 1, as uint8 (height, width)."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    if image.mode == "F":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            found = f"{values.min():g} to {values.max():g}"
            raise PixelError(f"floating-point values must be between 0 (black) and 1 (white), not {found}")
        gray = (values * 255 + 0.5).astype(np.uint8)
    else:
        white = 2 ** _number(tags.get(BITS_PER_SAMPLE), 16) - 1
        gray = ((values.astype(np.uint32) * 255 + white // 2) // white).clip(0, 255).astype(np.uint8)
    is_inverted = _number(tags.get(PHOTOMETRIC), 1) == 0  # Pillow inverts only up to 8 bits
    return 255 - gray if is_inverted else gray


def _without_transparency(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    premultiplied = {"La": "LA", "RGBa": "RGBA"}
    rgba = image.convert(premultiplied.get(image.mode, image.mode)).convert("RGBA")
    lowest, highest = rgba.getchannel("A").getextrema()
    if lowest == 255:
        return np.array(rgba.convert("RGB")), []
    if highest == 0:
        return np.array(rgba.convert("RGB")), [ALPHA_IGNORED]
    white = Image.new("RGBA", rgba.size, "white")
    return np.array(Image.alpha_composite(white, rgba).convert("RGB")), [ON_WHITE]


def _number(value: object, default: int = 0) -> int:
    """Return the first whole number of a TIFF tag, which damaged files give any type."""
    first = value[0] if isinstance(value, tuple) and value else value
    return first if isinstance(first, int) else default
