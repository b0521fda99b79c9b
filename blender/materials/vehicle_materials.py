# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that pallet trucks and other vehicles share: painted forks, tires, molded plastic.

`wear` goes from 0 (new) to 1 (scrap). Colors are linear Rec. 709 in 0..1.
"""

import bpy

from blender.materials.common_materials import Rgb, new_material_builder


def fork_paint_material(name: str, color: Rgb, wear: float) -> bpy.types.Material:
    """Return paint that pallets have scraped off the upper faces in long streaks; at `wear` 1 nearly all is gone."""
    builder = new_material_builder(name)
    coordinates = builder.node("ShaderNodeTexCoord")
    stretched = builder.node(
        "ShaderNodeMapping", {"Vector": coordinates.outputs["Object"], "Scale": (1.5, 22.0, 22.0)}
    ).outputs["Vector"]
    streaks = builder.math(
        "ADD", builder.noise(1.0, 5.0, stretched), builder.math("MULTIPLY", builder.noise(12.0), 0.35)
    )
    upward = builder.node("ShaderNodeSeparateXYZ", {"Vector": coordinates.outputs["Normal"]}).outputs["Z"]
    likelihood = builder.math(
        "ADD", streaks, builder.math("MULTIPLY", builder.smoothstep(upward, 0.3, 0.9), 0.1 + 0.35 * wear)
    )
    worn = builder.smoothstep(likelihood, 0.95 - 0.12 * wear, 1.03 - 0.12 * wear)
    dirt = builder.math("MULTIPLY", builder.noise(4.0), 0.6 * wear)
    steel = builder.mix_colors(builder.noise(40.0), (0.2, 0.16, 0.12), (0.38, 0.37, 0.36))
    builder.set_principled(
        Base_Color=builder.mix_colors(worn, builder.mix_colors(dirt, color, (0.05, 0.045, 0.04)), steel),
        Metallic=builder.math("MULTIPLY", worn, 0.85),
        Roughness=builder.math("ADD", builder.math("MULTIPLY", dirt, 0.4), 0.36),
    )
    return builder.material


def tire_material(name: str, color: Rgb, wear: float) -> bpy.types.Material:
    """Return rubber, nylon or polyurethane with dust from the floor on it."""
    builder = new_material_builder(name)
    dust = builder.math("MULTIPLY", builder.noise(30.0), 0.25 + 0.5 * wear)
    builder.set_principled(Base_Color=builder.mix_colors(dust, color, (0.16, 0.15, 0.135)), Roughness=0.65)
    return builder.material


def molded_plastic(name: str, color: Rgb, wear: float, roughness: float) -> bpy.types.Material:
    """Return colored plastic with dirt near the floor and pale scratches.

    Heights are those of the object: dirt fades out between 0.05 m and 0.45 m above its origin.
    """
    builder = new_material_builder(name)
    _, _, height = builder.coordinates()
    near_floor = builder.smoothstep(height, 0.45, 0.05)
    dirt = builder.math(
        "MULTIPLY", builder.noise(6.0), builder.math("MULTIPLY_ADD", near_floor, 0.5 * wear, 0.35 * wear)
    )
    scratch_noise = builder.noise(1.0, 4.0, builder.scaled_coordinates(6.0, 6.0, 60.0))
    scratch = builder.smoothstep(scratch_noise, 0.74 - 0.14 * wear, 0.8 - 0.12 * wear)
    dirty = builder.mix_colors(dirt, color, (0.11, 0.1, 0.085))
    pale = tuple(0.5 * channel + 0.12 for channel in color)
    builder.set_principled(
        Base_Color=builder.mix_colors(builder.math("MULTIPLY", scratch, 0.8 * wear), dirty, pale),
        Roughness=builder.math("MULTIPLY_ADD", dirt, 0.5, roughness),
    )
    return builder.material
