# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file that a mesh needs is known and hashed; others, and missing ones, are refused by name."""

from collections.abc import Callable
from pathlib import Path

import bpy
import pytest

from tests.helpers import mesh_files, raw_meshes
from tests.helpers.mesh_loading import asked_for, load, refusal, size_of

SIZE = list(raw_meshes.SIZE_M)
RED_MTL = "newmtl paint\nKd 1 0 0\n"


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("red", 4, 4)
    image.generated_color = (1, 0, 0, 1)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def write_obj(folder: Path, head: str, **materials: str) -> Path:
    """Write box.obj that begins with `head`, and material files by name without suffix ("__" is a folder)."""
    path = folder / "box.obj"
    path.write_text(raw_meshes.obj_text(head))
    for name, text in materials.items():
        file = folder / f"{name.replace('__', '/')}.mtl"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return path


def base_color(mesh: bpy.types.Mesh) -> tuple:
    nodes = mesh.materials[0].node_tree.nodes
    return tuple(nodes["Principled BSDF"].inputs["Base Color"].default_value[:3])


MATERIAL_FILES: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "of another name": ("mtllib red.mtl", {"red": RED_MTL}, ["red.mtl"]),
    "not named, but of the same name": ("", {"box": RED_MTL}, ["box.mtl"]),
    "in a folder": ("mtllib sub/red.mtl", {"sub__red": RED_MTL}, ["sub/red.mtl"]),
    "slashes of Windows": ("mtllib sub\\red.mtl", {"sub__red": RED_MTL}, ["sub/red.mtl"]),
    "another case": ("mtllib RED.Mtl", {"red": RED_MTL}, ["red.mtl"]),
    "path of another computer": ("mtllib C:\\Users\\me\\red.mtl", {"red": RED_MTL}, ["red.mtl"]),
    "spaces": ("mtllib my red.mtl", {"my red": RED_MTL}, ["my red.mtl"]),
    "quotes": ('mtllib "my red.mtl"', {"my red": RED_MTL}, ["my red.mtl"]),
    "two in a line": ("mtllib a.mtl red.mtl", {"a": "newmtl a\n", "red": RED_MTL}, ["a.mtl", "red.mtl"]),
    "two lines": ("mtllib a.mtl\nmtllib red.mtl", {"a": "newmtl a\n", "red": RED_MTL}, ["a.mtl", "red.mtl"]),
    "a tab": ("mtllib\tred.mtl \t", {"red": RED_MTL}, ["red.mtl"]),
    "byte order mark": ("mtllib red.mtl", {"red": "\ufeff" + RED_MTL}, ["red.mtl"]),
    "not at the start": ("# a comment\no box\n  mtllib red.mtl", {"red": RED_MTL}, ["red.mtl"]),
}


@pytest.mark.parametrize("case", MATERIAL_FILES)
def test_material_files_are_found_used_and_hashed(tmp_path, case):
    head, materials, known = MATERIAL_FILES[case]
    path = write_obj(tmp_path, head, **materials)
    (mesh,), _ = load(path)
    assert base_color(mesh) == (1, 0, 0)
    before = asked_for(path)["parameters"]["sha256"]
    assert list(before) == ["box.obj", *known]
    (tmp_path / known[-1]).write_text(RED_MTL.replace("1 0 0", "0 1 0"))
    assert asked_for(path)["parameters"]["sha256"] != before, "a change is noticed"


def test_a_mesh_with_dots_in_its_name_has_its_files_hashed(tmp_path):
    for name in ("pallet.jack.v2.mtl", "pallet.jack.png", "pallet.jack.v2.extra.png"):
        (tmp_path / name).write_text(RED_MTL)
    (tmp_path / "pallet.jack.v2.obj").write_text(raw_meshes.obj_text("mtllib pallet.jack.v2.mtl"))
    known = asked_for(tmp_path / "pallet.jack.v2.obj")["parameters"]["sha256"]
    assert list(known) == ["pallet.jack.v2.obj", "pallet.jack.v2.extra.png", "pallet.jack.v2.mtl"]


TEXTURES = {
    "options": "map_Kd -s 1 1 1 -o 0.5 0 0 -clamp on wood.png\nmap_Bump -bm 0.5 wood.png",
    "another case": "map_Kd Wood.PNG",
    "path of another computer": "map_Kd C:\\textures\\wood.png",
    "folder and space": "map_Kd tex/oak wood.png",
}


@pytest.mark.parametrize("case", TEXTURES)
def test_textures_of_material_files_are_found_and_hashed(tmp_path, case):
    write_image(tmp_path / "wood.png")
    write_image(tmp_path / "tex/oak wood.png")
    path = write_obj(tmp_path, "mtllib red.mtl", red=f"newmtl paint\n{TEXTURES[case]}\n")
    load(path)
    used = "tex/oak wood.png" if "oak" in TEXTURES[case] else "wood.png"
    assert used in asked_for(path)["parameters"]["sha256"]
    assert {Path(image.filepath) for image in bpy.data.images} == {tmp_path / used}, "it is there when Blender renders"


@pytest.mark.parametrize(
    ("head", "materials", "message"),
    [
        ("mtllib gone.mtl", "", "box.obj: its file gone.mtl is missing or cannot be read: put it beside the mesh"),
        ("mtllib /etc/hostname", "", "hostname is missing or cannot be read"),
        ("mtllib red.mtl", "map_Kd gone.png", "its image gone.png is missing or cannot be read"),
        ("mtllib red.mtl", "map_Kd -s 2 2 2 sub\\gone.png", "gone.png is missing"),
        ("mtllib red.mtl", "map_Kd red.mtl", "its image red.mtl cannot be read: is it an image?"),
    ],
)
def test_a_missing_file_of_an_obj_file_is_refused(tmp_path, head, materials, message):
    assert message in refusal(write_obj(tmp_path, head, red=f"newmtl paint\n{materials}\n"))


@pytest.mark.parametrize(
    ("head", "materials"), [("", {}), ("mtllib red.mtl", {"red": ""}), ("mtllib red.mtl", {"red": "newmtl other\n"})]
)
def test_materials_that_no_file_has_are_named(tmp_path, head, materials):
    notes = load(write_obj(tmp_path, head, **materials))[1]
    assert notes == ["no .mtl file that it names has its materials paint; they are gray"]


def test_a_material_file_in_utf_16_is_read(tmp_path):
    path = write_obj(tmp_path, "mtllib red.mtl")
    (tmp_path / "red.mtl").write_text(RED_MTL, encoding="utf-16")
    assert base_color(load(path)[0][0]) == (1, 0, 0)


def test_files_outside_the_mesh_are_used_only_if_they_are_listed(tmp_path):
    mesh_files.empty_file()
    write_image(tmp_path / "shared/red.png")
    truck = mesh_files.add_truck()
    nodes = truck.data.materials[0].node_tree.nodes
    node = nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(tmp_path / "shared/red.png"))
    path = tmp_path / "mine/mine.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, relative_remap=True)
    said = refusal(path, tmp_path)
    assert said == (
        "custom.mine: mine.blend: its image shared/red.png is not listed: add it to the key files of the entry "
        "(files: [shared/red.png])"
    )
    load(path, tmp_path, files=["shared/red.png"])
    assert Path(bpy.data.images["red.png"].filepath) == tmp_path / "shared/red.png"
    outside = "lies outside the folder mine: copy it there"
    mesh_files.empty_file()
    assert outside in refusal(path)


def link(path: Path, kind: str, name: str) -> bpy.types.ID:
    with bpy.data.libraries.load(str(path), link=True) as (_, to_load):
        setattr(to_load, kind, [name])
    return getattr(to_load, kind)[0]


@pytest.fixture
def linked(tmp_path) -> Path:
    """A truck with an instance of a collection of axle.blend, which holds an object of parts/wheel.blend."""
    folder = tmp_path / "mine"
    (folder / "parts").mkdir(parents=True)
    mesh_files.empty_file()
    bpy.ops.mesh.primitive_cube_add(size=1, scale=(3, 0.1, 0.3))
    bpy.context.object.name = "wheel"
    mesh_files.save(folder / "parts/wheel.blend")
    mesh_files.empty_file()
    axle = bpy.data.collections.new("axle")
    axle.objects.link(link(folder / "parts/wheel.blend", "objects", "wheel"))
    bpy.context.scene.collection.children.link(axle)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "axle.blend"), copy=True)
    mesh_files.empty_file()
    mesh_files.add_truck()
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type = "COLLECTION"
    instance.instance_collection = link(folder / "axle.blend", "collections", "axle")
    instance.location = (3.0, 1.0, 0.6)
    bpy.context.scene.collection.objects.link(instance)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "mine.blend"), copy=True, relative_remap=True)
    return folder


def test_linked_libraries_are_read_and_hashed_at_any_depth(tmp_path, linked):
    path = linked / "mine.blend"
    assert size_of(path, tmp_path) == [3.0, 0.5, 1.2]
    known = {"mine/mine.blend", "mine/axle.blend", "mine/parts/wheel.blend"}
    assert set(asked_for(path, tmp_path)["parameters"]["sha256"]) == known


def test_linked_materials_stay_without_their_library(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    mesh_files.empty_file()
    write_image(folder / "red.png")
    nodes = mesh_files.add_truck().data.materials[0].node_tree.nodes
    nodes.new("ShaderNodeTexImage").image = bpy.data.images.load(str(folder / "red.png"))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "parts.blend"), copy=True, relative_remap=True)
    mesh_files.empty_file()
    bpy.context.scene.collection.objects.link(link(folder / "parts.blend", "objects", "truck"))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "mine.blend"), copy=True, relative_remap=True)
    (mesh,), _ = load(folder / "mine.blend", tmp_path)
    assert not bpy.data.libraries
    assert mesh.materials[0].library is None
    assert base_color(mesh) == pytest.approx((0.7, 0.05, 0.03))
    assert [Path(image.filepath) for image in bpy.data.images] == [folder / "red.png"]
    assert bpy.data.images[0].size[0] == 4


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("axle.blend", "mine.blend: its library mine/axle.blend is missing or cannot be read"),
        ("parts/wheel.blend", "mine.blend: its library mine/parts/wheel.blend is missing or cannot be read"),
    ],
)
def test_a_missing_library_is_refused_at_any_depth(tmp_path, linked, missing, message):
    (linked / missing).unlink()
    assert message in refusal(linked / "mine.blend", tmp_path)


def test_an_object_that_its_library_lacks_is_refused(tmp_path, linked):
    mesh_files.empty_file()
    bpy.ops.mesh.primitive_cube_add(size=1)
    mesh_files.save(linked / "parts/wheel.blend")
    said = refusal(linked / "mine.blend", tmp_path)
    assert "its library mine/parts/wheel.blend has no 'wheel'" in said


def use_tiles(folder: Path, image: bpy.types.Image) -> None:
    for number in (1001, 1002):
        write_image(folder / f"tile.{number}.png")
    image.filepath, image.source = "//tile.<UDIM>.png", "TILED"
    image.tiles.new(1002)


@pytest.mark.parametrize("gone", [None, "tile.1002.png"])
def test_all_tiles_of_an_image_are_needed(tmp_path, gone):
    mesh_files.empty_file()
    image = bpy.data.images.new("tiles", 4, 4, tiled=True)
    use_tiles(tmp_path, image)
    node = mesh_files.add_truck().data.materials[0].node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    (tmp_path / "tile").mkdir()
    path = mesh_files.save(tmp_path / "tile.blend")
    if gone:
        (tmp_path / gone).unlink()
        assert f"its image {gone} is missing" in refusal(path)
    else:
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda image: setattr(image, "source", "SEQUENCE"), "its image moving is a sequence: use a single image"),
        (lambda image: setattr(image, "source", "MOVIE"), "its image moving is a movie: use a single image"),
    ],
)
def test_images_that_move_are_refused(tmp_path, change: Callable, message):
    mesh_files.empty_file()
    image = bpy.data.images.new("moving", 4, 4)
    image.source, image.filepath = "FILE", "//mine.0001.png"
    change(image)
    mesh_files.add_truck().data.materials[0].node_tree.nodes.new("ShaderNodeTexImage").image = image
    assert message in refusal(mesh_files.save(tmp_path / "mine.blend"))


def test_an_image_that_no_surface_shows_may_be_missing(tmp_path):
    mesh_files.empty_file()
    mesh_files.add_truck()
    image = bpy.data.images.new("reference", 4, 4)
    image.source, image.filepath = "FILE", "//gone.png"
    empty = bpy.data.objects.new("reference", None)
    empty.empty_display_type, empty.data = "IMAGE", image
    bpy.context.scene.collection.objects.link(empty)
    load(mesh_files.save(tmp_path / "mine.blend"))
    assert not bpy.data.images, "it does not stop the render either"


@pytest.mark.parametrize("uri", ["data.bin", "my%20data.bin", "DATA.BIN", "sub/data.bin", "sub\\data.bin"])
def test_the_buffer_of_a_gltf_file_is_found_and_hashed(tmp_path, uri):
    document, content = raw_meshes.gltf_document()
    name = {"my%20data.bin": "my data.bin", "DATA.BIN": "data.bin"}.get(uri, uri.replace("\\", "/"))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    path = raw_meshes.write_gltf(tmp_path / "box.gltf", document, content, uri)
    assert size_of(path) == SIZE
    assert list(asked_for(path)["parameters"]["sha256"]) == ["box.gltf", name]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("gone.bin", "its file gone.bin is missing"),
        ("https://example.com/data.bin", "its file https://example.com/data.bin is missing"),
        ("../outside.bin", "outside.bin lies outside the folder assets: copy it there"),
    ],
)
def test_a_buffer_that_is_missing_or_outside_is_refused(tmp_path, uri, message):
    (tmp_path / "assets").mkdir()
    (tmp_path / "outside.bin").write_bytes(b"1")
    document, content = raw_meshes.gltf_document()
    path = raw_meshes.write_gltf(tmp_path / "assets/box.gltf", document, content, uri)
    assert message in refusal(path)


def test_an_absolute_path_in_a_gltf_file_is_refused(tmp_path):
    document, content = raw_meshes.gltf_document()
    (tmp_path / "data.bin").write_bytes(content)
    path = raw_meshes.write_gltf(tmp_path / "box.gltf", document, content, f"{tmp_path}/data.bin")
    assert "by its absolute path: export it with relative paths" in refusal(path)


USD_FILES = {
    "reference": 'def "part" (\nreferences = @./part.usda@\n)\n{\n}\n',
    "payload": 'def "part" (\npayload = @./part.usda@\n)\n{\n}\n',
}


@pytest.mark.parametrize("kind", [*USD_FILES, "sublayer"])
def test_the_files_of_a_usd_file_are_needed_and_hashed(tmp_path, kind):
    head = "subLayers = [@./part.usda@]\n" if kind == "sublayer" else ""
    path, part = tmp_path / "box.usda", tmp_path / "part.usda"
    path.write_text(raw_meshes.usda_text(USD_FILES.get(kind, ""), head))
    assert "its file part.usda is missing" in refusal(path)
    part.write_text(raw_meshes.usda_text(scale=1.2).replace('"box"', '"larger"'))
    assert size_of(path) == [1.8, 0.6, 1.44]
    assert list(asked_for(path)["parameters"]["sha256"]) == ["box.usda", "part.usda"]


def test_at_most_ten_problems_are_listed(tmp_path):
    lines = "\n".join(f"mtllib gone{number}.mtl" for number in range(14))
    said = refusal(write_obj(tmp_path, lines)).splitlines()
    assert len(said) == 11
    assert said[-1] == "custom.mine: box.obj: and 4 more"
