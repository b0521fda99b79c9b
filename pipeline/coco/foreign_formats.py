# SPDX-License-Identifier: Apache-2.0
"""Tell what a file seems to be that is given as a COCO file, and what to do with it."""

import re
from collections.abc import Callable
from typing import Any

CONVERT = "export it as COCO (instance segmentation or detection) from the tool that wrote it"

# How files of other kinds begin.
BEGINNINGS: dict[bytes, str] = {
    b"PK\x03\x04": "a zip archive: unpack it and give the JSON file in it",
    b"\x1f\x8b": "compressed with gzip: unpack it (gunzip) and give the JSON file",
    b"BZh": "compressed with bzip2: unpack it and give the JSON file",
    b"\xfd7zXZ": "compressed with xz: unpack it and give the JSON file",
    b"7z\xbc\xaf": "a 7z archive: unpack it and give the JSON file in it",
    b"Rar!": "a rar archive: unpack it and give the JSON file in it",
    b"\xff\xd8\xff": "a JPEG image; give the COCO file that names the images",
    b"\x89PNG": "a PNG image; give the COCO file that names the images",
    b"PAR1": f"a Parquet table: {CONVERT}",
    b"\x80\x04": "a Python pickle, which is never loaded: write it as COCO JSON",
    b"\x80\x03": "a Python pickle, which is never loaded: write it as COCO JSON",
    b"\x93NUMPY": f"a NumPy array: {CONVERT}",
    b"TFRecord": f"a TFRecord: {CONVERT}",
    b"SQLite format 3": f"an SQLite database: {CONVERT}",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`",
}
XML_ROOTS = {
    b"<html": "a web page (a failed download?): download the file again",
    b"<!doctype html": "a web page (a failed download?): download the file again",
    b"<annotations": f"CVAT's XML: {CONVERT}",
    b"<annotation": f"Pascal VOC XML, one file for each image: {CONVERT}",
}
YOLO_LINE = re.compile(rb"\d+( +\d*\.?\d+(e-?\d+)?){4,}\s*(\n|$)")
CSV_HEADER = re.compile(rb"[\"\w ]+([,;\t][\"\w ]+){3,}\s*\n")
YAML_KEY = re.compile(rb"(#[^\n]*\n)*\s*[A-Za-z_]+:( |\n)")

RESULTS_NEEDED = "write COCO results, an object for each detection with image_id, category_id, bbox and score"
RESULTS = "a list of detections (COCO results), not a COCO file: give it as --predictions"


def describe_content(content: bytes) -> str | None:
    """Return what the bytes of a file that is no JSON seem to be, None if they say nothing."""
    start = content[:4000].lstrip(b"\xef\xbb\xbf \t\r\n")
    for beginning, kind in BEGINNINGS.items():
        if start.startswith(beginning):
            return kind
    if start.startswith(b"<"):
        lowered = start.lower()
        return next((kind for root, kind in XML_ROOTS.items() if root in lowered), f"XML, not JSON: {CONVERT}")
    if YOLO_LINE.match(start):
        return f"YOLO labels, one text file for each image: {CONVERT}"
    if CSV_HEADER.match(start):
        return f"a table (CSV), not JSON: {CONVERT}"
    if YAML_KEY.match(start):
        return f"YAML, not JSON: {CONVERT}"
    return None


def describe_document(document: Any) -> str | None:
    """Return what a JSON document seems to be if it is no COCO detection file; None if it may be one."""
    first = _first_entry(document)
    for kind, fits in DOCUMENTS.items():
        if fits(document, first):
            return kind
    return None


def describe_predictions(entries: list[Any]) -> str | None:
    """Return what the entries of a results file seem to be if they are no detections; None if they may be some."""
    first = next((entry for entry in entries if isinstance(entry, dict)), {})
    if "bbox" not in first and {"boxes", "bboxes", "instances", "pred_instances"} & set(first):
        return f"predictions of one image for each entry: {RESULTS_NEEDED}"
    return None


def is_coco(document: Any) -> bool:
    """Whether a JSON document has the keys of a COCO file."""
    return isinstance(document, dict) and isinstance(document.get("images"), list)


def _first_entry(document: Any) -> dict[str, Any]:
    """Return the first object in a list, in `annotations`, or among the values of an object; {} if there is none."""
    entries = document
    if isinstance(document, dict):
        annotations = document.get("annotations")
        entries = annotations if isinstance(annotations, list) else list(document.values())
    return next((each for each in entries if isinstance(each, dict)), {}) if isinstance(entries, list) else {}


def _has(*keys: str) -> Callable[[Any, dict[str, Any]], bool]:
    """Return a test for objects with all these keys."""
    return lambda document, first: isinstance(document, dict) and set(keys) <= set(document)


def _lists(*keys: str) -> Callable[[Any, dict[str, Any]], bool]:
    """Return a test for lists of objects with all these keys."""
    return lambda document, first: isinstance(document, list) and set(keys) <= set(first)


def _annotations_have(key: str) -> Callable[[Any, dict[str, Any]], bool]:
    return lambda document, first: is_coco(document) and key in first and "bbox" not in first


# The first that fits is taken.
DOCUMENTS: dict[str, Callable[[Any, dict[str, Any]], bool]] = {
    RESULTS: _lists("image_id", "category_id"),
    f"a LabelMe file, one for each image: {CONVERT}": _has("shapes", "imagePath"),
    f"a VIA project: {CONVERT}": lambda document, first: (
        isinstance(document, dict) and ("_via_img_metadata" in document or ("regions" in first and "filename" in first))
    ),
    f"Datumaro's own format: {CONVERT}": _has("items", "categories"),
    f"a Label Studio export in its own JSON: {CONVERT}": lambda document, first: (
        isinstance(document, list) and "data" in first and bool({"annotations", "completions"} & set(first))
    ),
    f"a Labelbox export in its own JSON: {CONVERT}": lambda document, first: (
        "data_row" in (document if isinstance(document, dict) else first) or "Labeled Data" in first
    ),
    f"a FiftyOne data set in its own JSON: {CONVERT}": _has("samples"),
    f"a Supervisely file, one for each image: {CONVERT}": _has("objects", "size"),
    f"Apple's CreateML format: {CONVERT}": _lists("image", "annotations"),
    f"a list of Detectron2 or MMDetection: {CONVERT}": lambda document, first: (
        isinstance(document, list) and bool({"file_name", "filename"} & set(first))
    ),
    f"GeoJSON: {CONVERT}": lambda document, first: (
        isinstance(document, dict) and document.get("type") == "FeatureCollection"
    ),
    "several sets, or one in another object: give a file for each set, an object with images and annotations": (
        lambda document, first: any(
            map(is_coco, document.values() if isinstance(document, dict) else document)
            if isinstance(document, dict | list)
            else ()
        )
    ),
    "a COCO panoptic file: give the COCO file with instances": _annotations_have("segments_info"),
    "a COCO captions file: give the COCO file with instances": _annotations_have("caption"),
    "the metrics that `cariste evaluate` wrote: give the COCO file": _has("box", "mask", "annotations", "ignored"),
}
