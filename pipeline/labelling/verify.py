# SPDX-License-Identifier: Apache-2.0
"""Check that a data set is unchanged and complete (`cariste verify`).

It checks every file of every shard against the sha256 in its `shard.json`, the shards against
`annotations/provenance.json`, and the COCO files against both. Every file that changed, is missing or does not belong
there is one line that says what to do. Lines that begin with `note:` are harmless.
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

# Snakemake writes it into the output folder of a job.
IGNORED_FILES = (".snakemake_timestamp",)
# Keys of an image entry that name files of a shard besides `file_name`, and the folders of these files.
MAP_FOLDERS = ("instances", "depth", "normals")
PROVENANCE_PATH = "annotations/provenance.json"
RELABEL_HINT = "delete annotations/ and run snakemake dataset again"


class VerifyError(CaristeError):
    """The folder to check is not a data set."""


class Finding(NamedTuple):
    """A finding about `path`, relative to the folder of the data set."""

    path: str
    message: str
    harmless: bool = False

    def __str__(self) -> str:
        return f"{'note: ' * self.harmless}{self.path}: {self.message}"


@dataclass(frozen=True)
class CheckedShard:
    """A checked shard.

    `files`: file name -> sha256 as `shard.json` has it. `indices`: of its images. `seeds_and_versions`: all pairs of
    dataset seed and generator version that its records have.
    """

    name: str
    findings: list[Finding] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    indices: list[int] = field(default_factory=list)
    seeds_and_versions: set[tuple[int, int]] = field(default_factory=set)
    size_bytes: int = 0


def verify_dataset(data: Path, processes: int = 1) -> bool:
    """Check a data set and print all findings; return whether it is unchanged and complete.

    Raises:
        VerifyError: the folder is not a data set.
    """
    if not (data / "shards").is_dir():
        raise VerifyError(f"{data}: not a data set: it has no folder shards/")
    started = time.perf_counter()
    shards = check_shards(data / "shards", processes)
    findings = [finding for shard in shards for finding in shard.findings]
    findings += [*check_annotations(data, shards), *find_leftovers(data)]
    _print_findings(findings, shards, time.perf_counter() - started)
    return all(finding.harmless for finding in findings)


def check_shards(shards: Path, processes: int) -> list[CheckedShard]:
    """Check every shard in the folder `shards`, `processes` of them at a time."""
    folders = sorted(path for path in shards.iterdir() if path.is_dir() and path.name.isdecimal())
    processes = min(processes, len(folders))
    with ProcessPoolExecutor(processes) if processes > 1 else nullcontext() as pool:
        checked = pool.map(check_shard, folders) if pool else map(check_shard, folders)
        return list(track(checked, len(folders), "verify", unit="shard"))


def check_shard(folder: Path) -> CheckedShard:
    """Check the files of one shard against its `shard.json`, and its records against both."""
    try:
        info = provenance.read_provenance(folder / "shard.json", provenance.ShardInfo)
    except provenance.ProvenanceError as error:
        return CheckedShard(folder.name, [_shard_finding(folder, "shard.json", str(error))])
    size_bytes = sum(path.lstat().st_size for path in _shard_files(folder))
    shard = CheckedShard(folder.name, files=info.files, size_bytes=size_bytes)
    shard.findings.extend(_shard_file_findings(folder, info.files))
    if info.made_by is None:
        message = "made_by is null: rendered without --provenance, so its config and assets are unknown"
        shard.findings.append(Finding(f"shards/{folder.name}/shard.json", message, harmless=True))
    try:
        lines = (folder / "scenes.jsonl").read_bytes().splitlines()
        records = [LabelRecord.model_validate_json(line).scene for line in lines]
    except OSError:
        return shard  # _shard_file_findings has reported it
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]
        message = f"not a list of rendered scenes: {'.'.join(map(str, reason['loc']))}: {reason['msg'].lower()}"
        shard.findings.append(_shard_finding(folder, "scenes.jsonl", message))
        return shard
    shard.indices.extend(record.index for record in records)
    shard.seeds_and_versions.update((record.dataset_seed, record.generator_version) for record in records)
    problems = _record_problems(records, shard, info)
    shard.findings.extend(_shard_finding(folder, "scenes.jsonl", problem) for problem in problems)
    return shard


def _shard_finding(folder: Path, file: str, message: str) -> Finding:
    shard = f"shards/{folder.name}"
    return Finding(f"{shard}/{file}", f"{message}; delete {shard} and run snakemake dataset again")


def _shard_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir() and path.name not in IGNORED_FILES)


def _shard_file_findings(folder: Path, files: dict[str, str]) -> Iterator[Finding]:
    present = {path.relative_to(folder).as_posix() for path in _shard_files(folder)} - {"shard.json"}
    for name in sorted(files.keys() | present):
        if name not in present:
            yield _shard_finding(folder, name, "missing")
        elif name not in files:
            yield Finding(f"shards/{folder.name}/{name}", "extra: shard.json does not name it; delete it")
        else:
            try:
                changed = sha256_of(folder / name) != files[name]
            except OSError as error:
                yield Finding(f"shards/{folder.name}/{name}", f"cannot be read: {error.strerror}")
            else:
                if changed:
                    yield _shard_finding(folder, name, "changed: its sha256 is not the one in shard.json")


def _record_problems(records: list[LabelScene], shard: CheckedShard, info: provenance.ShardInfo) -> Iterator[str]:
    first = shard.indices[0] if shard.indices else 0
    if shard.indices != list(range(first, first + info.images)):
        yield f"holds the images {shard.indices}, shard.json says {info.images} consecutive ones"
    names = [image_file_name(index) for index in shard.indices]
    expected = {f"{folder}/{name}" for folder in ("images", "instances") for name in names}
    expected |= {f"silhouettes/{Path(name).stem}.npz" for name in names}
    present = {name for name in info.files if name.startswith(("images/", "instances/", "silhouettes/"))}
    if mismatched := sorted(expected ^ present):
        yield f"its records and the files of the shard do not agree about {', '.join(mismatched)}"
    if len(shard.seeds_and_versions) > 1:
        yield f"its records have different (seed, generator version): {sorted(shard.seeds_and_versions)}"
    if info.made_by is not None:
        recorded = (info.made_by.dataset_seed, info.made_by.generator_version)
        if shard.seeds_and_versions - {recorded}:
            seeds = sorted(shard.seeds_and_versions)
            yield f"(seed, generator version) is {seeds}, made_by in shard.json says {recorded}"
        assets = {scene_object.asset for record in records for scene_object in record.objects}
        if unlicensed := sorted(name for name in assets if not info.made_by.assets.get(name, {}).get("licence")):
            yield f"assets without a license in shard.json: {', '.join(unlicensed)}"


def check_annotations(data: Path, shards: list[CheckedShard]) -> Iterator[Finding]:
    """Check the COCO files against their provenance and against the shards."""
    try:
        recorded = provenance.read_provenance(data / PROVENANCE_PATH, provenance.AnnotationProvenance)
    except provenance.ProvenanceError as error:
        yield Finding(PROVENANCE_PATH, f"{error}: {RELABEL_HINT}")
        return
    yield from _provenance_findings(recorded, shards)
    yield from _annotation_file_findings(data, [recorded.audit, *recorded.splits.values()])
    quarantined = _read_quarantined(data / recorded.audit.file)
    if quarantined is None:
        yield Finding(recorded.audit.file, f"not a file of the stage label; {RELABEL_HINT}")
    reference_counts: Counter[str] = Counter()
    for split in recorded.splits.values():
        yield from _check_split(data, split, reference_counts)
    labeled_shards = [shard for shard in shards if shard.name in recorded.shards]
    yield from _image_findings(reference_counts, labeled_shards, quarantined or set())
    if unlicensed := sorted(name for name, asset in recorded.assets.items() if not asset.get("licence")):
        yield Finding(PROVENANCE_PATH, f"assets without a license: {', '.join(unlicensed)}")


def _provenance_findings(recorded: provenance.AnnotationProvenance, shards: list[CheckedShard]) -> Iterator[Finding]:
    present = {shard.name: shard for shard in shards}
    for name in sorted(recorded.shards.keys() | present.keys()):
        path = f"shards/{name}"
        if name not in present:
            yield Finding(path, "missing, but the annotations are made from it; run snakemake dataset again")
        elif name not in recorded.shards:
            yield Finding(path, "extra: the annotations do not cover it; delete it, or label it by a larger config")
        elif present[name].files and provenance.digest(present[name].files) != recorded.shards[name]:
            yield Finding(path, f"not the shard that the annotations were made from; {RELABEL_HINT}")
        elif present[name].seeds_and_versions - {(recorded.seed, recorded.generator_version)}:
            expected = f"the annotations say {(recorded.seed, recorded.generator_version)}"
            seeds = sorted(present[name].seeds_and_versions)
            yield Finding(path, f"(seed, generator version) is {seeds}, {expected}")
    index_counts = Counter(index for shard in shards for index in shard.indices)
    if duplicates := sorted(index for index, count in index_counts.items() if count > 1):
        yield Finding("shards", f"images {', '.join(map(str, duplicates))} are in more than one shard")


def _annotation_file_findings(data: Path, files: Sequence[provenance.FileChecksum]) -> Iterator[Finding]:
    for recorded in files:
        try:
            if sha256_of(data / recorded.file) != recorded.sha256:
                yield Finding(recorded.file, f"changed: its sha256 is not the one in provenance.json; {RELABEL_HINT}")
        except FileNotFoundError:
            yield Finding(recorded.file, f"missing; {RELABEL_HINT}")
        except OSError as error:
            yield Finding(recorded.file, f"cannot be read: {error.strerror}")
    expected = {recorded.file for recorded in files} | {PROVENANCE_PATH}
    present = {path.relative_to(data).as_posix() for path in (data / "annotations").iterdir()}
    for name in sorted(present - expected):
        yield Finding(name, "extra: provenance.json does not name it; delete it")


def _read_quarantined(path: Path) -> set[int] | None:
    """Return the indices of the images that `audit.json` names as quarantined, None if it is not such a file."""
    try:
        return {image["index"] for image in json.loads(path.read_bytes()).get("quarantined", [])}
    except OSError:
        return set()  # _annotation_file_findings has reported it
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _check_split(data: Path, split: provenance.SplitInfo, reference_counts: Counter[str]) -> Iterator[Finding]:
    """Check one COCO file, and count in `reference_counts` the files of shards that it names."""
    try:
        document = json.loads((data / split.file).read_bytes())
        counts = (len(document["images"]), len(document["annotations"]))
        for image in document["images"]:
            reference_counts.update([image["file_name"], *(image[key] for key in MAP_FOLDERS if key in image)])
    except OSError:
        return  # _annotation_file_findings has reported it
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        yield Finding(split.file, f"not a COCO file of the stage label: {error!r}; {RELABEL_HINT}")
    else:
        if counts != (split.images, split.annotations):
            recorded = f"provenance.json says {split.images} and {split.annotations}"
            yield Finding(split.file, f"has {counts[0]} images and {counts[1]} annotations, {recorded}; {RELABEL_HINT}")


def _image_findings(
    reference_counts: Counter[str], shards: list[CheckedShard], quarantined: set[int]
) -> Iterator[Finding]:
    """Every image and map of these shards must be in exactly one split; those of quarantined images in none."""
    present = {f"shards/{shard.name}/{name}" for shard in shards for name in shard.files}
    images = {name for name in present if name.split("/")[2] in ("images", *MAP_FOLDERS)}
    stems = {f"{index:06d}" for index in quarantined}
    prefixes = tuple(f"shards/{shard.name}/" for shard in shards)
    for name in sorted(reference_counts.keys() | images):
        if Path(name).stem in stems:
            if reference_counts[name]:
                yield Finding(name, f"quarantined in audit.json, but named by a COCO file; {RELABEL_HINT}")
            elif name.split("/")[2] == "images":
                message = "failed the audit, so it is in no split; audit.json names the reasons"
                yield Finding(name, message, harmless=True)
        elif name in images and not reference_counts[name]:
            yield Finding(name, f"in no COCO file; {RELABEL_HINT}")
        elif name not in present and name.startswith(prefixes):
            yield Finding(name, f"named by a COCO file, but not in the shard; {RELABEL_HINT}")
        elif reference_counts[name] > 1:
            yield Finding(name, f"named {reference_counts[name]} times by the COCO files; {RELABEL_HINT}")


def find_leftovers(data: Path) -> Iterator[Finding]:
    """Yield what a job that was killed left behind: files and folders that do not have their final name yet."""
    for folder in (data, data / "scenes", data / "shards"):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            name = path.relative_to(data).as_posix()
            if path.name in IGNORED_FILES:
                continue
            if path.name.startswith(".") or path.suffix == ".part":
                message = "incomplete, left by a job that was stopped; it can be deleted"
                yield Finding(name, message, harmless=True)
            elif folder.name == "shards" and not (path.is_dir() and path.name.isdecimal()):
                yield Finding(name, "extra: not a shard; delete it")


def _print_findings(findings: list[Finding], shards: list[CheckedShard], seconds: float) -> None:
    for finding in findings:
        print(finding)
    megabytes = sum(shard.size_bytes for shard in shards) / 1e6
    files = sum(len(shard.files) for shard in shards)
    problems = sum(not finding.harmless for finding in findings) or "no"
    speed = f"{megabytes:.1f} MB in {seconds:.1f} s, {megabytes / seconds:.0f} MB/s"
    print(f"{len(shards)} shards, {files} files, {speed}: {problems} problem{'s' * (problems != 1)}")
