# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of each format that are accepted, and those whose content cannot be right."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import bpy
import pytest

from tests.helpers import mesh_files, raw_meshes
from tests.helpers.mesh_loading import refusal, size_of

SIZE = list(raw_meshes.SIZE_M)
NAN, INF = float("nan"), float("inf")


def with_first_x(x: float) -> list[tuple]:
    return [(x, *raw_meshes.POINTS[0][1:]), *raw_meshes.POINTS[1:]]


def glb(path: Path, change: Callable[[dict], object] = lambda document: None) -> None:
    document, content = raw_meshes.gltf_document()
    change(document)
    raw_meshes.write_glb(path, document, content)


def require(extension: str) -> Callable[[dict], object]:
    return lambda document: document.update(extensionsUsed=[extension], extensionsRequired=[extension])


def add_scene(document: dict) -> None:
    document["nodes"].append({"mesh": 0, "scale": [5, 5, 5]})
    document["scenes"].append({"nodes": [1]})


def add_camera(document: dict) -> None:
    document["cameras"] = [{"type": "perspective", "perspective": {"yfov": 1, "znear": 0.1}}]
    document["nodes"].append({"camera": 0, "translation": [50, 50, 50]})
    document["scenes"][0]["nodes"].append(1)


def instances(document: dict) -> None:
    extension = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 0}}}
    document["nodes"][0]["extensions"] = extension
    document["extensionsUsed"] = list(extension)


def gltf_in(encoding: str, path: Path) -> None:
    raw_meshes.write_gltf(path, *raw_meshes.gltf_document())
    path.write_bytes(path.read_text().encode(encoding))


def stl_text(points: Sequence[tuple] = raw_meshes.POINTS) -> str:
    corners = [[points[corner - 1] for corner in triangle] for triangle in raw_meshes.TRIANGLES]
    facets = [
        "facet normal 0 0 0\nouter loop\n"
        + "".join(f"vertex {x} {-z} {y}\n" for x, y, z in triangle)
        + "endloop\nendfacet"
        for triangle in corners
    ]
    return "\n".join(["solid mine", *facets, "endsolid mine", ""])


ACCEPTED: dict[str, tuple[Callable[[Path], object], list[float]]] = {
    "crlf.obj": (lambda path: path.write_text(raw_meshes.obj_text(line="\r\n")), SIZE),
    "bom.obj": (lambda path: path.write_text("\ufeff" + raw_meshes.obj_text()), SIZE),
    "bom_vertex.obj": (
        lambda path: path.write_text("\ufeff" + raw_meshes.obj_text() + "v 9 9 9\n", encoding="utf-8"), SIZE,
    ),
    "utf16.obj": (lambda path: path.write_text(raw_meshes.obj_text(), encoding="utf-16"), SIZE),
    "loose.obj": (lambda path: path.write_text(raw_meshes.obj_text() + "v 50 50 50\nl 1 9\np 9\n"), SIZE),
    "negative.obj": (lambda path: path.write_text(raw_meshes.obj_text() + "f -8 -7 -6\n"), SIZE),
    "exponents.obj": (
        lambda path: path.write_text(raw_meshes.obj_text("# inf, nan", lambda p: "v {:e} {:e} {:e}".format(*p))), SIZE,
    ),
    "ümläut 'quoted\".obj": (lambda path: path.write_text(raw_meshes.obj_text()), SIZE),
    "plain.glb": (glb, SIZE),
    "scenes.glb": (lambda path: glb(path, add_scene), SIZE),
    "no_scene.glb": (lambda path: glb(path, lambda document: document.pop("scene")), SIZE),
    "camera.glb": (lambda path: glb(path, add_camera), SIZE),
    "mirrored.glb": (lambda path: glb(path, lambda document: document["nodes"][0].update(scale=[-1, 1, 1])), SIZE),
    "instances.glb": (lambda path: glb(path, instances), [3.0, 1.0, 2.4]),
    "quantized.glb": (lambda path: glb(path, require("KHR_mesh_quantization")), SIZE),
    "data.gltf": (lambda path: raw_meshes.write_gltf(path, *raw_meshes.gltf_document()), SIZE),
    **{f"{encoding}.gltf": (partial(gltf_in, encoding), SIZE) for encoding in ("utf-8-sig", "utf-16")},
    "glb_inside.gltf": (glb, SIZE),
    "binary.stl": (lambda path: path.write_bytes(raw_meshes.stl_bytes()), SIZE),
    "text.stl": (lambda path: path.write_text(stl_text()), SIZE),
    "bom.stl": (lambda path: path.write_text("\ufeff" + stl_text(), encoding="utf-8"), SIZE),
    "text_crlf.stl": (lambda path: path.write_bytes(stl_text().replace("\n", "\r\n").encode()), SIZE),
    "two.stl": (lambda path: path.write_text(2 * stl_text()), SIZE),
    "solid.stl": (lambda path: path.write_bytes(b"solid" + raw_meshes.stl_bytes()[5:]), SIZE),
    "ascii.ply": (lambda path: path.write_bytes(raw_meshes.ply_bytes()), SIZE),
    "little.ply": (lambda path: path.write_bytes(raw_meshes.ply_bytes(kind="binary_little_endian")), SIZE),
    "big.ply": (lambda path: path.write_bytes(raw_meshes.ply_bytes(kind="binary_big_endian")), SIZE),
    "plain.usda": (lambda path: path.write_text(raw_meshes.usda_text()), SIZE),
    "centimeters.usda": (
        lambda path: path.write_text(raw_meshes.usda_text(scale=100).replace("Unit = 1\n", "Unit = 0.01\n")), SIZE,
    ),
}  # fmt: skip
for purpose in ('uniform token purpose = "guide"', 'uniform token purpose = "proxy"', 'token visibility = "invisible"'):
    hidden = raw_meshes.usda_text(raw_meshes.usd_box("hidden", purpose, scale=9))
    ACCEPTED[f"{purpose.split()[-1][1:-1]}.usda"] = (lambda path, hidden=hidden: path.write_text(hidden), SIZE)


@pytest.mark.parametrize("name", ACCEPTED)
def test_variants_of_formats_are_read(tmp_path, name):
    write, size = ACCEPTED[name]
    write(tmp_path / name)
    assert size_of(tmp_path / name, category=None) == pytest.approx(size)


def test_a_blend_file_that_is_compressed_is_read(tmp_path):
    mesh_files.empty_file()
    mesh_files.add_truck()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mine.blend"), copy=True, compress=True)
    assert size_of(tmp_path / "mine.blend") == pytest.approx(mesh_files.SIZE_M)


def nan_glb(x: float) -> Callable[[Path], object]:
    return lambda path: raw_meshes.write_glb(path, *raw_meshes.gltf_document(with_first_x(x)))


def obj_vertex(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(raw_meshes.obj_text(vertex=lambda point: f"v {text} {point[1]} {point[2]}"))


NOT_FINITE = {
    **{f"{number}.obj": obj_vertex(text) for number, text in enumerate(
        ("nan", "-nan(ind)", "inf", "-INF", "1e39", "1E+40", "1.#INF", "-1.#IND00", "1.#QNAN0")
    )},
    **{f"{x}.glb": nan_glb(x) for x in (NAN, INF, -INF)},
    "nan.gltf": lambda path: raw_meshes.write_gltf(path, *raw_meshes.gltf_document(with_first_x(NAN))),
    "nan.stl": lambda path: path.write_bytes(raw_meshes.stl_bytes(with_first_x(NAN))),
    **{f"{kind}.ply": lambda path, kind=kind: path.write_bytes(raw_meshes.ply_bytes(with_first_x(INF), kind)) for kind
       in ("ascii", "binary_little_endian", "binary_big_endian")},
    "nan.usda": lambda path: path.write_text(raw_meshes.usda_text().replace("(-0.75", "(nan", 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_FINITE)
def test_points_at_infinity_or_nan_are_refused_by_name(tmp_path, name):
    NOT_FINITE[name](tmp_path / name)
    assert "has points at infinity or NaN" in refusal(tmp_path / name)


def basisu(document: dict) -> None:
    document["images"] = [{"uri": "a.ktx2"}]
    document["textures"] = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    document["extensionsUsed"] = ["KHR_texture_basisu"]


def cut(path: Path) -> None:
    glb(path)
    path.write_bytes(path.read_bytes()[:-50])


def write_points(kind: str, path: Path) -> None:
    head, _, body = raw_meshes.ply_bytes(kind=kind).partition(b"element face")
    path.write_bytes(head + body[body.index(b"end_header") :])


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.obj": (lambda path: path.touch(), "empty.obj is empty (0 bytes): copy it again"),
    "empty.blend": (lambda path: path.touch(), "empty.blend is empty (0 bytes)"),
    "page.glb": (lambda path: path.write_text("\n<!DOCTYPE html>"), "is a web page, not a mesh: download"),
    "lfs.glb": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "run `git lfs pull`"),
    "zip.obj": (lambda path: path.write_bytes(b"PK\3\4..."), "is an archive: unpack it"),
    "text.blend": (lambda path: path.write_text("hello"), "text.blend is not a file of Blender"),
    "damaged.blend": (lambda path: path.write_bytes(b"BLENDER-v405" + bytes(99)), "Blender cannot read it"),
    "text.obj": (lambda path: path.write_text("hello"), "text.obj has no faces"),
    "comma.obj": (obj_vertex("0,75"), "has numbers with a comma (0,75): export it with decimal points"),
    "mac.obj": (lambda path: path.write_text(raw_meshes.obj_text(line="\r")), "ends its lines in the way of old Macs"),
    "late_comma.obj": (
        lambda path: path.write_text(raw_meshes.obj_text(head="#" * 70_000).replace("0.75", "0,75")),
        "has numbers with a comma",
    ),
    "lacks_points.obj": (
        lambda path: path.write_text(raw_meshes.obj_text() + "f 1 2 99\n"), "is damaged: it lacks points of",
    ),
    "comma.stl": (lambda path: path.write_text(stl_text().replace(".", ",")), "has numbers with a comma (0,75)"),
    "capitals.stl": (lambda path: path.write_text(stl_text().upper()), "is written in capitals: export it as binary"),
    "mac.stl": (lambda path: path.write_bytes(stl_text().replace("\n", "\r").encode()), "in the way of old Macs"),
    "cut_text.stl": (lambda path: path.write_text(stl_text()[:-200]), "is cut off: its last line is not endsolid"),
    "cut.stl": (lambda path: path.write_bytes(raw_meshes.stl_bytes()[:-60]), "is cut off: it holds 10 of its 12 tri"),
    "header.stl": (lambda path: path.write_bytes(bytes(60)), "is cut off; copy or export it again"),
    "more.stl": (lambda path: path.write_bytes(raw_meshes.stl_bytes() + b"more"), "holds more than its 12 triangles"),
    "utf16.stl": (lambda path: path.write_text(stl_text(), encoding="utf-16"), "is UTF-16 text: save it as UTF-8"),
    "nothing.stl": (lambda path: path.write_bytes(bytes(84)), "has no triangles: export it again"),
    "nothing_text.stl": (lambda path: path.write_text("solid a\nendsolid a\n"), "has no triangles: export it again"),
    **{f"cloud_{kind}.ply": (partial(write_points, kind), "has points without triangles: make a mesh of them") for kind
       in ("ascii", "binary_little_endian")},
    "points.ply": (lambda path: path.write_bytes(raw_meshes.ply_bytes().replace(b"face 6", b"face 0")), "has no faces"),
    "text.ply": (lambda path: path.write_text("hello"), "text.ply: Blender cannot read it"),
    "text.fbx": (lambda path: path.write_text("hello"), "text.fbx: Blender cannot read it"),
    "text.usda": (lambda path: path.write_text("hello"), "Blender cannot read it: <text.usda> is not a valid"),
    "text.usdz": (lambda path: path.write_text("hello"), "text.usdz: Blender cannot read it"),
    "syntax.usda": (lambda path: path.write_text("#usda 1.0\ndef {"), "syntax.usda:2:1: parse error"),
    "text.stl": (lambda path: path.write_text("hello"), "text.stl"),
    "cut.glb": (cut, "cut.glb: Blender cannot read it: Bad GLB: file size doesn't match"),
    "list.gltf": (lambda path: path.write_text("[]"), "list.gltf: Blender cannot read it: Bad glTF"),
    "nested.gltf": (lambda path: path.write_text("[" * 100_000), "nested.gltf: Blender cannot read it"),
    "v1.gltf": (lambda path: path.write_text(json.dumps({"asset": {"version": "1.0"}})), "version must be 2.0"),
    "meshopt.glb": (lambda path: glb(path, require("EXT_meshopt_compression")), "needs EXT_meshopt_compression"),
    "ktx.glb": (lambda path: glb(path, basisu), "has textures of KHR_texture_basisu, which Blender cannot read"),
    "points.glb": (
        lambda path: glb(path, lambda document: document["meshes"][0]["primitives"][0].update(mode=0)), "has no faces",
    ),
    "short.glb": (
        lambda path: glb(path, lambda document: document["accessors"][1].update(count=9999)), "it is damaged (",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_a_mesh_is_refused_with_the_reason(tmp_path, name):
    write, message = WRONG[name]
    write(tmp_path / name)
    said = refusal(tmp_path / name)
    assert message in said
    assert "\n" not in said
    assert "cariste-mesh" not in said, "the temporary folder is ours"
