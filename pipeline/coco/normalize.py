# SPDX-License-Identifier: Apache-2.0
"""Make a strict COCO document of what other tools write, where the meaning is clear.

Only files that the strict check refuses come here. To add a rule, write a function that changes an entry and says with
`findings.assume` what was assumed. What stays wrong is found by the strict check, which runs again.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.coco.entries import Id
from pipeline.coco.findings import Findings
from pipeline.coco.image_sizes import SizeReader
from pipeline.coco.lenient_values import Size, quote
from pipeline.coco.normalize_entries import read_annotation, read_category, read_image
from pipeline.coco.references import category_references, image_references
from pipeline.coco.sections import ANNOTATION_KEYS, IMAGE_KEYS, clean_entry, section_entries

Entries = list[dict[str, Any]]
SECTIONS = ("images", "annotations", "categories")
OTHER_KEYS = {"images": IMAGE_KEYS, "annotations": ANNOTATION_KEYS, "categories": {}}
# Entries with one id and equal values of these keys are the same entry: two files were merged.
IDENTITY = {"image": ("file_name", "width", "height"), "category": ("name",)}


class Normalized(NamedTuple):
    """A strict document, and for the id of each category that was merged into another one, the id of that one."""

    document: dict[str, Any]
    merged_categories: dict[Id, Id]


def normalize_document(document: Any, findings: Findings, size_of: SizeReader) -> Normalized:
    """Return the document with entries as `pipeline.coco.entries` has them; what is not clear is noted in `findings`.

    `size_of` reads the size of an image from its file.
    """
    if not isinstance(document, dict):
        findings.refuse(f"must be an object with images, annotations and categories, not {quote(document)}")
        return Normalized({}, {})
    sections = {name: list(_entries(document, name, findings)) for name in SECTIONS}
    for place, entry in sections["images"]:
        read_image(place, entry, findings, size_of)
    for place, entry in sections["categories"]:
        read_category(place, entry, findings)
    if findings.has_problems:
        return Normalized({}, {})
    images = _drop_copies([entry for _, entry in sections["images"]], "image", findings)
    categories = _drop_copies([entry for _, entry in sections["categories"]], "category", findings)
    categories, merged = _merge_equal_names(categories, findings)
    annotations = _read_annotations(sections["annotations"], images, categories, merged, findings)
    info = document.get("info")
    sections = {"images": images, "annotations": annotations, "categories": categories}
    return Normalized({"info": info if isinstance(info, dict) else {}, **sections}, merged)


def _entries(document: dict[str, Any], name: str, findings: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and a copy of every entry of a section."""
    entries = document.get(name)
    if entries is None:
        if name == "images" or (name == "categories" and document.get("annotations")):
            keys = ", ".join(map(str, list(document)[:10])) or "none"
            findings.refuse(f"{name}: missing; the file has the keys {keys}")
        else:
            findings.assume(f"the file has no {name}: read as a file without any")
        return
    listed = section_entries(entries, name, findings)
    if listed is None:
        findings.refuse(f"{name}: must be a list of objects, not {quote(entries)}")
        return
    noun = "category" if name == "categories" else name.removesuffix("s")
    for number, entry in enumerate(listed):
        place = f"{name}[{number}]"
        if not isinstance(entry, dict):
            findings.refuse(f"must be an object with keys, not {quote(entry)}", place)
            continue
        if isinstance(entry.get("id"), int | str) and not isinstance(entry["id"], bool):
            place = f"{noun} {entry['id']}"
        yield place, clean_entry(entry, OTHER_KEYS[name], place, findings)


def _drop_copies(entries: Entries, noun: str, findings: Findings) -> Entries:
    """Return the entries without exact copies of others."""
    kept: dict[str, dict[str, Any]] = {}
    for entry in entries:
        first = kept.setdefault(str(entry["id"]), entry)
        if first is entry:
            continue
        key = IDENTITY[noun][0]
        if all(first.get(each) == entry.get(each) for each in IDENTITY[noun]):
            findings.assume("entries are listed twice: read once", f"{noun} {entry['id']}")
        else:
            findings.refuse(
                f"{noun} id {quote(entry['id'])} is used for two entries that differ, {quote(first[key])} and "
                f"{quote(entry[key])}: give one of them another id, also in its annotations"
            )
    return list(kept.values())


def _merge_equal_names(categories: Entries, findings: Findings) -> tuple[Entries, dict[Id, Id]]:
    """Return the first category of each name, and for the ids of the others that of the first."""
    by_name: dict[str, dict[str, Any]] = {}
    merged = {}
    for category in categories:
        first = by_name.setdefault(category["name"], category)
        if first is not category:
            merged[category["id"]] = first["id"]
            findings.assume("categories have the same name: read as one", f"{category['name']}, id {category['id']}")
    return list(by_name.values()), merged


def _read_annotations(
    entries: list[tuple[str, dict[str, Any]]],
    images: Entries,
    categories: Entries,
    merged: dict[Id, Id],
    findings: Findings,
) -> Entries:
    sizes = {image["id"]: Size(image["width"], image["height"]) for image in images}
    image_of = image_references({image["id"]: image["file_name"] for image in images}, "the file's images")
    category_names = {category["id"]: category["name"] for category in categories}
    category_of = category_references(category_names, merged, "the file's categories")
    annotations = []
    for place, entry in entries:
        image_of.match(entry, place, findings)
        category_of.match(entry, place, findings)
        is_matched = entry["image_id"] is not None and entry["category_id"] is not None
        if is_matched and read_annotation(place, entry, sizes, findings):
            annotations.append(entry)
    return _number_annotations(annotations, findings)


def _number_annotations(annotations: Entries, findings: Findings) -> Entries:
    """Number annotations anew if their ids are missing or repeated: nothing refers to them. Copies are left out."""
    ids = [entry.get("id") for entry in annotations]
    usable = all(isinstance(each, int | str) and not isinstance(each, bool) and each != "" for each in ids)
    if usable and len(set(map(str, ids))) == len(ids):
        return annotations
    distinct: dict[str, dict[str, Any]] = {}
    for entry in annotations:
        if distinct.setdefault(json.dumps(entry, sort_keys=True), entry) is not entry:
            findings.assume("entries are listed twice: read once", f"annotation {quote(entry.get('id'))}")
    findings.assume("ids of annotations are missing or repeated: numbered anew, from 1")
    return [{**entry, "id": number} for number, entry in enumerate(distinct.values(), 1)]
