# SPDX-License-Identifier: Apache-2.0
"""Read the segmentations of other tools where their meaning is clear; see `pipeline.coco.lenient_values`."""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from faster_coco_eval import mask as coco_mask

from pipeline.coco.findings import Findings
from pipeline.coco.lenient_values import Size, quote, read_integer, read_numbers
from pipeline.coco.masks import extent, is_far_outside, may_be_shares

NO_MASK = "segmentation has no pixels: read as an object without a mask"
# Twice the area from which on a polygon is not drawn to see whether it has pixels.
SURE_AREA_PX = 8
# Counts as numbers in a text. Compressed counts have neither blanks nor commas.
COUNTS_AS_TEXT = re.compile(r"\[?\s*\d+([\s,]+\d+)+\s*\]?")
# OpenCV's contours are the deepest: parts, polygons, points, and a list around each point.
MAX_NESTING = 5


def read_segmentation(
    value: Any, size: Size, place: str, findings: Findings, may_be_empty: bool = False
) -> dict | list[list] | None:
    """Return an RLE or polygons; None if there is no mask, or a problem was noted.

    `may_be_empty`: RLE without any pixel is kept.
    """
    value = _parse_text(value, place, findings)
    if not value and not isinstance(value, bool | int | float):
        return None
    if isinstance(value, list) and all(isinstance(each, dict) and "counts" in each for each in value):
        if len(value) > 1:
            findings.refuse(f"segmentation: {len(value)} RLEs; an object has one: write the union of the masks", place)
            return None
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


def _parse_text(value: Any, place: str, findings: Findings) -> Any:
    """Return what JSON in a text holds, as tables and spreadsheets write it; any other value as it is."""
    if not isinstance(value, str) or not value.strip().startswith(("[", "{")):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    findings.assume("segmentation is JSON in a text: read", place)
    return parsed


def _read_counts(counts: Any, place: str, findings: Findings) -> str | list[int | None] | None:
    """Return run lengths, compressed (text) or as numbers."""
    if isinstance(counts, str) and counts[:2] in ("b'", 'b"') and counts[-1] == counts[1]:
        findings.assume("counts of RLE are bytes written as text (b'…'): read as the bytes", place)
        try:
            return ast.literal_eval(counts).decode("ascii")
        except (ValueError, SyntaxError):
            return None
    if isinstance(counts, list) and len(counts) == 1 and isinstance(counts[0], str) and not counts[0].isdigit():
        findings.assume("counts of RLE are a list of one text: read as the text", place)
        return counts[0]
    if isinstance(counts, str) and COUNTS_AS_TEXT.fullmatch(counts):
        counts = re.findall(r"\d+", counts)
    if isinstance(counts, list):
        return [read_integer(count, place, findings) for count in counts]
    return counts if isinstance(counts, str) else None


def _read_rle(value: dict[str, Any], size: Size, place: str, findings: Findings) -> dict[str, Any] | None:
    counts, rle_size = _read_counts(value.get("counts"), place, findings), value.get("size")
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
        # What may be shares of the image's size is kept: the strict check refuses it.
        if not _encloses_pixels(points, size) and not (len(points) >= 6 and may_be_shares(extent(points))):
            findings.assume("a polygon has fewer than three points or no area: left out", place)
        else:
            polygons.append(points)
    if not polygons:
        findings.assume(NO_MASK, place)
    return polygons or None


def _split_polygons(value: list[Any], place: str, findings: Findings) -> list[Any]:
    """Return a list of polygons, each [x, y, x, y, …], from the other forms in which tools nest them."""
    if _is_flat(value):
        findings.assume("segmentation is a flat list of numbers: read as one polygon", place)
        return [value]
    filled = [each for each in value if each != []]
    if all(isinstance(each, list) and _is_flat(each) for each in filled):
        if not all(_to_point(each) for each in filled):
            return filled
        findings.assume("segmentation is a list of points: read as one polygon", place)
    else:
        findings.assume("polygons are lists of points [x, y], or nested deeper: read as x, y, x, y, …", place)
    return list(_polygons_in(filled))


def _is_flat(values: list[Any]) -> bool:
    return {list, dict}.isdisjoint(map(type, values))


def _polygons_in(value: list[Any], depth: int = 1) -> Iterator[Any]:
    """Yield the polygons in nested lists of points or of numbers; what is neither is yielded as it is."""
    points = [_to_point(each) for each in value]
    if points and None not in points:
        yield _join(points)
    elif depth < MAX_NESTING and any(isinstance(each, list) for each in value):
        for each in value:
            if isinstance(each, list):
                yield from _polygons_in(each, depth + 1)
            else:
                yield each
    elif value:
        yield value


def _to_point(value: Any) -> list[Any] | None:
    """Return [x, y] from [x, y], from {"x": x, "y": y}, or from OpenCV's [[x, y]]; None if it is no point."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if isinstance(value, dict) and {"x", "y"} <= set(value):
        value = [value["x"], value["y"]]
    is_pair = isinstance(value, list) and len(value) == 2
    return value if is_pair and _is_flat(value) else None


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
