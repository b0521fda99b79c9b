# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that many assets share, and `MaterialBuilder`, with which all materials are written.

Each function returns a new Blender material of a given name. Colors are linear Rec. 709 in 0..1.
"""

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from blender.materials import noise_textures

Rgb = tuple[float, float, float]
FILM_GLINT = (0.85, 0.87, 0.9)
GRAIN_SHIFT = 50.0  # each board shifts its grain by up to this much, in scaled coordinates


@dataclass(frozen=True)
class MaterialBuilder:
    """A material, its node tree and its Principled BSDF; methods add nodes and link them.

    A method returns the output socket of what it adds, so that calls nest as in a formula. A parameter of
    type `Any` takes a socket or a constant.
    """

    material: bpy.types.Material
    tree: bpy.types.NodeTree
    principled: bpy.types.ShaderNode

    def node(self, kind: str, inputs: dict[str | int, Any] | None = None, **settings: Any) -> bpy.types.ShaderNode:
        """Add a node of a Blender type; `settings` are its properties, `inputs` its sockets by name or index."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for name, value in (inputs or {}).items():
            self.set_input(node.inputs[name], value)
        return node

    def set_input(self, socket: bpy.types.NodeSocket, value: Any) -> None:
        """Link `value` to the socket if it is a socket, else set it as a constant (RGB triples get alpha 1)."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif socket.type == "RGBA" and len(value) == 3:
            socket.default_value = (*value, 1.0)
        else:
            socket.default_value = value

    def set_principled(self, **inputs: Any) -> None:
        """Set inputs of the Principled BSDF by name, with underscores for spaces: `set_principled(Base_Color=rgb)`."""
        for name, value in inputs.items():
            self.set_input(self.principled.inputs[name.replace("_", " ")], value)

    def object_color(self) -> bpy.types.NodeSocket:
        """Return the color of the object (`object.color`), so that objects of many colors share one material."""
        return self.node("ShaderNodeObjectInfo").outputs["Color"]

    def random_per_part(self) -> bpy.types.NodeSocket:
        """Return a random number in 0..1 for each connected part of the mesh: each board, each carton."""
        return self.node("ShaderNodeNewGeometry").outputs["Random Per Island"]

    def coordinates(self) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket, bpy.types.NodeSocket]:
        """Return x, y and z in meters, in the frame of the object."""
        position = self.node("ShaderNodeTexCoord").outputs["Object"]
        return tuple(self.node("ShaderNodeSeparateXYZ", {0: position}).outputs)

    def scaled_coordinates(self, x: float, y: float, z: float, offset: Any = 0.0) -> bpy.types.NodeSocket:
        """Return object coordinates times (x, y, z), plus an offset.

        Noise of scale 1 at these coordinates has features (1/x, 1/y, 1/z) m long.
        """
        position = self.node("ShaderNodeTexCoord").outputs["Object"]
        shift = self.node("ShaderNodeCombineXYZ", {"X": offset, "Y": offset, "Z": offset}).outputs[0]
        settings = {0: position, 1: (x, y, z), 2: shift}
        return self.node("ShaderNodeVectorMath", settings, operation="MULTIPLY_ADD").outputs[0]

    def scale_color(self, color: Any, factor: Any) -> bpy.types.NodeSocket:
        """Multiply a color by a number."""
        node = self.node("ShaderNodeVectorMath", {0: color, "Scale": factor}, operation="SCALE")
        return node.outputs[0]

    def map_linear(self, value: Any, low: float, high: float) -> bpy.types.NodeSocket:
        """Map `value` linearly from 0..1 to low..high."""
        return self.math("MULTIPLY_ADD", value, high - low, low)

    def grid_line(self, value: Any, pitch_m: float, width_m: float, offset_m: float = 0.0) -> bpy.types.NodeSocket:
        """Return 1 on lines of `width_m` every `pitch_m` along the coordinate `value`, else 0."""
        distance = self.math("PINGPONG", self.math("ADD", value, offset_m), pitch_m / 2)
        return self.math("LESS_THAN", distance, width_m / 2)

    def math(self, operation: str, *values: Any) -> bpy.types.NodeSocket:
        """Apply an operation of Blender's Math node to one, two or three numbers."""
        return self.node("ShaderNodeMath", dict(enumerate(values)), operation=operation).outputs[0]

    def mix_colors(self, factor: Any, first: Any, second: Any) -> bpy.types.NodeSocket:
        """Mix two colors: `first` at factor 0, `second` at factor 1."""
        node = self.node("ShaderNodeMix", data_type="RGBA")
        # The node has sockets of the same names for each data type: 0 is the factor, 6 and 7 are the colors, output 2.
        for index, value in ((0, factor), (6, first), (7, second)):
            self.set_input(node.inputs[index], value)
        return node.outputs[2]

    def noise(self, scale: float, detail: float = 4.0, vector: Any = None, flat: bool = False) -> bpy.types.NodeSocket:
        """Return fractal noise in 0..1 of object coordinates (or of `vector`); `scale` in features per meter.

        The noise is a texture of two octaves, or of four where `detail` is above 2. With `flat`, it is projected along
        z; otherwise along the axis nearest to the normal of the surface.
        """
        vector = vector if vector is not None else self.node("ShaderNodeTexCoord").outputs["Object"]
        factor = scale / noise_textures.FEATURES_PER_TILE
        texture_coordinates = self.node("ShaderNodeVectorMath", {0: vector, "Scale": factor}, operation="SCALE")
        return self.node(
            "ShaderNodeTexImage",
            {"Vector": texture_coordinates.outputs[0]},
            image=noise_textures.noise_image(2 if detail <= 2 else 4),
            projection="FLAT" if flat else "BOX",
        ).outputs["Color"]

    def smoothstep(self, value: Any, low: float, high: float) -> bpy.types.NodeSocket:
        """Map `value` smoothly to 0 below `low` and 1 above `high`; low > high inverts this."""
        inputs = {"Value": value, "From Min": low, "From Max": high}
        return self.node("ShaderNodeMapRange", inputs, interpolation_type="SMOOTHSTEP").outputs["Result"]

    def add_bump(self, height: Any, strength: float, distance_m: float) -> None:
        """Perturb the normal of the surface by a height map: 0..1 in `height` stand for 0..`distance_m`."""
        node = self.node("ShaderNodeBump", {"Height": height, "Strength": strength, "Distance": distance_m})
        self.set_principled(Normal=node.outputs["Normal"])


def new_material_builder(name: str) -> MaterialBuilder:
    """Start a new material with a Principled BSDF that has Blender's default values."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    return MaterialBuilder(material, material.node_tree, material.node_tree.nodes["Principled BSDF"])


def plain_material(name: str, color: Rgb, roughness: float = 0.6, metallic: float = 0.0) -> bpy.types.Material:
    """Return one color without texture: plastic, rubber, bare steel."""
    builder = new_material_builder(name)
    builder.set_principled(Base_Color=color, Roughness=roughness, Metallic=metallic)
    return builder.material


def painted_metal(name: str, color: Rgb, wear: float, roughness: float = 0.35) -> bpy.types.Material:
    """Return paint on steel with bare patches and dirt; `wear` from 0 (new) to 1 (scrap)."""
    return _painted_metal_builder(name, color, wear, roughness).material


def _painted_metal_builder(name: str, color: Rgb, wear: float, roughness: float = 0.35) -> MaterialBuilder:
    builder = new_material_builder(name)
    worn = builder.smoothstep(builder.noise(9.0, 4.0), 0.78 - 0.3 * wear, 0.80 - 0.28 * wear)
    dirt = builder.math("MULTIPLY", builder.noise(3.0), 0.6 * wear)
    dirty = builder.mix_colors(dirt, color, (0.05, 0.045, 0.04))
    builder.set_principled(
        Base_Color=builder.mix_colors(worn, dirty, (0.22, 0.2, 0.18)),
        Metallic=builder.math("MULTIPLY", worn, 0.9),
        Roughness=builder.math("ADD", builder.math("MULTIPLY", dirt, 0.5), roughness),
    )
    return builder


def emissive_face(name: str, color: Rgb, strength: float) -> bpy.types.Material:
    """Return a material that glows for the camera but that Cycles does not sample as a light; milky at strength 0."""
    builder = new_material_builder(name)
    builder.set_principled(Base_Color=(0.5, 0.5, 0.5), Emission_Color=color, Emission_Strength=strength)
    builder.material.cycles.emission_sampling = "NONE"
    return builder.material


def wood(name: str, grain: str, age: float) -> bpy.types.Material:
    """Return sawn spruce, each board with a tone of its own.

    `grain` is the direction of the fibers: "x", "y" or "z". `age` goes from 0 (yellow) to 1 (gray).
    """
    builder = new_material_builder(name)
    board = builder.random_per_part()
    scales = tuple(1.5 if axis == grain else 40.0 for axis in "xyz")
    shift = builder.math("MULTIPLY", board, GRAIN_SHIFT)
    fiber = builder.noise(1.0, 2.0, builder.scaled_coordinates(*scales, shift))
    young, old = np.array((0.60, 0.39, 0.19)), np.array((0.20, 0.165, 0.125))
    color = tuple(young + (old - young) * min(1.0, age * 1.1))
    tone = builder.math(
        "MULTIPLY", builder.map_linear(fiber, 0.55, 1.4), builder.map_linear(board, 0.72 - 0.2 * age, 1.12)
    )
    builder.set_principled(Base_Color=builder.scale_color(color, tone), Roughness=0.8, Specular_IOR_Level=0.25)
    return builder.material


def cardboard(name: str, wrapped: bool = False) -> bpy.types.Material:
    """Return corrugated board in the color of the object, each carton with a tone of its own.

    `wrapped`: seen through stretch film.
    """
    builder = new_material_builder(name)
    tone = builder.math(
        "MULTIPLY",
        builder.map_linear(builder.noise(5.0, 2.0), 0.75, 1.2),
        builder.map_linear(builder.random_per_part(), 0.85, 1.1),
    )
    color = builder.scale_color(builder.object_color(), tone)
    builder.set_principled(Base_Color=color, Roughness=0.85, Specular_IOR_Level=0.2)
    if wrapped:
        folds, glints = _film_folds(builder)
        haze = builder.map_linear(builder.smoothstep(folds, 0.4, 0.7), 0.1, 0.4)
        hazy = builder.mix_colors(haze, color, (0.6, 0.62, 0.64))
        builder.set_principled(
            Base_Color=builder.mix_colors(glints, hazy, FILM_GLINT), Coat_Weight=0.9, Coat_Roughness=0.12
        )
        builder.set_principled(Coat_Normal=builder.principled.inputs["Normal"].links[0].from_socket)
    return builder.material


def opaque_film(name: str, color: Rgb) -> bpy.types.Material:
    """Return stretch film that hides its load; light film takes a tint of the object's color."""
    builder = new_material_builder(name)
    folds, glints = _film_folds(builder)
    tinted = builder.mix_colors(0.3, color, builder.object_color()) if sum(color) > 1 else color
    shaded = builder.scale_color(tinted, builder.map_linear(folds, 0.4, 1.6))
    builder.set_principled(Base_Color=builder.mix_colors(glints, shaded, FILM_GLINT), Roughness=0.22)
    return builder.material


def _film_folds(builder: MaterialBuilder) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]:
    """Wrinkle the surface; return the height of the folds and a mask of bright streaks along them, both 0..1.

    The streaks are painted. Reflections of lamps in so many creases would need too many samples.
    """
    folds = builder.noise(1.0, 3.0, builder.scaled_coordinates(5.0, 5.0, 14.0))
    builder.add_bump(folds, 0.7, 0.03)
    crease = builder.smoothstep(builder.math("ABSOLUTE", builder.math("SUBTRACT", folds, 0.56)), 0.022, 0.0)
    patches = builder.smoothstep(builder.noise(2.5, 1.0), 0.42, 0.7)
    # The film is wound in slanted bands. Where two overlap, an edge shines.
    x, y, z = builder.coordinates()
    slanted = builder.math("MULTIPLY_ADD", builder.math("ADD", x, y), 0.1, z)
    edges = builder.math("MULTIPLY", builder.grid_line(slanted, 0.23, 0.008), 0.45)
    return folds, builder.math("MAXIMUM", builder.math("MULTIPLY", crease, patches), edges)


def paper_label(name: str, color: Rgb = (0.75, 0.75, 0.75)) -> bpy.types.Material:
    """Return paper of this color with lines of gray print."""
    builder = new_material_builder(name)
    x, y, z = builder.coordinates()
    words = builder.node("ShaderNodeCombineXYZ", {"X": builder.math("ADD", x, y), "Y": z}).outputs[0]
    inputs = {"Vector": words, "Color1": color, "Color2": (0.12,) * 3, "Mortar": color, "Scale": 1.0}
    inputs |= {"Mortar Size": 0.006, "Bias": 0.2, "Brick Width": 0.03, "Row Height": 0.018}
    builder.set_principled(Base_Color=builder.node("ShaderNodeTexBrick", inputs).outputs["Color"], Roughness=0.5)
    return builder.material


def barcode(name: str) -> bpy.types.Material:
    """Return upright black bars on white on every side of an object; their widths are multiples of 3.3 mm."""
    builder = new_material_builder(name)
    x, y, _ = builder.coordinates()
    column = builder.math("FLOOR", builder.math("MULTIPLY", builder.math("ADD", x, y), 300.0))
    random = builder.node("ShaderNodeTexWhiteNoise", {"W": column}, noise_dimensions="1D").outputs["Value"]
    bar = builder.math("LESS_THAN", random, 0.5)
    builder.set_principled(Base_Color=builder.mix_colors(bar, (0.75,) * 3, (0.02,) * 3), Roughness=0.5)
    return builder.material


def scuffed_plastic(name: str, color: Rgb, wear: float) -> bpy.types.Material:
    """Return polyethylene, paler where it is scratched and darker where it is dirty."""
    builder = new_material_builder(name)
    pale = tuple(0.7 * channel + 0.12 for channel in color)
    scratched = builder.math("MULTIPLY", builder.smoothstep(builder.noise(14.0, 3.0), 0.5, 0.75), wear)
    dirt = builder.math("MULTIPLY", builder.noise(4.0, 2.0), 0.7 * wear)
    scuffed = builder.mix_colors(scratched, color, pale)
    builder.set_principled(Base_Color=builder.mix_colors(dirt, scuffed, (0.05, 0.045, 0.04)), Roughness=0.42)
    return builder.material


def milky_tank(name: str, color: Rgb) -> bpy.types.Material:
    """Return the translucent polyethylene of a tank as an opaque material: darker below the level of the liquid."""
    builder = new_material_builder(name)
    _, _, z = builder.coordinates()
    filled = builder.smoothstep(z, 0.76, 0.72)
    shaded = builder.scale_color(color, builder.map_linear(filled, 1.0, 0.68))
    builder.set_principled(Base_Color=shaded, Roughness=0.3)
    return builder.material


def perforated_upright(
    name: str, color: Rgb, wear: float, pitch_m: float, first_m: float, width_m: float
) -> bpy.types.Material:
    """Return painted rack uprights with two columns of holes, a hole every 50 mm of height.

    The uprights are in a row along x: the first at `first_m`, then one every `pitch_m`, each `width_m` wide.
    """
    builder = _painted_metal_builder(name, color, wear)
    x, _, z = builder.coordinates()
    from_middle = builder.math("PINGPONG", builder.math("SUBTRACT", x, first_m), pitch_m / 2)
    from_column = builder.math("ABSOLUTE", builder.math("SUBTRACT", from_middle, width_m / 4))
    hole = builder.math("MULTIPLY", builder.math("LESS_THAN", from_column, 0.009), builder.grid_line(z, 0.05, 0.028))
    paint = builder.principled.inputs["Base Color"].links[0].from_socket
    builder.set_principled(Base_Color=builder.mix_colors(hole, paint, (0.01, 0.01, 0.01)))
    return builder.material


def hazard_stripes() -> bpy.types.Material:
    """Return yellow and black stripes at 45 degrees, a pair every 0.24 m of x + y + z."""
    builder = new_material_builder("hazard stripes")
    x, y, z = builder.coordinates()
    slant = builder.math("ADD", builder.math("ADD", x, y), z)
    color = builder.mix_colors(builder.grid_line(slant, 0.24, 0.12), (0.75, 0.48, 0.01), (0.015, 0.015, 0.015))
    tone = builder.map_linear(builder.noise(4.0, 2.0), 0.6, 1.2)
    builder.set_principled(Base_Color=builder.scale_color(color, tone), Roughness=0.5)
    return builder.material
