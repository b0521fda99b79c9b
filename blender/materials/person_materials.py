# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of people: cloth, hi-vis cloth with reflective bands, skin with brows and lips, hair, eyes.

They read per-vertex values of the meshes by attribute nodes, so patterns stick to the body whatever the pose.
"""

import bpy

from blender.materials.common_materials import MaterialBuilder, Rgb, new_material_builder

NAVY_RGB = (0.012, 0.017, 0.035)


def vertex_attribute(made: MaterialBuilder, name: str, output: str = "Fac") -> bpy.types.NodeSocket:
    """Read a per-vertex value; `output` "Vector" for (N, 3) values."""
    return made.node("ShaderNodeAttribute", attribute_name=name).outputs[output]


def cloth_material(name: str, color: Rgb, weave: float) -> bpy.types.Material:
    """Woven cloth: faded patches, seams along the edges, folds where it is squeezed. `weave` in threads per metre."""
    made = new_material_builder(name)
    _woven(made, color, weave)
    return made.material


def _woven(made: MaterialBuilder, color: Rgb, weave: float) -> bpy.types.NodeSocket:
    """Give a shader cloth's surface; return its colour."""
    place = vertex_attribute(made, "rest", "Vector")
    patches = made.noise(6.0, 5.0, place)
    faded = made.mix(patches, [0.82 * c for c in color], [min(1.0, 1.12 * c) for c in color])
    edge = vertex_attribute(made, "edge")
    seam = made.math("COMPARE", edge, 0.021, 0.0022)
    tone = made.mix(made.math("MULTIPLY", seam, 0.45), faded, [0.35 * c for c in color])
    made.set(Base_Color=tone, Roughness=0.9, Specular_IOR_Level=0.15, Sheen_Weight=0.12)
    squeezed = made.math("ADD", made.math("MULTIPLY", vertex_attribute(made, "crease"), 2.0), 0.5)
    wrinkle = made.math("MULTIPLY", made.noise(6.0, 3.0, place), squeezed)
    threads = made.math("MULTIPLY", made.noise(weave, 1.0, place), 0.05)
    made.bump(made.math("ADD", wrinkle, threads), 0.5, 0.022)
    return tone


def hi_vis_material(name: str, color: Rgb, sleeves: bool = False) -> bpy.types.Material:
    """A vest after EN ISO 20471: two bands of 50 mm round the body, 50 mm and more apart and above the hem, and one
    over each shoulder. `bands` holds metres: from the middle, above the hem, ahead of the neck.

    A jacket (`sleeves`) has two more round each sleeve, by `sleeve`, m above the wrist, and a dark hem and cuffs."""
    made = new_material_builder(name)
    tone = _woven(made, color, weave=700.0)
    split = made.node("ShaderNodeSeparateXYZ", {"Vector": vertex_attribute(made, "bands", "Vector")})
    aside, above, ahead = (split.outputs[i] for i in range(3))
    aside = made.math("ABSOLUTE", aside)
    lower, upper = (made.math("COMPARE", above, middle, 0.025) for middle in (0.105, 0.225))
    straps = made.math("MULTIPLY", made.math("COMPARE", aside, 0.118, 0.025), made.math("GREATER_THAN", above, 0.25))
    band = made.math("MAXIMUM", made.math("MAXIMUM", lower, upper), straps)
    if sleeves:
        up = vertex_attribute(made, "sleeve")
        for middle in (0.115, 0.225):
            band = made.math("MAXIMUM", band, made.math("COMPARE", up, middle, 0.025))
        dark = made.math("MAXIMUM", made.math("LESS_THAN", above, 0.055), made.math("LESS_THAN", up, 0.06))
    zip_line = made.math("MULTIPLY", made.math("LESS_THAN", aside, 0.006), made.math("GREATER_THAN", ahead, 0.0))
    binding = made.math("MAXIMUM", made.math("LESS_THAN", vertex_attribute(made, "edge"), 0.011), zip_line)
    trimmed = made.mix(made.math("MULTIPLY", binding, 0.75), tone, [0.3 * c for c in color])
    trimmed = made.mix(dark, trimmed, NAVY_RGB) if sleeves else trimmed
    made.set(
        Base_Color=made.mix(band, trimmed, (0.56, 0.57, 0.58)),
        Metallic=made.math("MULTIPLY", band, 0.55),
        Roughness=made.math("SUBTRACT", 0.85, made.math("MULTIPLY", band, 0.4)),
    )
    return made.material


def skin_material(name: str, color: Rgb, hair: Rgb) -> bpy.types.Material:
    """Skin, redder at the lips, with painted eyebrows and the shade of short hair.

    Reads `lips` and `haired` (0..1), and `face` (see `_brows`), which blender/head.py lays on the mesh.
    """
    made = new_material_builder(name)
    place = vertex_attribute(made, "rest", "Vector")
    mottled = made.mix(made.noise(18.0, 5.0, place), [0.84 * c for c in color], (min(1, 1.1 * color[0]), *color[1:]))
    lips = made.mix(vertex_attribute(made, "lips"), mottled, (0.8 * color[0], 0.55 * color[1], 0.55 * color[2]))
    strands = made.node("ShaderNodeMapping", {"Vector": place, "Scale": (1.0, 1.0, 0.35)}).outputs["Vector"]
    rough = made.math("ADD", made.math("MULTIPLY", made.noise(420.0, 2.0, strands), 0.9), 0.1)
    haired = made.math("MULTIPLY", made.step(vertex_attribute(made, "haired"), 0.0, 1.0), rough)
    brows = made.math("MULTIPLY", _brows(made), rough)
    dark = made.math("MAXIMUM", haired, brows)
    made.set(Base_Color=made.mix(dark, lips, hair), Roughness=0.52, Specular_IOR_Level=0.35)
    made.bump(made.noise(220.0, 3.0, place), 0.12, 0.004)
    return made.material


def _brows(made: MaterialBuilder) -> bpy.types.NodeSocket:
    """Two arcs above the eyes: `face` is (1 = an eye's distance from the middle, up in the same unit, ahead)."""
    split = made.node("ShaderNodeSeparateXYZ", {"Vector": vertex_attribute(made, "face", "Vector")})
    aside, up, ahead = (split.outputs[i] for i in range(3))
    aside = made.math("ABSOLUTE", aside)
    off = made.math("SUBTRACT", aside, 1.05)
    arc = made.math("SUBTRACT", 0.70, made.math("MULTIPLY", made.math("MULTIPLY", off, off), 0.42))
    height = made.math("ABSOLUTE", made.math("SUBTRACT", up, arc))
    thin = made.math("SUBTRACT", 0.17, made.math("MULTIPLY", made.math("MAXIMUM", off, 0.0), 0.13))
    across = made.math("SUBTRACT", 1.0, made.step(made.math("DIVIDE", height, thin), 0.45, 1.05))
    ends = made.math("MULTIPLY", made.step(aside, 0.36, 0.55), made.math("SUBTRACT", 1.0, made.step(aside, 1.55, 1.85)))
    front = made.math("GREATER_THAN", ahead, 0.0)
    return made.math("MULTIPLY", made.math("MULTIPLY", across, ends), front)


def hair(name: str, color: Rgb) -> bpy.types.Material:
    """A short haircut: streaks along `flow` (N, 3), thinning out to nothing where `edge` (m) reaches 0."""
    made = new_material_builder(name)
    streaks = made.noise(1.0, 3.0, vertex_attribute(made, "flow", "Vector"))
    tone = made.mix(streaks, [0.45 * c for c in color], [min(1.0, 1.5 * c + 0.01) for c in color])
    thin = made.math(
        "ADD", vertex_attribute(made, "edge"), made.math("MULTIPLY", made.math("SUBTRACT", streaks, 0.5), 0.045)
    )
    made.set(Base_Color=tone, Roughness=0.62, Specular_IOR_Level=0.25, Alpha=made.math("GREATER_THAN", thin, 0.006))
    made.bump(streaks, 0.6, 0.005)
    return made.material


def eye_material() -> bpy.types.Material:
    """White, iris and pupil by `iris`: 1 in the middle of the eye, 0 at its rim."""
    made = new_material_builder("eye")
    middle = vertex_attribute(made, "iris")
    iris = made.mix(made.math("GREATER_THAN", middle, 0.80), (0.72, 0.69, 0.66), (0.06, 0.035, 0.02))
    made.set(Base_Color=made.mix(made.math("GREATER_THAN", middle, 0.93), iris, (0.004, 0.004, 0.004)), Roughness=0.15)
    return made.material
