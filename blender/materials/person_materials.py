# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of people: cloth, hi-vis cloth with reflective bands, skin with brows and lips, hair, eyes.

They read per-vertex values of the meshes by attribute nodes, so patterns stick to the body whatever the pose.
"""

import bpy

from blender.materials.common_materials import MaterialBuilder, Rgb, new_material_builder

NAVY_RGB = (0.012, 0.017, 0.035)


def vertex_attribute(builder: MaterialBuilder, name: str, output: str = "Fac") -> bpy.types.NodeSocket:
    """Read a per-vertex value; `output` "Vector" for (N, 3) values."""
    return builder.node("ShaderNodeAttribute", attribute_name=name).outputs[output]


def cloth_material(name: str, color: Rgb, weave: float) -> bpy.types.Material:
    """Woven cloth: faded patches, seams along the edges, folds where it is squeezed. `weave` in threads per metre."""
    builder = new_material_builder(name)
    _woven(builder, color, weave)
    return builder.material


def _woven(builder: MaterialBuilder, color: Rgb, weave: float) -> bpy.types.NodeSocket:
    """Give a shader cloth's surface; return its colour."""
    place = vertex_attribute(builder, "rest", "Vector")
    patches = builder.noise(6.0, 5.0, place)
    faded = builder.mix_colors(patches, [0.82 * c for c in color], [min(1.0, 1.12 * c) for c in color])
    edge = vertex_attribute(builder, "edge")
    seam = builder.math("COMPARE", edge, 0.021, 0.0022)
    tone = builder.mix_colors(builder.math("MULTIPLY", seam, 0.45), faded, [0.35 * c for c in color])
    builder.set_principled(Base_Color=tone, Roughness=0.9, Specular_IOR_Level=0.15, Sheen_Weight=0.12)
    squeezed = builder.math("ADD", builder.math("MULTIPLY", vertex_attribute(builder, "crease"), 2.0), 0.5)
    wrinkle = builder.math("MULTIPLY", builder.noise(6.0, 3.0, place), squeezed)
    threads = builder.math("MULTIPLY", builder.noise(weave, 1.0, place), 0.05)
    builder.add_bump(builder.math("ADD", wrinkle, threads), 0.5, 0.022)
    return tone


def hi_vis_material(name: str, color: Rgb, sleeves: bool = False) -> bpy.types.Material:
    """A vest after EN ISO 20471: two bands of 50 mm round the body, 50 mm and more apart and above the hem, and one
    over each shoulder. `bands` holds metres: from the middle, above the hem, ahead of the neck.

    A jacket (`sleeves`) has two more round each sleeve, by `sleeve`, m above the wrist, and a dark hem and cuffs."""
    builder = new_material_builder(name)
    tone = _woven(builder, color, weave=700.0)
    split = builder.node("ShaderNodeSeparateXYZ", {"Vector": vertex_attribute(builder, "bands", "Vector")})
    aside, above, ahead = (split.outputs[i] for i in range(3))
    aside = builder.math("ABSOLUTE", aside)
    lower, upper = (builder.math("COMPARE", above, middle, 0.025) for middle in (0.105, 0.225))
    straps = builder.math(
        "MULTIPLY", builder.math("COMPARE", aside, 0.118, 0.025), builder.math("GREATER_THAN", above, 0.25)
    )
    band = builder.math("MAXIMUM", builder.math("MAXIMUM", lower, upper), straps)
    if sleeves:
        up = vertex_attribute(builder, "sleeve")
        for middle in (0.115, 0.225):
            band = builder.math("MAXIMUM", band, builder.math("COMPARE", up, middle, 0.025))
        dark = builder.math("MAXIMUM", builder.math("LESS_THAN", above, 0.055), builder.math("LESS_THAN", up, 0.06))
    zip_line = builder.math(
        "MULTIPLY", builder.math("LESS_THAN", aside, 0.006), builder.math("GREATER_THAN", ahead, 0.0)
    )
    binding = builder.math("MAXIMUM", builder.math("LESS_THAN", vertex_attribute(builder, "edge"), 0.011), zip_line)
    trimmed = builder.mix_colors(builder.math("MULTIPLY", binding, 0.75), tone, [0.3 * c for c in color])
    trimmed = builder.mix_colors(dark, trimmed, NAVY_RGB) if sleeves else trimmed
    builder.set_principled(
        Base_Color=builder.mix_colors(band, trimmed, (0.56, 0.57, 0.58)),
        Metallic=builder.math("MULTIPLY", band, 0.55),
        Roughness=builder.math("SUBTRACT", 0.85, builder.math("MULTIPLY", band, 0.4)),
    )
    return builder.material


def skin_material(name: str, color: Rgb, hair: Rgb) -> bpy.types.Material:
    """Skin, redder at the lips, with painted eyebrows and the shade of short hair.

    Reads `lips` and `haired` (0..1), and `face` (see `_brows`), which blender/head.py lays on the mesh.
    """
    builder = new_material_builder(name)
    place = vertex_attribute(builder, "rest", "Vector")
    mottled = builder.mix_colors(
        builder.noise(18.0, 5.0, place), [0.84 * c for c in color], (min(1, 1.1 * color[0]), *color[1:])
    )
    lips = builder.mix_colors(
        vertex_attribute(builder, "lips"), mottled, (0.8 * color[0], 0.55 * color[1], 0.55 * color[2])
    )
    strands = builder.node("ShaderNodeMapping", {"Vector": place, "Scale": (1.0, 1.0, 0.35)}).outputs["Vector"]
    rough = builder.math("ADD", builder.math("MULTIPLY", builder.noise(420.0, 2.0, strands), 0.9), 0.1)
    haired = builder.math("MULTIPLY", builder.smoothstep(vertex_attribute(builder, "haired"), 0.0, 1.0), rough)
    brows = builder.math("MULTIPLY", _brows(builder), rough)
    dark = builder.math("MAXIMUM", haired, brows)
    builder.set_principled(Base_Color=builder.mix_colors(dark, lips, hair), Roughness=0.52, Specular_IOR_Level=0.35)
    builder.add_bump(builder.noise(220.0, 3.0, place), 0.12, 0.004)
    return builder.material


def _brows(builder: MaterialBuilder) -> bpy.types.NodeSocket:
    """Two arcs above the eyes: `face` is (1 = an eye's distance from the middle, up in the same unit, ahead)."""
    split = builder.node("ShaderNodeSeparateXYZ", {"Vector": vertex_attribute(builder, "face", "Vector")})
    aside, up, ahead = (split.outputs[i] for i in range(3))
    aside = builder.math("ABSOLUTE", aside)
    off = builder.math("SUBTRACT", aside, 1.05)
    arc = builder.math("SUBTRACT", 0.70, builder.math("MULTIPLY", builder.math("MULTIPLY", off, off), 0.42))
    height = builder.math("ABSOLUTE", builder.math("SUBTRACT", up, arc))
    thin = builder.math("SUBTRACT", 0.17, builder.math("MULTIPLY", builder.math("MAXIMUM", off, 0.0), 0.13))
    across = builder.math("SUBTRACT", 1.0, builder.smoothstep(builder.math("DIVIDE", height, thin), 0.45, 1.05))
    ends = builder.math(
        "MULTIPLY",
        builder.smoothstep(aside, 0.36, 0.55),
        builder.math("SUBTRACT", 1.0, builder.smoothstep(aside, 1.55, 1.85)),
    )
    front = builder.math("GREATER_THAN", ahead, 0.0)
    return builder.math("MULTIPLY", builder.math("MULTIPLY", across, ends), front)


def hair_material(name: str, color: Rgb) -> bpy.types.Material:
    """A short haircut: streaks along `flow` (N, 3), thinning out to nothing where `edge` (m) reaches 0."""
    builder = new_material_builder(name)
    streaks = builder.noise(1.0, 3.0, vertex_attribute(builder, "flow", "Vector"))
    tone = builder.mix_colors(streaks, [0.45 * c for c in color], [min(1.0, 1.5 * c + 0.01) for c in color])
    thin = builder.math(
        "ADD",
        vertex_attribute(builder, "edge"),
        builder.math("MULTIPLY", builder.math("SUBTRACT", streaks, 0.5), 0.045),
    )
    builder.set_principled(
        Base_Color=tone, Roughness=0.62, Specular_IOR_Level=0.25, Alpha=builder.math("GREATER_THAN", thin, 0.006)
    )
    builder.add_bump(streaks, 0.6, 0.005)
    return builder.material


def eye_material() -> bpy.types.Material:
    """White, iris and pupil by `iris`: 1 in the middle of the eye, 0 at its rim."""
    builder = new_material_builder("eye")
    middle = vertex_attribute(builder, "iris")
    iris = builder.mix_colors(builder.math("GREATER_THAN", middle, 0.80), (0.72, 0.69, 0.66), (0.06, 0.035, 0.02))
    builder.set_principled(
        Base_Color=builder.mix_colors(builder.math("GREATER_THAN", middle, 0.93), iris, (0.004, 0.004, 0.004)),
        Roughness=0.15,
    )
    return builder.material
