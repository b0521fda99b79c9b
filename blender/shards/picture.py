# SPDX-License-Identifier: GPL-3.0-or-later
"""One record becomes one picture, one id map, silhouettes, the maps that were asked for, and what was measured."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender.camera import lens
from blender.common import png
from blender.cycles import exr_passes, render_settings
from blender.ground_truth import depth_normals, measure, silhouette_proof
from blender.ground_truth.silhouettes import Silhouette
from blender.shards import scene


@dataclass(frozen=True)
class Rendered:
    """`measured`: pipeline's `Measured`, of the record alone; `device` and `seconds` {step: s}: of this run."""

    measured: dict
    device: str
    seconds: dict[str, float]


def render(record: dict, folder: Path, device: str, threads: int) -> Rendered:
    """Render a record (a dict of pipeline's `Scene`) into the folder of a shard, for example `images/000012.png`.

    Raises:
        measure.MeasureError, passes.PassError, scene.SceneError, lens.LensError, devices.DeviceError: see there.
    """
    settings, stem, scratch = record["render"], f"{record['index']:06d}", folder / "passes.exr"
    started = time.perf_counter()
    straight = lens.widened(record)
    built = scene.build(straight)
    used = render_settings.configure(straight["render"], device, threads)
    ready = time.perf_counter()
    render_settings.render(scratch)
    rendered = time.perf_counter()
    read = exr_passes.read(scratch, set(built.roots))
    scratch.unlink()
    opened = time.perf_counter()
    render_settings.balance_white(read.color, settings["white_balance"])
    render_settings.save_picture(_place(folder, "images", f"{stem}.png"))
    saved = time.perf_counter()
    warp = lens.Warp.of(record) if lens.is_distorted(record["camera"]) else None
    if warp:
        read = warp.passes(read)
        _warp_picture(folder / "images" / f"{stem}.png", warp)
    _write_maps(record, read, folder, stem)
    decoded = time.perf_counter()
    instances, found, thin = measure.instances(record, built.roots, read.ids)
    measured = time.perf_counter()
    proof = _prove(record, built, found, scratch, warp) if settings["proof"] else {}
    for instance in instances:
        instance["proven"] = instance["instance_id"] in proof
    proven = time.perf_counter()
    _write_silhouettes(_place(folder, "silhouettes", f"{stem}.npz"), found, thin, proof)
    seconds = {
        "build": ready - started,
        "sync": read.sync_s,
        "sample": read.sample_s,
        # All of the render call that is neither, evaluating the scene and writing passes; then the picture.
        "save": max(0.0, rendered - ready - read.sync_s - read.sample_s) + saved - opened,
        "decode": decoded - saved + opened - rendered,
        "measure": measured - decoded + time.perf_counter() - proven,
        "proof": proven - measured,
    }
    return Rendered({"instances": instances}, used, {step: round(value, 3) for step, value in seconds.items()})


def _place(folder: Path, kind: str, name: str) -> Path:
    (folder / kind).mkdir(exist_ok=True)
    return folder / kind / name


def _write_maps(record: dict, read: exr_passes.Passes, folder: Path, stem: str) -> None:
    """Write the id map, and depth and normals if the record asks for them."""
    settings = record["render"]
    png.write_uint16(_place(folder, "instances", f"{stem}.png"), read.ids)
    if settings["depth"]:
        depth_normals.write_depth(_place(folder, "depth", f"{stem}.{settings['depth']}"), read.depth_m)
    if settings["normals"]:
        place = _place(folder, "normals", f"{stem}.{settings['normals']}")
        depth_normals.write_normals(place, read.normals, record["camera"]["rotation"])


def _warp_picture(path: Path, warp: lens.Warp) -> None:
    """Replace the pinhole picture by the distorted one."""
    png.write_uint8(path, warp.smooth(render_settings.load_picture(path)))


def _prove(
    record: dict, built: scene.Built, found: dict[int, Silhouette], scratch: Path, warp: lens.Warp | None
) -> dict[int, silhouette_proof.Proof]:
    """Return {instance id: proof} of the one instance that is rendered alone, if any is large enough."""
    number = silhouette_proof.choose(record["index"], found, record["render"]["width"], record["render"]["height"])
    if number is None:
        return {}
    proof = silhouette_proof.render(number, built.roots[number], scratch)
    return {number: silhouette_proof.Proof(warp.nearest(proof.half), warp.nearest(proof.any)) if warp else proof}


def _write_silhouettes(
    path: Path, found: dict[int, Silhouette], thin: dict[int, np.ndarray], proofs: dict[int, silhouette_proof.Proof]
) -> None:
    """Write the cropped silhouettes as "<id>", thin parts as "<id>_thin", a proof as "<id>_alone" and "<id>_alone_any".

    All are bool.
    """
    arrays = {str(number): each.mask for number, each in found.items() if each.mask.size}
    arrays |= {f"{number}_thin": mask for number, mask in thin.items() if mask.any()}
    for number, proof in proofs.items():
        arrays |= {f"{number}_alone": proof.half, f"{number}_alone_any": proof.any}
    np.savez_compressed(path, **arrays)
