# SPDX-License-Identifier: Apache-2.0
"""Normalize COCO results of other tools: the same rules as for COCO files (`pipeline.coco.normalize`)."""

from typing import TYPE_CHECKING, Any

from pipeline.coco import foreign_formats
from pipeline.coco.findings import Findings
from pipeline.coco.lenient_masks import box_of_segmentation, read_segmentation
from pipeline.coco.lenient_values import Size, quote, read_box, read_number
from pipeline.coco.masks import to_rle
from pipeline.coco.references import category_references, image_references_of_results
from pipeline.coco.sections import RESULT_KEYS, clean_entry, result_entries
from pipeline.common.path_checks import shown

if TYPE_CHECKING:
    from pipeline.coco.reader import CocoFile


def normalize_results(document: Any, coco: "CocoFile", findings: Findings) -> list[dict[str, Any]]:
    """Return the entries as `Detection` has them; what is not clear is noted in `findings`."""
    entries = _read_entries(document, findings)
    where = shown(coco.path)
    image_ids = [entry.get("image_id") for entry in entries]
    image_of = image_references_of_results({image.id: image.file_name for image in coco.images}, image_ids, where)
    if image_ids and all(image_of.find(image_id) is None for image_id in image_ids):
        findings.refuse(
            f"none of its image ids, such as {quote(image_ids[0])}, is in {where}: these are results for another file"
        )
        return []
    category_names = {category.id: category.name for category in coco.categories}
    category_of = category_references(category_names, coco.merged_categories, where)
    sizes = {image.id: Size(image.width, image.height) for image in coco.images}
    for number, entry in enumerate(entries):
        place = f"[{number}]"
        image_of.match(entry, place, findings)
        category_of.match(entry, place, findings)
        _read_score(entry, place, findings)
        if entry["image_id"] in sizes:
            _read_geometry(entry, sizes[entry["image_id"]], place, findings)
    return entries


def _read_entries(document: Any, findings: Findings) -> list[dict[str, Any]]:
    """Return a copy of each detection; none if the document is of another kind."""
    given = result_entries(document, findings)
    kind = foreign_formats.describe_document(document) if given is None else foreign_formats.describe_predictions(given)
    if given is None and foreign_formats.is_coco(document):
        kind = kind or "a COCO file with annotations, not detections: give it as --annotations"
    if given is None or kind:
        findings.refuse(f"seems to be {kind}" if kind else f"must be a list of detections, not {quote(document)}")
        return []
    entries = []
    for number, entry in enumerate(given):
        if isinstance(entry, dict):
            entries.append(clean_entry(entry, RESULT_KEYS, f"[{number}]", findings))
        else:
            findings.refuse(f"must be an object with keys, not {quote(entry)}", f"[{number}]")
    return entries


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
