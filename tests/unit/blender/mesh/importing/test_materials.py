# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials show exactly the triangles of their mesh."""

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Vector

from blender.mesh import custom_mesh
from tests.helpers import mesh_files, raw_meshes
from tests.helpers.mesh_loading import load, refusal

UNLIT = {"extensions": {"KHR_materials_unlit": {}}}
FAINT = {"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 0.1]}}
SIZE_PX = (32, 24)


def glb(path: Path, **material) -> Path:
    document, content = raw_meshes.gltf_document()
    document["materials"][0].update(material)
    document["extensionsUsed"] = list(material.get("extensions", ()))
    return raw_meshes.write_glb(path, document, content)


def rendered_color(path: Path, folder: Path, **entry) -> np.ndarray:
    """Render a mesh before a blue background. Return the color (3,) of the middle of the image, 0 to 1."""
    meshes, _ = load(path, **entry)
    scene = bpy.context.scene
    for mesh in meshes:
        scene.collection.objects.link(bpy.data.objects.new("mesh", mesh))
    camera = scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (2, -3, 1.5), Vector((-2, 3, -0.9)).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.6, 0.6, 1.0, 1.0)
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 4, "CPU"
    scene.render.resolution_x, scene.render.resolution_y = SIZE_PX
    scene.view_settings.view_transform = "Raw"
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.filepath = str(folder / "image.png")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.array(image.pixels[:]).reshape(SIZE_PX[1], SIZE_PX[0], 4)
    return pixels[SIZE_PX[1] // 2, SIZE_PX[0] // 2, :3]


OPAQUE: dict[str, dict] = {
    "plain": {},
    "unlit": UNLIT,
    "unlit, two-sided": UNLIT | {"doubleSided": True},
    "unlit, blended": UNLIT | FAINT | {"alphaMode": "BLEND"},
    "unlit, masked": UNLIT | FAINT | {"alphaMode": "MASK"},
    "blended": FAINT | {"alphaMode": "BLEND"},
    "masked": FAINT | {"alphaMode": "MASK", "alphaCutoff": 0.5},
}


@pytest.mark.parametrize("case", OPAQUE)
def test_a_labeled_mesh_is_rendered_opaque_in_its_color(tmp_path, case):
    red, green, blue = rendered_color(glb(tmp_path / "box.glb", **OPAQUE[case]), tmp_path)
    assert red > 0.3
    assert max(green, blue) < 0.12, "nothing of the background is seen"


def test_an_unlabeled_mesh_stays_transparent(tmp_path):
    faint = glb(tmp_path / "box.glb", **FAINT, alphaMode="BLEND")
    assert rendered_color(faint, tmp_path, category=None)[2] > 0.4


def test_colors_of_vertices_are_shown_if_there_is_no_material(tmp_path):
    (tmp_path / "scan.ply").write_bytes(raw_meshes.ply_bytes(color="255 0 0"))
    meshes, notes = load(tmp_path / "scan.ply")
    assert notes == ["it has no material; the colors of its vertices are used"]
    red, green, _ = rendered_color(tmp_path / "scan.ply", tmp_path)
    assert red > 3 * green
    (tmp_path / "scan.obj").write_text(
        raw_meshes.obj_text(vertex=lambda p: "v {} {} {} 1 0 0".format(*p)).replace("usemtl paint\n", "")
    )
    assert load(tmp_path / "scan.obj")[1] == notes
    assert meshes


def in_group(tree: bpy.types.NodeTree) -> bpy.types.NodeTree:
    group = bpy.data.node_groups.new("group", "ShaderNodeTree")
    tree.nodes.new("ShaderNodeGroup").node_tree = group
    return group


@pytest.mark.parametrize("place", [lambda tree: tree, in_group, lambda tree: in_group(in_group(tree))])
@pytest.mark.parametrize("node", ["ShaderNodeBsdfTransparent", "ShaderNodeHoldout"])
def test_see_through_shaders_of_labeled_meshes_are_refused(tmp_path, place: Callable, node):
    mesh_files.empty_file()
    tree = mesh_files.add_truck().data.materials[0].node_tree
    place(tree).nodes.new(node)
    path = mesh_files.save(tmp_path / "mine.blend")
    assert "material paint uses a " in refusal(path)
    assert load(path, category=None)


def test_a_volume_without_surface_is_refused(tmp_path):
    mesh_files.empty_file()
    tree = mesh_files.add_truck().data.materials[0].node_tree
    output = tree.get_output_node("CYCLES")
    tree.links.remove(output.inputs["Surface"].links[0])
    tree.links.new(tree.nodes.new("ShaderNodeVolumePrincipled").outputs[0], output.inputs["Volume"])
    assert "material paint is only a volume" in refusal(mesh_files.save(tmp_path / "mine.blend"))


def test_alpha_in_a_group_of_nodes_becomes_one(tmp_path):
    mesh_files.empty_file()
    tree = mesh_files.add_truck().data.materials[0].node_tree
    in_group(tree).nodes.new("ShaderNodeBsdfPrincipled").inputs["Alpha"].default_value = 0.2
    (mesh,), _ = load(mesh_files.save(tmp_path / "mine.blend"))
    group = next(node for node in mesh.materials[0].node_tree.nodes if node.type == "GROUP").node_tree
    assert group.nodes[0].inputs["Alpha"].default_value == 1.0
    assert custom_mesh.bounding_size_m([mesh]) == pytest.approx(mesh_files.SIZE_M)
