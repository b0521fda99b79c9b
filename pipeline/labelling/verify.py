# SPDX-License-Identifier: Apache-2.0
"""Check that a data set is what was made: `python -m pipeline.labelling.verify results/data/NAME`.

Every file of every shard against the sha256 in its `shard.json`, the shards against `annotations/provenance.json`, the
COCO files against it and against the shards. What changed, is missing or is extra is named, one a line, with what to
do; the exit code is 1 then. Lines that begin with `note:` are harmless.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from pipeline.common.errors import CaristeError
from pipeline.common.file_hash import sha256_of
from pipeline.common.progress import track
from pipeline.labelling.shard_reader import LabelRecord, LabelScene
from pipeline.record import provenance
from pipeline.record.scene import image_file_name

# Snakemake's own mark in a folder that a job made.
IGNORED_FILES = (".snakemake_timestamp",)
# Folders of a shard whose files the COCO files name, besides images/; and the keys of an image entry that name them.
MAP_FOLDERS = ("instances", "depth", "normals")
PROVENANCE_PATH = "annotations/provenance.json"
RELABEL_HINT = "delete annotations/ and run snakemake dataset again"


class VerifyError(CaristeError):
    """The folder to check is not a data set."""


class Finding(NamedTuple):
    """`place` is relative to the folder of the data set."""

    place: str
    fault: str
    harmless: bool = False

    def __str__(self) -> str:
        return f"{'note: ' * self.harmless}{self.place}: {self.fault}"


@dataclass(frozen=True)
class CheckedShard:
    """A checked shard; `made_with` holds its (dataset seed, generator version), all that occur."""

    name: str
    findings: list[Finding] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    indices: list[int] = field(default_factory=list)
    made_with: set[tuple[int, int]] = field(default_factory=set)
    size_bytes: int = 0


def check_shard(folder: Path) -> CheckedShard:
    """Check one shard by itself: its files against its table, its records against both."""
    try:
        facts = provenance.read_provenance(folder / "shard.json", provenance.ShardInfo)
    except provenance.ProvenanceError as error:
        return CheckedShard(folder.name, [_in_shard(folder, "shard.json", str(error))])
    shard = CheckedShard(
        folder.name, files=facts.files, size_bytes=sum(path.lstat().st_size for path in _files(folder))
    )
    shard.findings.extend(_file_findings(folder, facts.files))
    if facts.made_by is None:
        fault = "made_by is null: rendered without --provenance, so what made it is not known"
        shard.findings.append(Finding(f"shards/{folder.name}/shard.json", fault, harmless=True))
    try:
        lines = (folder / "scenes.jsonl").read_bytes().splitlines()
        records = [LabelRecord.model_validate_json(line).scene for line in lines]
    except OSError:
        return shard  # named already
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]
        fault = f"not a list of rendered scenes: {'.'.join(map(str, reason['loc']))}: {reason['msg'].lower()}"
        shard.findings.append(_in_shard(folder, "scenes.jsonl", fault))
        return shard
    shard.indices.extend(record.index for record in records)
    shard.made_with.update((record.dataset_seed, record.generator_version) for record in records)
    shard.findings.extend(_in_shard(folder, "scenes.jsonl", fault) for fault in _record_faults(records, shard, facts))
    return shard


def _in_shard(folder: Path, file: str, fault: str) -> Finding:
    shard = f"shards/{folder.name}"
    return Finding(f"{shard}/{file}", f"{fault}; delete {shard} and run snakemake dataset again")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir() and path.name not in IGNORED_FILES)


def _file_findings(folder: Path, files: dict[str, str]) -> Iterator[Finding]:
    held = {path.relative_to(folder).as_posix() for path in _files(folder)} - {"shard.json"}
    for name in sorted(files.keys() | held):
        if name not in held:
            yield _in_shard(folder, name, "missing")
        elif name not in files:
            yield Finding(f"shards/{folder.name}/{name}", "extra: shard.json does not name it; delete it")
        else:
            try:
                changed = sha256_of(folder / name) != files[name]
            except OSError as error:
                yield Finding(f"shards/{folder.name}/{name}", f"cannot be read: {error.strerror}")
            else:
                if changed:
                    yield _in_shard(folder, name, "changed: its sha256 is not the one in shard.json")


def _record_faults(records: list[LabelScene], shard: CheckedShard, facts: provenance.ShardInfo) -> Iterator[str]:
    first = shard.indices[0] if shard.indices else 0
    if shard.indices != list(range(first, first + facts.images)):
        yield f"holds the images {shard.indices}, shard.json says {facts.images} in a row"
    names = [image_file_name(index) for index in shard.indices]
    wanted = {f"{folder}/{name}" for folder in ("images", "instances") for name in names}
    wanted |= {f"silhouettes/{Path(name).stem}.npz" for name in names}
    held = {name for name in facts.files if name.startswith(("images/", "instances/", "silhouettes/"))}
    if unlike := sorted(wanted ^ held):
        yield f"its records and the files of the shard do not agree about {', '.join(unlike)}"
    if len(shard.made_with) > 1:
        yield f"records of different (seed, generator version): {sorted(shard.made_with)}"
    if facts.made_by is not None:
        told = (facts.made_by.dataset_seed, facts.made_by.generator_version)
        if shard.made_with - {told}:
            yield f"(seed, generator version) is {sorted(shard.made_with)}, made_by in shard.json says {told}"
        occurring = {thing.asset for record in records for thing in record.objects}
        if unlicensed := sorted(name for name in occurring if not facts.made_by.assets.get(name, {}).get("licence")):
            yield f"assets without a licence in shard.json: {', '.join(unlicensed)}"


def check_shards(shards: Path, processes: int) -> list[CheckedShard]:
    """Check every shard of the folder `shards`, with a progress bar, so many at a time."""
    folders = sorted(path for path in shards.iterdir() if path.is_dir() and path.name.isdecimal())
    with ProcessPoolExecutor(processes) if processes > 1 else nullcontext() as pool:
        checked = pool.map(check_shard, folders) if pool else map(check_shard, folders)
        return list(track(checked, len(folders), "verify", unit="shard"))


def check_annotations(data: Path, shards: list[CheckedShard]) -> Iterator[Finding]:
    """Check the COCO files and what they were made from against the shards that are there."""
    try:
        told = provenance.read_provenance(data / PROVENANCE_PATH, provenance.AnnotationProvenance)
    except provenance.ProvenanceError as error:
        yield Finding(PROVENANCE_PATH, f"{error}: {RELABEL_HINT}")
        return
    yield from _origin_findings(told, shards)
    yield from _file_faults(data, [told.audit, *told.splits.values()])
    named: Counter[str] = Counter()
    for split in told.splits.values():
        yield from _split_findings(data, split, named)
    yield from _image_findings(named, [shard for shard in shards if shard.name in told.shards])
    if unlicensed := sorted(name for name, asset in told.assets.items() if not asset.get("licence")):
        yield Finding(PROVENANCE_PATH, f"assets without a licence: {', '.join(unlicensed)}")


def _origin_findings(told: provenance.AnnotationProvenance, shards: list[CheckedShard]) -> Iterator[Finding]:
    there = {shard.name: shard for shard in shards}
    for name in sorted(told.shards.keys() | there.keys()):
        place = f"shards/{name}"
        if name not in there:
            yield Finding(place, "missing, and the annotations are made from it; run snakemake dataset again")
        elif name not in told.shards:
            yield Finding(place, "extra: the annotations know nothing of it; delete it, or label it by a larger config")
        elif there[name].files and provenance.digest(there[name].files) != told.shards[name]:
            yield Finding(place, f"not the shard that the annotations were made from; {RELABEL_HINT}")
        elif there[name].made_with - {(told.seed, told.generator_version)}:
            wanted = f"the annotations say {(told.seed, told.generator_version)}"
            yield Finding(place, f"(seed, generator version) is {sorted(there[name].made_with)}, {wanted}")
    twice = sorted(index for index, count in Counter(i for shard in shards for i in shard.indices).items() if count > 1)
    if twice:
        yield Finding("shards", f"images {', '.join(map(str, twice))} are in more than one shard")


def _file_faults(data: Path, files: Sequence[provenance.FileChecksum]) -> Iterator[Finding]:
    for told in files:
        try:
            if sha256_of(data / told.file) != told.sha256:
                yield Finding(told.file, f"changed: its sha256 is not the one in provenance.json; {RELABEL_HINT}")
        except FileNotFoundError:
            yield Finding(told.file, f"missing; {RELABEL_HINT}")
        except OSError as error:
            yield Finding(told.file, f"cannot be read: {error.strerror}")
    named = {told.file for told in files} | {PROVENANCE_PATH}
    held = {path.relative_to(data).as_posix() for path in (data / "annotations").iterdir()}
    for name in sorted(held - named):
        yield Finding(name, "extra: provenance.json does not name it; delete it")


def _split_findings(data: Path, split: provenance.SplitInfo, named: Counter[str]) -> Iterator[Finding]:
    """Check what one COCO file says; count in `named` the files of the shards that it names."""
    try:
        document = json.loads((data / split.file).read_bytes())
        held = (len(document["images"]), len(document["annotations"]))
        for image in document["images"]:
            named.update([image["file_name"], *(image[key] for key in MAP_FOLDERS if key in image)])
    except OSError:
        return  # named already
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        yield Finding(split.file, f"not a COCO file of ours: {error!r}; {RELABEL_HINT}")
    else:
        if held != (split.images, split.annotations):
            said = f"provenance.json says {split.images} and {split.annotations}"
            yield Finding(split.file, f"has {held[0]} images and {held[1]} annotations, {said}; {RELABEL_HINT}")


def _image_findings(named: Counter[str], shards: list[CheckedShard]) -> Iterator[Finding]:
    """Every image and map of these shards must be in one split, and in one only."""
    held = {f"shards/{shard.name}/{name}" for shard in shards for name in shard.files}
    images = {name for name in held if name.split("/")[2] in ("images", *MAP_FOLDERS)}
    present = tuple(f"shards/{shard.name}/" for shard in shards)
    for name in sorted(named.keys() | images):
        if name in images and not named[name]:
            yield Finding(name, f"in no COCO file; {RELABEL_HINT}")
        elif name not in held and name.startswith(present):
            yield Finding(name, f"named by a COCO file, and not in the shard; {RELABEL_HINT}")
        elif named[name] > 1:
            yield Finding(name, f"named {named[name]} times by the COCO files; {RELABEL_HINT}")


def find_leftovers(data: Path) -> Iterator[Finding]:
    """Name what a job that was killed left: files and folders that had not got their name yet."""
    for folder in (data, data / "scenes", data / "shards"):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            place = path.relative_to(data).as_posix()
            if (path.name.startswith(".") and path.name not in IGNORED_FILES) or path.suffix == ".part":
                yield Finding(place, "half-made, left by a job that was stopped; can be deleted", harmless=True)
            elif (
                folder.name == "shards"
                and not (path.is_dir() and path.name.isdecimal())
                and path.name not in IGNORED_FILES
            ):
                yield Finding(place, "extra: not a shard; delete it")




def _say(findings: list[Finding], shards: list[CheckedShard], seconds: float) -> None:
    for finding in findings:
        print(finding)
    megabytes = sum(shard.size_bytes for shard in shards) / 1e6
    files = sum(len(shard.files) for shard in shards)
    faults = sum(not finding.harmless for finding in findings) or "no"
    speed = f"{megabytes:.1f} MB in {seconds:.1f} s, {megabytes / seconds:.0f} MB/s"
    print(f"{len(shards)} shards, {files} files, {speed}: {faults} fault{'s' * (faults != 1)}")


def verify_dataset(data: Path, processes: int = 1) -> bool:
    """Check a whole data set and print every finding; return whether all of it is as it was made.

    Raises:
        VerifyError: the folder is not a data set.
    """
    if not (data / "shards").is_dir():
        raise VerifyError(f"{data}: not a data set: it has no folder shards/")
    started = time.perf_counter()
    shards = check_shards(data / "shards", processes)
    findings = [finding for shard in shards for finding in shard.findings]
    findings += [*check_annotations(data, shards), *find_leftovers(data)]
    _say(findings, shards, time.perf_counter() - started)
    return all(finding.harmless for finding in findings)
