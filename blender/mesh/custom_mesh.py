# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a custom mesh: a file of the user in `assets/`, rotated and scaled into the frame of all objects.

The mesh is what a render of the file shows (`blender/mesh/importing/`): its surfaces with their materials.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from blender.common.quiet_output import capture_output
from blender.mesh.asset_cache import AssetCache
from blender.mesh.importing import decimation, formats, opened_files, packed_meshes
from blender.mesh.importing.errors import CustomMeshError
from blender.mesh.importing.materials import color_of_vertices, restrict_to_mesh
from blender.mesh.importing.rendered_surfaces import helper_notes, rendered_surfaces, vertex_positions

ASSETS_FOLDER = Path(__file__).parents[2] / "assets"

# Blender rotates glTF files (y up) to z up when it reads them; other formats keep the axes of the file.
TO_FILE_AXES = {ending: Matrix.Rotation(-np.pi / 2, 3, "X") for ending in (".glb", ".gltf")}
_simplified_meshes: dict[str, tuple[list[str], bytes]] = {}
KINDS_TO_REMOVE = ("scenes", "collections", "objects", "meshes", "images", "libraries")


def build_custom_mesh(parameters: dict, cache: AssetCache, folder: Path | None = None) -> list[bpy.types.Object]:
    """Return the parts of a custom mesh from the parameters of its object in the scene record.

    `folder` holds the file (default: `ASSETS_FOLDER`). The file is read once for all copies in an image.

    Raises:
        CustomMeshError: see `load_meshes`; or its size is not that of the record.
    """
    keys = ("file", "metres_per_unit", "up", "forward", "opaque", "max_triangles")
    key = tuple(parameters.get(name) for name in keys)
    meshes = cache.custom_meshes(key, lambda: _load_simplified(parameters, folder or ASSETS_FOLDER))
    size_m = bounding_size_m(meshes)
    if not np.allclose(size_m, parameters["size_m"], atol=2e-3):
        raise CustomMeshError(
            f"{parameters['file']} is {size_m.round(3)} m in size, but {parameters['size_m']} m in the record: run "
            "`snakemake dataset` again"
        )
    return [bpy.data.objects.new(f"{parameters['file']} {number}", mesh) for number, mesh in enumerate(meshes)]


def _load_simplified(parameters: dict, folder: Path) -> list[bpy.types.Mesh]:
    """Load meshes; simplified ones are kept for the next images of this process, because to simplify takes long."""
    if not parameters.get("max_triangles"):
        return load_meshes(parameters, folder)
    key = json.dumps(parameters, sort_keys=True)
    if key in _simplified_meshes:
        return packed_meshes.unpack(*_simplified_meshes[key])
    meshes = load_meshes(parameters, folder)
    _simplified_meshes[key] = packed_meshes.pack(meshes)
    return meshes


def bounding_size_m(meshes: list[bpy.types.Mesh]) -> np.ndarray:
    """Return length, width and height (3,) of the box around all vertices, in meters."""
    return np.ptp(np.concatenate([vertex_positions(mesh) for mesh in meshes]), axis=0)


def load_meshes(parameters: dict, folder: Path, log: Callable[[str], None] = lambda line: None) -> list[bpy.types.Mesh]:
    """Read a file into meshes in the frame of all objects: x forward, z up, the origin on the floor under the center.

    `log` receives one line for each thing that was assumed.

    Raises:
        CustomMeshError: a file is missing or has changed, Blender cannot read it, it shows no faces, or it needs a file
            that is missing or not among those of the record.
    """
    for name, sha256 in parameters["sha256"].items():
        _check_file(folder / name, sha256)
    with opened_files.known_files(folder, parameters["sha256"]) as known:
        meshes = _read_surfaces(parameters["file"], known, log)
    _move_to_asset_frame(
        meshes, parameters, TO_FILE_AXES.get(Path(parameters["file"]).suffix.lower(), Matrix.Identity(3))
    )
    is_gltf = Path(parameters["file"]).suffix.lower() in TO_FILE_AXES
    for mesh in meshes:
        if color_of_vertices(mesh):
            log("it has no material; the colors of its vertices are used")
    materials = {material for mesh in meshes for material in mesh.materials if material}
    for material in sorted(materials, key=lambda material: material.name):
        for note in restrict_to_mesh(material, parameters["opaque"], unlit_alpha=is_gltf):
            log(note)
    if parameters.get("max_triangles"):
        meshes = decimation.decimate(meshes, parameters["max_triangles"])
    return meshes


def _read_surfaces(file: str, known: opened_files.KnownFiles, log: Callable[[str], None]) -> list[bpy.types.Mesh]:
    """Read what a render of the file shows, in its own axes, and remove the rest of the file from memory."""
    previous_scene = bpy.context.window.scene
    before = {kind: set(getattr(bpy.data, kind)) for kind in KINDS_TO_REMOVE}
    kept: set[bpy.types.ID] = set()
    try:
        read = formats.read_file(known.stage / file)
        read = _read_again_with_aliases(file, read, known, log)
        shown = rendered_surfaces(read.scene)
        collections = [group for group in read.scene.collection.children_recursive if not group.hide_render]
        with capture_output():
            notes = opened_files.check_needed_data(Path(file).name, {*shown.objects, *collections}, shown.shown, known)
        notes += helper_notes(shown.shown)
        kept = {*shown.meshes, *opened_files.make_materials_local(shown.meshes)}
    finally:
        bpy.context.window.scene = previous_scene
        new = [block for kind in KINDS_TO_REMOVE for block in set(getattr(bpy.data, kind)) - before[kind]]
        with capture_output():
            bpy.data.batch_remove([block for block in new if block not in kept])
    for note in read.notes + notes:
        log(note)
    if not shown.meshes:
        raise CustomMeshError(
            f"{Path(file).name} has no faces that a render shows (hidden objects, loose points and edges do not count)"
        )
    return shown.meshes


def _read_again_with_aliases(
    file: str, read: formats.ReadFile, known: opened_files.KnownFiles, log: Callable[[str], None]
) -> formats.ReadFile:
    """Return what was read, or read it again if files that it names are known by a similar name.

    Raises:
        CustomMeshError: a file that it names is missing.
    """
    if not read.missing:
        return read
    name = Path(file).name
    wanted = {text: text.replace(f"{(known.stage / file).parent}/", "") for text in read.missing}
    found = {text: known.alias(short, file) for text, short in wanted.items()}
    opened_files.raise_problems(name, [_missing(wanted[text], file, known) for text in found if not found[text]])
    for text, names in found.items():
        log(f"its file {wanted[text]} is read from {', '.join(names)}")
    again = formats.read_file(known.stage / file)
    opened_files.raise_problems(name, [_missing(text, file, known) for text in again.missing])
    return again


def _missing(wanted: str, file: str, known: opened_files.KnownFiles) -> str:
    return known.problem("file", wanted, str((known.stage / file).parent / wanted))


def _check_file(path: Path, sha256: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CustomMeshError(f"{path}: {error.strerror}") from None
    if found != sha256:
        raise CustomMeshError(f"{path} was changed since the record was made: run `snakemake dataset` again")


def _move_to_asset_frame(meshes: list[bpy.types.Mesh], parameters: dict, to_file_axes: Matrix) -> None:
    """Rotate and scale meshes as the catalogue specifies, then move the center of the footprint to the origin."""
    up, forward = _axis_vector(parameters["up"]), _axis_vector(parameters["forward"])
    axes_matrix = np.array([forward, np.cross(up, forward), up]) @ np.array(to_file_axes)
    file_to_asset = Matrix((axes_matrix * parameters["metres_per_unit"]).tolist()).to_4x4()
    for mesh in meshes:
        mesh.transform(file_to_asset)
    points = np.concatenate([vertex_positions(mesh) for mesh in meshes])
    if not np.isfinite(points).all():
        raise CustomMeshError(f"{parameters['file']} has vertices at infinity or NaN")
    low, high = points.min(axis=0), points.max(axis=0)
    middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2])
    for mesh in meshes:
        mesh.transform(Matrix.Translation(-np.array(middle)))
        mesh.update()


def _axis_vector(name: str) -> np.ndarray:
    sign = -1.0 if name.startswith("-") else 1.0
    return sign * np.eye(3)["xyz".index(name[-1])]
