# SPDX-License-Identifier: GPL-3.0-or-later
"""One record becomes one picture, one id map, silhouettes, the maps that were asked for, and what was measured."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender import alone, cycles, measure, passes, png, scene, truth_maps
from blender.silhouettes import Silhouette


@dataclass(frozen=True)
class Rendered:
    """`measured`: pipeline's `Measured`, of the record alone; `device` and `seconds` {step: s}: of this run."""

    measured: dict
    device: str
    seconds: dict[str, float]


def render(record: dict, folder: Path, device: str, threads: int) -> Rendered:
    """Render a record (a dict of pipeline's `Scene`) into the folder of a shard, for example `images/000012.png`.

    Raises:
        measure.MeasureError, passes.PassError, scene.SceneError, devices.DeviceError: see there.
    """
    settings, stem, scratch = record["render"], f"{record['index']:06d}", folder / "passes.exr"
    started = time.perf_counter()
    built = scene.build(record)
    used = cycles.configure(settings, device, threads)
    ready = time.perf_counter()
    cycles.render(scratch)
    cycles.save_picture(_place(folder, "images", f"{stem}.png"))
    rendered = time.perf_counter()
    read = passes.read(scratch, set(built.roots))
    scratch.unlink()
    _write_maps(record, read, folder, stem)
    decoded = time.perf_counter()
    instances, found, thin = measure.instances(record, built.roots, read.ids)
    measured = time.perf_counter()
    proof = _prove(record, built, found, scratch) if settings["proof"] else {}
    for instance in instances:
        instance["proven"] = instance["instance_id"] in proof
    proven = time.perf_counter()
    _write_silhouettes(_place(folder, "silhouettes", f"{stem}.npz"), found, thin, proof)
    seconds = {
        "build": ready - started,
        "sync": read.sync_s,
        "sample": read.sample_s,
        # All of the render call that is neither: evaluating the scene, colour management, writing both files.
        "save": max(0.0, rendered - ready - read.sync_s - read.sample_s),
        "decode": decoded - rendered,
        "measure": measured - decoded + time.perf_counter() - proven,
        "proof": proven - measured,
    }
    return Rendered({"instances": instances}, used, {step: round(value, 3) for step, value in seconds.items()})


def _place(folder: Path, kind: str, name: str) -> Path:
    (folder / kind).mkdir(exist_ok=True)
    return folder / kind / name


def _write_maps(record: dict, read: passes.Passes, folder: Path, stem: str) -> None:
    """Write the id map, and depth and normals if the record asks for them."""
    settings = record["render"]
    png.write_uint16(_place(folder, "instances", f"{stem}.png"), read.ids)
    if settings["depth"]:
        truth_maps.write_depth(_place(folder, "depth", f"{stem}.{settings['depth']}"), read.depth_m)
    if settings["normals"]:
        place = _place(folder, "normals", f"{stem}.{settings['normals']}")
        truth_maps.write_normals(place, read.normals, record["camera"]["rotation"])


def _prove(record: dict, built: scene.Built, found: dict[int, Silhouette], scratch: Path) -> dict[int, np.ndarray]:
    """Return {instance id: (H, W) bool} of the one instance that is rendered alone, if any is large enough."""
    number = alone.choose(record["index"], found, record["render"]["width"], record["render"]["height"])
    return {} if number is None else {number: alone.render(number, built.roots[number], scratch)}


def _write_silhouettes(
    path: Path, found: dict[int, Silhouette], thin: dict[int, np.ndarray], proof: dict[int, np.ndarray]
) -> None:
    """Write the cropped silhouettes as "<id>", thin parts as "<id>_thin" and the proof as "<id>_alone", all bool."""
    arrays = {str(number): each.mask for number, each in found.items() if each.mask.size}
    arrays |= {f"{number}_thin": mask for number, mask in thin.items() if mask.any()}
    np.savez_compressed(path, **arrays, **{f"{number}_alone": mask for number, mask in proof.items()})
