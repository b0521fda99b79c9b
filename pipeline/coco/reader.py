# SPDX-License-Identifier: Apache-2.0
"""Read COCO files and COCO results, and check them.

In a file that is read here, ids are unique, every reference leads to an entry, every box has an area and lies in its
image, and every mask has the size of its image. What other tools write differently is normalized first, where its
meaning is clear (`pipeline.coco.normalize`), and the log says what was assumed. docs/reference/inputs.md lists it.
"""

import contextlib
import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.coco import checks, foreign_formats, json_text, normalize, normalize_results
from pipeline.coco.entries import (
    Annotation,
    Category,
    CocoError,
    CocoImage,
    Detection,
    Entry,
    Id,
    Rle,
    one_line,
    raise_problems,
)
from pipeline.coco.findings import Findings
from pipeline.coco.image_sizes import SizeReader
from pipeline.coco.masks import decode_segmentation, encode_mask, to_rle
from pipeline.common import path_checks

__all__ = [
    "Annotation",
    "Category",
    "CocoError",
    "CocoFile",
    "CocoImage",
    "Detection",
    "Id",
    "Rle",
    "decode_segmentation",
    "encode_mask",
    "raise_problems",
    "read_coco",
    "read_results",
    "to_rle",
]

Parsed = TypeVar("Parsed")


class _Document(Entry):
    info: dict[str, Any] = Field({})
    images: list[CocoImage]
    annotations: list[Annotation]
    categories: list[Category]


DOCUMENT = TypeAdapter(_Document)
RESULTS = TypeAdapter(list[Detection])
# A key that stands twice in an object is found by a slower reader only.
SECTION_KEYS = tuple(f'"{name}"'.encode() for name in normalize.SECTIONS)


LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class CocoFile:
    """A checked COCO file.

    Attributes:
        path: for messages.
        merged_categories: id of a category that was merged into another one -> id of that one.
    """

    path: Path
    info: dict[str, Any]
    images: tuple[CocoImage, ...]
    annotations: tuple[Annotation, ...]
    categories: tuple[Category, ...]
    merged_categories: Mapping[Id, Id] = field(default_factory=dict)

    def annotations_by_image(self) -> dict[Id, list[Annotation]]:
        """Return the annotations of every image by its id, in file order; an empty list for images without any."""
        grouped: dict[Id, list[Annotation]] = {image.id: [] for image in self.images}
        for annotation in self.annotations:
            grouped[annotation.image_id].append(annotation)
        return grouped

    def decode_mask(self, annotation: Annotation, image: CocoImage) -> np.ndarray | None:
        """Return the mask of an annotation, uint8 (height, width) of 0 and 1, None if it has no segmentation."""
        if annotation.segmentation is None:
            return None
        where = f"{self.path}: annotation {annotation.id}: segmentation"
        return decode_segmentation(annotation.segmentation, image.height, image.width, where)


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Python's collector would look at all entries read so far again and again, which doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_garbage_collection()
def read_coco(path: str | Path, images_dir: str | Path | None = None) -> CocoFile:
    """Read, normalize and check a COCO detection file.

    `images_dir`: folder of the images; sizes that the file lacks are read from them.

    Raises:
        CocoError: no such file, not JSON, another format, or wrong entries, one line each (the first ten).
    """
    path = Path(path)
    content = json_text.read_bytes(path)
    document = _parse_strictly(content, DOCUMENT)
    coco = document and _to_file(path, document, {})
    if coco is None or any(checks.problems(coco)):
        coco = _read_leniently(path, content, images_dir)
    return _drop_root_categories(coco)


def _drop_root_categories(coco: CocoFile) -> CocoFile:
    """Return the file without the category above all others that Roboflow adds, and that no annotation has."""
    used = {annotation.category_id for annotation in coco.annotations}
    parents = [(category.model_extra or {}).get("supercategory") for category in coco.categories]
    roots = [
        category
        for category, parent in zip(coco.categories, parents, strict=True)
        if category.name in parents and category.id not in used and parent in (None, "", "none")
    ]
    if not roots:
        return coco
    names = one_line(", ".join(category.name for category in roots))
    LOG.warning("%s: left out, because it only groups other categories: %s", path_checks.shown(coco.path), names)
    return replace(coco, categories=tuple(each for each in coco.categories if each not in roots))


def _parse_strictly(content: bytes, adapter: TypeAdapter[Parsed]) -> Parsed | None:
    """Return the entries if the content is exactly as expected, which takes little time."""
    if any(content.count(key) > 1 for key in SECTION_KEYS):
        return None
    try:
        return adapter.validate_json(content, strict=True)
    except ValidationError:
        return None


def _read_leniently(path: Path, content: bytes, images_dir: str | Path | None) -> CocoFile:
    findings = Findings(path)
    parsed = json_text.parse_json(content, findings)
    if kind := foreign_formats.describe_document(parsed):
        raise_problems(path, [f"seems to be {kind}"])
    normalized = normalize.normalize_document(parsed, findings, SizeReader(images_dir))
    findings.raise_problems()
    document = _validate(path, normalized.document, DOCUMENT)
    coco = _to_file(path, document, normalized.merged_categories)
    raise_problems(path, checks.problems(coco))
    findings.log()
    return coco


def _to_file(path: Path, document: _Document, merged_categories: Mapping[Id, Id]) -> CocoFile:
    sections = (document.images, document.annotations, document.categories)
    return CocoFile(path, document.info, *map(tuple, sections), merged_categories)


def _validate(path: Path, document: Any, adapter: TypeAdapter[Parsed]) -> Parsed:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        raise_problems(path, map(_format_error, error.errors(include_url=False)))
        raise


def _format_error(problem: Mapping[str, Any]) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    return f"{place or 'the file'}: {problem['msg']}, not {str(problem['input'])[:60]!r}"


@_without_garbage_collection()
def read_results(path: str | Path, coco: CocoFile) -> tuple[Detection, ...]:
    """Read, normalize and check a COCO results file for the images of `coco`.

    Raises:
        CocoError: as in `read_coco`; also for images and categories that `coco` does not have.
    """
    path = Path(path)
    content = json_text.read_bytes(path)
    detections = _parse_strictly(content, RESULTS)
    if detections is None or any(checks.result_problems(detections, coco)):
        detections = _read_results_leniently(path, content, coco)
    _log_scores(path, detections)
    return tuple(detections)


def _read_results_leniently(path: Path, content: bytes, coco: CocoFile) -> Sequence[Detection]:
    findings = Findings(path)
    parsed = json_text.parse_json(content, findings)
    results = normalize_results.normalize_results(parsed, coco, findings)
    findings.raise_problems()
    detections = _validate(path, results, RESULTS)
    raise_problems(path, checks.result_problems(detections, coco))
    findings.log()
    return detections


def _log_scores(path: Path, detections: Sequence[Detection]) -> None:
    scores = [detection.score for detection in detections]
    if scores and not 0 <= min(scores) <= max(scores) <= 1:
        LOG.warning(
            "%s: scores are from %g to %g, not from 0 to 1: only their order counts for AP",
            path_checks.shown(path),
            min(scores),
            max(scores),
        )
