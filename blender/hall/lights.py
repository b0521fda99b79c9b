# SPDX-License-Identifier: GPL-3.0-or-later
"""Lamps and ambient light.

A lamp is an area light that gives the energy, and a fixture with a bright face that the camera sees. The face emits for
camera rays only and the area light is invisible to them, so no energy counts twice and no mesh is sampled as a light.
The ambient light is a uniform world or a coarse HDRI image; walls and ceiling let it in.
"""

# Measured on a floor of albedo 0.25 in a hall of 20 m x 14 m, with 4 x 2 lamps of each kind at heights of 5 to 7 m:
# Lamps with a total power P in watts over an area A in square meters give 0.6 P / A (strips) to 0.75 P / A (high bays)
# W/m2 on the floor, at 7 m 15 % less than at 5 m. AgX at exposure 0 looks well exposed at 1.5 to 2 W/m2, so at
# P / A = 2.5 W/m2: there, 90 W for each lamp. In physical units (683 lm/W) this is about 1000 lux. Real halls have 100
# to 300 lux, which the camera's exposure makes up for.
# Ambient light adds pi * strength: 0.1, the usual value, is a fifth of what the lamps give; 0.03 gives hard shadows,
# 0.3 nearly none.

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

# W / (m2 sr). With AgX such a face is white at any useful exposure. A higher value would only harm anti-aliasing.
MAX_FACE_RADIANCE = 12.0
HANGER_M = 0.8
FIXTURES = ("high_bay", "strip")
HDRI_BLOCK = 32


def build_lights(lamps: list[dict], ambient: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return lights and fixtures in the world frame, unlinked; set the scene's world to the ambient light.

    `lamps` and `ambient` are parts of a scene record. `power_w` is Blender's radiant power of an area light (of a
    torch: of a spot light), `strength` the mean radiance of the world in W / (m2 sr).

    Raises:
        FileNotFoundError: the HDRI images that ship with Blender are missing.
    """
    bpy.context.scene.world = _world(ambient)
    lights = [_light_object(lamp) for lamp in lamps if lamp["power_w"] > 0]
    return lights + [part for lamp in lamps if lamp["kind"] in FIXTURES for part in _fixture(lamp, cache)]


def _world(ambient: dict) -> bpy.types.World:
    world = bpy.data.worlds.new("ambient")
    world.use_nodes = True
    tree = world.node_tree
    background = tree.nodes["Background"]
    background.inputs["Color"].default_value = (*ambient["color_rgb"], 1.0)
    background.inputs["Strength"].default_value = ambient["strength"]
    # Do not sample the uniform world as a light: bounces reach it anyway, and all shadow rays are left for the lamps.
    world.cycles.sampling_method = "NONE"
    if ambient.get("hdri"):
        hdri_node = tree.nodes.new("ShaderNodeTexEnvironment")
        hdri_node.image = _hdri_image(ambient["hdri"], tuple(ambient["color_rgb"]), ambient["yaw_deg"])
        tree.links.new(hdri_node.outputs["Color"], background.inputs["Color"])
    return world


def _hdri_image(name: str, color: tuple[float, float, float], yaw_deg: float) -> bpy.types.Image:
    """Return a coarse, rotated copy of an HDRI image with the ambient color as its mean.

    It is coarse because few samples could not resolve a sun.
    """
    pixels = _coarse_hdri(name) * np.array(color)
    rows, columns = pixels.shape[:2]
    pixels = np.roll(pixels, round(yaw_deg / 360 * columns), axis=1)
    image = bpy.data.images.new(f"hdri {name}", columns, rows, float_buffer=True, is_data=True)
    image.pixels.foreach_set(np.concatenate([pixels, np.ones((rows, columns, 1))], axis=2).astype(np.float32).ravel())
    image.pack()
    return image


@lru_cache(maxsize=8)
def _coarse_hdri(name: str) -> np.ndarray:
    """Return an HDRI image that ships with Blender, (H / 32, W / 32, 3), scaled to a mean of 1.

    Values are limited to 8 times the mean before.

    Raises:
        FileNotFoundError: the file is missing.
    """
    folder = Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "studiolights" / "world"
    path = folder / f"{name}.exr"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the HDRI images come with bpy; install bpy again, or set light.hdri: 0"
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


def _light_object(lamp: dict) -> bpy.types.Object:
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
    _place_lamp(light, lamp)
    if kind not in FIXTURES:
        # Lights shine along -z; their y axis stays upright.
        light.rotation_euler = Vector(lamp["direction"]).to_track_quat("-Z", "Y").to_euler()
    return light


def _place_lamp(lamp_object: bpy.types.Object, lamp: dict) -> bpy.types.Object:
    """Move an object to the position and yaw of its lamp and return it."""
    lamp_object.location = lamp["position_m"]
    lamp_object.rotation_euler = (0.0, 0.0, np.radians(lamp["yaw_deg"]))
    return lamp_object


def _fixture(lamp: dict, cache: AssetCache) -> tuple[bpy.types.Object, bpy.types.Object]:
    """Return the housing and its bright face, which only camera rays see."""
    size = tuple(round(length, 2) for length in lamp["size_m"])
    key = (lamp["kind"], size)
    parts = _high_bay(size[0]) if lamp["kind"] == "high_bay" else _strip(*size)
    body, face = parts
    casing = cache.material("lamp housing", lambda: plain_material("lamp housing", (0.55, 0.56, 0.57), 0.4))
    housing = bpy.data.objects.new(
        f"{lamp['kind']} housing",
        cache.mesh((*key, "housing"), lambda: solids_to_mesh("lamp housing", body, [casing])),
    )
    glow_material = _glow_material(lamp, cache)
    bright = bpy.data.objects.new(
        f"{lamp['kind']} face",
        cache.mesh((*key, "face", glow_material.name), lambda: solids_to_mesh("lamp face", [face], [glow_material])),
    )
    for kind_of_ray in ("diffuse", "glossy", "transmission", "volume_scatter", "shadow"):
        setattr(bright, f"visible_{kind_of_ray}", False)
    return _place_lamp(housing, lamp), _place_lamp(bright, lamp)


def _glow_material(lamp: dict, cache: AssetCache) -> bpy.types.Material:
    """Return the material of a face: the radiance of the area light, P / (pi A), `MAX_FACE_RADIANCE` at most."""
    length, width = lamp["size_m"]
    area = np.pi * (length / 2) ** 2 if lamp["kind"] == "high_bay" else length * width
    radiance = round(min(lamp["power_w"] / (np.pi * area), MAX_FACE_RADIANCE), 3)
    color = tuple(lamp["color_rgb"])
    return cache.material(("glow", color, radiance), lambda: emissive_face("lamp glow", color, radiance))


def _high_bay(diameter: float) -> tuple[list[Solid], Solid]:
    """Return housing and face of a high-bay lamp: flat up to a diameter of 0.45 m, bell-shaped above."""
    radius = diameter / 2
    rings = [(1.1, 0.006), (1.1, 0.10), (0.5, 0.12), (0.5, 0.22)]
    if diameter > 0.45:
        rings = [(1.04, 0.006), (0.95, 0.15), (0.55, 0.32), (0.32, 0.36), (0.32, 0.60)]
    shell = replace(lathe([(radius * share, z) for share, z in rings], 0, 20), smooth=False)
    rod = box((0.02, 0.02, HANGER_M), (0, 0, rings[-1][1] + HANGER_M / 2))
    return [shell, rod], cylinder(radius, 0.004, 20).turned("x", 90).moved((0, 0, 0.004))


def _strip(length: float, width: float) -> tuple[list[Solid], Solid]:
    """Return housing and face of a strip lamp on two hangers."""
    body = [
        box((length + 0.04, width * 0.6, 0.06), (0, 0, 0.075)),
        box((length + 0.04, width + 0.02, 0.02), (0, 0, 0.04)),
    ]
    body += [box((0.01, 0.01, HANGER_M), (x, 0, 0.1 + HANGER_M / 2)) for x in (-length / 3, length / 3)]
    return body, box((length, width, 0.026), (0, 0, 0.017))
