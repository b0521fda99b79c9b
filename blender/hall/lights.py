# SPDX-License-Identifier: GPL-3.0-or-later
"""Lamps and the light between them: an area light for the energy, a fixture with a bright face for the eye.

The face is emissive for camera rays alone and the area light invisible to them, so that no energy counts twice and no
mesh has to be sampled as a light. Ambient light is a plain world, or a coarse HDRI, which walls and ceiling let in.
"""

# Powers: measured on a floor of albedo 0.25 in a hall of 20 x 14 m, 4 x 2 lamps of either kind 5 to 7 m high.
# Lamps of P watt in all on A square metres give 0.6 (strips) to 0.75 (high bays) P / A W/m² on the floor; 15 % less at
# 7 m than at 5 m. AgX at exposure 0 is well exposed at 1.5 to 2 W/m², that is P / A = 2.5 W/m²: 90 W a lamp there.
# Physically (683 lm/W) that is about 1000 lux; halls of 100 to 300 lux are what a camera's exposure makes up for.
# Ambient light adds pi * strength: 0.1 is a fifth of the lamps' share and usual, 0.03 is dramatic, 0.3 is flat.

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

# isort: split
from mathutils import Vector  # exists only once bpy is loaded

from blender.materials.common_materials import emissive_face, plain_material
from blender.mesh.asset_cache import AssetCache
from blender.mesh.shapes import lathe
from blender.mesh.solids import Solid, box, cylinder, solids_to_mesh

# A face this bright is white in AgX at any exposure that leaves the rest visible; more would only spoil anti-aliasing.
BRIGHTEST_FACE = 12.0
HANGER_M = 0.8
FIXTURES = ("high_bay", "strip")
HDRI_BLOCK = 32


def build_lights(lamps: list[dict], ambient: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return lights and fixtures in the world frame, unlinked, and set the scene's world.

    `lamps` and `ambient` are the JSON of `Lamp` and `Ambient` in pipeline/scene.py; `power_w` is Blender's radiant
    power of an area light (of a torch: of a spot), `strength` the mean radiance of the world in W / (m² sr).

    Raises:
        FileNotFoundError: Blender's own HDRI images are not where they should be.
    """
    bpy.context.scene.world = _world(ambient)
    burning = [_light(lamp) for lamp in lamps if lamp["power_w"] > 0]
    return burning + [part for lamp in lamps if lamp["kind"] in FIXTURES for part in _fixture(lamp, cache)]


def _world(ambient: dict) -> bpy.types.World:
    world = bpy.data.worlds.new("ambient")
    world.use_nodes = True
    tree = world.node_tree
    background = tree.nodes["Background"]
    background.inputs["Color"].default_value = (*ambient["color_rgb"], 1.0)
    background.inputs["Strength"].default_value = ambient["strength"]
    # Even light needs no aiming: bounces find it by themselves, and every shadow ray is left for the lamps.
    world.cycles.sampling_method = "NONE"
    if ambient.get("hdri"):
        surround = tree.nodes.new("ShaderNodeTexEnvironment")
        surround.image = _hdri_image(ambient["hdri"], tuple(ambient["color_rgb"]), ambient["yaw_deg"])
        tree.links.new(surround.outputs["Color"], background.inputs["Color"])
    return world


def _hdri_image(name: str, color: tuple[float, float, float], yaw_deg: float) -> bpy.types.Image:
    """A coarse copy of an HDRI, turned, its mean the ambient colour: no sun in it that few samples could not find."""
    pixels = _coarse_hdri(name) * np.array(color)
    rows, columns = pixels.shape[:2]
    pixels = np.roll(pixels, round(yaw_deg / 360 * columns), axis=1)
    image = bpy.data.images.new(f"hdri {name}", columns, rows, float_buffer=True, is_data=True)
    image.pixels.foreach_set(np.concatenate([pixels, np.ones((rows, columns, 1))], axis=2).astype(np.float32).ravel())
    image.pack()
    return image


@lru_cache(maxsize=8)
def _coarse_hdri(name: str) -> np.ndarray:
    """Return (H / 32, W / 32, 3) of one of the images that ship with Blender, each at most 8 times the mean, mean 1.

    Raises:
        FileNotFoundError: the file is missing.
    """
    folder = Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "studiolights" / "world"
    path = folder / f"{name}.exr"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: Blender's own HDRI images come with bpy; install it anew, or light.hdri: 0"
        )
    image = bpy.data.images.load(str(path))
    width, height = image.size
    values = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(values)
    pixels = values.reshape(height, width, -1)[..., :3]
    bpy.data.images.remove(image)
    pixels = np.minimum(pixels, 8 * pixels.mean())
    coarse = pixels.reshape(height // HDRI_BLOCK, HDRI_BLOCK, width // HDRI_BLOCK, HDRI_BLOCK, 3).mean(axis=(1, 3))
    return coarse / coarse.mean()


def _light(lamp: dict) -> bpy.types.Object:
    kind = lamp["kind"]
    data = bpy.data.lights.new(kind, "SPOT" if kind == "torch" else "AREA")
    data.energy, data.color = lamp["power_w"], lamp["color_rgb"]
    if kind == "torch":
        data.shadow_soft_size = lamp["size_m"][0] / 2
        data.spot_size, data.spot_blend = np.radians(lamp["angle_deg"]), 0.6
    else:
        data.shape = "DISK" if kind == "high_bay" else "RECTANGLE"
        data.size, data.size_y = lamp["size_m"]
        data.spread = np.radians(140 if kind == "high_bay" else lamp.get("angle_deg", 180))
    light = bpy.data.objects.new(kind, data)
    light.visible_camera = False
    _hung(light, lamp)
    if kind not in FIXTURES:
        # Area lights shine along -z; their y side stays upright.
        light.rotation_euler = Vector(lamp["direction"]).to_track_quat("-Z", "Y").to_euler()
    return light


def _hung(thing: bpy.types.Object, lamp: dict) -> bpy.types.Object:
    thing.location = lamp["position_m"]
    thing.rotation_euler = (0.0, 0.0, np.radians(lamp["yaw_deg"]))
    return thing


def _fixture(lamp: dict, cache: AssetCache) -> tuple[bpy.types.Object, bpy.types.Object]:
    """Return the housing and its bright face, which only the camera sees."""
    size = tuple(round(length, 2) for length in lamp["size_m"])
    key = (lamp["kind"], size)
    parts = _high_bay(size[0]) if lamp["kind"] == "high_bay" else _strip(*size)
    body, face = parts
    casing = cache.material("lamp housing", lambda: plain_material("lamp housing", (0.55, 0.56, 0.57), 0.4))
    housing = bpy.data.objects.new(
        f"{lamp['kind']} housing",
        cache.mesh((*key, "housing"), lambda: solids_to_mesh("lamp housing", body, [casing])),
    )
    glow = _glow(lamp, cache)
    bright = bpy.data.objects.new(
        f"{lamp['kind']} face",
        cache.mesh((*key, "face", glow.name), lambda: solids_to_mesh("lamp face", [face], [glow])),
    )
    for kind_of_ray in ("diffuse", "glossy", "transmission", "volume_scatter", "shadow"):
        setattr(bright, f"visible_{kind_of_ray}", False)
    return _hung(housing, lamp), _hung(bright, lamp)


def _glow(lamp: dict, cache: AssetCache) -> bpy.types.Material:
    """The face's material: the radiance that the area light has, P / (pi A), up to `BRIGHTEST_FACE`."""
    length, width = lamp["size_m"]
    area = np.pi * (length / 2) ** 2 if lamp["kind"] == "high_bay" else length * width
    radiance = round(min(lamp["power_w"] / (np.pi * area), BRIGHTEST_FACE), 3)
    color = tuple(lamp["color_rgb"])
    return cache.material(("glow", color, radiance), lambda: emissive_face("lamp glow", color, radiance))


def _high_bay(diameter: float) -> tuple[list[Solid], Solid]:
    """A flat "UFO" up to 45 cm across, a bell-shaped reflector above that."""
    radius = diameter / 2
    rings = [(1.1, 0.006), (1.1, 0.10), (0.5, 0.12), (0.5, 0.22)]
    if diameter > 0.45:
        rings = [(1.04, 0.006), (0.95, 0.15), (0.55, 0.32), (0.32, 0.36), (0.32, 0.60)]
    shell = replace(lathe([(radius * share, z) for share, z in rings], 0, 20), smooth=False)
    rod = box((0.02, 0.02, HANGER_M), (0, 0, rings[-1][1] + HANGER_M / 2))
    return [shell, rod], cylinder(radius, 0.004, 20).turned("x", 90).moved((0, 0, 0.004))


def _strip(length: float, width: float) -> tuple[list[Solid], Solid]:
    """A batten: a lit trough under a sheet housing, on two hangers."""
    body = [
        box((length + 0.04, width * 0.6, 0.06), (0, 0, 0.075)),
        box((length + 0.04, width + 0.02, 0.02), (0, 0, 0.04)),
    ]
    body += [box((0.01, 0.01, HANGER_M), (x, 0, 0.1 + HANGER_M / 2)) for x in (-length / 3, length / 3)]
    return body, box((length, width, 0.026), (0, 0, 0.017))
