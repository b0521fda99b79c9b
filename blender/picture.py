# SPDX-License-Identifier: GPL-3.0-or-later
"""One record becomes one picture, one id map and what was measured of it."""

import time
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from blender import camera, cycles, passes, png, scene, silhouettes

# A hidden object is explained if at most this share of its points that lie in the frame sees the camera.
HIDDEN_SHARE = 0.1
PROBED_POINTS = 100
# Objects with fewer whole pixels in the frame may vanish between the samples of a picture.
SURELY_VISIBLE_PIXELS = 40


class PictureError(Exception):
    """A picture whose pixels do not agree with its record."""


@dataclass(frozen=True)
class Files:
    """Where the parts of a picture go; `passes` is scratch and removed when read."""

    picture: Path
    ids: Path
    passes: Path


def render(record: dict, files: Files, device: str, threads: int) -> dict:
    """Render a record and return what was measured, as pipeline's `Measured` wants it.

    Raises:
        PictureError, passes.PassError, scene.SceneError, devices.DeviceError: see there.
    """
    started = time.perf_counter()
    built = scene.build(record)
    used = cycles.configure(record["render"], device, threads)
    ready = time.perf_counter()
    cycles.render(files.passes, files.picture)
    rendered = time.perf_counter()
    read = passes.read(files.passes, set(built.roots))
    files.passes.unlink()
    png.write_uint16(files.ids, read.ids)
    measured = [_measure(record, number, root, read.ids) for number, root in sorted(built.roots.items())]
    done = time.perf_counter()
    seconds = {
        "build": ready - started,
        "sync": read.sync_s,
        "sample": read.sample_s,
        # All of the render call that is neither: evaluating the scene, colour management, writing both files.
        "save": max(0.0, rendered - ready - read.sync_s - read.sample_s),
        "decode": done - rendered,
    }
    return {
        "device": used,
        "instances": measured,
        "seconds": {step: round(value, 3) for step, value in seconds.items()},
    }


def _measure(record: dict, number: int, root: bpy.types.Object, ids: np.ndarray) -> dict:
    """Measure one instance; an empty mask that nothing explains is an error."""
    height, width = ids.shape
    silhouette = silhouettes.of(root, record["camera"], width, height)
    visible = ids == number
    if not visible.any() and np.count_nonzero(silhouette.in_frame) >= SURELY_VISIBLE_PIXELS:
        _explain_hidden(record, number, root)
    silhouette.in_frame[visible] = True  # the renderer's filter reaches up to a pixel over the geometric edge
    return {
        "instance_id": number,
        "visible_pixels": int(np.count_nonzero(visible)),
        "whole_pixels": int(np.count_nonzero(silhouette.mask)),
        "truncated": silhouette.truncated,
        "distance_m": round(silhouette.distance_m, 3),
    }


def _explain_hidden(record: dict, number: int, root: bpy.types.Object) -> None:
    """Follow rays from the camera to points of an object without pixels: something else must stop them.

    Raises:
        PictureError: many of its points see the camera.
    """
    points_m, _ = silhouettes.triangles_of(root)
    pixels, depth_m = camera.project(record["camera"], points_m)
    size = (record["render"]["width"], record["render"]["height"])
    inside = np.flatnonzero((depth_m > camera.CLIP_START_M) & (pixels >= 0).all(1) & (pixels < size).all(1))
    probed = inside[:: max(1, len(inside) // PROBED_POINTS)]
    seen = sum(_sees(record["camera"], points_m[point], root) for point in probed)
    if seen > HIDDEN_SHARE * len(probed):
        raise PictureError(
            f"instance {number} has no pixel, yet the camera sees {seen} of {len(probed)} of its points: "
            "the id map and the scene disagree"
        )


def _sees(view: dict, point_m: np.ndarray, root: bpy.types.Object) -> bool:
    """True if the first thing between the camera and a point is the object itself."""
    origin = Vector(view["position_m"])
    direction = Vector(point_m.tolist()) - origin
    depsgraph = bpy.context.evaluated_depsgraph_get()
    hit, _, _, _, found, _ = bpy.context.scene.ray_cast(depsgraph, origin, direction.normalized())
    while hit and found.parent is not None:
        found = found.parent
    return hit and found.name == root.name
