# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of the user's own: a file of `assets/`, turned and scaled into the frame of all things.

Everything that is a surface and not hidden in the file counts, as it is at rest: modifiers and instanced collections
are applied, armatures stand in their rest pose; cameras, lamps, bones and empties are left out. Materials stay.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

# isort: split
import bmesh  # exists only once bpy is loaded

from blender.common.errors import CaristeError
from blender.common.quiet_output import suppress_stdout
from blender.mesh.asset_cache import AssetCache

ASSETS_FOLDER = Path(__file__).parents[2] / "assets"

# Blender turns glTF (y up) to z up while it reads; other formats are read with the axes that the file has.
TO_FILE_AXES = {ending: Matrix.Rotation(-np.pi / 2, 3, "X") for ending in (".glb", ".gltf")}
SURFACES = ("MESH", "CURVE", "SURFACE", "FONT")


class CustomMeshError(CaristeError):
    """A mesh that cannot be used; the message says why, and what to do."""


def build_custom_mesh(parameters: dict, cache: AssetCache, folder: Path | None = None) -> list[bpy.types.Object]:
    """Return the parts of an own asset from the fields of `ImportedParameters` (pipeline/things.py).

    `folder` holds the file (default: `ASSETS_FOLDER`). The file is read once for all copies in an image.

    Raises:
        AssetError: see `load_meshes`; or it has another size than the record says.
    """
    key = (parameters["file"], parameters["metres_per_unit"], parameters["up"], parameters["forward"])
    meshes = cache.imported((*key, parameters["opaque"]), lambda: load_meshes(parameters, folder or ASSETS_FOLDER))
    size_m = bounding_size_m(meshes)
    if not np.allclose(size_m, parameters["size_m"], atol=2e-3):
        raise CustomMeshError(
            f"{parameters['file']} measures {size_m.round(3)} m, the record says {parameters['size_m']}"
        )
    return [bpy.data.objects.new(f"{parameters['file']} {number}", mesh) for number, mesh in enumerate(meshes)]


def bounding_size_m(meshes: list[bpy.types.Mesh]) -> np.ndarray:
    """Return length, width and height (3,) m of the box around all vertices."""
    return np.ptp(np.concatenate([_points(mesh) for mesh in meshes]), axis=0)


def load_meshes(parameters: dict, folder: Path) -> list[bpy.types.Mesh]:
    """Read a file into meshes in the frame of all things: origin on the floor under the middle, forward +x, up +z.

    Raises:
        AssetError: a file is missing or was changed, Blender cannot read it, it has no faces, an image is missing.
    """
    for name, sha256 in parameters["sha256"].items():
        _check_file(folder / name, sha256)
    path = folder / parameters["file"]
    kept = bpy.context.window.scene
    bpy.context.window.scene = scratch = bpy.data.scenes.new("import")
    known = set(bpy.data.images)
    try:
        scratch = _read(path, scratch)
        meshes = _surfaces(scratch)
    finally:
        bpy.context.window.scene = kept
        for thing in list(scratch.objects):
            bpy.data.objects.remove(thing)
        bpy.data.scenes.remove(scratch)
    _check_textures(path, set(bpy.data.images) - known)
    if not sum(len(mesh.polygons) for mesh in meshes):
        raise CustomMeshError(
            f"{path.name} has no faces (loose points and edges do not count): nothing of it can be seen"
        )
    _place(meshes, parameters, TO_FILE_AXES.get(path.suffix.lower(), Matrix.Identity(3)))
    for material in {material for mesh in meshes for material in mesh.materials if material}:
        _keep_to_the_mesh(material, parameters["opaque"])
    return meshes


def _check_file(path: Path, sha256: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CustomMeshError(f"{path}: {error.strerror}") from None
    if found != sha256:
        raise CustomMeshError(f"{path} was changed since the record was made: run `snakemake dataset` again")


def _read(path: Path, scratch: bpy.types.Scene) -> bpy.types.Scene:
    """Read the file into the scene `scratch`, or return the first scene of a .blend instead."""
    if path.suffix.lower() == ".blend":
        with bpy.data.libraries.load(str(path)) as (there, wanted):
            wanted.scenes = there.scenes[:1]
        bpy.data.scenes.remove(scratch)
        bpy.context.window.scene = wanted.scenes[0]
        return wanted.scenes[0]
    importers: dict[str, Callable] = {
        ".glb": bpy.ops.import_scene.gltf,
        ".gltf": bpy.ops.import_scene.gltf,
        ".obj": partial(bpy.ops.wm.obj_import, forward_axis="Y", up_axis="Z"),
        ".fbx": partial(bpy.ops.wm.fbx_import, use_anim=False),
    }
    from_usd = partial(bpy.ops.wm.usd_import, import_cameras=False, import_lights=False, create_world_material=False)
    try:
        with suppress_stdout():
            importers.get(path.suffix.lower(), from_usd)(filepath=str(path))
    except RuntimeError as error:
        raise CustomMeshError(f"{path.name}: Blender cannot read it: {str(error).strip()}") from None
    return scratch


def _surfaces(scratch: bpy.types.Scene) -> list[bpy.types.Mesh]:
    """Return the evaluated surfaces of a scene in its world axes, without what is hidden, loose or made by nodes."""
    for thing in scratch.objects:
        thing.animation_data_clear()
        if thing.type == "ARMATURE":
            thing.data.pose_position = "REST"
    layer = scratch.view_layers[0]
    layer.update()
    graph = layer.depsgraph
    found = [
        (each.object.original, each.matrix_world.copy())
        for each in graph.object_instances
        if each.show_self and each.object.type in SURFACES and not each.object.hide_render and not _by_nodes(each)
    ]
    unit_m = scratch.unit_settings.scale_length
    meshes = [_mesh(thing, graph, Matrix.Scale(unit_m, 4) @ world) for thing, world in found]
    return [mesh for mesh in meshes if len(mesh.polygons)]


def _by_nodes(instance: bpy.types.DepsgraphObjectInstance) -> bool:
    """Geometry nodes that scatter copies: Blender gives no mesh of theirs."""
    return instance.is_instance and instance.parent.instance_type == "NONE"


def _mesh(thing: bpy.types.Object, graph: bpy.types.Depsgraph, world: Matrix) -> bpy.types.Mesh:
    evaluated = thing.evaluated_get(graph)
    mesh = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=graph)
    mesh.validate()
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.delete(work, geom=[vertex for vertex in work.verts if not vertex.link_faces], context="VERTS")
    work.to_mesh(mesh)
    work.free()
    mesh.transform(world)
    if world.is_negative:
        mesh.flip_normals()
    return mesh


def _place(meshes: list[bpy.types.Mesh], parameters: dict, to_file_axes: Matrix) -> None:
    """Turn and scale as the catalogue says, then put the middle of the footprint on the origin."""
    up, forward = _axis(parameters["up"]), _axis(parameters["forward"])
    turn = np.array([forward, np.cross(up, forward), up]) @ np.array(to_file_axes)
    turned = Matrix((turn * parameters["metres_per_unit"]).tolist()).to_4x4()
    for mesh in meshes:
        mesh.transform(turned)
    points = np.concatenate([_points(mesh) for mesh in meshes])
    if not np.isfinite(points).all():
        raise CustomMeshError(f"{parameters['file']} has corners at infinity or at no number")
    low, high = points.min(axis=0), points.max(axis=0)
    middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2])
    for mesh in meshes:
        mesh.transform(Matrix.Translation(-np.array(middle)))
        mesh.update()


def _axis(name: str) -> np.ndarray:
    sign = -1.0 if name.startswith("-") else 1.0
    return sign * np.eye(3)["xyz".index(name[-1])]


def _points(mesh: bpy.types.Mesh) -> np.ndarray:
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(float)


def _check_textures(path: Path, images: set[bpy.types.Image]) -> None:
    for image in images:
        if image.source == "FILE" and not image.has_data and image.size[0] == 0:
            raise CustomMeshError(f"{path.name}: its image {image.filepath} is missing or cannot be read")


def _keep_to_the_mesh(material: bpy.types.Material, opaque: bool) -> None:
    """Nothing may be seen where no triangle is; where one is, something must be seen if it is `opaque`."""
    material.displacement_method = "BUMP"
    if not opaque or not material.use_nodes:
        return
    tree = material.node_tree
    for node in tree.nodes:
        if node.type == "BSDF_TRANSPARENT":
            raise CustomMeshError(
                f"material {material.name} uses a Transparent BSDF: masks follow the mesh, so make it opaque, or cut "
                "real holes"
            )
        if node.type == "BSDF_PRINCIPLED":
            alpha = node.inputs["Alpha"]
            for link in list(alpha.links):
                tree.links.remove(link)
            alpha.default_value = 1.0
