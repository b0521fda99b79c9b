# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render of a .blend file shows is what is read; what it does not show, and code, is left alone."""

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.helpers import mesh_files
from tests.helpers.mesh_loading import load, refusal, size_of

TRUCK, BOTH = [1.5, 0.5, 1.2], [9.0, 9.0, 9.0]


def add_box(name: str, size: tuple[float, float, float], collection: str | None = None) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cube_add(size=1)
    box = bpy.context.object
    box.name, box.scale = name, size
    if collection:
        group = bpy.data.collections.new(collection)
        bpy.context.scene.collection.children.link(group)
        bpy.context.scene.collection.objects.unlink(box)
        group.objects.link(box)
    return box


def truck_and_cutter(collection: str | None = None) -> tuple[bpy.types.Object, bpy.types.Object]:
    """Start a file with a truck, and a larger cutter in a collection."""
    mesh_files.empty_file()
    return add_box("truck", (1.5, 0.5, 1.2)), add_box("cutter", (9, 9, 9), collection)


def layer_collection() -> bpy.types.LayerCollection:
    return bpy.context.view_layer.layer_collection.children["group"]


def hide_by_animation(cutter: bpy.types.Object) -> None:
    for frame, hidden in ((1, False), (5, True)):
        cutter.hide_render = hidden
        cutter.keyframe_insert("hide_render", frame=frame)
    bpy.context.scene.frame_set(7)


def hide_by_driver(cutter: bpy.types.Object) -> None:
    cutter.driver_add("hide_render").driver.expression = "frame > 0"


def nest_in_hidden_collection(cutter: bpy.types.Object) -> None:
    outer = bpy.data.collections.new("outer")
    bpy.context.scene.collection.children.link(outer)
    bpy.context.scene.collection.children.unlink(bpy.data.collections["group"])
    outer.children.link(bpy.data.collections["group"])
    outer.hide_render = True


HIDDEN = {
    "object": lambda cutter: setattr(cutter, "hide_render", True),
    "collection": lambda cutter: setattr(bpy.data.collections["group"], "hide_render", True),
    "collection above": nest_in_hidden_collection,
    "excluded collection": lambda cutter: setattr(layer_collection(), "exclude", True),
    "holdout collection": lambda cutter: setattr(layer_collection(), "holdout", True),
    "indirect-only collection": lambda cutter: setattr(layer_collection(), "indirect_only", True),
    "holdout": lambda cutter: setattr(cutter, "is_holdout", True),
    "shadow catcher": lambda cutter: setattr(cutter, "is_shadow_catcher", True),
    "not for camera rays": lambda cutter: setattr(cutter, "visible_camera", False),
    "animation": hide_by_animation,
    "driver": hide_by_driver,
}
SHOWN = {
    "hidden in viewports": lambda cutter: setattr(cutter, "hide_viewport", True),
    "hidden by the eye": lambda cutter: cutter.hide_set(True),
    "collection that is hidden in viewports": lambda cutter: setattr(
        bpy.data.collections["group"], "hide_viewport", True
    ),
    "drawn as wires": lambda cutter: setattr(cutter, "display_type", "WIRE"),
}


@pytest.mark.parametrize("way", HIDDEN)
def test_what_a_render_hides_is_left_out(tmp_path, way):
    _, cutter = truck_and_cutter("group")
    HIDDEN[way](cutter)
    assert size_of(mesh_files.save(tmp_path / "mine.blend"), category=None) == TRUCK


@pytest.mark.parametrize("way", SHOWN)
def test_what_only_viewports_hide_is_read(tmp_path, way):
    _, cutter = truck_and_cutter("group")
    SHOWN[way](cutter)
    assert size_of(mesh_files.save(tmp_path / "mine.blend"), category=None) == BOTH


def array(truck: bpy.types.Object, count: int, **visibility: bool) -> None:
    modifier = truck.modifiers.new("array", "ARRAY")
    modifier.count = count
    for name, value in visibility.items():
        setattr(modifier, name, value)


def subdivide_in_renders(truck: bpy.types.Object) -> None:
    modifier = truck.modifiers.new("smooth", "SUBSURF")
    modifier.levels, modifier.render_levels = 0, 3


def bend_with_shape_key(truck: bpy.types.Object) -> None:
    truck.shape_key_add(name="Basis")
    key = truck.shape_key_add(name="long")
    key.value = 1.0
    for point in key.data:
        point.co.x *= 2


def use_millimeters(truck: bpy.types.Object) -> None:
    bpy.context.scene.unit_settings.scale_length = 0.001
    truck.scale = (1500, 500, 1200)


def use_no_units(truck: bpy.types.Object) -> None:
    bpy.context.scene.unit_settings.scale_length = 0.001
    bpy.context.scene.unit_settings.system = "NONE"


def instances_of_nodes(truck: bpy.types.Object) -> None:
    """Put a box of 1 m at each corner of a truck of 1.4 x 0.4 x 1.1 m, with geometry nodes."""
    bolt = add_box("bolt", (0.1, 0.1, 0.1))
    group = bpy.data.node_groups.new("bolts", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    names = ("NodeGroupInput", "NodeGroupOutput", "GeometryNodeObjectInfo", "GeometryNodeInstanceOnPoints")
    start, end, info, instances = (group.nodes.new(name) for name in names)
    join = group.nodes.new("GeometryNodeJoinGeometry")
    info.inputs["Object"].default_value, info.inputs["As Instance"].default_value = bolt, True
    for source, target in (
        (start.outputs[0], instances.inputs["Points"]), (info.outputs["Geometry"], instances.inputs["Instance"]),
        (instances.outputs[0], join.inputs[0]), (start.outputs[0], join.inputs[0]), (join.outputs[0], end.inputs[0]),
    ):  # fmt: skip
        group.links.new(source, target)
    truck.modifiers.new("bolts", "NODES").node_group = group
    truck.scale, truck.data = (1, 1, 1), truck.data.copy()
    for vertex in truck.data.vertices:
        vertex.co = [2 * side * half for side, half in zip(vertex.co, (0.7, 0.2, 0.55), strict=True)]


def particles(truck: bpy.types.Object) -> None:
    bolt = add_box("bolt", (0.1, 0.1, 0.1))
    bolt.hide_render = True
    truck.modifiers.new("bolts", "PARTICLE_SYSTEM")
    settings = truck.particle_systems[0].settings
    settings.type, settings.render_type, settings.instance_object = "HAIR", "OBJECT", bolt
    settings.count, settings.particle_size, settings.use_rotations = 20, 1.0, False


SCENES: dict[str, tuple[Callable[[bpy.types.Object], None], list[float]]] = {
    "modifier of viewports only": (lambda truck: array(truck, 5, show_render=False), TRUCK),
    "modifier of renders only": (lambda truck: array(truck, 2, show_viewport=False), [3.0, 0.5, 1.2]),
    "subdivision of renders": (subdivide_in_renders, [1.259, 0.42, 1.007]),
    "shape key": (bend_with_shape_key, [3.0, 0.5, 1.2]),
    "millimeters": (use_millimeters, TRUCK),
    "no units": (use_no_units, TRUCK),
    "negative scale": (lambda truck: setattr(truck, "scale", (-1.5, 0.5, 1.2)), TRUCK),
    "instances of geometry nodes": (instances_of_nodes, [2.4, 1.4, 2.1]),
    "no camera, no world": (lambda truck: setattr(bpy.context.scene, "camera", None), TRUCK),
    "metaball": (lambda truck: bpy.ops.object.metaball_add(radius=0.5), [1.5, 0.571, 1.2]),
    "freestyle": (lambda truck: setattr(bpy.context.scene.render, "use_freestyle", True), TRUCK),
}


@pytest.mark.parametrize("scene", SCENES)
def test_geometry_is_that_of_renders(tmp_path, scene):
    mesh_files.empty_file()
    change, size = SCENES[scene]
    change(add_box("truck", (1.5, 0.5, 1.2)))
    assert size_of(mesh_files.save(tmp_path / "mine.blend"), category=None) == size


def test_objects_that_particles_place_are_read(tmp_path):
    mesh_files.empty_file()
    particles(add_box("truck", (1.5, 0.5, 1.2)))
    assert len(load(mesh_files.save(tmp_path / "mine.blend"))[0]) == 21


def test_of_several_view_layers_the_first_is_read(tmp_path):
    truck_and_cutter("group")
    layer_collection().exclude = True
    bpy.context.scene.view_layers.new("with cutter")
    assert len(load(mesh_files.save(tmp_path / "mine.blend"))[0]) == 1


def test_what_is_hidden_inside_an_instance_is_left_out(tmp_path):
    _, cutter = truck_and_cutter("group")
    cutter.hide_render = True
    layer_collection().exclude = True
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", bpy.data.collections["group"]
    bpy.context.scene.collection.objects.link(instance)
    assert size_of(mesh_files.save(tmp_path / "mine.blend")) == TRUCK


def test_materials_of_an_object_are_used_instead_of_those_of_its_mesh(tmp_path):
    mesh_files.empty_file()
    truck = add_box("truck", (1.5, 0.5, 1.2))
    truck.data.materials.append(bpy.data.materials.new("of mesh"))
    truck.material_slots[0].link = "OBJECT"
    truck.material_slots[0].material = bpy.data.materials.new("of object")
    (mesh,), _ = load(mesh_files.save(tmp_path / "mine.blend"))
    assert [material.name for material in mesh.materials] == ["of object"]


def add_shown(kind: str) -> None:
    if kind == "Grease Pencil":
        bpy.ops.object.grease_pencil_add(type="STROKE")
        return
    if kind == "particle hair":
        bpy.data.objects["truck"].modifiers.new("fur", "PARTICLE_SYSTEM")
        bpy.data.objects["truck"].particle_systems[0].settings.type = "HAIR"
        return
    data = bpy.data.volumes.new("shown")
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("shown", data))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("Grease Pencil", "is Grease Pencil: convert it to a mesh, or hide it in renders"),
        ("volume", "object shown is a volume: convert it to a mesh"),
        ("particle hair", "object truck has hair (fur): convert it to a mesh, or remove it"),
    ],
)
def test_what_is_shown_without_a_surface_is_refused_by_name(tmp_path, kind, message):
    mesh_files.empty_file()
    add_box("truck", (1.5, 0.5, 1.2))
    add_shown(kind)
    assert message in refusal(mesh_files.save(tmp_path / "mine.blend"))


def put_at_nan(truck: bpy.types.Object) -> None:
    truck.data.vertices[0].co.x = np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put_at_nan, "object truck has points at infinity or NaN"),
        (lambda truck: setattr(truck, "location", (np.inf, 0, 0)), "object truck is so far from the origin"),
        (lambda truck: setattr(truck, "location", (500_000, 5_000_000, 0)), "move it to the origin"),
        (lambda truck: setattr(bpy.context.scene.view_layers[0], "use", False), "no view layer of its scene is used"),
        (lambda truck: setattr(truck, "hide_render", True), "mine.blend has no faces that a render shows"),
    ],
)
def test_a_scene_that_cannot_be_right_is_refused(tmp_path, change, message):
    mesh_files.empty_file()
    change(add_box("truck", (1.5, 0.5, 1.2)))
    assert message in refusal(mesh_files.save(tmp_path / "mine.blend"))


@pytest.mark.parametrize("other", ["Aquarium", "Zoo"])
def test_of_several_scenes_the_active_one_is_read(tmp_path, other):
    mesh_files.empty_file()
    add_box("truck", (1.5, 0.5, 1.2))
    bpy.data.scenes.new(other).collection.objects.link(bpy.data.objects.new("whale", bpy.data.meshes.new("whale")))
    path = mesh_files.save(tmp_path / "mine.blend")
    assert load(path)[1] == ["it has 2 scenes; only its active scene 'Scene' is read"]
    packed = tmp_path / "packed.blend"
    mesh_files.empty_file()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    bpy.ops.wm.save_as_mainfile(filepath=str(packed), copy=True, compress=True)
    assert f"packed.blend has 2 scenes ({', '.join(sorted((other, 'Scene')))}): save it with only one" in refusal(
        packed
    )


def test_a_file_without_a_scene_is_refused(tmp_path):
    mesh_files.empty_file()
    add_box("truck", (1.5, 0.5, 1.2))
    bpy.data.libraries.write(str(tmp_path / "none.blend"), {bpy.data.meshes[0]})
    assert refusal(tmp_path / "none.blend").startswith("custom.mine: none.blend has no scene: save it again")


def test_code_in_a_file_never_runs(tmp_path):
    mesh_files.empty_file()
    truck = add_box("truck", (1.5, 0.5, 1.2))
    mark = tmp_path / "it ran"
    code = f"open({str(mark)!r}, 'w').close()"
    text = bpy.data.texts.new("evil.py")
    text.write(f"import bpy\ndef register(*_):\n    {code}\nregister()\nbpy.app.handlers.load_post.append(register)\n")
    text.use_module = True
    truck["text"] = text
    for path in ("hide_render", "location"):
        drivers = truck.driver_add(path)
        for curve in drivers if isinstance(drivers, list) else [drivers]:
            curve.driver.expression = f"0 if __import__('builtins').{code} else 0"
    nodes = bpy.context.scene
    nodes.use_nodes = True
    nodes.node_tree.nodes.new("CompositorNodeOutputFile").base_path = str(tmp_path / "composited")
    nodes.render.filepath = str(tmp_path / "rendered")
    path = mesh_files.save(tmp_path / "mine.blend")
    assert size_of(path) == TRUCK
    assert list(Path(tmp_path).iterdir()) == [path]


def test_nothing_of_a_file_stays_in_memory_but_its_surfaces(tmp_path):
    _, cutter = truck_and_cutter("group")
    cutter.hide_render = True
    path = mesh_files.save(tmp_path / "mine.blend")
    meshes, _ = load(path)
    assert set(bpy.data.meshes) == set(meshes)
    assert not bpy.data.objects
    assert not bpy.data.collections
    assert len(bpy.data.scenes) == 1
