# SPDX-License-Identifier: Apache-2.0
"""Read the files of one rendered image and audit them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.coco import rle
from pipeline.config import config
from pipeline.labelling import audit, shard_reader


class AuditedImage(NamedTuple):
    """What labels are made from, and what the audit found.

    `ids`: id map, uint16 (height, width). `visible`: RLE of the visible masks by instance id. `silhouettes`: see
    `shard_reader.read_silhouettes`.
    """

    ids: np.ndarray
    visible: dict[int, dict[str, Any]]
    silhouettes: dict[str, np.ndarray]
    violations: list[audit.Violation]
    summary: audit.AuditSummary


def audit_image(shard: Path, record: shard_reader.LabelRecord, settings: config.LabelSection) -> AuditedImage:
    """Read the id map and the silhouettes of an image and audit them. Without `settings.audit` only ids are checked.

    Raises:
        ShardReadError: a file is missing, damaged or of another size.
    """
    ids, silhouettes = shard_reader.read_instance_map(shard, record), shard_reader.read_silhouettes(shard, record)
    ranges = rle.pixel_ranges_by_instance(ids)
    visible = rle.encode_rles(ranges, *ids.shape)
    pixels = {instance_id: rle.pixel_count(each) for instance_id, each in ranges.items()}
    violations, summary = list(audit.check_instance_ids(record, pixels)), audit.AuditSummary(images=1)
    if settings.audit:
        violations += audit.check_rle_masks(ids, visible)
        silhouette_violations, summary = audit.check_silhouettes(record, ids, silhouettes)
        violations += silhouette_violations
    return AuditedImage(ids, visible, silhouettes, violations, summary)
