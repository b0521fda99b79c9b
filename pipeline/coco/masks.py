# SPDX-License-Identifier: Apache-2.0
"""Masks of COCO files: RLE and polygons."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from faster_coco_eval import mask as coco_mask
from faster_coco_eval.mask_api_new_cpp import toUncompressedRLE

from pipeline.coco.entries import CocoError, CocoImage, Rle


def decode_segmentation(segmentation: Rle | list[list[float]], height: int, width: int, where: str) -> np.ndarray:
    """Return RLE or polygons as a mask, uint8 (height, width) of 0 and 1.

    Raises:
        CocoError: run lengths that do not fill the image; the message begins with `where`.
    """
    try:
        return coco_mask.decode(to_rle(segmentation, height, width))
    except (ValueError, RuntimeError) as error:
        raise CocoError(f"{where}: {error}") from None


def to_rle(segmentation: Rle | list[list[float]], height: int, width: int) -> dict[str, Any]:
    """Return RLE or polygons as compressed RLE: {"size": [height, width], "counts": text or bytes}."""
    if not isinstance(segmentation, Rle):
        return coco_mask.segmToRle(segmentation, width, height)
    values = {"size": list(segmentation.size), "counts": segmentation.counts}
    return values if isinstance(segmentation.counts, str) else coco_mask.segmToRle(values, width, height)


def encode_mask(mask: np.ndarray) -> dict[str, Any]:
    """Return a mask, bool or uint8 (height, width), as compressed RLE with text counts, ready for JSON."""
    encoded = coco_mask.encode(np.asfortranarray(mask).view(np.uint8))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")}


def segmentation_problems(segmentation: Rle | Sequence[Sequence[float]], image: CocoImage) -> Iterator[str]:
    """Yield what is wrong with the segmentation of an object of `image`. Nothing is drawn."""
    if isinstance(segmentation, Rle):
        yield from rle_problems(segmentation, image, may_be_empty=False)
        return
    for polygon in segmentation:
        left, right, top, bottom = extent(polygon)
        if len(polygon) % 2:
            yield f"segmentation: a polygon has {len(polygon)} numbers; x, y in turn need an even number"
        elif left == right or top == bottom:
            yield "segmentation: a polygon has no area"
        elif is_far_outside((left, right, top, bottom), image.width, image.height):
            yield f"segmentation: a polygon reaches far outside {describe_image(image)}"


def rle_problems(segmentation: Rle, image: CocoImage, may_be_empty: bool = True) -> Iterator[str]:
    """Yield what is wrong with an RLE of `image`. Scoring RLE that ends too early would never end."""
    height, width = segmentation.size
    if (height, width) != (image.height, image.width):
        swapped = " (width and height seem to be swapped)" if (width, height) == (image.height, image.width) else ""
        yield f"segmentation has size (height, width) ({height}, {width}), unlike {describe_image(image)}{swapped}"
        return
    counts = segmentation.counts
    if isinstance(counts, str) and not counts.isascii():
        yield "segmentation: counts is no RLE: it has characters that are not ASCII"
        return
    try:
        if isinstance(counts, str):
            (decoded,) = toUncompressedRLE([{"size": [height, width], "counts": counts}])
            counts = decoded["counts"]
    except (ValueError, RuntimeError) as error:
        yield f"segmentation: {error}"
        return
    if min(counts, default=0) < 0:
        yield "segmentation: counts has a negative number"
    elif sum(counts) != height * width:
        yield f"segmentation: its counts add up to {sum(counts)} pixels, the image has {height * width}"
    elif not may_be_empty and not any(counts[1::2]):
        yield "segmentation: the mask is empty"


def extent(polygon: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the smallest and largest x and the smallest and largest y of [x, y, x, y, …], two numbers or more."""
    xs, ys = polygon[::2], polygon[1::2]
    return min(xs), max(xs), min(ys), max(ys)


def may_be_shares(extent_px: tuple[float, float, float, float]) -> bool:
    """Whether a polygon lies in the first pixel, as all do that are written as shares of the image's size."""
    return min(extent_px) >= 0 and max(extent_px) <= 1 and any(side % 1 for side in extent_px)


def is_far_outside(extent_px: tuple[float, float, float, float], width: int, height: int) -> bool:
    """Whether a polygon leaves an image by more than its longer side: to draw it would take much time and memory.

    `extent_px`: as `extent` returns it.
    """
    side = max(width, height)
    return min(extent_px) < -side or max(extent_px) > 2 * side


def describe_image(image: CocoImage) -> str:
    """Return name and size for a message."""
    return f"the image {image.file_name} of {image.width}x{image.height}"
