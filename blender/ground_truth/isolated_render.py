# SPDX-License-Identifier: GPL-3.0-or-later
"""Render one instance isolated, that is with everything else hidden.

The audit compares it with the silhouette of the instance, which numpy computes. So it verifies that the silhouette is
what Cycles renders.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from blender.cycles import exr_passes, render_settings
from blender.ground_truth.silhouettes import Silhouette

# Measured on 55 instances of 16 images (320 x 240, 122,908 silhouette pixels), isolated render against silhouette: with
# 4 samples 1,622 pixels differ, one of them by more than one pixel; with 16 samples 717 differ, each by one at most.
VERIFY_SAMPLES = 16
# Smaller silhouettes consist of boundary pixels only and cannot show an error.
MIN_PIXELS = 40


def choose_instance(index: int, silhouettes: dict[int, Silhouette], width: int, height: int) -> int | None:
    """Return the id of the instance to verify in image `index`, or None if all are too small in the frame.

    `silhouettes` are those of the image by instance id; `width` and `height` are its size in pixels.
    """
    pixel_counts = {n: np.count_nonzero(silhouettes[n].in_frame(width, height)) for n in sorted(silhouettes)}
    large = [n for n, count in pixel_counts.items() if count >= MIN_PIXELS]
    return large[index % len(large)] if large else None


@dataclass(frozen=True)
class IsolatedRender:
    """The pixels of an isolated instance, both (H, W) bool: covered to at least one half, and covered at all."""

    half_covered: np.ndarray
    any_covered: np.ndarray


def render_isolated(instance_id: int, root: bpy.types.Object, exr: Path) -> IsolatedRender:
    """Render the instance whose parts are under `root` with everything else hidden.

    `exr` is a temporary file. Afterwards the scene is as before, but Blender's render result is replaced.
    """
    with _others_hidden(root), _fast_settings():
        render_settings.render(exr)
    passes = exr_passes.read_passes(exr, {instance_id})
    exr.unlink()
    covered = passes.ids == instance_id
    return IsolatedRender(half_covered=covered & (passes.coverage >= 0.5), any_covered=covered)


@contextlib.contextmanager
def _others_hidden(root: bpy.types.Object) -> Iterator[None]:
    """Hide everything that is not under `root` from the render, lamps as well."""
    kept = {root, *root.children_recursive, bpy.context.scene.camera}
    hidden = [other for other in bpy.context.scene.objects if other not in kept and not other.hide_render]
    for other in hidden:
        other.hide_render = True
    try:
        yield
    finally:
        for other in hidden:
            other.hide_render = False


@contextlib.contextmanager
def _fast_settings() -> Iterator[None]:
    """Reduce the settings to what Cryptomatte needs: few samples, no bounces, no denoising, no other passes.

    Blur is off as well, because a silhouette belongs to the middle of the exposure.
    """
    scene, layer = bpy.context.scene, bpy.context.view_layer
    settings = scene.cycles
    wanted = [(settings, "samples", VERIFY_SAMPLES), (settings, "max_bounces", 0), (settings, "use_denoising", False)]
    wanted += [(layer, "use_pass_z", False), (layer, "use_pass_normal", False)]
    wanted += [(scene.render, "use_motion_blur", False), (scene.camera.data.dof, "use_dof", False)]
    previous_values = [(target, name, getattr(target, name)) for target, name, _ in wanted]
    for target, name, value in wanted:
        setattr(target, name, value)
    try:
        yield
    finally:
        for target, name, value in previous_values:
            setattr(target, name, value)
