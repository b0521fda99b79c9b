# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of the hall itself: floor, painted lines, walls, ceiling; each from a `Surface` of pipeline/scene.py.

All patterns live in world coordinates (the hall's objects stand at the origin), so a worn floor line shows the very
concrete that lies under it.
"""

from typing import Any

import bpy
import numpy as np

from blender.materials.common_materials import MaterialBuilder, new_material_builder

TYRE_CENTERS = 3
BAND_COLORS = ((0.12, 0.13, 0.14), (0.05, 0.09, 0.2), (0.25, 0.26, 0.26), (0.06, 0.14, 0.1), (0.45, 0.3, 0.06))


def floor_material(surface: dict) -> bpy.types.Material:
    """Concrete, or paint on concrete, with joints, stains and tyre marks."""
    builder = new_material_builder("floor")
    color, grain = _floor_color(builder, surface)
    roughness = builder.math("ADD", builder.map_linear(grain, -0.2, 0.2), max(0.12, surface["roughness"]))
    if surface.get("wet"):
        rng = np.random.default_rng([surface["seed"], 2])
        pools = builder.noise(0.35, 2.0, builder.scaled_coordinates(1.0, 1.0, 1.0, rng.uniform(0, 40)), flat=True)
        edge = 0.66 - 0.12 * surface["wet"]
        pool = builder.smoothstep(pools, edge, edge + 0.015)
        color = builder.scale_color(color, builder.map_linear(pool, 1.0, 0.4))
        roughness = builder.math("MULTIPLY", roughness, builder.map_linear(pool, 1.0, 0.12))
    builder.set_principled(Base_Color=color, Roughness=roughness, Specular_IOR_Level=0.4)
    return builder.material


def floor_line_material(surface: dict, color: tuple[float, float, float], wear: float) -> bpy.types.Material:
    """Road paint that has gone in patches and let the floor through."""
    builder = new_material_builder("floor line")
    ground, grain = _floor_color(builder, surface)
    bare = builder.smoothstep(builder.noise(7.0, 4.0, flat=True), 0.72 - 0.3 * wear, 0.82 - 0.3 * wear)
    dirty = builder.scale_color(color, builder.map_linear(grain, 1.0 - 0.5 * wear, 1.0))
    builder.set_principled(Base_Color=builder.mix_colors(bare, dirty, ground), Roughness=0.55)
    return builder.material


def _floor_color(builder: MaterialBuilder, surface: dict) -> tuple[Any, Any]:
    """Return the colour and the fine grain (0..1) of the floor."""
    rng = np.random.default_rng(surface["seed"])
    wear = surface["wear"]
    place = builder.scaled_coordinates(1.0, 1.0, 1.0, rng.uniform(0, 100))
    grain, clouds = builder.noise(6.0, 4.0, place, flat=True), builder.noise(0.5, 3.0, place, flat=True)
    drag = builder.noise(1.0, 3.0, builder.scaled_coordinates(0.3, 5.0, 1.0, rng.uniform(0, 100)), flat=True)
    tone = builder.math("MULTIPLY", builder.map_linear(clouds, 0.7, 1.3), builder.map_linear(grain, 0.55, 1.45))
    tone = builder.math("MULTIPLY", tone, builder.map_linear(drag, 1.0 - 0.7 * wear, 1.0 + 0.7 * wear))
    stains = builder.math("MULTIPLY", builder.smoothstep(clouds, 0.64 - 0.12 * wear, 0.7), 0.2 + 0.4 * wear)
    specks = builder.math("MULTIPLY", builder.smoothstep(grain, 0.34, 0.28), 0.6 * wear)
    # Cracks follow a level line of the clouds, broken by the drag marks.
    crack = builder.smoothstep(builder.math("ABSOLUTE", builder.math("SUBTRACT", clouds, 0.53)), 0.0025, 0.001)
    cracks = builder.math("MULTIPLY", builder.math("MULTIPLY", crack, builder.smoothstep(drag, 0.5, 0.6)), 0.7 * wear)
    specks = builder.math("MAXIMUM", specks, cracks)
    darker = builder.math(
        "MAXIMUM", builder.math("MAXIMUM", stains, specks), _tyre_marks(builder, clouds, drag, wear, rng)
    )
    if surface["kind"] == "concrete":
        darker = builder.math("MAXIMUM", darker, builder.math("MULTIPLY", _joints(builder, rng), 0.6))
    color = surface["color_rgb"]
    if surface["kind"] != "concrete":
        bare = builder.smoothstep(grain, 0.85 - 0.35 * wear, 0.88 - 0.3 * wear)
        color = builder.mix_colors(bare, color, (0.17, 0.165, 0.155))
    return builder.scale_color(color, builder.math("MULTIPLY", tone, builder.math("SUBTRACT", 1.0, darker))), grain


def _joints(builder: MaterialBuilder, rng: np.random.Generator) -> Any:
    """Saw cuts every few metres both ways: 1 in them, else 0."""
    x, y, _ = builder.coordinates()
    pitch, (along, across) = rng.choice((4.0, 5.0, 6.0)), rng.uniform(0, 4, 2)
    return builder.math(
        "MAXIMUM", builder.grid_line(x, pitch, 0.016, along), builder.grid_line(y, pitch, 0.016, across)
    )


def _tyre_marks(builder: MaterialBuilder, clouds: Any, drag: Any, wear: float, rng: np.random.Generator) -> Any:
    """Arcs of rubber about a few points, broken by two noises so that no ring is whole: 0 none .. 1 black."""
    place = builder.node("ShaderNodeTexCoord").outputs["Object"]
    nearest: Any = 1.0
    for _ in range(TYRE_CENTERS):
        center = (*rng.uniform(-12, 12, 2), 0.0)
        distance = builder.node("ShaderNodeVectorMath", {0: place, 1: center}, operation="DISTANCE").outputs["Value"]
        nearest = builder.math("MINIMUM", nearest, builder.math("PINGPONG", distance, rng.uniform(0.7, 2.0)))
    ink = builder.math("MULTIPLY", builder.smoothstep(nearest, 0.065, 0.04), builder.smoothstep(drag, 0.35, 0.65))
    return builder.math(
        "MULTIPLY", builder.math("MULTIPLY", ink, builder.smoothstep(clouds, 0.55, 0.4)), 0.2 + 0.6 * wear
    )


def wall_material(surface: dict) -> bpy.types.Material:
    """Walls that get dirtier towards the floor, most with a band of another colour below."""
    builder = new_material_builder("wall")
    rng = np.random.default_rng(surface["seed"])
    z = builder.coordinates()[2]
    color = _plane(builder, surface, upright=True)
    if rng.random() < 0.65:
        band = BAND_COLORS[rng.integers(len(BAND_COLORS))]
        color = builder.mix_colors(builder.math("LESS_THAN", z, rng.uniform(0.9, 1.7)), color, band)
    low = builder.math("MULTIPLY", builder.smoothstep(z, 1.2, 0.0), builder.noise(2.0, 2.0))
    grime = builder.math("MULTIPLY", low, 0.3 + 0.6 * surface["wear"])
    builder.set_principled(
        Base_Color=builder.mix_colors(grime, color, (0.06, 0.055, 0.05)), Roughness=surface["roughness"]
    )
    return builder.material


def ceiling_material(surface: dict) -> bpy.types.Material:
    """The underside of the roof."""
    builder = new_material_builder("ceiling")
    builder.set_principled(Base_Color=_plane(builder, surface, upright=False), Roughness=surface["roughness"])
    return builder.material


def _plane(builder: MaterialBuilder, surface: dict, upright: bool) -> Any:
    """Return the colour of walls (`upright`) or a ceiling, and set its bump; u and v run along the plane in metres."""
    color, wear = surface["color_rgb"], surface["wear"]
    # Dirt runs down walls.
    place = builder.scaled_coordinates(1.0, 1.0, 0.2 if upright else 1.0, 0.0)
    stained = builder.map_linear(builder.noise(0.8, 3.0, place), 1.0 - 0.35 * wear, 1.0 + 0.2 * wear)
    if surface["kind"] == "painted":
        return builder.scale_color(color, stained)
    x, y, z = builder.coordinates()
    u, v = (builder.math("ADD", x, y), z) if upright else (x, y)
    if surface["kind"] == "brick":
        return builder.scale_color(_bricks(builder, color, u, v), stained)
    if surface["kind"] == "sheet_metal":
        profile = builder.math("PINGPONG", u, 0.125)
        builder.add_bump(builder.smoothstep(profile, 0.035, 0.07), 0.8, 0.03)
        seam = builder.grid_line(v, 3.0, 0.02)
        return builder.scale_color(color, builder.math("MULTIPLY", stained, builder.map_linear(seam, 1.0, 0.6)))
    joint = builder.math("MAXIMUM", builder.grid_line(u, 2.5, 0.025), builder.grid_line(v, 2.5, 0.025, 1.25))
    return builder.scale_color(color, builder.math("MULTIPLY", stained, builder.map_linear(joint, 1.0, 0.55)))


def _bricks(builder: MaterialBuilder, color: Any, u: Any, v: Any) -> Any:
    """Painted or bare bricks; the size is that of lime-sand blocks, small bricks would only flicker."""
    place = builder.node("ShaderNodeCombineXYZ", {"X": u, "Y": v}).outputs[0]
    dark, light = (np.array(color) * factor for factor in (0.8, 1.1))
    inputs = {"Vector": place, "Color1": dark, "Color2": light, "Mortar": np.array(color) * 0.5 + 0.05, "Scale": 1.0}
    inputs |= {"Mortar Size": 0.012, "Brick Width": 0.5, "Row Height": 0.25}
    return builder.node("ShaderNodeTexBrick", inputs).outputs["Color"]
