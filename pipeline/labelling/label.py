# SPDX-License-Identifier: Apache-2.0
"""Station `label_dataset`: rendered shards are audited and become COCO annotations.

`python -m pipeline.labelling.label --config FILE.yaml --data results/data/NAME` reads the shards that the config
names and writes
`{train,val,test}.json`, `audit.json` and `provenance.json` into `annotations/`. They depend on shards and config alone:
the same bytes on every run. An image that fails the audit fails the run; `audit/` holds an image of what is wrong.
"""

import contextlib
import os
import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from pipeline.coco import reader, rle
from pipeline.coco.writer import CocoWriter
from pipeline.common import json_files
from pipeline.common.errors import CaristeError
from pipeline.common.progress import track
from pipeline.common.vocabulary import SPLITS
from pipeline.config import config
from pipeline.labelling import annotations, audit, audit_overlay, shard_reader
from pipeline.record import provenance
from pipeline.record.scene import GENERATOR_VERSION, image_file_name, shard_folder_name

LICENCE_TEXT = "Rendered by Cariste; the licences of the assets in the images stand in its folder assets/."
MAX_FAILURES_SHOWN = 10
# Shards that are labelled ahead of the one that is written, for each process: bounds the memory.
QUEUED_SHARDS_PER_PROCESS = 2


class LabelError(CaristeError):
    """Shards that cannot be labelled; each line names the shard, the image, the instance and the reason."""


class LabelFailure(NamedTuple):
    """Why a shard (`index` None), an image (`instance_id` None) or an instance cannot be labelled."""

    shard: Path
    index: int | None
    instance_id: int | None
    what: str

    def __str__(self) -> str:
        image = "" if self.index is None else f", image {self.index}"
        instance = "" if self.instance_id is None else f", instance {self.instance_id}"
        return f"shard {self.shard}{image}{instance}: {self.what}"


@dataclass
class LabelledShard:
    """`images`: (image, annotations without `id`) of the images without faults, in order."""

    images: list[tuple[dict[str, Any], list[dict[str, Any]]]] = field(default_factory=list)
    faults: list[LabelFailure] = field(default_factory=list)
    summary: audit.AuditSummary = field(default_factory=audit.AuditSummary)


class AuditedImage(NamedTuple):
    """An image's id map, uint16 (height, width), RLE by instance id, silhouettes, and what the audit says of them."""

    ids: np.ndarray
    visible: dict[int, dict[str, Any]]
    silhouettes: dict[str, np.ndarray]
    violations: list[audit.Violation]
    summary: audit.AuditSummary


def label_dataset(data: Path, settings: config.Config, processes: int = 1) -> dict[str, tuple[int, int]]:
    """Write the annotations of the data set in folder `data`; return (images, annotations) by split.

    Raises:
        LabelError: the first ten faults of all shards, and how many there are; what was written before stays.
        lineage.ProvenanceError: a shard that does not tell which files it holds; as above.
    """
    shutil.rmtree(data / "audit", ignore_errors=True)
    summary, faults, shown = audit.AuditSummary(), 0, []
    with _put_in_place(data / "annotations") as folder, contextlib.ExitStack() as files:
        writers = {split: files.enter_context(_writer(folder, split, settings.data)) for split in SPLITS}
        for shard in track(label_shards(data / "shards", settings, processes), settings.data.shards, "label", "shard"):
            summary += shard.summary
            faults += len(shard.faults)
            shown += shard.faults[: MAX_FAILURES_SHOWN - len(shown)]
            for image, entries in shard.images:
                writers[settings.data.split.of(image["index"])].add(image, entries)
        if faults:
            raise LabelError(_told(data, shown, faults, settings))
        for writer in writers.values():
            writer.finish()
        json_files.write_json(folder / "audit.json", {"silhouettes": settings.label.audit, **asdict(summary)})
        counts = {split: (writer.image_count, writer.annotation_count) for split, writer in writers.items()}
        json_files.write_json(
            folder / "provenance.json", provenance.describe_annotations(settings, data / "shards", folder, counts)
        )
    return counts


def label_shards(folder: Path, settings: config.Config, processes: int = 1) -> Iterator[LabelledShard]:
    """Yield all shards in order of their number; how many are worked on at a time changes nothing."""
    work = partial(label_shard, folder, settings=settings)
    if processes == 1:
        yield from map(work, range(settings.data.shards))
        return
    with ProcessPoolExecutor(processes) as pool:
        waiting = deque()
        for number in range(settings.data.shards):
            waiting.append(pool.submit(work, number))
            if len(waiting) > QUEUED_SHARDS_PER_PROCESS * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def label_shard(folder: Path, number: int, settings: config.Config) -> LabelledShard:
    """Audit and label the images of a shard in `folder`."""
    path, labelled = folder / shard_folder_name(number), LabelledShard()
    try:
        records = shard_reader.read_records(path, number, settings.data)
    except shard_reader.ShardReadError as error:
        return LabelledShard(faults=[LabelFailure(path, None, None, str(error))])
    for record in records:
        index = record.scene.index
        try:
            shard_reader.check_image(path, record)
            examined = audit_image(path, record, settings.label)
        except shard_reader.ShardReadError as error:
            labelled.faults.append(LabelFailure(path, index, None, str(error)))
            continue
        labelled.summary += examined.summary
        labelled.faults += [LabelFailure(path, index, each.instance_id, each.what) for each in examined.violations]
        if not examined.violations:
            entries = annotations.annotation_entries(record, examined.visible, examined.silhouettes, settings.label)
            labelled.images.append((annotations.image_entry(record, path.name), entries))
    return labelled


def audit_image(shard: Path, record: shard_reader.LabelRecord, rules: config.LabelSection) -> AuditedImage:
    """Read what an image's labels are made from and audit it.

    Raises:
        ShardError: a file is missing, corrupt or of another size.
    """
    ids, silhouettes = shard_reader.read_instance_map(shard, record), shard_reader.read_silhouettes(shard, record)
    found = rle.pixel_ranges_by_instance(ids)
    visible, pixels = (
        rle.encode_rles(found, *ids.shape),
        {number: rle.pixel_count(each) for number, each in found.items()},
    )
    violations, summary = list(audit.check_instance_ids(record, pixels)), audit.AuditSummary(images=1)
    if rules.audit:
        violations += audit.check_rle_masks(ids, visible)
        more, summary = audit.check_silhouettes(record, ids, silhouettes)
        violations += more
    return AuditedImage(ids, visible, silhouettes, violations, summary)


def _told(data: Path, shown: list[LabelFailure], count: int, settings: config.Config) -> str:
    """Return the message of a run with faults, and save an image of each that has an instance to look at."""
    lines = []
    for fault in shown:
        saved = _save_image(data, fault, settings) if fault.instance_id is not None else None
        lines.append(f"{fault}{f'; see {saved}' if saved else ''}")
    if count > len(shown):
        lines.append(f"and {count - len(shown)} more")
    lines.append(
        "Nothing was labelled. Delete these shards and render them again; "
        "please report what comes again, with its image and its record."
    )
    return "\n".join(lines)


def _save_image(data: Path, fault: LabelFailure, settings: config.Config) -> Path:
    """Draw what is wrong with an instance into the folder `audit/` of the data set."""
    records = shard_reader.read_records(fault.shard, int(fault.shard.name), settings.data)
    record = next(each for each in records if each.scene.index == fault.index)
    found, number = audit_image(fault.shard, record, settings.label), fault.instance_id
    faults = [each for each in found.violations if each.instance_id == number]
    wrong = np.zeros(record.shape, bool)
    for pixels in (each.pixels for each in faults if each.pixels is not None):
        wrong |= pixels
    whole = audit.in_frame(
        found.silhouettes.get(str(number), audit.EMPTY_MASK), record.instances.get(number), record.shape
    )
    title = f"image {fault.index}, instance {number}: {'; '.join(each.what for each in faults)}"
    image = reader.read_image(fault.shard / "images" / image_file_name(fault.index))
    drawn = audit_overlay.draw_violation(image, found.ids == number, whole, wrong, title)
    path = data / "audit" / f"{fault.index:06d}-{number}.png"
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), drawn[:, :, ::-1])
    return path


def _writer(folder: Path, split: str, data: config.DataSection) -> CocoWriter:
    info = {
        "name": data.name,
        "split": split,
        "seed": data.seed,
        "generator_version": GENERATOR_VERSION,
        "licence": LICENCE_TEXT,
    }
    return CocoWriter(folder / f"{split}.json", info, list(annotations.CATEGORIES))


@contextlib.contextmanager
def _put_in_place(folder: Path) -> Iterator[Path]:
    """Give a folder to fill and put it in the place of `folder` at once: all of its files, or none."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    replaced = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    aside.mkdir(parents=True)
    try:
        yield aside
        if folder.exists():
            folder.rename(replaced)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
