# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of Cycles for a record, the render call, and the image as a PNG file."""

from pathlib import Path

import bpy
import numpy as np

from blender.common.png import strip_metadata
from blender.common.quiet_output import suppress_stdout
from blender.cycles import devices, exr_passes

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear Rec. 709
WHITE_BALANCE_GAINS = (0.4, 2.5)  # the strongest correction of a camera, for each channel
MIN_LUMINANCE = 1e-6


def configure(render: dict, device: str, threads: int) -> str:
    """Set up the scene for Cycles from the "render" part of a record; return the name of the device.

    Light paths are short and indirect light is clamped, because 16 samples have to be enough. The record's ambient
    light replaces the missing bounces.

    Raises:
        DeviceError: the device is missing.
    """
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = render["width"], render["height"]
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    cycles = scene.cycles
    cycles.samples, cycles.seed = render["samples"], render["seed"]
    cycles.use_adaptive_sampling = False
    # For a dozen lamps of similar power, the light tree takes twice as long as a uniform choice.
    cycles.use_light_tree = False
    # In pixels. Blender's default of 1.5 is softer than cameras, which sharpen their images.
    cycles.filter_width = 1.0
    cycles.use_denoising = render["denoise"]
    cycles.denoiser, cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces, cycles.volume_bounces = 2, 6, 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    scene.view_settings.view_transform = render["view_transform"]
    scene.view_settings.look = _tone_curve_name(render["view_transform"], render["contrast"])
    scene.view_settings.exposure = render["exposure_ev"]
    exr_passes.enable_passes(depth=render["depth"] is not None, normals=render["normals"] is not None)
    return devices.select_device(device)


def _tone_curve_name(view_transform: str, contrast: str) -> str:
    """Return Blender's name of a tone curve; the curves of AgX have a prefix."""
    if contrast == "base":
        return "None"
    name = f"{contrast.replace('_', ' ').title()} Contrast"
    return f"AgX - {name}" if view_transform == "AgX" else name


def render(exr: Path) -> None:
    """Render the scene once and write all its passes to the file `exr`."""
    scene = bpy.context.scene
    settings = scene.render.image_settings
    settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIPS"
    scene.render.filepath = str(exr)
    with suppress_stdout():
        bpy.ops.render.render(write_still=True)


def balance_white(color: np.ndarray, strength: float) -> None:
    """Make the view transform remove a share `strength` (0 to 1) of the color cast of an image.

    `color` is the image, (H, W, 3) linear Rec. 709. As in cameras, the image is assumed to be gray on average
    (Buchsbaum 1980). The brightest tenth is left out, because lamps and skies say nothing about the surfaces that
    they light. The brightness stays the same.
    """
    pixels = color.reshape(-1, 3)
    luminance = pixels @ LUMINANCE
    mean = pixels[luminance <= np.quantile(luminance, 0.9)].mean(axis=0)
    cast = np.clip(mean / max(mean @ LUMINANCE, MIN_LUMINANCE), *WHITE_BALANCE_GAINS) ** strength
    settings = bpy.context.scene.view_settings
    settings.use_curve_mapping = True
    settings.curve_mapping.white_level = cast / (cast @ LUMINANCE)
    settings.curve_mapping.update()


def save_image(png: Path) -> None:
    """Write the last result of `render` through the view transform, as an 8-bit RGB PNG."""
    scene = bpy.context.scene
    use_png_format(scene)
    with suppress_stdout():
        bpy.data.images["Render Result"].save_render(str(png), scene=scene)
    strip_metadata(png)


def load_image(path: Path) -> np.ndarray:
    """Return an image that `save_image` wrote: (H, W, 3) uint8."""
    blender_image = bpy.data.images.load(str(path))
    width, height = blender_image.size
    values = np.empty(width * height * blender_image.channels, np.float32)
    blender_image.pixels.foreach_get(values)
    bpy.data.images.remove(blender_image)
    # Blender stores the lowest row first.
    rows = values.reshape(height, width, -1)[::-1, :, :3]
    return np.rint(rows * 255).astype(np.uint8)


def use_png_format(scene: bpy.types.Scene) -> None:
    """Make 8-bit RGB PNG the format of the scene's images."""
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"
    settings.compression = 30
