# SPDX-License-Identifier: Apache-2.0
"""What is trained on: the rendered set and, mixed in by share, sets of real images (docs/mixing.md).

The rendered set says which classes there are; those of the other sets are matched to them by name.
"""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.coco import reader
from pipeline.config.training import SourceSection
from pipeline.data.packed_annotations import PackedAnnotations

RENDERED = "rendered"

log = logging.getLogger(__name__)


class ImageSource(NamedTuple):
    """A checked set of images; `share`: of all images drawn, 0 to 1."""

    name: str
    share: float
    annotations: PackedAnnotations
    images_dir: Path
    sha256: str  # of its annotations

    def facts(self) -> dict[str, Any]:
        """Return what the model file keeps of it."""
        return {
            "share": self.share,
            "images": len(self.annotations),
            "instances": len(self.annotations.labels),
            "boxes_without_mask": int(np.count_nonzero(~self.annotations.has_mask)),
            "annotations_sha256": self.sha256,
        }


def open_sources(
    rendered: reader.CocoFile, images_dir: Path, mixed: Mapping[str, SourceSection]
) -> tuple[ImageSource, ...]:
    """Return the rendered set and then those mixed in. Label k is the rendered set's k-th category.

    Says in the log what each has of each class, which classes it lacks, and which of its own are not taught.

    Raises:
        coco.CocoError: a set without images, images missing or of another size; the rendered set without
            categories or with an annotation without a mask; a set that has none of the rendered set's classes.
    """
    _check_rendered(rendered)
    names = [category.name for category in rendered.categories]
    left = max(0.0, 1 - sum(section.share for section in mixed.values()))
    sources = [_open(RENDERED, left, rendered, images_dir, names)]
    for name, section in mixed.items():
        annotated = reader.read_coco(section.annotations)
        _check_matches(name, annotated, names)
        sources.append(_open(f"train.sources.{name}", section.share, annotated, Path(section.images), names))
    if mixed:
        for source in sources:
            log.info(_told(source, names))
    return tuple(sources)


def _open(name: str, share: float, annotated: reader.CocoFile, images_dir: Path, names: list[str]) -> ImageSource:
    if not annotated.images:
        raise reader.CocoError(f"{annotated.path}: images: empty; there is nothing to train on")
    reader.check_images(annotated, images_dir)
    labels = {each.id: names.index(each.name) + 1 for each in annotated.categories if each.name in names}
    sha256 = hashlib.sha256(annotated.path.read_bytes()).hexdigest()
    return ImageSource(name, share, PackedAnnotations(annotated, labels), images_dir, sha256)


def _check_rendered(annotated: reader.CocoFile) -> None:
    if not annotated.categories:
        raise reader.CocoError(f"{annotated.path}: categories: empty; there is nothing to detect")
    boxes_only = [each.id for each in annotated.annotations if each.segmentation is None and not each.iscrowd]
    if boxes_only:
        first = ", ".join(map(str, boxes_only[:10]))
        raise reader.CocoError(
            f"{annotated.path}: {len(boxes_only)} annotations have no segmentation, which the mask head learns from: "
            f"annotation {first}; images with boxes alone can be mixed in (train.sources)"
        )


def _check_matches(name: str, annotated: reader.CocoFile, names: list[str]) -> None:
    """Log which classes are unknown or missing; refuse a set that has no class to teach."""
    own = [category.name for category in annotated.categories]
    known, unknown = [each for each in own if each in names], [each for each in own if each not in names]
    lacking = [each for each in names if each not in own]
    if not known:
        raise reader.CocoError(
            f"{annotated.path}: train.sources.{name}: none of its classes ({', '.join(own) or 'it has none'}) is one "
            f"of the rendered set's ({', '.join(names)}); rename them in its categories"
        )
    if unknown:
        log.warning(
            "train.sources.%s: classes unknown to the rendered set are not taught: %s", name, ", ".join(unknown)
        )
    for each in lacking:
        log.warning(
            "train.sources.%s: %s is not annotated here; where its images show any, they are taught as background",
            name,
            each,
        )


def _told(source: ImageSource, names: list[str]) -> str:
    labels, has_mask = source.annotations.labels, source.annotations.has_mask
    counts = [f"{np.count_nonzero(labels == label)} {name}" for label, name in enumerate(names, 1)]
    boxes = np.count_nonzero(~has_mask)
    note = f"; {boxes} of them boxes without a mask, which train the box head alone" if boxes else ""
    return f"{source.name}: share {source.share:.3g}, {len(source.annotations)} images with {', '.join(counts)}{note}"
