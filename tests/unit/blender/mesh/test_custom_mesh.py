# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom meshes in all formats: those that are read, and those that are refused."""

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from blender import measure
from blender.mesh import custom_mesh
from blender.mesh.solids import box, solids_to_mesh
from pipeline.record.asset_catalogue import Catalogue
from pipeline.scenes.assets import custom_meshes
from tests.helpers import mesh_files
from tests.helpers.blender_commands import run_blender


def asked_for(path: Path, **entry) -> dict:
    """Return a custom mesh as the workflow passes it to Blender."""
    given = {"file": path.name, "category": "pallet_truck", "licence": "own work"} | entry
    catalogue = Catalogue.model_validate({"assets": {}, "custom": {"mine": given}})
    return custom_meshes.unmeasured_meshes(catalogue, path.parent)["mine"].model_dump(mode="json")


def loaded(path: Path, **entry) -> np.ndarray:
    """Return the points (N, 3) of a file's meshes."""
    mesh_files.empty_file()
    meshes = custom_mesh.load_meshes(asked_for(path, **entry)["parameters"], path.parent)
    return np.array([vertex.co for mesh in meshes for vertex in mesh.vertices])


def assert_stands_right(points: np.ndarray) -> None:
    """Check that the truck is centered, stands on the floor, and has its post at the rear left."""
    assert np.allclose(points.min(axis=0), (-0.8, -0.25, 0.0), atol=1e-4)
    assert np.allclose(points.max(axis=0), (0.8, 0.25, 1.2), atol=1e-4)
    top = points[points[:, 2] > 1.1]
    assert np.allclose(top.mean(axis=0), (-0.7, 0.2, 1.2), atol=1e-4)


@pytest.mark.parametrize("ending", mesh_files.ENDINGS)
def test_each_format_is_read_with_the_right_axes(tmp_path, ending):
    assert_stands_right(loaded(mesh_files.truck_file(tmp_path / f"mine.{ending}")))


def test_axis_and_unit_of_a_usd_file_are_used(tmp_path):
    mesh_files.empty_file()
    mesh_files.add_truck()
    path = tmp_path / "mine.usda"
    bpy.ops.wm.usd_export(
        filepath=str(path), convert_orientation=True, export_global_up_selection="Y",
        export_global_forward_selection="NEGATIVE_Z", convert_scene_units="CENTIMETERS",
    )  # fmt: skip
    assert 'upAxis = "Y"' in path.read_text()
    assert_stands_right(loaded(path))


@pytest.mark.parametrize(
    ("up", "forward", "export"),
    [
        ("z", "+x", {"forward_axis": "Y", "up_axis": "Z"}),
        ("z", "-y", {"forward_axis": "X", "up_axis": "Z"}),
        ("y", "+z", {"forward_axis": "X", "up_axis": "Y"}),
    ],
)
def test_an_obj_file_in_millimeters_with_other_axes_is_read_as_specified(tmp_path, up, forward, export):
    mesh_files.empty_file()
    mesh_files.add_truck()
    path = tmp_path / "mine.obj"
    bpy.ops.wm.obj_export(filepath=str(path), global_scale=1000.0, **export)
    assert_stands_right(loaded(path, up=up, forward=forward, metres_per_unit=0.001))


def test_a_gltf_file_with_z_up_is_read_as_specified(tmp_path):
    mesh_files.empty_file()
    mesh_files.add_truck()
    path = tmp_path / "mine.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_yup=False)
    assert_stands_right(loaded(path, up="z"))


def test_a_blend_file_is_read_as_posed_with_modifiers_and_surfaces_only(tmp_path):
    mesh_files.empty_file()
    truck = mesh_files.add_truck()
    half = solids_to_mesh("half", [box((0.8, 0.25, 0.2), (0.4, 0.125, 0.1)), box((0.2, 0.1, 0.2), (0.7, 0.2, 0.2))], [])
    mirrored = bpy.data.objects.new("mirrored", half)
    modifier = mirrored.modifiers.new("mirror", "MIRROR")
    modifier.use_axis = (True, True, False)
    bones = bpy.data.objects.new("bones", bpy.data.armatures.new("bones"))
    kept = bpy.data.collections.new("kept apart")
    kept.objects.link(truck)
    copies = bpy.data.objects.new("copies", None)
    copies.instance_type, copies.instance_collection, copies.location = "COLLECTION", kept, (-3.0, -1.0, -0.4)
    hidden = bpy.data.objects.new("hidden", solids_to_mesh("hidden", [box((9, 9, 9))], []))
    hidden.hide_render = True
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    scene = bpy.context.scene.collection
    scene.objects.unlink(truck)
    for thing in (mirrored, bones, copies, hidden, lamp):
        scene.objects.link(thing)
    bpy.context.view_layer.objects.active = bones
    bpy.ops.object.mode_set(mode="EDIT")
    bone = bones.data.edit_bones.new("bone")
    bone.tail = (0.0, 0.0, 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    mirrored.parent, mirrored.parent_type, mirrored.parent_bone = bones, "BONE", "bone"
    bpy.context.view_layer.update()
    bones.pose.bones[0].location = (2.0, 0.0, 0.0)
    bpy.context.view_layer.update()
    mirrored.matrix_world = Matrix.Identity(4)
    assert_stands_right(loaded(mesh_files.save(tmp_path / "mine.blend")))


def test_a_file_is_read_once_for_all_copies_in_an_image(tmp_path, asset_cache):
    path = mesh_files.truck_file(tmp_path / "mine.glb")
    parameters = measure.measure_asset(asked_for(path), tmp_path)["parameters"]
    mesh_files.empty_file()
    first, second = (custom_mesh.build_custom_mesh(parameters, asset_cache, tmp_path) for _ in range(2))
    assert [part.data for part in first] == [part.data for part in second]
    assert first[0].data.materials[0].name == "paint"
    assert len(bpy.data.scenes) == 1
    assert set(bpy.data.objects) == {*first, *second}


def test_the_command_measures_a_mesh(tmp_path):
    path, out = mesh_files.truck_file(tmp_path / "mine.glb"), tmp_path / "out/mine.json"
    run = run_blender("measure", "--asset", json.dumps(asked_for(path)), "--assets", tmp_path, "--out", out)
    assert run.exit_code == 0, run.stderr
    assert run.stdout == "measure mine: 1.6 x 0.5 x 1.2 m, 24 triangles\n"
    (own,) = custom_meshes.read_measured_meshes([out])
    assert own.parameters.size_m == pytest.approx(mesh_files.SIZE_M)
    assert own.parameters.opaque
    assert [path.name for path in out.parent.iterdir()] == ["mine.json"]


def refused(path: Path, **entry) -> str:
    with pytest.raises(custom_mesh.CustomMeshError) as error:
        measure.measure_asset(asked_for(path, **entry), path.parent)
    return str(error.value)


def test_a_mesh_without_faces_is_refused(tmp_path):
    path = tmp_path / "wire.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nl 1 2 3\n")
    assert refused(path).startswith("custom.mine: wire.obj has no faces")


def test_a_mesh_in_a_wrong_scale_is_refused_and_the_right_scale_is_named(tmp_path):
    mesh_files.empty_file()
    mesh_files.add_truck()
    path = tmp_path / "mine.obj"
    bpy.ops.wm.obj_export(filepath=str(path), global_scale=1000.0)
    said = refused(path)
    assert (
        "custom.mine: it is 1600 x 500 x 1200 m (length, width, height), but a pallet truck is 0.3 to 3 m long" in said
    )
    assert "set metres_per_unit: 0.001," in said
    assert "set metres_per_unit: 0.001, if it is in millimeters (1.6 x 0.5 x 1.2 m), or check up" in said
    assert "set metres_per_unit: 0.001," in refused(path, category=None)


@pytest.mark.parametrize(
    ("scale", "advice"),
    [
        (1 / 0.0254, "; or 0.0254, if it is in inches (1.6 x 0.5 x 1.2 m), or check up and forward"),
        (100, "set metres_per_unit: 0.01, if it is in centimeters (1.6 x 0.5 x 1.2 m), or check"),
        (0.01, "set metres_per_unit: 100, if it is in meters, but 100 times too small (1.6 x 0.5 x 1.2 m), or check"),
        (1e-9, "look at it in Blender, or check up and forward, or remove what else the file shows, such as a floor"),
    ],
)  # fmt: skip
def test_all_units_that_fit_are_named_with_the_size_that_they_give(tmp_path, scale, advice):
    mesh_files.empty_file()
    mesh_files.add_truck()
    path = tmp_path / "mine.obj"
    bpy.ops.wm.obj_export(filepath=str(path), global_scale=scale)
    assert advice in refused(path)


def test_a_broken_missing_or_changed_file_is_refused(tmp_path):
    broken = tmp_path / "mine.glb"
    broken.write_bytes(b"glTF, or so")
    assert "mine.glb: Blender cannot read it" in refused(broken)
    asset = asked_for(mesh_files.truck_file(broken))
    broken.write_bytes(broken.read_bytes() + b" ")
    with pytest.raises(custom_mesh.CustomMeshError, match=r"mine\.glb was changed since the record was made"):
        custom_mesh.load_meshes(asset["parameters"], tmp_path)
    broken.unlink()
    with pytest.raises(custom_mesh.CustomMeshError, match=r"mine\.glb: No such file"):
        custom_mesh.load_meshes(asset["parameters"], tmp_path)


def test_a_file_with_a_missing_texture_is_refused(tmp_path):
    path = mesh_files.truck_file(tmp_path / "mine.obj")
    path.with_suffix(".mtl").write_text("newmtl paint\nmap_Kd gone.png\n")
    assert "gone.png is missing" in refused(path)


def test_labeled_custom_meshes_are_made_opaque(tmp_path):
    mesh_files.empty_file()
    truck = mesh_files.add_truck()
    nodes = truck.data.materials[0].node_tree.nodes
    nodes["Principled BSDF"].inputs["Alpha"].default_value = 0.2
    path = mesh_files.save(tmp_path / "mine.blend")
    for category, alpha in (("pallet_truck", 1.0), (None, 0.2)):
        mesh_files.empty_file()
        (mesh,) = custom_mesh.load_meshes(asked_for(path, category=category)["parameters"], tmp_path)
        nodes = mesh.materials[0].node_tree.nodes
        assert nodes["Principled BSDF"].inputs["Alpha"].default_value == pytest.approx(alpha)
    nodes.new("ShaderNodeBsdfTransparent")
    mesh_files.empty_file()
    truck = mesh_files.add_truck()
    truck.data.materials[0].node_tree.nodes.new("ShaderNodeBsdfTransparent")
    assert "material paint uses a Transparent BSDF" in refused(mesh_files.save(path))


@pytest.mark.parametrize("name", ["UCX_body_01", "Body_LOD2", "truck collision", "MeshCollider", "body LOD1"])
def test_objects_that_game_engines_hide_are_named(tmp_path, name):
    mesh_files.empty_file()
    mesh_files.add_truck()
    bpy.ops.mesh.primitive_cube_add(size=0.4, location=(0, 0, 0.2))
    bpy.context.object.name = name
    path = tmp_path / "mine.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB")
    notes: list[str] = []
    measure.measure_asset(asked_for(path, category=None), tmp_path, notes.append)
    assert notes == [
        f"custom.mine: it shows {name}, by the name a collision shape or a copy with less detail: if so, remove it"
    ]


def test_many_objects_with_the_same_problem_are_counted(tmp_path):
    mesh_files.empty_file()
    for number in range(9):
        bpy.ops.mesh.primitive_cube_add(size=0.4, location=(4.5e5, 5.5e6, number))
    path = tmp_path / "mine.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB")
    said = refused(path)
    assert said.count("is so far from the origin") == 3
    assert said.endswith("; and 6 more")


def test_an_image_that_was_never_saved_is_told_from_a_missing_one(tmp_path):
    mesh_files.empty_file()
    mesh_files.add_truck()
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.new("never saved", 8, 8)
    texture.image.pack()
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(texture.outputs[0], shader.inputs["Base Color"])
    for each in bpy.data.objects:
        if each.type == "MESH":
            each.data.materials.clear()
            each.data.materials.append(material)
    path = tmp_path / "mine.fbx"
    bpy.ops.export_scene.fbx(filepath=str(path))
    assert "one of its images has no file name: save this image as a file beside the mesh" in refused(path)
