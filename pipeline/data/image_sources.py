# SPDX-License-Identifier: Apache-2.0
"""The sets of images to train on: the rendered set, and sets of real images mixed in (docs/howto/your_images.md).

The categories of the rendered set are the classes of the model. Those of the other sets are matched to them by name.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.coco import image_check, reader
from pipeline.coco.categories import CategoryMapping, Classes, with_class_names
from pipeline.common.file_hash import sha256_of
from pipeline.config.training import SourceSection
from pipeline.data.packed_annotations import PackedAnnotations, PackedImageFiles

RENDERED = "rendered"

LOG = logging.getLogger(__name__)


class ImageSource(NamedTuple):
    """A set of images that has been checked.

    Attributes:
        name: "rendered" or "train.sources.<name>".
        share: of all images that are drawn, 0 to 1.
        files: of the images, in their order.
        sha256: of the COCO file.
    """

    name: str
    share: float
    annotations: PackedAnnotations
    files: PackedImageFiles
    sha256: str

    def facts(self) -> dict[str, Any]:
        """Return what the model file records about this set."""
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
    """Return the rendered set, then the sets mixed in. Label k is the k-th category of the rendered set.

    If sets are mixed in, the log gets the number of instances of each class in each set, the classes that a set lacks,
    and the categories that are not trained on.

    Raises:
        CocoError: a set has no images, or images are missing or have another size; the rendered set has no categories
            or an annotation without a mask; a set has none of the classes of the rendered set.
    """
    _check_rendered(rendered)
    class_names = [category.name for category in rendered.categories]
    rendered_share = max(0.0, 1 - sum(settings.share for settings in mixed.values()))
    sources = [_open(RENDERED, rendered_share, rendered, images_dir, class_names)]
    for name, settings in mixed.items():
        annotated = _read_with_class_names(name, settings, class_names)
        sources.append(_open(f"train.sources.{name}", settings.share, annotated, Path(settings.images), class_names))
    if mixed:
        for source in sources:
            LOG.info(_summary(source, class_names))
    return tuple(sources)


def _open(name: str, share: float, annotated: reader.CocoFile, images_dir: Path, class_names: list[str]) -> ImageSource:
    if not annotated.images:
        raise reader.CocoError(f"{annotated.path}: images: empty; there is nothing to train on")
    files = image_check.check_images(annotated, images_dir)
    labels = {
        category.id: class_names.index(category.name) + 1
        for category in annotated.categories
        if category.name in class_names
    }
    annotations = PackedAnnotations(annotated, labels)
    packed_files = PackedImageFiles([files[image.id] for image in annotated.images])
    return ImageSource(name, share, annotations, packed_files, sha256_of(annotated.path))


def _check_rendered(annotated: reader.CocoFile) -> None:
    if not annotated.categories:
        raise reader.CocoError(f"{annotated.path}: categories: empty; there is nothing to detect")
    trained_on = [annotation for annotation in annotated.annotations if not annotation.iscrowd]
    without_mask = [annotation.id for annotation in trained_on if annotation.segmentation is None]
    if without_mask:
        first = ", ".join(map(str, without_mask[:10]))
        raise reader.CocoError(
            f"{annotated.path}: {len(without_mask)} annotations have no segmentation, which the mask head needs: "
            f"annotation {first}; a set with only boxes can be mixed in (train.sources)"
        )


def _read_with_class_names(name: str, settings: SourceSection, class_names: list[str]) -> reader.CocoFile:
    """Read a set with the classes of the rendered set as categories; log which of them it does not annotate."""
    key = f"train.sources.{name}"
    annotated = with_class_names(
        reader.read_coco(settings.annotations, settings.images),
        CategoryMapping(settings.categories, f"{key}.categories"),
        Classes(class_names, "the rendered set", f"{key}: not trained on"),
    )
    if not annotated.categories:
        raise reader.CocoError(f"{annotated.path}: categories: empty; nothing says what its annotations are")
    _warn_of_crowds(key, annotated)
    annotated_classes = {category.name for category in annotated.categories}
    for class_name in class_names:
        if class_name not in annotated_classes:
            LOG.warning(
                "%s: %s is not annotated in this set; where its images show one, it is trained as background",
                key,
                class_name,
            )
    return annotated


def _warn_of_crowds(key: str, annotated: reader.CocoFile) -> None:
    """Log if all annotations of a class are crowds: some tools write `iscrowd` 1 for every mask."""
    for category in annotated.categories:
        crowds = [each.iscrowd for each in annotated.annotations if each.category_id == category.id]
        if crowds and all(crowds):
            LOG.warning(
                "%s: every annotation of %s (%d) has iscrowd 1 (a region with many objects) and is not trained on; "
                "if they are single objects, write 0",
                key,
                category.name,
                len(crowds),
            )


def _summary(source: ImageSource, class_names: list[str]) -> str:
    labels, has_mask = source.annotations.labels, source.annotations.has_mask
    counts = [f"{np.count_nonzero(labels == label)} {name}" for label, name in enumerate(class_names, 1)]
    boxes = np.count_nonzero(~has_mask)
    box_message = f"; {boxes} of them are boxes without a mask, which train only the box head" if boxes else ""
    images = len(source.annotations)
    return f"{source.name}: share {source.share:.3g}, {images} images with {', '.join(counts)}{box_message}"
