# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of people: cloth, high-visibility cloth with reflective bands, skin with eyebrows and lips, hair, eyes.

They read per-vertex values of the meshes (`SkinSurface.values`) by attribute nodes, so that a pattern moves with the
body. Colors are linear Rec. 709 in 0..1.
"""

import bpy

from blender.materials.common_materials import MaterialBuilder, Rgb, new_material_builder

NAVY_RGB = (0.012, 0.017, 0.035)


def vertex_attribute(builder: MaterialBuilder, name: str, output: str = "Fac") -> bpy.types.NodeSocket:
    """Read a per-vertex value: output "Fac" for values (N,), "Vector" for (N, 3)."""
    return builder.node("ShaderNodeAttribute", attribute_name=name).outputs[output]


def scaled_rgb(color: Rgb, factor: float, offset: float = 0.0) -> list[float]:
    """Return a color times a factor plus an offset, at most 1 per channel."""
    return [min(1.0, factor * channel + offset) for channel in color]


def cloth_material(name: str, color: Rgb, weave: float) -> bpy.types.Material:
    """Return woven cloth with faded patches, seams along its edges and folds where it is squeezed.

    `weave` is in threads per meter. The mesh has the values `rest` (position at rest, m), `edge` (distance to the
    hem, m) and `crease` (0..1, how much the cloth is squeezed).
    """
    builder = new_material_builder(name)
    _add_weave(builder, color, weave)
    return builder.material


def _add_weave(builder: MaterialBuilder, color: Rgb, weave: float) -> bpy.types.NodeSocket:
    """Set the inputs that all woven cloth has; return its color."""
    rest_position = vertex_attribute(builder, "rest", "Vector")
    patches = builder.noise(6.0, 5.0, rest_position)
    faded = builder.mix_colors(patches, scaled_rgb(color, 0.82), scaled_rgb(color, 1.12))
    edge = vertex_attribute(builder, "edge")
    seam = builder.math("COMPARE", edge, 0.021, 0.0022)
    tone = builder.mix_colors(builder.math("MULTIPLY", seam, 0.45), faded, scaled_rgb(color, 0.35))
    builder.set_principled(Base_Color=tone, Roughness=0.9, Specular_IOR_Level=0.15, Sheen_Weight=0.12)
    squeezed = builder.math("ADD", builder.math("MULTIPLY", vertex_attribute(builder, "crease"), 2.0), 0.5)
    wrinkles = builder.math("MULTIPLY", builder.noise(6.0, 3.0, rest_position), squeezed)
    threads = builder.math("MULTIPLY", builder.noise(weave, 1.0, rest_position), 0.05)
    builder.add_bump(builder.math("ADD", wrinkles, threads), 0.5, 0.022)
    return tone


def hi_vis_material(name: str, color: Rgb, sleeves: bool = False) -> bpy.types.Material:
    """Return the cloth of a vest after EN ISO 20471, or of a jacket (`sleeves`).

    Two reflective bands of 50 mm run around the body, at least 50 mm apart and above the hem, and one over each
    shoulder. A jacket has two more around each sleeve, and a dark hem and cuffs. Apart from the values that cloth has,
    the mesh has `bands` (N, 3) m: to the side of the middle, above the hem, ahead of the neck. That of a jacket also
    has `sleeve` (N,) m above the wrist.
    """
    builder = new_material_builder(name)
    tone = _add_weave(builder, color, weave=700.0)
    split = builder.node("ShaderNodeSeparateXYZ", {"Vector": vertex_attribute(builder, "bands", "Vector")})
    side, above_hem, ahead = (split.outputs[i] for i in range(3))
    from_middle = builder.math("ABSOLUTE", side)
    lower, upper = (builder.math("COMPARE", above_hem, height, 0.025) for height in (0.105, 0.225))
    straps = builder.math(
        "MULTIPLY",
        builder.math("COMPARE", from_middle, 0.118, 0.025),
        builder.math("GREATER_THAN", above_hem, 0.25),
    )
    band = builder.math("MAXIMUM", builder.math("MAXIMUM", lower, upper), straps)
    if sleeves:
        above_wrist = vertex_attribute(builder, "sleeve")
        for height in (0.115, 0.225):
            band = builder.math("MAXIMUM", band, builder.math("COMPARE", above_wrist, height, 0.025))
        hem, cuff = builder.math("LESS_THAN", above_hem, 0.055), builder.math("LESS_THAN", above_wrist, 0.06)
        dark = builder.math("MAXIMUM", hem, cuff)
    zip_line = builder.math(
        "MULTIPLY", builder.math("LESS_THAN", from_middle, 0.006), builder.math("GREATER_THAN", ahead, 0.0)
    )
    binding = builder.math("MAXIMUM", builder.math("LESS_THAN", vertex_attribute(builder, "edge"), 0.011), zip_line)
    trimmed = builder.mix_colors(builder.math("MULTIPLY", binding, 0.75), tone, scaled_rgb(color, 0.3))
    trimmed = builder.mix_colors(dark, trimmed, NAVY_RGB) if sleeves else trimmed
    builder.set_principled(
        Base_Color=builder.mix_colors(band, trimmed, (0.56, 0.57, 0.58)),
        Metallic=builder.math("MULTIPLY", band, 0.55),
        Roughness=builder.math("SUBTRACT", 0.85, builder.math("MULTIPLY", band, 0.4)),
    )
    return builder.material


def skin_material(name: str, color: Rgb, hair_color: Rgb) -> bpy.types.Material:
    """Return skin, redder at the lips, with painted eyebrows and the shade of short hair.

    The mesh has the values `rest`, `lips` and `haired` (0..1), and `face` (see `_eyebrow_mask`).
    """
    builder = new_material_builder(name)
    rest_position = vertex_attribute(builder, "rest", "Vector")
    mottles = builder.noise(18.0, 5.0, rest_position)
    mottled = builder.mix_colors(mottles, scaled_rgb(color, 0.84), (min(1, 1.1 * color[0]), *color[1:]))
    lip_color = (0.8 * color[0], 0.55 * color[1], 0.55 * color[2])
    skin = builder.mix_colors(vertex_attribute(builder, "lips"), mottled, lip_color)
    strands = builder.node("ShaderNodeMapping", {"Vector": rest_position, "Scale": (1.0, 1.0, 0.35)}).outputs["Vector"]
    strand_noise = builder.math("ADD", builder.math("MULTIPLY", builder.noise(420.0, 2.0, strands), 0.9), 0.1)
    hair_mask = builder.smoothstep(vertex_attribute(builder, "haired"), 0.0, 1.0)
    haired = builder.math("MULTIPLY", hair_mask, strand_noise)
    eyebrows = builder.math("MULTIPLY", _eyebrow_mask(builder), strand_noise)
    dark = builder.math("MAXIMUM", haired, eyebrows)
    builder.set_principled(
        Base_Color=builder.mix_colors(dark, skin, hair_color), Roughness=0.52, Specular_IOR_Level=0.35
    )
    builder.add_bump(builder.noise(220.0, 3.0, rest_position), 0.12, 0.004)
    return builder.material


def _eyebrow_mask(builder: MaterialBuilder) -> bpy.types.NodeSocket:
    """Return 1 on two arcs above the eyes, else 0, with soft edges.

    The mesh has the value `face` (N, 3): to the side and above the eyes, both as multiples of the distance of an eye
    from the middle, and m ahead of the eyes.
    """
    split = builder.node("ShaderNodeSeparateXYZ", {"Vector": vertex_attribute(builder, "face", "Vector")})
    side, up, ahead = (split.outputs[i] for i in range(3))
    from_middle = builder.math("ABSOLUTE", side)
    from_peak = builder.math("SUBTRACT", from_middle, 1.05)
    arc = builder.math("SUBTRACT", 0.70, builder.math("MULTIPLY", builder.math("MULTIPLY", from_peak, from_peak), 0.42))
    from_arc = builder.math("ABSOLUTE", builder.math("SUBTRACT", up, arc))
    thickness = builder.math("SUBTRACT", 0.17, builder.math("MULTIPLY", builder.math("MAXIMUM", from_peak, 0.0), 0.13))
    on_arc = builder.math("SUBTRACT", 1.0, builder.smoothstep(builder.math("DIVIDE", from_arc, thickness), 0.45, 1.05))
    between_ends = builder.math(
        "MULTIPLY",
        builder.smoothstep(from_middle, 0.36, 0.55),
        builder.math("SUBTRACT", 1.0, builder.smoothstep(from_middle, 1.55, 1.85)),
    )
    front = builder.math("GREATER_THAN", ahead, 0.0)
    return builder.math("MULTIPLY", builder.math("MULTIPLY", on_arc, between_ends), front)


def hair_material(name: str, color: Rgb) -> bpy.types.Material:
    """Return hair with streaks, which becomes transparent at the hairline.

    The mesh has the values `flow` (N, 3), coordinates in which the streaks are round, and `edge` (N,), m inside the
    hairline.
    """
    builder = new_material_builder(name)
    streaks = builder.noise(1.0, 3.0, vertex_attribute(builder, "flow", "Vector"))
    tone = builder.mix_colors(streaks, scaled_rgb(color, 0.45), scaled_rgb(color, 1.5, 0.01))
    edge = vertex_attribute(builder, "edge")
    frayed = builder.math("ADD", edge, builder.math("MULTIPLY", builder.math("SUBTRACT", streaks, 0.5), 0.045))
    opaque = builder.math("GREATER_THAN", frayed, 0.006)
    builder.set_principled(Base_Color=tone, Roughness=0.62, Specular_IOR_Level=0.25, Alpha=opaque)
    builder.add_bump(streaks, 0.6, 0.005)
    return builder.material


def eye_material() -> bpy.types.Material:
    """Return white, iris and pupil; the mesh has the value `iris`: 1 in the middle of the eye, 0 at its rim."""
    builder = new_material_builder("eye")
    middle = vertex_attribute(builder, "iris")
    with_iris = builder.mix_colors(builder.math("GREATER_THAN", middle, 0.80), (0.72, 0.69, 0.66), (0.06, 0.035, 0.02))
    with_pupil = builder.mix_colors(builder.math("GREATER_THAN", middle, 0.93), with_iris, (0.004, 0.004, 0.004))
    builder.set_principled(Base_Color=with_pupil, Roughness=0.15)
    return builder.material
