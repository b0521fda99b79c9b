# SPDX-License-Identifier: GPL-3.0-or-later
"""One instance rendered alone: the proof that its silhouette, which numpy computed, is what Cycles sees."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from blender.cycles import exr_passes, render_settings
from blender.ground_truth.silhouettes import Silhouette

# The same 55 instances of 16 images (320x240, 122,908 silhouette pixels), alone against silhouette: with 4
# samples 1,622 pixels differ and one by more than a pixel's distance, with 16 samples 717 and none.
SAMPLES = 16
# Smaller silhouettes are all boundary and prove nothing.
MIN_PIXELS = 40


def choose_instance(index: int, found: dict[int, Silhouette], width: int, height: int) -> int | None:
    """Return the id of the instance to prove in image `index`; None if all are too small in the frame."""
    large = [n for n in sorted(found) if np.count_nonzero(found[n].in_frame(width, height)) >= MIN_PIXELS]
    return large[index % len(large)] if large else None


@dataclass(frozen=True)
class IsolatedRender:
    """Of an instance rendered alone, bool (H, W): where it covers `half` of a pixel or more, and `any` of it."""

    half: np.ndarray
    any: np.ndarray


def render_isolated(number: int, root: bpy.types.Object, exr: Path) -> IsolatedRender:
    """Render the instance under `root` with all else hidden.

    `exr` is scratch. The scene is as it was afterwards, but Blender's render result is this one.
    """
    with _only(root), _quickly():
        render_settings.render(exr)
    read = exr_passes.read_passes(exr, {number})
    exr.unlink()
    seen = read.ids == number
    return IsolatedRender(half=seen & (read.coverage >= 0.5), any=seen)


@contextlib.contextmanager
def _only(root: bpy.types.Object) -> Iterator[None]:
    """Hide everything from the render that is not under `root`, lamps too."""
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
def _quickly() -> Iterator[None]:
    """Few samples, no light paths, no denoising, no passes but Cryptomatte: where things are needs no more.

    Without blur, too: the silhouette is that of the middle of the exposure.
    """
    scene, layer = bpy.context.scene, bpy.context.view_layer
    settings = scene.cycles
    wanted = [(settings, "samples", SAMPLES), (settings, "max_bounces", 0), (settings, "use_denoising", False)]
    wanted += [(layer, "use_pass_z", False), (layer, "use_pass_normal", False)]
    wanted += [(scene.render, "use_motion_blur", False), (scene.camera.data.dof, "use_dof", False)]
    before = [(target, name, getattr(target, name)) for target, name, _ in wanted]
    for target, name, value in wanted:
        setattr(target, name, value)
    try:
        yield
    finally:
        for target, name, value in before:
            setattr(target, name, value)
