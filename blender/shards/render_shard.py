# SPDX-License-Identifier: GPL-3.0-or-later
"""A shard: consecutive scene records become a folder of images, maps, silhouettes and measurements.

A shard is made in one process and appears whole or not at all: it grows in a hidden folder beside its place, which is
renamed when the last image is done. All its files but `shard.json` depend on the records alone, byte for byte.
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
from blender.cycles import devices, exr_passes
from blender.ground_truth import measure_instances
from blender.shards import build_scene, render_image

FACTS = "shard.json"


class RenderShardError(CaristeError):
    """A shard that cannot be rendered; the message names the image and the reason."""


def render_shard(records: list[dict], out: Path, device: str, threads: int, made_by: dict | None = None) -> None:
    """Render scene records (dicts of pipeline's `Scene`) into the folder `out`; a shard that was there is replaced.

    `made_by`: where the records come from, kept in `shard.json`.

    Raises:
        ShardError: names the image's index and what was wrong; `out` is as it was.
        devices.DeviceError: the device is not there.
    """
    if out.exists() and not (out / FACTS).exists() and (not out.is_dir() or any(out.iterdir())):
        raise RenderShardError(f"{out} is there and is no shard: it is left alone; choose another folder or remove it")
    started = time.perf_counter()
    try:
        with atomic_folder.create_folder(out) as (folder, check):
            rendered = []
            for record in progress.track(records, f"render {out.name}"):
                rendered.append(_render_record(record, folder, device, threads))
                check()
            _write_lines(folder / "scenes.jsonl", records, rendered)
            facts = _facts(records, rendered, time.perf_counter() - started, threads)
            facts |= {"made_by": made_by, "files": _hashes(folder)}
            (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
    except (OSError, atomic_folder.ReplacedError) as error:
        raise RenderShardError(f"cannot write {out}: {error}") from error
    print(f"render {out.name}: {_summary(facts)}", file=sys.stderr)


def _write_lines(path: Path, records: list[dict], rendered: list[render_image.RenderedImage]) -> None:
    lines = [{"scene": record, "measured": each.measured} for record, each in zip(records, rendered, strict=True)]
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


def _render_record(record: dict, folder: Path, device: str, threads: int) -> render_image.RenderedImage:
    try:
        return render_image.render_image(record, folder, device, threads)
    except devices.DeviceError:
        raise
    except (measure_instances.MeasureError, exr_passes.PassError, build_scene.SceneError) as error:
        raise RenderShardError(f"image {record['index']}: {error}") from error
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise RenderShardError(f"image {record['index']}: {type(error).__name__}: {error}") from error


def _facts(records: list[dict], rendered: list[render_image.RenderedImage], total_s: float, threads: int) -> dict:
    """Return what is true of this run: device, versions and where the time went."""
    seconds = {step: round(sum(each.seconds[step] for each in rendered), 3) for step in rendered[0].seconds}
    return {
        "images": len(rendered),
        "device": rendered[0].device,
        "threads": threads,
        "seconds": seconds | {"total": round(total_s, 3)},
        "seconds_by_image": [
            {"index": record["index"]} | each.seconds for record, each in zip(records, rendered, strict=True)
        ],
        "overhead": round(1 - seconds["sample"] / total_s, 3),
        "versions": {
            "blender": bpy.app.version_string,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "openexr": OpenEXR.__version__,
        },
    }


def _hashes(folder: Path) -> dict[str, str]:
    """Return {path in the shard: sha256} of all files, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _summary(facts: dict) -> str:
    each = facts["seconds"]["total"] / facts["images"]
    return f"{facts['images']} images on {facts['device']}, {each:.2f} s each, {facts['overhead']:.0%} overhead"
