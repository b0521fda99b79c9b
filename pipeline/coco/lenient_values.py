# SPDX-License-Identifier: Apache-2.0
"""Read numbers, boxes and segmentations of other tools where their meaning is clear.

Each function returns what the value means, and notes in `Findings` what was assumed. `place` names the entry.
A value whose meaning is not clear is noted as a problem, and the function returns None.
"""

import ast
import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from faster_coco_eval import mask as coco_mask

from pipeline.coco.findings import Findings
from pipeline.coco.masks import extent, is_far_outside

NUMBERS_AS_TEXT = "numbers are written as text: read as numbers"
NO_MASK = "segmentation has no pixels: read as an object without a mask"
# Twice the area from which on a polygon is not drawn to see whether it has pixels.
SURE_AREA_PX = 8
SHOWN_CHARACTERS = 60
BOX_KEYS = ("x", "y", "width", "height")


class Size(NamedTuple):
    """Width and height of an image in pixels."""

    width: int
    height: int


def quote(value: Any) -> str:
    """Return a value for a message, in JSON's notation, cut if it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = str(type(value).__name__)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def read_number(value: Any, place: str, findings: Findings) -> int | float | None:
    """Return a finite number, also from text; None, without a problem, if the value is something else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        number = _parse_number(value)
        if number is not None:
            findings.assume(NUMBERS_AS_TEXT, place)
        return number
    return value if isinstance(value, int | float) and _is_finite(value) else None


def read_integer(value: Any, place: str, findings: Findings) -> int | None:
    """Return a whole number, also from 3.0 or "3"; None, without a problem, if it is something else."""
    number = read_number(value, place, findings)
    return int(number) if number is not None and number == int(number) else None


def _parse_number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            number = kind(text.strip())
        except ValueError:
            continue
        return number if _is_finite(number) else None
    return None


def _is_finite(number: int | float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond the largest float
        return False


def read_numbers(values: Any, place: str, findings: Findings) -> list[int | float] | None:
    """Return a list of numbers; None, without a problem, if one is none."""
    if not isinstance(values, list):
        return None
    numbers = [read_number(value, place, findings) for value in values]
    return None if None in numbers else numbers


def read_box(value: Any, place: str, findings: Findings) -> list[int | float] | None:
    """Return a box (x, y, width, height) from four numbers, from text, or from an object with these keys."""
    if isinstance(value, str):
        findings.assume(NUMBERS_AS_TEXT, place)
        value = value.strip(" []()").replace(",", " ").split()
    if isinstance(value, dict) and set(BOX_KEYS) <= set(value):
        findings.assume("bbox is an object with x, y, width, height: read as these four numbers", place)
        value = [value[key] for key in BOX_KEYS]
    box = read_numbers(value, place, findings)
    if box is None or len(box) != 4:
        findings.refuse(f"bbox must be four numbers (x, y, width, height), not {quote(value)}", place)
        return None
    return box


def read_segmentation(
    value: Any, size: Size, place: str, findings: Findings, may_be_empty: bool = False
) -> dict | list[list] | None:
    """Return an RLE or polygons; None if there is no mask, or a problem was noted.

    `may_be_empty`: RLE without any pixel is kept.
    """
    if not value and not isinstance(value, bool | int | float):
        return None
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        findings.assume("segmentation is a list that holds one RLE: read as the RLE", place)
        value = value[0]
    if isinstance(value, dict):
        rle = _read_rle(value, size, place, findings)
        if rle is None or may_be_empty or not _is_empty_rle(rle):
            return rle
        findings.assume(NO_MASK, place)
        return None
    if isinstance(value, list):
        return _read_polygons(value, size, place, findings)
    findings.refuse(f"segmentation must be polygons or RLE, not {quote(value)}", place)
    return None


def _read_rle(value: dict[str, Any], size: Size, place: str, findings: Findings) -> dict[str, Any] | None:
    counts, rle_size = value.get("counts"), value.get("size")
    if isinstance(counts, str) and counts[:2] in ("b'", 'b"') and counts[-1] == counts[1]:
        findings.assume("counts of RLE are bytes written as text (b'…'): read as the bytes", place)
        try:
            counts = ast.literal_eval(counts).decode("ascii")
        except (ValueError, SyntaxError):
            counts = None
    elif isinstance(counts, list):
        counts = [read_integer(count, place, findings) for count in counts]
    if rle_size is None:
        findings.assume("size is missing in RLE: that of the image is taken", place)
        rle_size = [size.height, size.width]
    sides = [read_integer(side, place, findings) for side in rle_size] if isinstance(rle_size, list) else []
    are_counts = isinstance(counts, str) or (isinstance(counts, list) and None not in counts)
    if not are_counts or len(sides) != 2 or None in sides:
        findings.refuse(
            f"segmentation: RLE needs size [height, width] and counts (text or whole numbers), not {quote(value)}",
            place,
        )
        return None
    return {**value, "size": sides, "counts": counts}


def _is_empty_rle(rle: dict[str, Any]) -> bool:
    """Whether a mask has no pixels. False as well if the RLE is wrong, which is found later."""
    try:
        height, width = rle["size"]
        return not coco_mask.area(
            coco_mask.segmToRle({"size": [height, width], "counts": rle["counts"]}, width, height)
        )
    except (ValueError, RuntimeError, TypeError, OverflowError):
        return False


def _read_polygons(value: list[Any], size: Size, place: str, findings: Findings) -> list[list[float]] | None:
    polygons = []
    for polygon in _split_polygons(value, place, findings):
        points = read_numbers(polygon, place, findings)
        if points is None:
            findings.refuse(f"segmentation: a polygon must be numbers x, y, x, y, …, not {quote(polygon)}", place)
            return None
        if len(points) % 2:
            findings.refuse(
                f"segmentation: a polygon has {len(points)} numbers; x, y in turn need an even number", place
            )
            return None
        if points and is_far_outside(extent(points), *size):
            findings.refuse("segmentation: a polygon reaches far outside the image", place)
            return None
        if not _encloses_pixels(points, size):
            findings.assume("a polygon has fewer than three points or no area: left out", place)
        else:
            polygons.append(points)
    if not polygons:
        findings.assume(NO_MASK, place)
    return polygons or None


def _split_polygons(value: list[Any], place: str, findings: Findings) -> list[Any]:
    """Return a list of polygons, each [x, y, x, y, …], from the other forms in which tools nest them."""
    if not any(isinstance(each, list) for each in value):
        findings.assume("segmentation is a flat list of numbers: read as one polygon", place)
        return [value]
    if all(_is_point(each) for each in value):
        findings.assume("segmentation is a list of points: read as one polygon", place)
        return [_join(value)]
    filled = [each for each in value if each != []]
    if any(isinstance(each, list) and all(_is_point(point) for point in each) for each in filled):
        findings.assume("polygons are lists of points [x, y]: read as x, y, x, y, …", place)
        return [_join(each) if isinstance(each, list) and all(map(_is_point, each)) else each for each in filled]
    return filled


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and not any(isinstance(each, list | dict) for each in value)


def _join(points: Sequence[list[Any]]) -> list[Any]:
    return [coordinate for point in points for coordinate in point]


def _encloses_pixels(points: list[float], size: Size) -> bool:
    if len(points) < 6:
        return False
    xs, ys = points[::2], points[1::2]
    doubled_area = sum(
        x * next_y - next_x * y for x, y, next_x, next_y in zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
    )
    # Polygons that cross themselves may have an area of 0 and enclose pixels. To draw takes longer.
    return abs(doubled_area) > SURE_AREA_PX or bool(
        coco_mask.area(coco_mask.segmToRle([points], size.width, size.height))
    )


def box_of_segmentation(segmentation: dict | list[list[float]], size: Size) -> list[float] | None:
    """Return the box (x, y, width, height) around a mask within its image, None if the mask cannot be drawn."""
    if isinstance(segmentation, list):
        left, right, top, bottom = extent(_join(segmentation))
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, size.width), min(bottom, size.height)
        return [left, top, right - left, bottom - top]
    try:
        rle = coco_mask.segmToRle(segmentation, size.width, size.height)
        return [float(side) for side in coco_mask.toBbox(rle)]
    except (ValueError, RuntimeError, TypeError):
        return None
