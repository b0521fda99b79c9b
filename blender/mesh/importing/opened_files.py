# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a mesh file needs: all of them must be known, so that a change of any is noticed.

A mesh file is read in a temporary folder that holds links to the known files only. So whatever Blender opens is known,
or it is missing there and the mesh is refused.
"""

import codecs
import contextlib
import os
import tempfile
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import bpy

from blender.mesh.importing.errors import CustomMeshError

MAX_PROBLEMS = 10
BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Text in which Blender takes a byte order mark for a part of the first line.
TEXT_FORMATS = (".mtl", ".gltf", ".obj")
# Of groups of nodes in groups, in linked materials.
MAX_DEPTH = 20


class KnownFiles:
    """The known files of a mesh: `names` are paths below `folder`, and `stage` is the temporary folder of the links."""

    def __init__(self, folder: Path, names: Iterable[str], stage: Path) -> None:
        self.folder, self.names, self.stage = folder, list(names), stage
        for name in self.names:
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            if name.lower().endswith(TEXT_FORMATS) and _has_byte_order_mark(folder / name):
                (stage / name).write_bytes(_plain_text((folder / name).read_bytes()))
            else:
                (stage / name).symlink_to((folder / name).absolute())

    def alias(self, wanted: str, beside: str) -> list[str]:
        """Make files available under the name that a file in the folder of `beside` wants; return their known names.

        They may have another case, folder or slashes. Several names separated by spaces are joined, as .obj files
        list their materials. The list is empty if the files are not known.
        """
        for spelling in dict.fromkeys((wanted, urllib.parse.unquote(wanted))):
            link = Path(os.path.normpath((self.stage / beside).parent / spelling.lstrip("/")))
            names = [self.similar(spelling)]
            if names == [None]:
                names = [self.similar(part) for part in spelling.split()]
            if None not in names and link.is_relative_to(self.stage) and not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.write_bytes(b"\n".join((self.folder / name).read_bytes() for name in names))
                return names
        return []

    def similar(self, wanted: str) -> str | None:
        """Return the only known file with the last part of this path, whatever its case, its folder and its slashes."""
        last = PurePosixPath(wanted.replace("\\", "/")).name.lower()
        found = [name for name in self.names if PurePosixPath(name).name.lower() == last]
        return found[0] if len(found) == 1 else None

    def name_of(self, path: str) -> str | None:
        """Return the name of a known file from its path in the temporary folder."""
        normal = Path(os.path.normpath(path))
        name = normal.relative_to(self.stage).as_posix() if normal.is_relative_to(self.stage) else None
        return name if name in self.names else None

    def problem(self, kind: str, wanted: str, path: str) -> str:
        """Return why a file cannot be used: unknown although it exists, outside the folder, or missing."""
        normal = Path(os.path.normpath(path))
        inside = normal.is_relative_to(self.stage)
        real = Path(os.path.normpath(self.folder / os.path.relpath(normal, self.stage)))
        if inside and real.exists():
            name = normal.relative_to(self.stage).as_posix()
            return f"its {kind} {name} is not listed: add it to the key files of the entry (files: [{name}])"
        outside = next((place for place in (normal, real) if not inside and place.exists()), None)
        if outside:
            return f"its {kind} {outside} lies outside the folder {self.folder.name}: copy it there, beside the mesh"
        wanted = wanted.replace(f"{self.stage}{os.sep}", "")
        return f"its {kind} {wanted} is missing or cannot be read: put it beside the mesh"


def _has_byte_order_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3).startswith(BYTE_ORDER_MARKS)


def _plain_text(content: bytes) -> bytes:
    """Return the text of a file that begins with a byte order mark in UTF-8 without it, as Blender wants it."""
    encoding = "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-16"
    return content.decode(encoding, errors="replace").encode()


@contextlib.contextmanager
def known_files(folder: Path, names: Iterable[str]) -> Iterator[KnownFiles]:
    """Yield the known files with their links in a temporary folder, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="cariste-mesh-") as temporary:
        # So deep that paths such as ../../shared/wood.png lead to nothing.
        stage = Path(os.path.realpath(temporary)) / "1/2/3/4/5/6" / folder.absolute().name
        stage.mkdir(parents=True)
        yield KnownFiles(folder, names, stage)


def check_needed_data(
    file: str, linked: Iterable[bpy.types.ID], shown: Iterable[bpy.types.ID], known: KnownFiles
) -> list[str]:
    """Check the libraries of `linked` and the other files of `shown`; return lines for the log.

    The images get their real paths, because Blender reads them when it renders.

    Raises:
        CustomMeshError: a library, an image or another file is missing or not known; one line a problem.
    """
    uses = _uses()
    needed = _dependencies(shown, uses)
    problems = _library_problems(_dependencies(linked, uses), known)
    notes: list[str] = []
    images = {block for block in needed if isinstance(block, bpy.types.Image)}
    for image in sorted(images, key=lambda image: image.name):
        problem, note = _check_image(image, known)
        problems += [problem] if problem else []
        notes += [note] if note else []
    raise_problems(file, problems + _other_file_problems(needed, known))
    return notes


def make_materials_local(meshes: Iterable[bpy.types.Mesh]) -> set[bpy.types.Image]:
    """Make everything that materials use local, because their libraries do not stay; return the images."""
    materials = [material for mesh in meshes for material in mesh.materials if material]
    for _ in range(MAX_DEPTH):
        needed = _dependencies(materials, _uses())
        linked = [block for block in needed if block.library]
        for block in linked:
            # Blender makes a copy for the local users of a block, and those are known only level by level.
            block.make_local()
        if not linked:
            break
        materials = [material for mesh in meshes for material in mesh.materials if material]
    return {block for block in needed if isinstance(block, bpy.types.Image)}


def raise_problems(file: str, problems: list[str]) -> None:
    """Raise CustomMeshError if there are problems: at most ten lines, then a count."""
    problems = list(dict.fromkeys(problems))
    if problems:
        more = len(problems) - MAX_PROBLEMS
        lines = problems[:MAX_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise CustomMeshError("\n".join(f"{file}: {line}" for line in lines))


def _uses() -> dict[bpy.types.ID, list[bpy.types.ID]]:
    """Return the data that each data block uses."""
    uses: dict[bpy.types.ID, list[bpy.types.ID]] = {}
    for block, users in bpy.data.user_map().items():
        for user in users:
            uses.setdefault(user, []).append(block)
    return uses


def _dependencies(blocks: Iterable[bpy.types.ID], uses: dict[bpy.types.ID, list[bpy.types.ID]]) -> set[bpy.types.ID]:
    """Return these data blocks and all that they use, directly or not; not through scenes."""
    found, remaining = set(), list(blocks)
    while remaining:
        block = remaining.pop()
        if block not in found and not isinstance(block, bpy.types.Scene):
            found.add(block)
            remaining += uses.get(block, [])
    return found


def _library_problems(needed: set[bpy.types.ID], known: KnownFiles) -> list[str]:
    missing: dict[bpy.types.Library, list[str]] = {}
    for block in needed:
        if block.is_missing and block.library:
            missing.setdefault(block.library, []).append(block.name)
    problems = []
    for library, names in sorted(missing.items(), key=lambda item: item[0].filepath):
        path = bpy.path.abspath(library.filepath)
        if known.name_of(path):
            problems.append(f"its library {known.name_of(path)} has no {', '.join(map(repr, sorted(names)[:3]))}")
        else:
            problems.append(f"{known.problem('library', path, path)} (it holds {', '.join(sorted(names)[:3])})")
    for library in {block.library for block in needed if block.library} - missing.keys():
        path = bpy.path.abspath(library.filepath)
        if not known.name_of(path):
            problems.append(known.problem("library", path, path))
    return problems


def _check_image(image: bpy.types.Image, known: KnownFiles) -> tuple[str | None, str | None]:
    """Return a problem and a line for the log, both None if the image is packed or its file is known."""
    if image.packed_file or image.source in ("GENERATED", "VIEWER"):
        return (f"its image {image.name} cannot be read" if image.packed_file and not image.size[0] else None), None
    if image.source in ("SEQUENCE", "MOVIE"):
        return f"its image {image.name} is a {image.source.lower()}: use a single image", None
    path = bpy.path.abspath(image.filepath, library=image.library)
    if image.source == "FILE" and (
        os.path.isdir(path) or path.endswith(".fbm")
    ):  # an image that was packed, but not embedded by the export
        return "one of its images has no file name: save this image as a file beside the mesh, then export again", None
    paths = [_tile_path(path, tile.number) for tile in image.tiles] if image.source == "TILED" else [path]
    names = [known.name_of(each) for each in paths]
    similar = None
    if image.source == "FILE" and names == [None]:
        names = [similar := known.similar(path)]
    if None in names:
        unknown = paths[names.index(None)]
        return known.problem("image", unknown if image.source == "TILED" else image.filepath, unknown), None
    image.filepath = str(known.folder / similar) if similar else path.replace(str(known.stage), str(known.folder))
    if image.size[0] == 0:
        return f"its image {names[0]} cannot be read: is it an image?", None
    return None, f"its image {similar} is found by its name" if similar else None


def _tile_path(path: str, number: int) -> str:
    """Return the path of a UDIM tile."""
    number -= 1001
    return path.replace("<UDIM>", str(1001 + number)).replace("<UVTILE>", f"u{number % 10 + 1}_v{number // 10 + 1}")


def _other_file_problems(needed: set[bpy.types.ID], known: KnownFiles) -> list[str]:
    """Return the problems of fonts and of files of animated meshes."""
    problems = []
    for block in needed:
        kind = {"VectorFont": "font", "CacheFile": "cache file"}.get(type(block).__name__)
        if kind is None or block.filepath in ("", "<builtin>") or getattr(block, "packed_file", None):
            continue
        path = bpy.path.abspath(block.filepath, library=block.library)
        if not known.name_of(path) or not Path(path).exists():
            problems.append(known.problem(kind, block.filepath, path))
    return problems
