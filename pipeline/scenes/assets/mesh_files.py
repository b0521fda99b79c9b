# SPDX-License-Identifier: Apache-2.0
"""The files that belong to a custom mesh: found by folder, by name, and by what the mesh file names.

Blender reads a mesh with these files only (blender/mesh/importing/opened_files.py). So a file that is not found here is
never used without being noticed: the mesh is refused, and the message says to list the file.
"""

import json
import mmap
import os
import re
import struct
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path

# What programs leave in folders: it is no part of a mesh.
IGNORED_NAME = re.compile(r"^\.|^(thumbs\.db|desktop\.ini)$|\.blend\d+$|~$", re.IGNORECASE)
MATERIAL_LIBRARY = re.compile(rb"^[ \t]*mtllib[ \t]+(.+?)[ \t]*\r?$", re.MULTILINE)
TEXTURE = re.compile(
    rb"^[ \t]*(?:map_\w+|bump|norm|refl|disp|decal)[ \t]+(.+?)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE
)
# Options before the file name of a texture: with up to three numbers, or with one or two words.
NUMBERS_OPTION = rb"-[sot](?:[ \t]+[-+.\deE]+){1,3}"
WORDS_OPTION = rb"-(?:mm[ \t]+\S+|bm|boost|texres|blend[uv]|clamp|cc|imfchan|type)[ \t]+\S+"
TEXTURE_OPTIONS = re.compile(rb"^(?:(?:" + NUMBERS_OPTION + rb"|" + WORDS_OPTION + rb")[ \t]+)*", re.IGNORECASE)
USD_ASSET = re.compile(rb"@([^@\n]+)@")
GLB_HEADER = struct.Struct("<4sIII4s")


def files_of_mesh(file: Path, folder: Path, listed: Iterable[str] = ()) -> list[Path]:
    """Return the mesh file, followed by the sorted files below `folder` that belong to it.

    If the mesh file has a folder of its own, all files below that folder belong to it. If it lies directly in `folder`,
    the files and folders with the same name and another suffix belong to it. Files that an .obj, .mtl, .gltf, .glb or
    .usda file names belong to it, and those that the catalogue lists.

    Raises:
        OSError: the mesh file or a listed file is missing or cannot be read.
    """
    belonging = set(_files_by_place(file, folder))
    for name in listed:
        (folder / name).stat()
        belonging.add(folder / name)
    remaining = [file, *belonging]
    while remaining:
        found = set(_named_files(remaining.pop(), folder)) - belonging - {file}
        belonging |= found
        remaining += found
    return [file, *sorted(belonging - {file})]


def _files_by_place(file: Path, folder: Path) -> Iterator[Path]:
    if file.parent != folder:
        candidates = [file.parent]
    else:
        candidates = [path for path in folder.iterdir() if path.name.startswith(f"{file.stem}.") and path != file]
    for candidate in candidates:
        below = candidate.rglob("*") if candidate.is_dir() else [candidate]
        yield from (path for path in below if path.is_file() and not IGNORED_NAME.search(path.name))


def _named_files(path: Path, folder: Path) -> Iterator[Path]:
    """Yield the existing files below `folder` that a file names."""
    readers = {".obj": _names_in_obj, ".mtl": _names_in_mtl, ".gltf": _names_in_gltf, ".glb": _names_in_gltf}
    readers |= {".usda": _names_in_usda, ".usd": _names_in_usda}
    reader = readers.get(path.suffix.lower())
    for name in reader(path) if reader else ():
        if found := _find(name, path.parent, folder):
            yield found


def _names_in_obj(path: Path) -> list[str]:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            lines = [match.group(1) for match in MATERIAL_LIBRARY.finditer(content)]
    return [_text(name) for line in lines for name in (line, *line.split())]


def _names_in_mtl(path: Path) -> list[str]:
    return [_text(TEXTURE_OPTIONS.sub(b"", match.group(1))) for match in TEXTURE.finditer(path.read_bytes())]


def _names_in_usda(path: Path) -> list[str]:
    content = path.read_bytes()
    return [_text(name) for name in USD_ASSET.findall(content)] if content.startswith(b"#usda") else []


def _names_in_gltf(path: Path) -> list[str]:
    try:
        document = json.loads(_gltf_json(path))
        entries = [entry for key in ("buffers", "images") for entry in document.get(key, [])]
        names = [entry["uri"] for entry in entries if "uri" in entry and not entry["uri"].startswith("data:")]
    except (ValueError, AttributeError, TypeError, RecursionError):  # damaged: Blender says what is wrong
        return []
    return [spelling for name in names for spelling in (name, urllib.parse.unquote(name))]


def _gltf_json(path: Path) -> bytes:
    """Return the JSON of a .gltf or .glb file; source: glTF 2.0 specification, section 4, Binary glTF."""
    with path.open("rb") as file:
        header = file.read(GLB_HEADER.size)
        if not header.startswith(b"glTF"):
            return header + file.read()
        if len(header) < GLB_HEADER.size:
            return b""
        length = GLB_HEADER.unpack(header)[3]
        return file.read(min(length, path.stat().st_size))


def _text(name: bytes) -> str:
    return os.fsdecode(name.strip(b"\"' \t"))


def _find(name: str, beside: Path, folder: Path) -> Path | None:
    """Return the existing file below `folder` that a file in `beside` means.

    Slashes of Windows are accepted, and another case. Of a path from another computer, the last part is searched.
    """
    if "\0" in name or len(name) > 1000:
        return None
    parts = name.replace("\\", "/").split("/")
    exact = Path(os.path.normpath(beside.absolute() / "/".join(parts)))
    similar = [exact] if exact.is_file() else [_without_case(beside, parts), _without_case(beside, parts[-1:])]
    for path in similar:
        normal = Path(os.path.normpath(path.absolute())) if path else None
        if normal and normal.is_relative_to(folder.absolute()):
            return folder / normal.relative_to(folder.absolute())
    return None


def _without_case(folder: Path, parts: list[str]) -> Path | None:
    """Return the existing file below a folder whose path has these parts in upper or lower case."""
    for part in parts:
        if part == "..":
            folder = folder.parent
        elif part not in ("", "."):
            names = [entry for entry in os.listdir(folder) if entry.lower() == part.lower()] if folder.is_dir() else []
            if not names:
                return None
            folder /= names[0]
    return folder if folder.is_file() else None
