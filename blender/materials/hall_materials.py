# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of the hall: floor, painted floor lines, walls, ceiling.

`surface` is the JSON dict of a `SurfaceMaterial` in pipeline/record/scene.py. The objects of the hall are at the world
origin, so all patterns are in world coordinates: a worn floor line shows the same concrete as the floor under it.
"""

from typing import Any

import bpy
import numpy as np

from blender.materials.common_materials import MaterialBuilder, Rgb, new_material_builder

TIRE_MARK_CENTERS = 3
BAND_COLORS = ((0.12, 0.13, 0.14), (0.05, 0.09, 0.2), (0.25, 0.26, 0.26), (0.06, 0.14, 0.1), (0.45, 0.3, 0.06))


def floor_material(surface: dict) -> bpy.types.Material:
    """Return concrete, or paint on concrete, with joints, stains, tire marks, and puddles if the floor is wet."""
    builder = new_material_builder("floor")
    color, grain = _floor_color(builder, surface)
    roughness = builder.math("ADD", builder.map_linear(grain, -0.2, 0.2), max(0.12, surface["roughness"]))
    if surface.get("wet"):
        rng = np.random.default_rng([surface["seed"], 2])
        coordinates = builder.scaled_coordinates(1.0, 1.0, 1.0, rng.uniform(0, 40))
        puddle_noise = builder.noise(0.35, 2.0, coordinates, flat=True)
        edge = 0.66 - 0.12 * surface["wet"]
        puddle = builder.smoothstep(puddle_noise, edge, edge + 0.015)
        color = builder.scale_color(color, builder.map_linear(puddle, 1.0, 0.4))
        roughness = builder.math("MULTIPLY", roughness, builder.map_linear(puddle, 1.0, 0.12))
    builder.set_principled(Base_Color=color, Roughness=roughness, Specular_IOR_Level=0.4)
    return builder.material


def floor_line_material(surface: dict, color: Rgb, wear: float) -> bpy.types.Material:
    """Return floor paint with bare patches that show the floor `surface`; `wear` from 0 (new) to 1 (mostly gone)."""
    builder = new_material_builder("floor line")
    floor_color, grain = _floor_color(builder, surface)
    bare = builder.smoothstep(builder.noise(7.0, 4.0, flat=True), 0.72 - 0.3 * wear, 0.82 - 0.3 * wear)
    dirty = builder.scale_color(color, builder.map_linear(grain, 1.0 - 0.5 * wear, 1.0))
    builder.set_principled(Base_Color=builder.mix_colors(bare, dirty, floor_color), Roughness=0.55)
    return builder.material


def _floor_color(builder: MaterialBuilder, surface: dict) -> tuple[Any, Any]:
    """Return the color of the floor and its fine grain (0..1)."""
    rng = np.random.default_rng(surface["seed"])
    wear = surface["wear"]
    coordinates = builder.scaled_coordinates(1.0, 1.0, 1.0, rng.uniform(0, 100))
    grain = builder.noise(6.0, 4.0, coordinates, flat=True)
    clouds = builder.noise(0.5, 3.0, coordinates, flat=True)
    streaks = builder.noise(1.0, 3.0, builder.scaled_coordinates(0.3, 5.0, 1.0, rng.uniform(0, 100)), flat=True)
    tone = builder.math("MULTIPLY", builder.map_linear(clouds, 0.7, 1.3), builder.map_linear(grain, 0.55, 1.45))
    tone = builder.math("MULTIPLY", tone, builder.map_linear(streaks, 1.0 - 0.7 * wear, 1.0 + 0.7 * wear))
    darker = _floor_marks(builder, (grain, clouds, streaks), wear, rng)
    if surface["kind"] == "concrete":
        darker = builder.math("MAXIMUM", darker, builder.math("MULTIPLY", _joint_mask(builder, rng), 0.6))
    color = surface["color_rgb"]
    if surface["kind"] != "concrete":
        bare = builder.smoothstep(grain, 0.85 - 0.35 * wear, 0.88 - 0.3 * wear)
        color = builder.mix_colors(bare, color, (0.17, 0.165, 0.155))
    return builder.scale_color(color, builder.math("MULTIPLY", tone, builder.math("SUBTRACT", 1.0, darker))), grain


def _floor_marks(
    builder: MaterialBuilder, noises: tuple[Any, Any, Any], wear: float, rng: np.random.Generator
) -> bpy.types.NodeSocket:
    """Return how much stains, specks, cracks and tire marks darken the floor: 0 (not at all) to 1 (black).

    `noises` are those of `_floor_color`: grain, clouds, streaks.
    """
    grain, clouds, streaks = noises
    stains = builder.math("MULTIPLY", builder.smoothstep(clouds, 0.64 - 0.12 * wear, 0.7), 0.2 + 0.4 * wear)
    specks = builder.math("MULTIPLY", builder.smoothstep(grain, 0.34, 0.28), 0.6 * wear)
    # Cracks follow a contour line of the clouds, with gaps between the streaks.
    crack = builder.smoothstep(builder.math("ABSOLUTE", builder.math("SUBTRACT", clouds, 0.53)), 0.0025, 0.001)
    cracks = builder.math("MULTIPLY", crack, builder.smoothstep(streaks, 0.5, 0.6))
    specks = builder.math("MAXIMUM", specks, builder.math("MULTIPLY", cracks, 0.7 * wear))
    dirt = builder.math("MAXIMUM", stains, specks)
    return builder.math("MAXIMUM", dirt, _tire_mark_mask(builder, clouds, streaks, wear, rng))


def _joint_mask(builder: MaterialBuilder, rng: np.random.Generator) -> bpy.types.NodeSocket:
    """Return 1 in the joints, saw cuts every few meters in both directions, else 0."""
    x, y, _ = builder.coordinates()
    pitch, (offset_x, offset_y) = rng.choice((4.0, 5.0, 6.0)), rng.uniform(0, 4, 2)
    return builder.math(
        "MAXIMUM", builder.grid_line(x, pitch, 0.016, offset_x), builder.grid_line(y, pitch, 0.016, offset_y)
    )


def _tire_mark_mask(
    builder: MaterialBuilder, clouds: Any, streaks: Any, wear: float, rng: np.random.Generator
) -> bpy.types.NodeSocket:
    """Return arcs of rubber, 0 (none) to 1 (black): rings about a few points, broken up by the two noises."""
    position = builder.node("ShaderNodeTexCoord").outputs["Object"]
    nearest: Any = 1.0
    for _ in range(TIRE_MARK_CENTERS):
        center = (*rng.uniform(-12, 12, 2), 0.0)
        distance = builder.node("ShaderNodeVectorMath", {0: position, 1: center}, operation="DISTANCE")
        from_ring = builder.math("PINGPONG", distance.outputs["Value"], rng.uniform(0.7, 2.0))
        nearest = builder.math("MINIMUM", nearest, from_ring)
    rubber = builder.math("MULTIPLY", builder.smoothstep(nearest, 0.065, 0.04), builder.smoothstep(streaks, 0.35, 0.65))
    rubber = builder.math("MULTIPLY", rubber, builder.smoothstep(clouds, 0.55, 0.4))
    return builder.math("MULTIPLY", rubber, 0.2 + 0.6 * wear)


def wall_material(surface: dict) -> bpy.types.Material:
    """Return walls that get dirtier towards the floor; most have a lower band of another color."""
    builder = new_material_builder("wall")
    rng = np.random.default_rng(surface["seed"])
    z = builder.coordinates()[2]
    color = _panel_color(builder, surface, upright=True)
    if rng.random() < 0.65:
        band_color = BAND_COLORS[rng.integers(len(BAND_COLORS))]
        color = builder.mix_colors(builder.math("LESS_THAN", z, rng.uniform(0.9, 1.7)), color, band_color)
    near_floor = builder.math("MULTIPLY", builder.smoothstep(z, 1.2, 0.0), builder.noise(2.0, 2.0))
    grime = builder.math("MULTIPLY", near_floor, 0.3 + 0.6 * surface["wear"])
    builder.set_principled(
        Base_Color=builder.mix_colors(grime, color, (0.06, 0.055, 0.05)), Roughness=surface["roughness"]
    )
    return builder.material


def ceiling_material(surface: dict) -> bpy.types.Material:
    """Return the underside of the roof."""
    builder = new_material_builder("ceiling")
    color = _panel_color(builder, surface, upright=False)
    builder.set_principled(Base_Color=color, Roughness=surface["roughness"])
    return builder.material


def _panel_color(builder: MaterialBuilder, surface: dict, upright: bool) -> bpy.types.NodeSocket:
    """Return the color of walls (`upright`) or of a ceiling; sheet metal also gets a bump."""
    color, wear = surface["color_rgb"], surface["wear"]
    # Dirt runs down walls.
    coordinates = builder.scaled_coordinates(1.0, 1.0, 0.2 if upright else 1.0, 0.0)
    stains = builder.map_linear(builder.noise(0.8, 3.0, coordinates), 1.0 - 0.35 * wear, 1.0 + 0.2 * wear)
    if surface["kind"] == "painted":
        return builder.scale_color(color, stains)
    x, y, z = builder.coordinates()
    # Meters along the surface.
    u, v = (builder.math("ADD", x, y), z) if upright else (x, y)
    if surface["kind"] == "brick":
        return builder.scale_color(_brick_color(builder, color, u, v), stains)
    if surface["kind"] == "sheet_metal":
        profile = builder.math("PINGPONG", u, 0.125)
        builder.add_bump(builder.smoothstep(profile, 0.035, 0.07), 0.8, 0.03)
        seam = builder.grid_line(v, 3.0, 0.02)
        return builder.scale_color(color, builder.math("MULTIPLY", stains, builder.map_linear(seam, 1.0, 0.6)))
    joint = builder.math("MAXIMUM", builder.grid_line(u, 2.5, 0.025), builder.grid_line(v, 2.5, 0.025, 1.25))
    return builder.scale_color(color, builder.math("MULTIPLY", stains, builder.map_linear(joint, 1.0, 0.55)))


def _brick_color(builder: MaterialBuilder, color: Rgb, u: Any, v: Any) -> bpy.types.NodeSocket:
    """Return painted or bare masonry of 0.5 x 0.25 m blocks; smaller bricks would cause aliasing."""
    vector = builder.node("ShaderNodeCombineXYZ", {"X": u, "Y": v}).outputs[0]
    dark, light = (np.array(color) * factor for factor in (0.8, 1.1))
    inputs = {"Vector": vector, "Color1": dark, "Color2": light, "Mortar": np.array(color) * 0.5 + 0.05, "Scale": 1.0}
    inputs |= {"Mortar Size": 0.012, "Brick Width": 0.5, "Row Height": 0.25}
    return builder.node("ShaderNodeTexBrick", inputs).outputs["Color"]
