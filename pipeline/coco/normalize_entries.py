# SPDX-License-Identifier: Apache-2.0
"""Normalize one entry of a COCO file: an image, a category, an annotation.

Each function changes the entry in place. `place` names it in messages.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.coco.entries import BOX_TOLERANCE_PX, MAX_SIDE_PX
from pipeline.coco.findings import Findings
from pipeline.coco.image_sizes import SizeReader
from pipeline.coco.lenient_masks import box_of_segmentation, read_segmentation
from pipeline.coco.lenient_values import Size, quote, read_box, read_integer, read_number

YES_NO = {"true": 1, "yes": 1, "1": 1, "false": 0, "no": 0, "0": 0, "": 0}
# Boxes that reach outside by more than this share of their side are a mistake, not rounding.
MAX_OVERHANG = 0.1


def _read_id(entry: dict[str, Any], place: str, findings: Findings) -> None:
    value = entry.get("id")
    if isinstance(value, float) and value.is_integer():
        findings.assume("ids are numbers such as 3.0: read as 3", place)
        entry["id"] = int(value)
    elif isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        problem = "missing" if value is None else f"must be a whole number or text, not {quote(value)}"
        findings.refuse(f"id: {problem}", place)


def read_image(place: str, entry: dict[str, Any], findings: Findings, size_of: SizeReader) -> None:
    """Normalize an image."""
    _read_id(entry, place, findings)
    name = entry.get("file_name")
    if name is None and isinstance(entry.get("coco_url"), str):
        findings.assume("file_name is missing: the name in coco_url is taken", place)
        name = entry["file_name"] = entry["coco_url"].rpartition("/")[2]
    if not isinstance(name, str) or not name:
        problem = "missing" if name is None else f"must be the path of an image, not {quote(name)}"
        findings.refuse(f"file_name: {problem}", place)
        return
    sides = [read_integer(entry.get(key), place, findings) for key in ("width", "height")]
    if any(side is None or not 0 < side <= MAX_SIDE_PX for side in sides):
        given = f"width {quote(entry.get('width'))} and height {quote(entry.get('height'))}"
        sides = size_of(name, given, place, findings)
    entry["width"], entry["height"] = sides


def read_category(place: str, entry: dict[str, Any], findings: Findings) -> None:
    """Normalize a category."""
    _read_id(entry, place, findings)
    name = entry.get("name")
    if isinstance(name, int | float) and not isinstance(name, bool):
        findings.assume("the name of a category is a number: read as text", place)
        entry["name"] = str(name)
    elif not isinstance(name, str) or not name:
        problem = "missing" if name is None else f"must be text, not {quote(name)}"
        findings.refuse(f"name: {problem}", place)


def read_annotation(place: str, entry: dict[str, Any], sizes: Mapping[Any, Size], findings: Findings) -> bool:
    """Normalize an annotation whose `image_id` is a key of `sizes`. Return False if it is left out."""
    _read_crowd(entry, place, findings)
    _read_area(entry, place, findings)
    size = sizes[entry["image_id"]]
    entry["segmentation"] = read_segmentation(entry.get("segmentation"), size, place, findings)
    box = _read_annotation_box(entry, size, place, findings)
    if box is not None and min(box[2:]) == 0:
        findings.assume("bbox has a width or height of 0: annotation left out", place)
        return False
    entry["bbox"] = box and _clip_box(box, size, place, findings)
    return True


def _read_crowd(entry: dict[str, Any], place: str, findings: Findings) -> None:
    value = entry.get("iscrowd", 0)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value in (0, 1)):
        entry["iscrowd"] = value or 0
        return
    text = str(value).strip().lower().removesuffix(".0")
    if isinstance(value, bool | float | str) and text in YES_NO:
        findings.assume("iscrowd is true, false or text: read as 1 or 0", place)
        entry["iscrowd"] = YES_NO[text]
    else:
        findings.refuse(f"iscrowd must be 0 or 1, not {quote(value)}", place)


def _read_area(entry: dict[str, Any], place: str, findings: Findings) -> None:
    value = entry.get("area")
    number = read_number(value, place, findings)
    if number is None and value is not None:
        findings.assume("area is no number: computed anew where it is needed", place)
    entry["area"] = number


def _read_annotation_box(entry: dict[str, Any], size: Size, place: str, findings: Findings) -> list[float] | None:
    given, segmentation = entry.get("bbox"), entry["segmentation"]
    is_missing = given in (None, [], "", {})
    if is_missing and segmentation is None:
        findings.refuse("has neither bbox nor segmentation", place)
        return None
    box = None if is_missing else read_box(given, place, findings)
    if segmentation is None or (not is_missing and (box is None or min(box[2:]) != 0)):
        return box
    findings.assume("bbox is missing or has no area: computed from the segmentation", place)
    return box_of_segmentation(segmentation, size)


def _clip_box(box: list[float], size: Size, place: str, findings: Findings) -> list[float]:
    """Return the part of a box within its image, if more than rounding, but only a small part, reaches outside."""
    x, y, width, height = box
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, size.width), min(y + height, size.height)
    overhangs = (width - (right - left), height - (bottom - top))
    is_rounding = max(overhangs) <= BOX_TOLERANCE_PX
    if is_rounding or any(over > MAX_OVERHANG * side for over, side in zip(overhangs, box[2:], strict=True)):
        return box
    findings.assume(f"bbox reaches outside the image by up to {MAX_OVERHANG:.0%} of its side: cut at the border", place)
    return [left, top, right - left, bottom - top]
