# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a shard, or one of its images again; or save a scene to open it in Blender.

    python -m blender.render --scenes scenes/00000.jsonl --out shards/00000 --device cpu --threads 1
    python -m blender.render --record shards/00000/scenes.jsonl --index 12 --out again/
    python -m blender.render --record shards/00000/scenes.jsonl --index 12 --save-blend image.blend

Rendered again, an image has the same files as in its shard. `--save-blend` renders it, too, where there is
automatic white balance: that depends on the image.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import bpy

from blender.camera import lens_distortion
from blender.common import scene_records
from blender.common.process_exit import exit_process
from blender.cycles import devices, exr_passes, render_settings
from blender.shards import build_scene, render_shard


def save_blend(record: dict, out: Path, device: str, threads: int) -> None:
    """Build a record's scene and save it with all that it needs, camera and render settings set (F12 renders it).

    Of a distorted image it is the pinhole image that is warped (`lens.pinhole_record`).

    Raises:
        scene.SceneError, devices.DeviceError, passes.PassError: see there.
        RuntimeError: Blender cannot write the file.
    """
    straight = lens_distortion.pinhole_record(record)
    built = build_scene.build_scene(straight)
    render_settings.configure(straight["render"], device, threads)
    if strength := straight["render"]["white_balance"]:
        with tempfile.TemporaryDirectory() as folder:
            render_settings.render(Path(folder) / "passes.exr")
            render_settings.balance_white(
                exr_passes.read_passes(Path(folder) / "passes.exr", set(built.roots)).color, strength
            )
    render_settings.use_png_format(bpy.context.scene)
    bpy.context.scene.render.filepath = f"//{record['index']:06d}.png"
    bpy.ops.file.pack_all()
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.part")
    bpy.ops.wm.save_as_mainfile(filepath=str(aside.absolute()), compress=True, copy=True)
    os.replace(aside, out)


def _options() -> argparse.Namespace:
    # Inside an installed Blender, our own arguments follow "--".
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser(
        prog="python -m blender.render", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--scenes", type=Path, help="scene records to render all, one JSON object a line")
    source.add_argument("--record", type=Path, help="one scene record in JSON, or a file of lines (with --index)")
    parser.add_argument("--index", type=int, help="the image's index, if the file of --record holds several")
    parser.add_argument("--out", type=Path, help="folder of the shard, or of the one image")
    parser.add_argument("--save-blend", type=Path, metavar="FILE.blend", help="save the scene of --record")
    parser.add_argument("--provenance", type=Path, help="JSON of pipeline.sample beside the records, for shard.json")
    parser.add_argument("--device", choices=("auto", "cpu", *devices.GPU_KINDS), default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="processor threads of Cycles")
    options = parser.parse_args(arguments)
    if options.scenes and (options.save_blend or options.index is not None):
        parser.error("--save-blend and --index go with --record")
    if not options.out and not options.save_blend:
        parser.error("--out is missing")
    return options


def main() -> int:
    options = _options()
    device, threads = options.device, options.threads
    try:
        made_by = json.loads(options.provenance.read_text()) if options.provenance else None
        chosen = (
            scene_records.read_records(options.scenes)
            if options.scenes
            else [scene_records.read_record(options.record, options.index)]
        )
        if options.save_blend:
            save_blend(chosen[0], options.save_blend, device, threads)
        if options.out:
            render_shard.render_shard(chosen, options.out, device, threads, made_by)
    except (
        render_shard.RenderShardError,
        scene_records.RecordError,
        build_scene.SceneError,
        devices.DeviceError,
        exr_passes.PassError,
    ) as error:
        return _failed(options, str(error))
    except (OSError, ValueError, RuntimeError) as error:
        return _failed(options, f"{type(error).__name__}: {error}")
    return 0


def _failed(options: argparse.Namespace, reason: str) -> int:
    print(f"render {(options.out or options.save_blend).name}: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    exit_process(main())
