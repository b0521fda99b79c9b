# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycles' settings of a record, and the render call of an image."""

from pathlib import Path

import bpy
import numpy as np

from blender.common.png import strip_metadata
from blender.common.quiet_output import suppress_stdout
from blender.cycles import devices, exr_passes

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear Rec. 709
GAINS = (0.4, 2.5)  # what a camera corrects at most, by channel
DARKEST = 1e-6


def configure(render: dict, device: str, threads: int) -> str:
    """Set the scene up for Cycles as the record asks; return the name of the device that is used.

    Few bounces and a clamp, for 16 samples have to be enough; the ambient light of the record stands in for the rest.
    """
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = render["width"], render["height"]
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    cycles = scene.cycles
    cycles.samples, cycles.seed = render["samples"], render["seed"]
    cycles.use_adaptive_sampling = False
    # A dozen lamps of like power: choosing among them by the tree costs twice the time of drawing one blindly.
    cycles.use_light_tree = False
    cycles.filter_width = 1.0  # pixels; Blender's own 1.5 is softer than cameras, which sharpen what they take
    cycles.use_denoising = render["denoise"]
    cycles.denoiser, cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces, cycles.volume_bounces = 2, 6, 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    scene.view_settings.view_transform = render["view_transform"]
    scene.view_settings.look = _look(render["view_transform"], render["contrast"])
    scene.view_settings.exposure = render["exposure_ev"]
    exr_passes.enable_passes(depth=render["depth"] is not None, normals=render["normals"] is not None)
    return devices.select_device(device)


def _look(view_transform: str, contrast: str) -> str:
    """Return Blender's name of a tone curve; those of AgX have names of their own."""
    if contrast == "base":
        return "None"
    name = f"{contrast.replace('_', ' ').title()} Contrast"
    return f"AgX - {name}" if view_transform == "AgX" else name


def render(exr: Path) -> None:
    """Render the scene once and write all its passes to `exr`."""
    scene = bpy.context.scene
    settings = scene.render.image_settings
    settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIPS"
    scene.render.filepath = str(exr)
    with suppress_stdout():
        bpy.ops.render.render(write_still=True)


def balance_white(color: np.ndarray, strength: float) -> None:
    """Let the view transform take `strength`, 0 to 1, of the colour cast from an image, (H, W, 3) linear Rec. 709.

    As cameras do: the image is taken to be grey on average (Buchsbaum 1980), its brightest tenth left out, for lamps
    and skies say nothing of what they light. Brightness stays.
    """
    pixels = color.reshape(-1, 3)
    luminance = pixels @ LUMINANCE
    mean = pixels[luminance <= np.quantile(luminance, 0.9)].mean(axis=0)
    cast = np.clip(mean / max(mean @ LUMINANCE, DARKEST), *GAINS) ** strength
    settings = bpy.context.scene.view_settings
    settings.use_curve_mapping = True
    settings.curve_mapping.white_level = cast / (cast @ LUMINANCE)
    settings.curve_mapping.update()


def save_image(png: Path) -> None:
    """Write what `render` made as the image that people see: 8-bit RGB PNG with the view transform."""
    scene = bpy.context.scene
    use_png_format(scene)
    with suppress_stdout():
        bpy.data.images["Render Result"].save_render(str(png), scene=scene)
    strip_metadata(png)


def load_image(path: Path) -> np.ndarray:
    """Read an image of `save_image` back: (H, W, 3) uint8."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    values = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    # Blender's rows go upwards.
    rows = values.reshape(height, width, -1)[::-1, :, :3]
    return np.rint(rows * 255).astype(np.uint8)


def use_png_format(scene: bpy.types.Scene) -> None:
    """Make 8-bit RGB PNG the format of the scene's images."""
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"
    settings.compression = 30
