# SPDX-License-Identifier: Apache-2.0
"""Which files belong to a mesh, without Blender."""

import json
import os
from pathlib import Path

import pytest

from pipeline.record.asset_catalogue import Catalogue, CatalogueError
from pipeline.scenes.assets import custom_meshes
from pipeline.scenes.assets.mesh_files import files_of_mesh
from tests.helpers import raw_meshes


def write(folder: Path, **texts: str) -> None:
    """Write files by name; "__" in a name is a folder, the last "_" the dot before the suffix."""
    for name, text in texts.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder: Path, file: str, *listed: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_of_mesh(folder / file, folder, listed)]


def test_files_of_the_same_name_belong_to_a_mesh(tmp_path):
    write(tmp_path, a_fbx="", a_png="", ab_png="", a_fbm__wood_png="")
    (tmp_path / "a.v2.fbx").touch()
    (tmp_path / "a.fbm").mkdir()
    (tmp_path / "a.fbm/wood.png").touch()
    assert names(tmp_path, "a.fbx") == ["a.fbx", "a.fbm/wood.png", "a.png", "a.v2.fbx"]
    assert names(tmp_path, "a.v2.fbx") == ["a.v2.fbx"]


def test_a_folder_of_its_own_belongs_to_a_mesh_without_what_programs_leave_there(tmp_path):
    write(tmp_path, truck__a_blend="", truck__tex__wood_png="", other__b_png="")
    for name in (".DS_Store", "._a.blend", "Thumbs.db", "a.blend1", "a.blend~"):
        (tmp_path / "truck" / name).touch()
    assert names(tmp_path, "truck/a.blend") == ["truck/a.blend", "truck/tex/wood.png"]


REFERENCES = {
    "chain": ("a.obj", {"a_obj": "mtllib m.mtl\n", "m_mtl": "map_Kd tex/wood.png\n", "tex__wood_png": ""}),
    "windows": ("a.obj", {"a_obj": "mtllib C:\\me\\M.MTL\r\n", "m_mtl": "map_Kd TEX\\Wood.png\r\n",
                           "tex__wood_png": ""}),
    "options": ("a.obj", {"a_obj": "mtllib m.mtl", "m_mtl": "bump -bm 1 -s 1 1 1 tex/wood.png", "tex__wood_png": ""}),
    "gltf": ("a.gltf", {"a_gltf": '{"buffers": [{"uri": "m.mtl"}], "images": [{"uri": "tex%2Fwood.png"}]}', "m_mtl": "",
                        "tex__wood_png": ""}),
    "usd": ("a.usda", {"a_usda": "#usda 1.0\n@./m.mtl@ @tex/wood.png@", "m_mtl": "", "tex__wood_png": ""}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFERENCES)
def test_files_that_a_mesh_names_belong_to_it(tmp_path, case):
    file, texts = REFERENCES[case]
    write(tmp_path, other_png="", **texts)
    assert names(tmp_path, file) == [file, "m.mtl", "tex/wood.png"]


def test_the_json_of_a_glb_file_is_read(tmp_path):
    document, content = raw_meshes.gltf_document()
    (tmp_path / "wood.png").touch()
    raw_meshes.write_glb(tmp_path / "a.glb", document | {"images": [{"uri": "wood.png"}]}, content)
    assert names(tmp_path, "a.glb") == ["a.glb", "wood.png"]


@pytest.mark.parametrize(
    "content",
    [b"", b"glTF", b"{", b"[]", b'{"buffers": 3}', b'{"images": [{"uri": 3}]}', b"[" * 100_000, b"\xff" * 99,
     json.dumps({"images": [{"uri": "\0"}, {"uri": "a" * 5000}, {"uri": "../" * 50 + "etc/hostname"}]}).encode()],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["gltf", "glb", "obj", "usda"])
def test_a_damaged_file_names_nothing(tmp_path, suffix, content):
    (tmp_path / f"a.{suffix}").write_bytes(content)
    assert names(tmp_path, f"a.{suffix}") == [f"a.{suffix}"]


def test_files_outside_the_folder_do_not_belong_to_a_mesh(tmp_path):
    write(
        tmp_path,
        wood_png="",
        assets__a_obj="mtllib ../m.mtl\nmtllib m.mtl",
        m_mtl="",
        assets__m_mtl="map_Kd ../wood.png",
    )
    assert names(tmp_path / "assets", "a.obj") == ["a.obj", "m.mtl"]


def refusal(folder: Path, **entry) -> str:
    given = {"file": "a.obj", "category": None, "licence": "own work"} | entry
    with pytest.raises(CatalogueError) as error:
        custom_meshes.unmeasured_meshes(Catalogue.model_validate({"assets": {}, "custom": {"mine": given}}), folder)
    return str(error.value)


def test_listed_files_belong_to_a_mesh_and_must_exist(tmp_path):
    write(tmp_path, a_obj="", shared__wood_png="")
    assert names(tmp_path, "a.obj", "shared/wood.png") == ["a.obj", "shared/wood.png"]
    assert refusal(tmp_path, files=["gone.png"]).startswith(f"custom.mine.files: {tmp_path}/gone.png: No such file")


def test_a_missing_mesh_is_named_with_a_similar_name(tmp_path):
    write(tmp_path, Truck_obj="")
    assert refusal(tmp_path, file="truck.obj").endswith("truck.obj: No such file or directory; there is Truck.obj")
    (tmp_path / "folder.obj").mkdir()
    assert "Is a directory" in refusal(tmp_path, file="folder.obj")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/a.obj").touch()
    with open(os.fsencode(tmp_path) + b"/a/gr\xfcn.png", "w"):
        pass
    assert "is no text: rename it" in refusal(tmp_path, file="a/a.obj")


def test_a_path_that_begins_with_the_folder_of_the_catalogue_says_what_to_write(tmp_path):
    advice = f"; paths begin in {tmp_path.name}/: write meshes/truck.obj"
    assert refusal(tmp_path, file=f"{tmp_path.name}/meshes/truck.obj").endswith(advice)
