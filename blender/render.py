# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a shard: consecutive scene records become pictures, id maps and measurements.

    python -m blender.render --scenes scenes/00000.jsonl --out shards/00000 --device cpu --threads 1

A shard is made in one process and appears whole or not at all: it grows in a hidden folder beside its place, which is
renamed when the last picture is done.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

import bpy
import numpy as np
import OpenEXR

from blender import devices, passes, picture, progress, scene


class ShardError(Exception):
    """A shard that cannot be rendered; the message names the picture and the reason."""


def render_shard(scenes: Path, out: Path, device: str, threads: int) -> None:
    """Render all records of `scenes` (JSON lines) into the folder `out`.

    Raises:
        ShardError: names the picture's index and what was wrong; nothing is left at `out`.
    """
    lines = scenes.read_text().splitlines()
    growing = out.with_name(f".{out.name}.growing")
    shutil.rmtree(growing, ignore_errors=True)
    for folder in ("images", "instances"):
        (growing / folder).mkdir(parents=True)
    rendered = []
    started = time.perf_counter()
    for record in progress.track([json.loads(line) for line in lines], f"render {out.name}"):
        measured = _render_picture(record, growing, device, threads)
        rendered.append({"scene": record, "measured": measured})
    _write_lines(growing / "scenes.jsonl", rendered)
    facts = _facts(rendered, time.perf_counter() - started, threads)
    (growing / "shard.json").write_text(json.dumps(facts, indent=1) + "\n")
    shutil.rmtree(out, ignore_errors=True)
    growing.rename(out)
    print(f"render {out.name}: {_summary(facts)}", file=sys.stderr)


def _render_picture(record: dict, folder: Path, device: str, threads: int) -> dict:
    name = f"{record['index']:06d}.png"
    files = picture.Files(folder / "images" / name, folder / "instances" / name, folder / "passes.exr")
    try:
        return picture.render(record, files, device, threads)
    except devices.DeviceError:
        raise
    except (picture.PictureError, passes.PassError, scene.SceneError) as error:
        raise ShardError(f"picture {record['index']}: {error}") from error
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise ShardError(f"picture {record['index']}: {type(error).__name__}: {error}") from error


def _write_lines(path: Path, records: list[dict]) -> None:
    path.write_text("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records))


def _facts(rendered: list[dict], total_s: float, threads: int) -> dict:
    """Return what is true of the whole shard: device, versions and where the time went."""
    steps = [line["measured"]["seconds"] for line in rendered]
    seconds = {step: round(sum(each[step] for each in steps), 3) for step in steps[0]}
    return {
        "pictures": len(rendered),
        "device": rendered[0]["measured"]["device"],
        "threads": threads,
        "seconds": seconds | {"total": round(total_s, 3)},
        "overhead": round(1 - seconds["sample"] / total_s, 3),
        "versions": {
            "blender": bpy.app.version_string,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "openexr": OpenEXR.__version__,
        },
    }


def _summary(facts: dict) -> str:
    each = facts["seconds"]["total"] / facts["pictures"]
    return f"{facts['pictures']} pictures on {facts['device']}, {each:.2f} s each, {facts['overhead']:.0%} overhead"


def main() -> int:
    # Inside an installed Blender, our own arguments follow "--".
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser(prog="python -m blender.render", description=__doc__)
    parser.add_argument("--scenes", type=Path, required=True, help="scene records, one JSON object a line")
    parser.add_argument("--out", type=Path, required=True, help="folder of the shard")
    parser.add_argument("--device", choices=("auto", "cpu", *devices.GPU_KINDS), default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="processor threads of Cycles")
    options = parser.parse_args(arguments)
    try:
        render_shard(options.scenes, options.out, options.device, options.threads)
    except (ShardError, devices.DeviceError) as error:
        print(f"render {options.out.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    # Without Python's and C++'s tidying up: bpy 4.5 now and then waits for ever there, in the destructor of a lock
    # that one of its threads still waits on. Everything is written and renamed by now.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
