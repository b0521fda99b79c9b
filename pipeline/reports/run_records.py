# SPDX-License-Identifier: Apache-2.0
"""Read what the stages recorded about a run: versions, devices, seconds, memory, the audit and the training log.

All readers raise RunRecordError for a file that does not hold what its stage writes.
"""

import csv
import json
import os
import platform
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.common.errors import CaristeError
from pipeline.labelling.audit import AuditSummary

STAGE_ORDER = ("sample", "render", "label", "train", "predict", "evaluate", "report")
REPORTED_PACKAGES = ("torch", "torchvision", "timm", "numpy", "opencv-python", "faster-coco-eval", "snakemake")
LOSS_COLUMNS = ("loss", "loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg")


class RunRecordError(CaristeError):
    """A record of a run cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class StageUsage:
    """Time and memory of all jobs of one stage.

    `seconds`: sum over the jobs. `longest_s`: of the longest job. `memory_mb`: resident memory of the largest job,
    None if all jobs were too short to measure it.
    """

    name: str
    jobs: int
    seconds: float
    longest_s: float
    memory_mb: float | None


@dataclass(frozen=True)
class RenderingSummary:
    """Sums over the shards of a data set.

    `versions`: "device" and names of software -> all values that occur. `seconds`: step -> seconds of all images.
    `non_sampling_share`: share of the time that is not Cycles sampling.
    """

    images: int
    versions: dict[str, str]
    seconds: dict[str, float]
    non_sampling_share: float


@dataclass(frozen=True)
class QuarantineEntry:
    """An entry of `quarantined` in `audit.json`. `drawings`: files relative to the folder of the data set."""

    index: int
    shard: str
    reasons: list[str]
    drawings: list[str]


@dataclass(frozen=True)
class AuditRecord:
    """Content of `annotations/audit.json`. `silhouettes`: whether masks were compared with silhouettes."""

    silhouettes: bool
    summary: AuditSummary
    quarantined: list[QuarantineEntry]


@dataclass(frozen=True)
class TrainingCurves:
    """Content of `training.jsonl`.

    `facts`: its first line if that is no iteration, else empty. `columns`: name -> one value per iteration.
    `last_line`: all keys of the last iteration.
    """

    facts: dict[str, Any]
    columns: dict[str, list[float]]
    last_line: dict[str, Any]


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        RunRecordError: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise RunRecordError(f"{path}: not JSON: {error}") from None


def read_stages(*folders: Path, shards: Collection[str]) -> list[StageUsage]:
    """Sum Snakemake's benchmark files by stage, in the order of the pipeline.

    The stage is the first name below the folder: `render/00003.tsv` and `render.tsv` both belong to `render`. A file
    with a number that is not in `shards` is of an earlier, larger data set and does not count.
    """
    jobs: dict[str, list[dict[str, str]]] = {}
    for folder in folders:
        for path in sorted(folder.glob("**/*.tsv")):
            if not path.stem.isdecimal() or path.stem in shards:
                name = path.relative_to(folder).parts[0].removesuffix(".tsv")
                jobs.setdefault(name, []).extend(_benchmark_rows(path))
    return [_sum_stage(name, jobs[name]) for name in sorted(jobs, key=_stage_order)]


def read_rendering(paths: Iterable[Path]) -> RenderingSummary:
    """Sum the `shard.json` files of a data set. Time that no step accounts for becomes the step `rest`."""
    images, total_s, cycles_sampling_s = 0, 0.0, 0.0
    seconds: Counter[str] = Counter()
    versions: dict[str, set[str]] = {}
    for path in paths:
        shard = read_json(path)
        try:
            images += shard["images"]
            total_s += shard["seconds"].pop("total")
            cycles_sampling_s += shard["seconds"]["sample"]
            seconds.update(shard["seconds"])
            for name, value in {"device": shard["device"], **shard["versions"]}.items():
                versions.setdefault(name, set()).add(value)
        except (KeyError, TypeError) as error:
            message = f"{path}: not the record of a shard: {error!r}; render the shard again"
            raise RunRecordError(message) from None
    rest_s = max(0.0, total_s - seconds.total())
    joined = {name: ", ".join(sorted(values)) for name, values in versions.items()}
    return RenderingSummary(images, joined, {**seconds, "rest": rest_s}, 1 - cycles_sampling_s / total_s)


def read_audit(path: Path) -> AuditRecord:
    """Read `annotations/audit.json`."""
    values = read_json(path)
    try:
        quarantined = [QuarantineEntry(**entry) for entry in values.pop("quarantined")]
        return AuditRecord(values.pop("silhouettes"), AuditSummary(**values), quarantined)
    except (KeyError, TypeError, AttributeError) as error:
        raise RunRecordError(f"{path}: not a file of the stage label: {error!r}; label the shards again") from None


def read_training(path: Path) -> TrainingCurves:
    """Read `training.jsonl`: perhaps one line of facts, then one line per iteration."""
    with path.open() as file:
        lines = [_json_line(line, path, number) for number, line in enumerate(file, 1)]
    facts = lines.pop(0) if lines and "iteration" not in lines[0] else {}
    if not lines:
        raise RunRecordError(f"{path}: holds no iteration")
    names = ("iteration", *LOSS_COLUMNS, "learning_rate", "seconds")
    if missing := [name for name in names if any(name not in line for line in lines)]:
        raise RunRecordError(f"{path}: lines without {', '.join(missing)}")
    return TrainingCurves(facts, {name: [line[name] for line in lines] for name in names}, lines[-1])


def software_versions() -> dict[str, str]:
    """Return name -> version of the software of this process. Training used the same environment."""
    return {"Python": platform.python_version()} | {package: version(package) for package in REPORTED_PACKAGES}


def machine_info() -> dict[str, str]:
    """Return the processor, its cores, the memory and the system of this machine."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "Processor": _processor_name(),
        "Cores": str(os.cpu_count()),
        "Memory": f"{memory_gb:.0f} GB",
        "System": f"{platform.system()} {platform.machine()}",
    }


def _processor_name() -> str:
    """Return the name of the processor on Linux, elsewhere its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _benchmark_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if not rows or not {"s", "max_rss"} <= set(rows[0]):
        raise RunRecordError(f"{path}: not a Snakemake benchmark file: it has no columns s and max_rss")
    return rows


def _sum_stage(name: str, rows: list[dict[str, str]]) -> StageUsage:
    seconds = [float(row["s"]) for row in rows]
    # Snakemake writes NA or - if a job ended before its memory was measured.
    memory_mb = [float(row["max_rss"]) for row in rows if row["max_rss"] not in ("NA", "-")]
    return StageUsage(name, len(rows), sum(seconds), max(seconds), max(memory_mb, default=None))


def _stage_order(name: str) -> tuple[int, str]:
    return (STAGE_ORDER.index(name) if name in STAGE_ORDER else len(STAGE_ORDER), name)


def _json_line(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise RunRecordError(f"{path}: line {number}: not JSON: {error}") from None
