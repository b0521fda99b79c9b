# SPDX-License-Identifier: GPL-3.0-or-later
"""Render one record: an image, its instance map, silhouettes, depth and normals if asked for, and measurements."""

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
    """What is known of an image after its rendering.

    Attributes:
        measured: pipeline's `Measured`; it depends on the record only.
        device: name of the device that rendered it.
        seconds: {step: seconds} of this run.
    """

    measured: dict
    device: str
    seconds: dict[str, float]


def render_image(record: dict, folder: Path, device: str, threads: int) -> RenderedImage:
    """Render a record into the folder of a shard, for example `images/000012.png` and `instances/000012.png`.

    Raises:
        CaristeError: the scene cannot be built, the device is missing, or the passes disagree with the record.
        OSError, RuntimeError, ValueError: a file cannot be written.
    """
    stem, exr = f"{record['index']:06d}", folder / "passes.exr"
    started_at = time.perf_counter()
    pinhole_record = lens_distortion.pinhole_record(record)
    scene = build_scene.build_scene(pinhole_record)
    device_name = render_settings.configure(pinhole_record["render"], device, threads)
    built_at = time.perf_counter()
    render_settings.render(exr)
    rendered_at = time.perf_counter()
    passes = exr_passes.read_passes(exr, set(scene.roots))
    exr.unlink()
    passes_read_at = time.perf_counter()
    render_settings.balance_white(passes.color, record["render"]["white_balance"])
    image_path = _output_path(folder, "images", f"{stem}.png")
    render_settings.save_image(image_path)
    saved_at = time.perf_counter()
    warp, passes = _warp_if_distorted(record, image_path, passes)
    _write_maps(record, passes, folder, stem)
    decoded_at = time.perf_counter()
    instances, silhouettes, thin_masks = measure_instances.measure_instances(record, scene.roots, passes.ids)
    measured_at = time.perf_counter()
    isolated = _render_isolated(record, scene, silhouettes, exr, warp) if record["render"]["verify"] else {}
    for instance in instances:
        instance["verified"] = instance["instance_id"] in isolated
    verified_at = time.perf_counter()
    _write_silhouettes(_output_path(folder, "silhouettes", f"{stem}.npz"), silhouettes, thin_masks, isolated)
    seconds = {
        "build": built_at - started_at,
        "sync": passes.sync_s,
        "sample": passes.path_trace_s,
        # The rest of the render call (evaluating the scene, writing passes), and saving the image.
        "save": max(0.0, rendered_at - built_at - passes.sync_s - passes.path_trace_s) + saved_at - passes_read_at,
        "decode": decoded_at - saved_at + passes_read_at - rendered_at,
        "measure": measured_at - decoded_at + time.perf_counter() - verified_at,
        "verify": verified_at - measured_at,
    }
    rounded = {step: round(value, 3) for step, value in seconds.items()}
    return RenderedImage({"instances": instances}, device_name, rounded)


def _output_path(folder: Path, kind: str, name: str) -> Path:
    (folder / kind).mkdir(exist_ok=True)
    return folder / kind / name


def _write_maps(record: dict, passes: exr_passes.RenderPasses, folder: Path, stem: str) -> None:
    """Write the instance map, and depth and normals if the record asks for them."""
    settings = record["render"]
    png.write_uint16(_output_path(folder, "instances", f"{stem}.png"), passes.ids)
    if settings["depth"]:
        depth_normals.write_depth(_output_path(folder, "depth", f"{stem}.{settings['depth']}"), passes.depth_m)
    if settings["normals"]:
        path = _output_path(folder, "normals", f"{stem}.{settings['normals']}")
        depth_normals.write_normals(path, passes.normals, record["camera"]["rotation"])


def _warp_if_distorted(
    record: dict, image_path: Path, passes: exr_passes.RenderPasses
) -> tuple[lens_distortion.Warp | None, exr_passes.RenderPasses]:
    """Replace a pinhole image and its passes by the distorted ones, if the record's camera has a distortion."""
    if not lens_distortion.is_distorted(record["camera"]):
        return None, passes
    warp = lens_distortion.Warp.for_record(record)
    png.write_uint8(image_path, warp.fetch_bicubic(render_settings.load_image(image_path)))
    return warp, warp.warp_passes(passes)


def _render_isolated(
    record: dict,
    scene: build_scene.BuiltScene,
    silhouettes: dict[int, Silhouette],
    exr: Path,
    warp: lens_distortion.Warp | None,
) -> dict[int, isolated_render.IsolatedRender]:
    """Render one instance isolated and return it by its id; return {} if all instances are too small."""
    width, height = record["render"]["width"], record["render"]["height"]
    instance_id = isolated_render.choose_instance(record["index"], silhouettes, width, height)
    if instance_id is None:
        return {}
    isolated = isolated_render.render_isolated(instance_id, scene.roots[instance_id], exr)
    if warp:
        masks = warp.fetch_nearest(isolated.half_covered), warp.fetch_nearest(isolated.any_covered)
        isolated = isolated_render.IsolatedRender(*masks)
    return {instance_id: isolated}


def _write_silhouettes(
    path: Path,
    silhouettes: dict[int, Silhouette],
    thin_masks: dict[int, np.ndarray],
    isolated_renders: dict[int, isolated_render.IsolatedRender],
) -> None:
    """Write bool arrays by name into one npz file.

    "<id>" is the cropped silhouette, "<id>_thin" (H, W) the thin pixels, "<id>_isolated" and "<id>_isolated_any" (H, W)
    the pixels that an isolated render covers to at least one half, and at all.
    """
    arrays = {str(instance_id): silhouette.mask for instance_id, silhouette in silhouettes.items() if silhouette.box_px}
    arrays |= {f"{instance_id}_thin": mask for instance_id, mask in thin_masks.items() if mask.any()}
    for instance_id, isolated in isolated_renders.items():
        arrays[f"{instance_id}_isolated"] = isolated.half_covered
        arrays[f"{instance_id}_isolated_any"] = isolated.any_covered
    np.savez_compressed(path, **arrays)
