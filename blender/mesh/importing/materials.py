# SPDX-License-Identifier: GPL-3.0-or-later
"""Make materials show exactly the triangles of their mesh, because masks follow the mesh."""

from collections.abc import Iterator

import bpy

from blender.mesh.importing.errors import CustomMeshError

# Shaders through which a camera sees what is behind.
SEE_THROUGH_NODES = {"BSDF_TRANSPARENT": "Transparent BSDF", "HOLDOUT": "Holdout", "BSDF_RAY_PORTAL": "Ray Portal BSDF"}


def restrict_to_mesh(material: bpy.types.Material, opaque: bool, unlit_alpha: bool) -> list[str]:
    """Make a material show exactly the triangles of its mesh, and return lines for the log.

    Displacement becomes bump. Unlit materials become matte. If `opaque`, alpha becomes 1; `unlit_alpha`: also the alpha
    of unlit glTF materials, which Blender imports as a mix with a Transparent BSDF.

    Raises:
        CustomMeshError: a material that must be opaque has a Transparent BSDF, or has no surface.
    """
    material.displacement_method = "BUMP"
    if not material.use_nodes:
        return []
    trees = list(_node_trees(material.node_tree))
    notes = [f"material {material.name} is unlit; it is rendered as matte"] if _make_matte(material.node_tree) else []
    if opaque:
        if unlit_alpha:
            _bypass_alpha_mix(material.node_tree)
        for tree in trees:
            _make_opaque(material, tree)
        _check_surface(material)
    return notes


def _node_trees(tree: bpy.types.NodeTree) -> Iterator[bpy.types.NodeTree]:
    """Yield a tree and the trees of its groups."""
    yield tree
    for node in tree.nodes:
        if node.type == "GROUP" and node.node_tree:
            yield from _node_trees(node.node_tree)


def _make_matte(tree: bpy.types.NodeTree) -> bool:
    """Replace the shader of unlit materials, an emission that only the camera sees, and return whether there was one.

    Blender imports KHR_materials_unlit of glTF as a mix of a Transparent BSDF and an Emission by "Is Camera Ray".
    """
    mixes = [node for node in tree.nodes if node.type == "MIX_SHADER" and _is_camera_ray(node)]
    unlit = [(mix, mix.inputs[2].links[0].from_node) for mix in mixes if mix.inputs[2].is_linked]
    unlit = [(mix, emission) for mix, emission in unlit if emission.type == "EMISSION"]
    for mix, emission in unlit:
        matte = tree.nodes.new("ShaderNodeBsdfDiffuse")
        _copy_input(tree, emission.inputs["Color"], matte.inputs["Color"])
        _replace_output(tree, mix.outputs[0], matte.outputs[0])
        _remove_unused(tree, mix, emission, *(link.from_node for link in mix.inputs[1].links))
    return bool(unlit)


def _is_camera_ray(mix: bpy.types.Node) -> bool:
    return any(link.from_socket.name == "Is Camera Ray" for link in mix.inputs[0].links)


def _copy_input(tree: bpy.types.NodeTree, old: bpy.types.NodeSocket, new: bpy.types.NodeSocket) -> None:
    new.default_value = old.default_value
    for link in list(old.links):
        tree.links.new(link.from_socket, new)


def _replace_output(tree: bpy.types.NodeTree, old: bpy.types.NodeSocket, new: bpy.types.NodeSocket) -> None:
    for link in list(old.links):
        tree.links.new(new, link.to_socket)


def _remove_unused(tree: bpy.types.NodeTree, mix: bpy.types.Node, *shaders: bpy.types.Node) -> None:
    """Remove a mix that was replaced, and those of its shaders that nothing else uses."""
    tree.nodes.remove(mix)
    for shader in shaders:
        if not any(output.is_linked for output in shader.outputs):
            tree.nodes.remove(shader)


def _bypass_alpha_mix(tree: bpy.types.NodeTree) -> None:
    """Replace mixes of a Transparent BSDF and another shader by the other shader."""
    for mix in [node for node in tree.nodes if node.type == "MIX_SHADER"]:
        shaders = [link.from_node for socket in mix.inputs[1:] for link in socket.links]
        opaque = [shader for shader in shaders if shader.type != "BSDF_TRANSPARENT"]
        if len(shaders) == 2 and len(opaque) == 1:
            _replace_output(tree, mix.outputs[0], opaque[0].outputs[0])
            _remove_unused(tree, mix, *shaders)


def _check_surface(material: bpy.types.Material) -> None:
    output = material.node_tree.get_output_node("CYCLES")
    if output and output.inputs["Volume"].is_linked and not output.inputs["Surface"].is_linked:
        raise CustomMeshError(
            f"material {material.name} is only a volume, but masks follow the mesh: give it a surface"
        )


def _make_opaque(material: bpy.types.Material, tree: bpy.types.NodeTree) -> None:
    for node in tree.nodes:
        if node.type in SEE_THROUGH_NODES:
            raise CustomMeshError(
                f"material {material.name} uses a {SEE_THROUGH_NODES[node.type]}, but masks follow the mesh: make it "
                "opaque, or cut holes into the mesh"
            )
        if node.type == "BSDF_PRINCIPLED":
            alpha = node.inputs["Alpha"]
            for link in list(alpha.links):
                tree.links.remove(link)
            alpha.default_value = 1.0


def color_of_vertices(mesh: bpy.types.Mesh) -> bpy.types.Material | None:
    """Give a mesh without material one that shows its colors of vertices, as scans have them; None if it has none."""
    colors = mesh.color_attributes.active_color or next(iter(mesh.color_attributes), None)
    if colors is None or any(mesh.materials):
        return None
    material = bpy.data.materials.new("colors of vertices")
    material.use_nodes = True
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeVertexColor")
    node.layer_name = colors.name
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    mesh.materials.clear()
    mesh.materials.append(material)
    return material
