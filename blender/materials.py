# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials: one function a kind of stuff. Colours are linear Rec. 709 in 0..1.

`Shader` is a thin hand on a node tree: it adds nodes and links in one call, so that a material reads like a formula.
"""

from dataclasses import dataclass
from typing import Any

import bpy

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Shader:
    """A material's node tree and its Principled BSDF."""

    material: bpy.types.Material
    tree: bpy.types.NodeTree
    surface: bpy.types.ShaderNode

    def node(self, kind: str, inputs: dict[str | int, Any] | None = None, **settings: Any) -> bpy.types.ShaderNode:
        """Add a node: `settings` are its properties; an input that is a socket is linked, any other is set."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for name, value in (inputs or {}).items():
            self.feed(node.inputs[name], value)
        return node

    def feed(self, socket: bpy.types.NodeSocket, value: Any) -> None:
        """Link `value` to the socket if it is a socket itself, else set it (RGB triples get alpha 1)."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif socket.type == "RGBA" and len(value) == 3:
            socket.default_value = (*value, 1.0)
        else:
            socket.default_value = value

    def set(self, **inputs: Any) -> None:
        """Feed inputs of the Principled BSDF by name, spaces written as underscores: `set(Base_Color=rgb)`."""
        for name, value in inputs.items():
            self.feed(self.surface.inputs[name.replace("_", " ")], value)

    def math(self, operation: str, *values: Any) -> bpy.types.NodeSocket:
        return self.node("ShaderNodeMath", dict(enumerate(values)), operation=operation).outputs[0]

    def mix(self, factor: Any, first: Any, second: Any) -> bpy.types.NodeSocket:
        """Mix two colours: `first` at factor 0, `second` at factor 1."""
        node = self.node("ShaderNodeMix", data_type="RGBA")
        # The node has a set of sockets per data type under the same names: 0 factor, 6 and 7 colours, output 2.
        for index, value in ((0, factor), (6, first), (7, second)):
            self.feed(node.inputs[index], value)
        return node.outputs[2]

    def noise(self, scale: float, detail: float = 4.0, vector: Any = None) -> bpy.types.NodeSocket:
        """Fractal noise in 0..1 of object coordinates (or of `vector`); `scale` in features per metre."""
        vector = vector if vector is not None else self.node("ShaderNodeTexCoord").outputs["Object"]
        return self.node("ShaderNodeTexNoise", {"Vector": vector, "Scale": scale, "Detail": detail}).outputs["Fac"]

    def step(self, value: Any, low: float, high: float) -> bpy.types.NodeSocket:
        """Map `value` smoothly to 0 below `low`, 1 above `high`."""
        inputs = {"Value": value, "From Min": low, "From Max": high}
        return self.node("ShaderNodeMapRange", inputs, interpolation_type="SMOOTHSTEP").outputs["Result"]

    def bump(self, height: Any, strength: float, distance_m: float) -> None:
        """Perturb the surface normal by a height in 0..1 worth `distance_m`."""
        node = self.node("ShaderNodeBump", {"Height": height, "Strength": strength, "Distance": distance_m})
        self.set(Normal=node.outputs["Normal"])


def shader(name: str) -> Shader:
    """Start a new material with an empty Principled BSDF."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    return Shader(material, material.node_tree, material.node_tree.nodes["Principled BSDF"])


def plain(name: str, color: Rgb, roughness: float = 0.6, metallic: float = 0.0) -> bpy.types.Material:
    """One colour all over: plastic, rubber, bare steel."""
    made = shader(name)
    made.set(Base_Color=color, Roughness=roughness, Metallic=metallic)
    return made.material


def painted_metal(name: str, color: Rgb, wear: float, roughness: float = 0.35) -> bpy.types.Material:
    """Paint on steel that wears off in patches and dulls; `wear` 0 new .. 1 scrapped."""
    made = shader(name)
    worn = made.step(made.noise(9.0, 8.0), 0.78 - 0.3 * wear, 0.80 - 0.28 * wear)
    dirt = made.math("MULTIPLY", made.noise(3.0), 0.6 * wear)
    dirty = made.mix(dirt, color, (0.05, 0.045, 0.04))
    made.set(
        Base_Color=made.mix(worn, dirty, (0.22, 0.2, 0.18)),
        Metallic=made.math("MULTIPLY", worn, 0.9),
        Roughness=made.math("ADD", made.math("MULTIPLY", dirt, 0.5), roughness),
    )
    return made.material
