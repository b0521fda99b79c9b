# SPDX-License-Identifier: Apache-2.0
"""Images that fail the audit: named in `audit.json`, drawn in the folder `audit/`, and in no split.

A single wrong mask must not cost a set of thousands its labels. Many wrong masks have a common cause, so above the
limit `label.max_violations` the run fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.common import image_files
from pipeline.config.stages import LabelConfig
from pipeline.labelling import audit, audit_overlay, shard_reader
from pipeline.labelling.image_audit import AuditedImage, audit_image
from pipeline.record.scene import image_file_name

DEFAULT_SHARE_OF_IMAGES = 0.001
MAX_DRAWINGS_PER_IMAGE = 3


@dataclass(frozen=True)
class QuarantinedImage:
    """An image that failed the audit. `violations`: (instance id, None for the image itself; message)."""

    shard: Path
    index: int
    violations: tuple[tuple[int | None, str], ...]

    @property
    def drawn_instances(self) -> list[int | None]:
        """The instances that get a drawing each, at most MAX_DRAWINGS_PER_IMAGE. None: the whole image."""
        return list(dict.fromkeys(instance_id for instance_id, _ in self.violations))[:MAX_DRAWINGS_PER_IMAGE]

    @property
    def reasons(self) -> list[str]:
        """One text per violation, such as `instance 3: no visible pixel, and the record does not say why`."""
        return [
            message if instance_id is None else f"instance {instance_id}: {message}"
            for instance_id, message in self.violations
        ]

    def entry(self) -> dict[str, Any]:
        """Return the entry of `audit.json`. `drawings` are relative to the folder of the data set."""
        drawings = [drawing_path(self.index, instance_id) for instance_id in self.drawn_instances]
        return {"index": self.index, "shard": self.shard.name, "reasons": self.reasons, "drawings": drawings}


def max_quarantined(settings: LabelConfig) -> int:
    """Return how many images may fail the audit before the run fails."""
    if settings.label.max_violations is not None:
        return settings.label.max_violations
    return max(1, int(DEFAULT_SHARE_OF_IMAGES * settings.data.images))


def drawing_path(index: int, instance_id: int | None) -> str:
    """Return the path of a drawing, relative to the folder of the data set."""
    return f"audit/{index:06d}.png" if instance_id is None else f"audit/{index:06d}-{instance_id}.png"


def draw_violations(data: Path, image: QuarantinedImage, settings: LabelConfig) -> None:
    """Audit an image again and draw its violations into the folder `audit/` of the data set."""
    records = shard_reader.read_records(image.shard, int(image.shard.name), settings.data)
    record = next(each for each in records if each.scene.index == image.index)
    audited = audit_image(image.shard, record, settings.label)
    pixels = image_files.read_image(image.shard / "images" / image_file_name(image.index))
    for instance_id in image.drawn_instances:
        drawn = _draw_instance(pixels, record, audited, instance_id)
        image_files.write_png(data / drawing_path(image.index, instance_id), drawn)


def _draw_instance(
    image: np.ndarray, record: shard_reader.LabelRecord, audited: AuditedImage, instance_id: int | None
) -> np.ndarray:
    """Return uint8 RGB of an instance with its violations; of the whole image if `instance_id` is None."""
    violations = [each for each in audited.violations if each.instance_id == instance_id]
    violating = _union([each.pixels for each in violations if each.pixels is not None], record.image_shape)
    silhouette = audit.silhouette_in_frame(
        audited.silhouettes.get(str(instance_id), audit.EMPTY_MASK),
        record.instances_by_id.get(instance_id),
        record.image_shape,
    )
    visible = audited.ids > 0 if instance_id is None else audited.ids == instance_id
    name = "" if instance_id is None else f", instance {instance_id}"
    title = f"image {record.scene.index}{name}: {'; '.join(each.message for each in violations)}"
    return audit_overlay.draw_violation(image, visible, silhouette, violating, title)


def _union(masks: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    return np.logical_or.reduce(masks) if masks else np.zeros(shape, bool)
