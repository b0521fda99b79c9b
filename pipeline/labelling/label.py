# SPDX-License-Identifier: Apache-2.0
"""Stage `label`: audit rendered shards and write their COCO annotations.

The folder `annotations/` of the data set gets `{train,val,test}.json`, `audit.json` and `provenance.json`. They depend
only on the shards and the config: every run writes the same bytes.

An image that fails the audit is quarantined (quarantine.py): it is in no split. More such images than
`label.max_violations` fail the run, and so does an image or a shard that cannot be read.
"""

import shutil
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.coco.writer import CocoWriter, open_coco_writer
from pipeline.common import json_files
from pipeline.common.atomic_write import atomic_folder
from pipeline.common.errors import CaristeError
from pipeline.common.progress import track
from pipeline.common.vocabulary import SPLITS
from pipeline.config.config import DataSection
from pipeline.config.stages import LabelConfig
from pipeline.labelling import annotations, audit, quarantine, shard_reader
from pipeline.labelling.image_audit import audit_image
from pipeline.labelling.quarantine import QuarantinedImage
from pipeline.record import provenance
from pipeline.record.scene import GENERATOR_VERSION, shard_folder_name

LICENCE_TEXT = "Rendered by Cariste; the licences of the assets in the images stand in its folder assets/."
MAX_FAILURES_SHOWN = 10
# Shards that are labeled before the shard that is written next, for each process. It bounds the memory.
QUEUED_SHARDS_PER_PROCESS = 2


class LabelError(CaristeError):
    """Shards that cannot be labeled; each line names the shard, the image, the instance and the reason."""


@dataclass
class LabeledShard:
    """The labels of one shard.

    `images`: (image entry, annotations without `id`) of the images that passed, in order of their index.
    `unreadable`: a message for each file that cannot be read. `summary`: of the images that passed.
    """

    images: list[tuple[dict[str, Any], list[dict[str, Any]]]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    quarantined: list[QuarantinedImage] = field(default_factory=list)
    summary: audit.AuditSummary = field(default_factory=audit.AuditSummary)


@dataclass
class _Problems:
    """The problems of all shards. Long lists are cut, the counts are not."""

    max_listed: int
    unreadable: list[str] = field(default_factory=list)
    quarantined: list[QuarantinedImage] = field(default_factory=list)
    unreadable_count: int = 0
    quarantined_count: int = 0

    def add(self, shard: LabeledShard) -> None:
        """Add the problems of one shard."""
        self.unreadable += shard.unreadable[: MAX_FAILURES_SHOWN - len(self.unreadable)]
        self.quarantined += shard.quarantined[: self.max_listed - len(self.quarantined)]
        self.unreadable_count += len(shard.unreadable)
        self.quarantined_count += len(shard.quarantined)


def label_dataset(data: Path, settings: LabelConfig, processes: int = 1) -> dict[str, tuple[int, int]]:
    """Write the annotations of the data set in folder `data`; return (images, annotations) by split.

    Raises:
        LabelError: a file cannot be read, or too many images fail the audit. The former annotations stay.
        ProvenanceError: a `shard.json` is missing or incomplete. The former annotations stay.
    """
    shutil.rmtree(data / "audit", ignore_errors=True)
    limit = quarantine.max_quarantined(settings)
    summary, problems = audit.AuditSummary(), _Problems(max(limit, MAX_FAILURES_SHOWN))
    with atomic_folder(data / "annotations") as folder:
        with ExitStack() as files:
            writers = {split: files.enter_context(_coco_writer(folder, split, settings.data)) for split in SPLITS}
            shards = label_shards(data / "shards", settings, processes)
            for shard in track(shards, settings.data.shards, "label", "shard"):
                summary += shard.summary
                problems.add(shard)
                for image, entries in shard.images:
                    writers[settings.data.split.of(image["index"])].add(image, entries)
            _raise_if_too_many(data, problems, limit, settings)
        counts = {split: (writer.image_count, writer.annotation_count) for split, writer in writers.items()}
        json_files.write_json(folder / "audit.json", _audit_json(summary, problems.quarantined, settings))
        given = settings.model_dump(mode="json")
        origin = provenance.describe_annotations(given, settings.data.shards, data / "shards", folder, counts)
        json_files.write_json(folder / "provenance.json", origin)
    for image in problems.quarantined:
        quarantine.draw_violations(data, image, settings)
        print(f"quarantined, in no split: {_describe(data, image)}", file=sys.stderr)
    return counts


def label_shards(folder: Path, settings: LabelConfig, processes: int = 1) -> Iterator[LabeledShard]:
    """Yield all shards in order of their number. The number of processes does not change the result."""
    label = partial(label_shard, folder, settings=settings)
    if processes == 1:
        yield from map(label, range(settings.data.shards))
        return
    with ProcessPoolExecutor(min(processes, settings.data.shards)) as pool:
        pending = deque()
        for number in range(settings.data.shards):
            pending.append(pool.submit(label, number))
            if len(pending) > QUEUED_SHARDS_PER_PROCESS * processes:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def label_shard(folder: Path, number: int, settings: LabelConfig) -> LabeledShard:
    """Audit and label the images of shard `number` in `folder`."""
    path, labeled = folder / shard_folder_name(number), LabeledShard()
    try:
        records = shard_reader.read_records(path, number, settings.data)
    except shard_reader.ShardReadError as error:
        return LabeledShard(unreadable=[f"shard {path}: {error}"])
    for record in records:
        index = record.scene.index
        try:
            shard_reader.check_image(path, record)
            audited = audit_image(path, record, settings.label)
        except shard_reader.ShardReadError as error:
            labeled.unreadable.append(f"shard {path}, image {index}: {error}")
            continue
        if audited.violations:
            violations = tuple((each.instance_id, each.message) for each in audited.violations)
            labeled.quarantined.append(QuarantinedImage(path, index, violations))
            continue
        labeled.summary += audited.summary
        entries = annotations.annotation_entries(record, audited.visible, audited.silhouettes, settings.label)
        labeled.images.append((annotations.image_entry(record, path.name), entries))
    return labeled


def _raise_if_too_many(data: Path, problems: _Problems, limit: int, settings: LabelConfig) -> None:
    """Raise a LabelError for files that cannot be read, or for too many violations; draw the first of these."""
    if problems.unreadable:
        lines = _shorten(problems.unreadable, problems.unreadable_count)
        raise LabelError("\n".join([*lines, "Nothing was labeled. Delete these shards and render them again."]))
    if problems.quarantined_count > limit:
        shown = problems.quarantined[:MAX_FAILURES_SHOWN]
        for image in shown:
            quarantine.draw_violations(data, image, settings)
        lines = _shorten([_describe(data, image) for image in shown], problems.quarantined_count)
        failed = f"{problems.quarantined_count} of {settings.data.images} images failed the audit"
        lines.append(
            f"{failed}, label.max_violations allows {limit}. Nothing was labeled. Delete these shards and render them "
            "again. If it happens again, please report it with an image and its record."
        )
        raise LabelError("\n".join(lines))


def _shorten(lines: list[str], count: int) -> list[str]:
    shown = lines[:MAX_FAILURES_SHOWN]
    return [*shown, f"and {count - len(shown)} more"] if count > len(shown) else shown


def _describe(data: Path, image: QuarantinedImage) -> str:
    """Return one line: the image, its first violation, the number of others, and the first drawing."""
    more = f" (and {len(image.reasons) - 1} more)" if len(image.reasons) > 1 else ""
    drawing = data / image.entry()["drawings"][0]
    return f"shard {image.shard}, image {image.index}, {image.reasons[0]}{more}; see {drawing}"


def _audit_json(
    summary: audit.AuditSummary, quarantined: list[QuarantinedImage], settings: LabelConfig
) -> dict[str, Any]:
    """Return the content of `audit.json`. All counts are of the images that passed."""
    entries = [image.entry() for image in quarantined]
    return {"silhouettes": settings.label.audit, **asdict(summary), "quarantined": entries}


def _coco_writer(folder: Path, split: str, data: DataSection) -> AbstractContextManager[CocoWriter]:
    info = {
        "name": data.name,
        "split": split,
        "seed": data.seed,
        "generator_version": GENERATOR_VERSION,
        "licence": LICENCE_TEXT,
    }
    return open_coco_writer(folder / f"{split}.json", info, list(annotations.CATEGORIES))
