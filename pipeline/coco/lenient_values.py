# SPDX-License-Identifier: Apache-2.0
"""Read numbers and boxes of other tools where their meaning is clear.

Each function returns what the value means, and notes in `Findings` what was assumed. `place` names the entry.
A value whose meaning is not clear is noted as a problem, and the function returns None.
"""

import json
import math
from typing import Any, NamedTuple

from pipeline.coco.findings import Findings

NUMBERS_AS_TEXT = "numbers are written as text: read as numbers"
SHOWN_CHARACTERS = 60
# The keys of boxes as objects: of the corner and the size, or of two corners.
SIZE_KEYS = (("x", "y", "width", "height"), ("left", "top", "width", "height"), ("x", "y", "w", "h"))
CORNER_KEYS = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"))


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
    """Return a box (x, y, width, height) from four numbers, from text, from nested lists, or from an object."""
    given = value
    if isinstance(value, str):
        findings.assume(NUMBERS_AS_TEXT, place)
        value = value.strip(" []()").replace(",", " ").split()
    elif isinstance(value, dict):
        return _read_box_object(value, place, findings)
    elif _is_nested_box(value):
        findings.assume("bbox is a list of lists (MATLAB): read as four numbers", place)
        value = [side for each in value for side in each]
    box = read_numbers(value, place, findings)
    if box is None or len(box) != 4:
        findings.refuse(f"bbox must be four numbers (x, y, width, height), not {quote(given)}", place)
        return None
    return box


def _is_nested_box(value: Any) -> bool:
    """Whether a value is a row or a column of four values. Two pairs may be two corners, so they are not."""
    is_nested = isinstance(value, list) and len(value) in (1, 4) and all(isinstance(each, list) for each in value)
    return is_nested and all(len(value) * len(each) == 4 for each in value)


def _read_box_object(value: dict[str, Any], place: str, findings: Findings) -> list[int | float] | None:
    for keys in (*SIZE_KEYS, *CORNER_KEYS):
        box = read_numbers([value.get(key) for key in keys], place, findings)
        if box is not None:
            findings.assume(f"bbox is an object with {', '.join(keys)}: read as x, y, width, height", place)
            x, y, width, height = box
            return [x, y, width - x, height - y] if keys in CORNER_KEYS else box
    findings.refuse(f"bbox must be four numbers (x, y, width, height), not {quote(value)}", place)
    return None
