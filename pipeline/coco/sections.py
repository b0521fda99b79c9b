# SPDX-License-Identifier: Apache-2.0
"""Read the sections of a COCO document as lists of entries, also as MATLAB, R, pandas and JavaScript write them.

MATLAB writes a list of one as its only entry, R a single value as a list of one, and pandas a table by its columns or a
missing value as NaN.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.coco.findings import Findings
from pipeline.coco.lenient_values import quote

# An object with one of these keys is an entry, or a table of entries by its columns.
KEYS_OF_ENTRIES = {"id", "image_id", "file_name", "bbox"}
# Keys with one value. Others, such as bbox, are lists.
SINGLE_VALUES = ("id", "image_id", "category_id", "file_name", "name", "width", "height", "iscrowd", "score")
MAY_BE_MISSING = ("bbox", "segmentation", "iscrowd")
# Other names of keys: of images, of annotations, of results.
IMAGE_KEYS = {"file_name": ("filename", "fileName", "path")}
ANNOTATION_KEYS = {"category_id": ("category_name",)}
RESULT_KEYS = {
    "score": ("confidence", "conf"),
    "image_id": ("file_name", "filename"),
    "category_id": ("category_name",),
}


def section_entries(section: Any, name: str, findings: Findings) -> list[Any] | None:
    """Return the entries of a section; None if it is no list and its meaning is not clear."""
    if isinstance(section, list) or not isinstance(section, dict) or not section:
        return section if isinstance(section, list) else None
    values = list(section.values())
    if KEYS_OF_ENTRIES & set(section):
        rows = _rows(section)
        if rows is not None:
            findings.assume(f"{name} is a table by columns (pandas, R): read by rows")
            return rows
        if isinstance(section.get("id"), int | float | str):
            findings.assume(f"{name} is one object: read as a list that holds it")
            return [section]
        return None
    if all(isinstance(value, dict) for value in values):
        findings.assume(f"{name} is an object with a key for each entry: read as a list, the keys as ids")
        return [{"id": _id_of_key(key), **value} for key, value in section.items()]
    if name == "categories" and all(isinstance(value, str) for value in values):
        findings.assume("categories is an object of ids and names: read as a list")
        return [{"id": _id_of_key(key), "name": value} for key, value in section.items()]
    if name == "categories" and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        findings.assume("categories is an object of names and ids: read as a list")
        return [{"id": value, "name": key} for key, value in section.items()]
    return None


def _rows(columns: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a table whose columns are lists, or objects by row; None if it is none."""
    values = list(columns.values())
    if all(isinstance(value, dict) and list(value) == list(values[0]) for value in values):
        values = [list(value.values()) for value in values]
    if not all(isinstance(value, list) and len(value) == len(values[0]) for value in values):
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _id_of_key(key: str) -> int | str:
    is_number = key.isascii() and key.isdigit() and len(key) <= 18 and key[0] != "0"
    return int(key) if is_number or key == "0" else key


def clean_entry(
    entry: Mapping[str, Any], other_keys: Mapping[str, Sequence[str]], place: str, findings: Findings
) -> dict[str, Any]:
    """Return a copy of an entry with the keys of COCO, without lists of one value, and without NaN for nothing."""
    cleaned = dict(entry)
    for key, others in other_keys.items():
        other = next((each for each in others if cleaned.get(key) is None and cleaned.get(each) is not None), None)
        if other:
            findings.assume(f"there is no {key}: {other} is read instead", place)
            cleaned[key] = cleaned[other]
    for key in SINGLE_VALUES:
        value = cleaned.get(key)
        if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list | dict):
            findings.assume("single values are lists of one (R): read as the value", place)
            cleaned[key] = value[0]
    for key in MAY_BE_MISSING:
        value = cleaned.get(key)
        if isinstance(value, float) and math.isnan(value):
            findings.assume(f"{key} is NaN (pandas): read as missing", place)
            cleaned[key] = None
    return cleaned


def result_entries(document: Any, findings: Findings) -> list[Any] | None:
    """Return the detections of a results file that is a list, one detection, or a list in an object or for each image.

    None if it is something else.
    """
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        if {"image_id", "bbox"} <= set(document) and _rows(document) is None:
            findings.assume("the file is one detection: read as a list that holds it")
            return [document]
        if len(lists) == 1 and not {"images", "annotations"} & set(document) and lists[0] and all(_have_bbox(lists[0])):
            key = next(key for key, value in document.items() if value is lists[0])
            findings.assume(f"the detections are in an object, under {quote(key)}: read")
            return lists[0]
        return None
    if not isinstance(document, list):
        return None
    if document and all(isinstance(each, list) and all(_have_bbox(each)) for each in document) and any(document):
        findings.assume("detections are in one list for each image: read as one list")
        return [entry for entries in document for entry in entries]
    return document


def _have_bbox(entries: list[Any]) -> Iterator[bool]:
    return (isinstance(entry, dict) and "bbox" in entry for entry in entries)
