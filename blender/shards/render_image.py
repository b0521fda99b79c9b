# SPDX-License-Identifier: GPL-3.0-or-later
"""One record becomes one image, one id map, silhouettes, the maps that were asked for, and what was measured."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender.camera import lens_distortion
from blender.common import png
from blender.cycles import exr_passes, render_settings
from blender.ground_truth import depth_normals, isolated_render, measure_instances
from blender.ground_truth.silhouettes import Silhouette
from blender.shards import build_scene


@dataclass(frozen=True)
class RenderedImage:
    """`measured`: pipeline's `Measured`, of the record alone; `device` and `seconds` {step: s}: of this run."""

    measured: dict
    device: str
    seconds: dict[str, float]


def render_image(record: dict, folder: Path, device: str, threads: int) -> RenderedImage:
    """Render a record (a dict of pipeline's `Scene`) into the folder of a shard, for example `images/000012.png`.

    Raises:
        measure.MeasureError, passes.PassError, scene.SceneError, lens.LensError, devices.DeviceError: see there.
    """
    settings, stem, scratch = record["render"], f"{record['index']:06d}", folder / "passes.exr"
    started = time.perf_counter()
    straight = lens_distortion.pinhole_record(record)
    built = build_scene.build_scene(straight)
    used = render_settings.configure(straight["render"], device, threads)
    ready = time.perf_counter()
    render_settings.render(scratch)
    rendered = time.perf_counter()
    read = exr_passes.read_passes(scratch, set(built.roots))
    scratch.unlink()
    opened = time.perf_counter()
    render_settings.balance_white(read.color, settings["white_balance"])
    render_settings.save_image(_place(folder, "images", f"{stem}.png"))
    saved = time.perf_counter()
    warp = lens_distortion.Warp.of(record) if lens_distortion.is_distorted(record["camera"]) else None
    if warp:
        read = warp.passes(read)
        _warp_image(folder / "images" / f"{stem}.png", warp)
    _write_maps(record, read, folder, stem)
    decoded = time.perf_counter()
    instances, found, thin = measure_instances.measure_instances(record, built.roots, read.ids)
    measured = time.perf_counter()
    proof = _prove(record, built, found, scratch, warp) if settings["verify"] else {}
    for instance in instances:
        instance["verified"] = instance["instance_id"] in proof
    verified = time.perf_counter()
    _write_silhouettes(_place(folder, "silhouettes", f"{stem}.npz"), found, thin, proof)
    seconds = {
        "build": ready - started,
        "sync": read.sync_s,
        "sample": read.sample_s,
        # All of the render call that is neither, evaluating the scene and writing passes; then the image.
        "save": max(0.0, rendered - ready - read.sync_s - read.sample_s) + saved - opened,
        "decode": decoded - saved + opened - rendered,
        "measure": measured - decoded + time.perf_counter() - verified,
        "verify": verified - measured,
    }
    return RenderedImage({"instances": instances}, used, {step: round(value, 3) for step, value in seconds.items()})


def _place(folder: Path, kind: str, name: str) -> Path:
    (folder / kind).mkdir(exist_ok=True)
    return folder / kind / name


def _write_maps(record: dict, read: exr_passes.RenderPasses, folder: Path, stem: str) -> None:
    """Write the id map, and depth and normals if the record asks for them."""
    settings = record["render"]
    png.write_uint16(_place(folder, "instances", f"{stem}.png"), read.ids)
    if settings["depth"]:
        depth_normals.write_depth(_place(folder, "depth", f"{stem}.{settings['depth']}"), read.depth_m)
    if settings["normals"]:
        place = _place(folder, "normals", f"{stem}.{settings['normals']}")
        depth_normals.write_normals(place, read.normals, record["camera"]["rotation"])


def _warp_image(path: Path, warp: lens_distortion.Warp) -> None:
    """Replace the pinhole image by the distorted one."""
    png.write_uint8(path, warp.smooth(render_settings.load_image(path)))


def _prove(
    record: dict,
    built: build_scene.BuiltScene,
    found: dict[int, Silhouette],
    scratch: Path,
    warp: lens_distortion.Warp | None,
) -> dict[int, isolated_render.IsolatedRender]:
    """Return {instance id: proof} of the one instance that is rendered alone, if any is large enough."""
    number = isolated_render.choose_instance(
        record["index"], found, record["render"]["width"], record["render"]["height"]
    )
    if number is None:
        return {}
    proof = isolated_render.render_isolated(number, built.roots[number], scratch)
    return {
        number: isolated_render.IsolatedRender(warp.nearest(proof.half), warp.nearest(proof.any)) if warp else proof
    }


def _write_silhouettes(
    path: Path,
    found: dict[int, Silhouette],
    thin: dict[int, np.ndarray],
    proofs: dict[int, isolated_render.IsolatedRender],
) -> None:
    """Write the cropped silhouettes as "<id>", thin parts as "<id>_thin", a proof as "<id>_isolated" and "<id>_isolated_any".

    All are bool.
    """
    arrays = {str(number): each.mask for number, each in found.items() if each.mask.size}
    arrays |= {f"{number}_thin": mask for number, mask in thin.items() if mask.any()}
    for number, proof in proofs.items():
        arrays |= {f"{number}_isolated": proof.half, f"{number}_isolated_any": proof.any}
    np.savez_compressed(path, **arrays)
