# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `render`: render a shard or one of its images again, or save a scene to open it in Blender."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import bpy

from blender.camera import lens_distortion
from blender.common import scene_records
from blender.common.atomic_file import replace_file
from blender.common.errors import CaristeError
from blender.cycles import devices, exr_passes, render_settings
from blender.shards import build_scene, render_shard


def save_blend(record: dict, out: Path, device: str, threads: int) -> None:
    """Build the scene of a record and save it with its textures, camera and render settings (F12 renders it).

    For a distorted image, this is the scene of the pinhole image that is warped (`lens_distortion.pinhole_record`).

    Raises:
        CaristeError: the scene cannot be built or rendered, or the device is missing.
        RuntimeError: Blender cannot write the file.
    """
    pinhole_record = lens_distortion.pinhole_record(record)
    scene = build_scene.build_scene(pinhole_record)
    render_settings.configure(pinhole_record["render"], device, threads)
    if strength := pinhole_record["render"]["white_balance"]:
        with tempfile.TemporaryDirectory() as folder:
            render_settings.render(Path(folder) / "passes.exr")
            render_settings.balance_white(
                exr_passes.read_passes(Path(folder) / "passes.exr", set(scene.roots)).color, strength
            )
    render_settings.use_png_format(bpy.context.scene)
    bpy.context.scene.render.filepath = f"//{record['index']:06d}.png"
    bpy.ops.file.pack_all()
    with replace_file(out) as temporary:
        bpy.ops.wm.save_as_mainfile(filepath=str(temporary), compress=True, copy=True)


def run(options: argparse.Namespace) -> None:
    """Run the command `render` with the options of `blender/__main__.py`.

    Raises:
        CaristeError: a record, a file or the device is wrong.
        RuntimeError: Blender cannot write the .blend file.
    """
    device, threads = options.device, options.threads
    print(f"render: {describe_device(devices.select_device(device))}", file=sys.stderr, flush=True)
    made_by = _read_provenance(options.provenance) if options.provenance else None
    records = (
        scene_records.read_records(options.scenes)
        if options.scenes
        else [scene_records.read_record(options.record, options.index)]
    )
    if options.save_blend:
        save_blend(records[0], options.save_blend, device, threads)
    if options.out:
        render_shard.render_shard(records, options.out, device, threads, made_by)


def describe_device(name: str) -> str:
    """Return the first line of the log: the device and, for a CPU, what it costs and how to use a GPU."""
    if not name.startswith("CPU"):
        return f"device: {name}"
    return (
        f"device: {name}. A CPU takes many times as long as a GPU. To use a GPU, install its driver and set "
        "render.device: auto; on a cluster, name the GPU (such as cuda), so that the job requests one"
    )


def _read_provenance(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CaristeError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise CaristeError(f"{path}: not JSON ({error}); run the stage sample again") from error
