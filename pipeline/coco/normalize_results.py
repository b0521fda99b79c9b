# SPDX-License-Identifier: Apache-2.0
"""Normalize COCO results of other tools: the same rules as for COCO files (`pipeline.coco.normalize`)."""

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline.coco import foreign_formats
from pipeline.coco.entries import Id
from pipeline.coco.findings import Findings
from pipeline.coco.lenient_values import (
    Size,
    box_of_segmentation,
    quote,
    read_box,
    read_number,
    read_segmentation,
)
from pipeline.coco.masks import to_rle
from pipeline.common.path_checks import shown

if TYPE_CHECKING:
    from pipeline.coco.reader import CocoFile


def normalize_results(document: Any, coco: "CocoFile", findings: Findings) -> list[dict[str, Any]]:
    """Return the entries as `Detection` has them; what is not clear is noted in `findings`."""
    if not isinstance(document, list):
        kind = foreign_formats.describe_document(document)
        if foreign_formats.is_coco(document):
            kind = kind or "a COCO file with annotations, not detections: give it as --annotations"
        findings.refuse(f"seems to be {kind}" if kind else f"must be a list of detections, not {quote(document)}")
        return []
    category_ids = {str(category.id): category.id for category in coco.categories}
    category_ids |= {str(merged): kept for merged, kept in coco.merged_categories.items()}
    image_ids = _image_ids(document, coco)
    if document and not any(_text(entry, "image_id") in image_ids for entry in document):
        findings.refuse(
            f"none of its image ids, such as {quote(_first(document, 'image_id'))}, is in {shown(coco.path)}: "
            "these are results for another file"
        )
        return []
    if set(image_ids) - {str(image.id) for image in coco.images}:
        findings.assume("image_id is the name of an image without its suffix (Ultralytics): matched by name")
    sizes = {image.id: Size(image.width, image.height) for image in coco.images}
    for number, given in enumerate(document):
        if not isinstance(given, dict):
            findings.refuse(f"must be an object with keys, not {quote(given)}", f"[{number}]")
    entries = [dict(entry) for entry in document if isinstance(entry, dict)]
    for number, entry in enumerate(entries):
        place = f"[{number}]"
        _match(entry, "image_id", image_ids, coco, place, findings)
        _match(entry, "category_id", category_ids, coco, place, findings)
        _read_score(entry, place, findings)
        if entry["image_id"] in sizes:
            _read_geometry(entry, sizes[entry["image_id"]], place, findings)
    return entries


def _image_ids(document: list[Any], coco: "CocoFile") -> Mapping[str, Id]:
    """Return the ids of the images by their text; or by file name without suffix if no result fits an id."""
    by_id: dict[str, Id] = {str(image.id): image.id for image in coco.images}
    if any(_text(entry, "image_id") in by_id for entry in document):
        return by_id
    stems = Counter(PurePosixPath(image.file_name).stem for image in coco.images)
    by_stem = {PurePosixPath(image.file_name).stem: image.id for image in coco.images}
    names = {_text(entry, "image_id") for entry in document}
    return {stem: by_stem[stem] for stem, count in stems.items() if count == 1 and stem in names} or by_id


def _text(entry: Any, key: str) -> str | None:
    """Return an id as text; 3.0 is the same as 3."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _first(document: list[Any], key: str) -> Any:
    return next((entry.get(key) for entry in document if isinstance(entry, dict)), None)


def _match(
    entry: dict[str, Any], key: str, ids: Mapping[str, Id], coco: "CocoFile", place: str, findings: Findings
) -> None:
    """Replace a reference by the id in `coco`; an unknown one becomes None and is noted."""
    known = ids.get(_text(entry, key) or "")
    if known is None:
        noun = key.removesuffix("_id")
        given = entry.get(key)
        findings.refuse(
            f"{noun} {quote(given)} is not in {shown(coco.path)}" if given is not None else f"{key}: missing", place
        )
    elif not isinstance(entry[key], type(known)) and _text(entry, key) == str(known):
        findings.assume("ids are numbers such as 3.0, or numbers at one place and text at another: matched", place)
    entry[key] = known


def _read_score(entry: dict[str, Any], place: str, findings: Findings) -> None:
    score = read_number(entry.get("score"), place, findings)
    if score is None:
        problem = "missing" if entry.get("score") is None else f"must be a number, not {quote(entry['score'])}"
        findings.refuse(f"score: {problem}", place)
    entry["score"] = score


def _read_geometry(entry: dict[str, Any], size: Size, place: str, findings: Findings) -> None:
    segmentation = read_segmentation(entry.get("segmentation"), size, place, findings, may_be_empty=True)
    if isinstance(segmentation, list):
        findings.assume("segmentation is polygons: drawn as RLE", place)
        rle = to_rle(segmentation, size.height, size.width)
        segmentation = {"size": [size.height, size.width], "counts": rle["counts"].decode("ascii")}
    entry["segmentation"] = segmentation
    if entry.get("bbox") in (None, [], "", {}) and segmentation is not None:
        findings.assume("bbox is missing: computed from the segmentation", place)
        entry["bbox"] = box_of_segmentation(segmentation, size)
    else:
        entry["bbox"] = read_box(entry.get("bbox"), place, findings)
