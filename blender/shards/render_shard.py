# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a shard: consecutive scene records become a folder of images, maps, silhouettes and measurements.

One process renders a shard. The folder appears complete or not at all: it is filled under a hidden name and renamed
after the last image. The bytes of all its files except `shard.json` depend on the records only.
"""

import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import bpy
import numpy as np
import OpenEXR

from blender.common import atomic_folder, progress
from blender.common.errors import CaristeError
from blender.cycles import devices
from blender.shards import render_image

FACTS_FILE = "shard.json"


class RenderShardError(CaristeError):
    """A shard that cannot be rendered."""


def render_shard(records: list[dict], out: Path, device: str, threads: int, made_by: dict | None = None) -> None:
    """Render scene records into the folder `out`; an existing shard is replaced.

    `made_by` tells where the records come from; it is written to `shard.json`.

    Raises:
        RenderShardError: an image cannot be rendered or a file not be written; `out` is unchanged.
        DeviceError: the device is missing.
    """
    if out.exists() and not (out / FACTS_FILE).exists() and (not out.is_dir() or any(out.iterdir())):
        raise RenderShardError(f"{out} exists and is no shard: choose another folder, or remove this one")
    started = time.perf_counter()
    try:
        with atomic_folder.create_folder(out) as (folder, check_ownership):
            rendered = []
            for record in progress.track(records, f"render {out.name}"):
                rendered.append(_render_record(record, folder, device, threads))
                check_ownership()
            _write_records(folder / "scenes.jsonl", records, rendered)
            facts = _run_facts(records, rendered, time.perf_counter() - started, threads)
            facts |= {"made_by": made_by, "files": _file_hashes(folder)}
            (folder / FACTS_FILE).write_text(json.dumps(facts, indent=1) + "\n")
    except (OSError, atomic_folder.ReplacedError) as error:
        raise RenderShardError(f"cannot write {out}: {error}") from error
    print(f"render {out.name}: {_summary(facts)}", file=sys.stderr)


def _write_records(path: Path, records: list[dict], rendered: list[render_image.RenderedImage]) -> None:
    lines = [{"scene": record, "measured": image.measured} for record, image in zip(records, rendered, strict=True)]
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


def _render_record(record: dict, folder: Path, device: str, threads: int) -> render_image.RenderedImage:
    try:
        return render_image.render_image(record, folder, device, threads)
    except devices.DeviceError:
        raise
    except CaristeError as error:
        raise RenderShardError(f"image {record['index']}: {error}") from error
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise RenderShardError(f"image {record['index']}: {type(error).__name__}: {error}") from error


def _run_facts(records: list[dict], rendered: list[render_image.RenderedImage], total_s: float, threads: int) -> dict:
    """Return what depends on this run: the device, the versions, and the seconds of each step."""
    seconds = {step: round(sum(image.seconds[step] for image in rendered), 3) for step in rendered[0].seconds}
    return {
        "images": len(rendered),
        "device": rendered[0].device,
        "threads": threads,
        "seconds": seconds | {"total": round(total_s, 3)},
        "seconds_by_image": [
            {"index": record["index"]} | image.seconds for record, image in zip(records, rendered, strict=True)
        ],
        "overhead": round(1 - seconds["sample"] / total_s, 3),
        "versions": {
            "blender": bpy.app.version_string,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "openexr": OpenEXR.__version__,
        },
    }


def _file_hashes(folder: Path) -> dict[str, str]:
    """Return {path in the shard: sha256} of all files, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _summary(facts: dict) -> str:
    seconds_each = facts["seconds"]["total"] / facts["images"]
    return f"{facts['images']} images on {facts['device']}, {seconds_each:.2f} s each, {facts['overhead']:.0%} overhead"
