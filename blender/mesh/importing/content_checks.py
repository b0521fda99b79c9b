# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse files whose content cannot be right, where Blender's importers would say nothing.

They read numbers that they do not understand as 0, and move points at NaN to 0.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blender.mesh.importing.errors import CustomMeshError
from blender.mesh.importing.gltf_checks import check_gltf
from blender.mesh.importing.stl_checks import check_stl

START_BYTES = 65536
# Plain, and compressed by zstd or (Blender before 3.0) by gzip.
BLEND_STARTS = (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b")
UTF_16_STARTS = (b"\xff\xfe", b"\xfe\xff")
NOT_FINITE = "has points at infinity or NaN"
OBJ_DECIMAL_COMMA = re.compile(rb"^v[ \t]+[-+]?\d+,\d", re.MULTILINE)
# Also what Microsoft's C library writes (1.#INF, -1.#IND00), and numbers that 32-bit floats cannot hold.
OBJ_NOT_FINITE = re.compile(
    rb"^v[ \t][^\r\n#]*?(?:nan|inf|\d\.#|e\+?(?:39|[4-9]\d|\d{3}))", re.MULTILINE | re.IGNORECASE
)
OBJ_MATERIAL = re.compile(rb"usemtl[ \t]+([^\r\n]*[^\s])")
MTL_MATERIAL = re.compile(rb"newmtl[ \t]+([^\r\n]*[^\s])")
# The start of a line with a vertex once all digits are removed, if it has other characters: 60 MB in 0.2 s.
OBJ_SUSPICIOUS = re.compile(rb"\nv[nie#,]", re.IGNORECASE)
OBJ_ORDINARY = b"0123456789+-. \t\r"
USDA_ASSET = re.compile(rb"@([^@\n]+)@")
PLY_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"), **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"), **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"), **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"), **dict.fromkeys(("double", "float64"), "f8"),
}  # fmt: skip


def check_content(path: Path) -> None:
    """Check what is inside a mesh file.

    Raises:
        CustomMeshError: it is empty, another kind of file, or has points at infinity or NaN.
    """
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    suffix = path.suffix.lower()
    if problem := _kind_problem(start, suffix):
        raise CustomMeshError(f"{path.name} {problem}")
    check: Callable[[Path], str | None] = {
        ".obj": _obj_problem, ".ply": _ply_problem, ".glb": check_gltf, ".gltf": check_gltf, ".usda": _usda_problem,
        ".stl": check_stl,
    }.get(suffix, lambda _: None)  # fmt: skip
    if problem := check(path):
        raise CustomMeshError(f"{path.name} {problem}")


def content_notes(path: Path) -> list[str]:
    """Return lines for the log about what an .obj file lacks. The files of materials lie in its folder or below."""
    if path.suffix.lower() != ".obj":
        return []
    used = set(OBJ_MATERIAL.findall(path.read_bytes()))
    if not used:
        return []
    defined = {name for file in path.parent.rglob("*.mtl") for name in MTL_MATERIAL.findall(file.read_bytes())}
    missing = sorted(name.decode(errors="replace") for name in used - defined)
    return [f"no .mtl file that it names has its materials {', '.join(missing[:3])}; they are gray"] if missing else []


def _kind_problem(start: bytes, suffix: str) -> str | None:
    """Return what is wrong with a file that begins with `start`, if it is another kind of file."""
    if not start:
        return "is empty (0 bytes): copy it again"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the mesh itself: run `git lfs pull`"
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a mesh: download the mesh itself"
    if start.startswith(b"PK\x03\x04") and suffix != ".usdz":
        return "is an archive: unpack it"
    if suffix == ".blend" and not start.startswith(BLEND_STARTS):
        return "is not a file of Blender: save it in Blender, or correct its suffix"
    if suffix in (".obj", ".gltf", ".usda", ".ply", ".stl") and start.startswith(UTF_16_STARTS):
        return "is UTF-16 text: save it as UTF-8"
    return None


def _obj_problem(path: Path) -> str | None:
    content = path.read_bytes()
    start = content[:START_BYTES]
    if b"\n" not in start and b"\r" in start:
        return "ends its lines in the way of old Macs: save it with line ends of Unix or Windows"
    suspicious = OBJ_SUSPICIOUS.search(b"\n" + content.translate(None, OBJ_ORDINARY))
    if suspicious and OBJ_DECIMAL_COMMA.search(content):
        return "has numbers with a comma (0,75): export it with decimal points"
    return f"{NOT_FINITE}: remove them where it was made" if suspicious and OBJ_NOT_FINITE.search(content) else None


def _ply_problem(path: Path) -> str | None:
    header, separator, body = path.read_bytes().partition(b"end_header")
    body = body[2:] if body.startswith(b"\r\n") else body[1:]
    lines = header.decode("ascii", errors="replace").splitlines()
    words = [line.split() for line in lines if line.strip()]
    has_faces = any(line[:2] in (["element", "face"], ["element", "tristrips"]) for line in words)
    if separator and not has_faces:
        return "has points without triangles: make a mesh of them, and export it as .glb"
    if not separator or ["format", "ascii", "1.0"] in words:
        return f"{NOT_FINITE}: remove them" if re.search(rb"(?i)\b(?:nan|inf|infinity)\b", body) else None
    elements = [number for number, line in enumerate(words) if line[0] == "element"]
    if not elements or words[elements[0]][1:2] != ["vertex"]:
        return None
    order = ">" if ["format", "binary_big_endian", "1.0"] in words else "<"
    end = elements[1] if len(elements) > 1 else len(words)
    properties = [line for line in words[elements[0] + 1 : end] if line[0] == "property"]
    try:
        vertex = np.dtype([(line[2], order + PLY_TYPES[line[1]]) for line in properties])
        points = np.frombuffer(body, vertex, int(words[elements[0]][2]))
        finite = all(np.isfinite(points[axis]).all() for axis in "xyz")
    except (KeyError, IndexError, ValueError, TypeError):
        return None  # the importer says what is wrong
    return None if finite else f"{NOT_FINITE}: remove them"


def _usda_problem(path: Path) -> str | None:
    names = (os.fsdecode(name) for name in USDA_ASSET.findall(path.read_bytes()))
    absolute = [name for name in names if Path(name).is_absolute() and Path(name).exists()]
    return f"names {absolute[0]} by its absolute path: export it with relative paths" if absolute else None
