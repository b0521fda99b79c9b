# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a custom mesh: a file of the user in `assets/`, rotated and scaled into the frame of all objects.

All surfaces of the file that are not hidden are taken, with their materials. Modifiers and instanced collections are
applied, armatures are in rest pose. Cameras, lamps, bones and empties are left out.
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

# Blender rotates glTF files (y up) to z up when it reads them; other formats keep the axes of the file.
TO_FILE_AXES = {ending: Matrix.Rotation(-np.pi / 2, 3, "X") for ending in (".glb", ".gltf")}
SURFACE_TYPES = ("MESH", "CURVE", "SURFACE", "FONT")


class CustomMeshError(CaristeError):
    """A mesh that cannot be used."""


def build_custom_mesh(parameters: dict, cache: AssetCache, folder: Path | None = None) -> list[bpy.types.Object]:
    """Return the parts of a custom mesh from the parameters of its object in the scene record.

    `folder` holds the file (default: `ASSETS_FOLDER`). The file is read once for all copies in an image.

    Raises:
        CustomMeshError: see `load_meshes`; or its size is not that of the record.
    """
    key = (parameters["file"], parameters["metres_per_unit"], parameters["up"], parameters["forward"])
    meshes = cache.custom_meshes((*key, parameters["opaque"]), lambda: load_meshes(parameters, folder or ASSETS_FOLDER))
    size_m = bounding_size_m(meshes)
    if not np.allclose(size_m, parameters["size_m"], atol=2e-3):
        raise CustomMeshError(
            f"{parameters['file']} is {size_m.round(3)} m in size, but {parameters['size_m']} m in the record: run "
            "`snakemake dataset` again"
        )
    return [bpy.data.objects.new(f"{parameters['file']} {number}", mesh) for number, mesh in enumerate(meshes)]


def bounding_size_m(meshes: list[bpy.types.Mesh]) -> np.ndarray:
    """Return length, width and height (3,) of the box around all vertices, in meters."""
    return np.ptp(np.concatenate([_vertex_positions(mesh) for mesh in meshes]), axis=0)


def load_meshes(parameters: dict, folder: Path) -> list[bpy.types.Mesh]:
    """Read a file into meshes in the frame of all objects: x forward, z up, the origin on the floor under the center.

    Raises:
        CustomMeshError: a file is missing or has changed, Blender cannot read it, it has no faces, or a texture is
            missing.
    """
    for name, sha256 in parameters["sha256"].items():
        _check_file(folder / name, sha256)
    path = folder / parameters["file"]
    previous_scene = bpy.context.window.scene
    bpy.context.window.scene = scratch = bpy.data.scenes.new("import")
    images_before = set(bpy.data.images)
    try:
        scratch = _read(path, scratch)
        meshes = _evaluated_meshes(scratch)
    finally:
        bpy.context.window.scene = previous_scene
        for scene_object in list(scratch.objects):
            bpy.data.objects.remove(scene_object)
        bpy.data.scenes.remove(scratch)
    _check_textures(path, set(bpy.data.images) - images_before)
    if not sum(len(mesh.polygons) for mesh in meshes):
        raise CustomMeshError(f"{path.name} has no faces (loose points and edges do not count), so it is invisible")
    _move_to_asset_frame(meshes, parameters, TO_FILE_AXES.get(path.suffix.lower(), Matrix.Identity(3)))
    for material in {material for mesh in meshes for material in mesh.materials if material}:
        _restrict_to_mesh(material, parameters["opaque"])
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
    """Read a file into the scene `scratch` and return it; of a .blend file, return its first scene instead."""
    if path.suffix.lower() == ".blend":
        with bpy.data.libraries.load(str(path)) as (library_content, to_load):
            to_load.scenes = library_content.scenes[:1]
        bpy.data.scenes.remove(scratch)
        bpy.context.window.scene = to_load.scenes[0]
        return to_load.scenes[0]
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


def _evaluated_meshes(scratch: bpy.types.Scene) -> list[bpy.types.Mesh]:
    """Return the visible surfaces of a scene in world coordinates; instances of geometry nodes are left out."""
    for scene_object in scratch.objects:
        scene_object.animation_data_clear()
        if scene_object.type == "ARMATURE":
            scene_object.data.pose_position = "REST"
    layer = scratch.view_layers[0]
    layer.update()
    graph = layer.depsgraph
    found = [
        (instance.object.original, instance.matrix_world.copy())
        for instance in graph.object_instances
        if instance.show_self
        and instance.object.type in SURFACE_TYPES
        and not instance.object.hide_render
        and not _is_node_instance(instance)
    ]
    unit_m = scratch.unit_settings.scale_length
    meshes = [_evaluated_mesh(scene_object, graph, Matrix.Scale(unit_m, 4) @ world) for scene_object, world in found]
    return [mesh for mesh in meshes if len(mesh.polygons)]


def _is_node_instance(instance: bpy.types.DepsgraphObjectInstance) -> bool:
    """Return whether geometry nodes made this instance; Blender provides no mesh for it."""
    return instance.is_instance and instance.parent.instance_type == "NONE"


def _evaluated_mesh(scene_object: bpy.types.Object, graph: bpy.types.Depsgraph, world: Matrix) -> bpy.types.Mesh:
    """Return a copy of an object's mesh in world coordinates, without loose vertices."""
    evaluated = scene_object.evaluated_get(graph)
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


def _move_to_asset_frame(meshes: list[bpy.types.Mesh], parameters: dict, to_file_axes: Matrix) -> None:
    """Rotate and scale meshes as the catalogue specifies, then move the center of the footprint to the origin."""
    up, forward = _axis_vector(parameters["up"]), _axis_vector(parameters["forward"])
    axes_matrix = np.array([forward, np.cross(up, forward), up]) @ np.array(to_file_axes)
    file_to_asset = Matrix((axes_matrix * parameters["metres_per_unit"]).tolist()).to_4x4()
    for mesh in meshes:
        mesh.transform(file_to_asset)
    points = np.concatenate([_vertex_positions(mesh) for mesh in meshes])
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


def _vertex_positions(mesh: bpy.types.Mesh) -> np.ndarray:
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(float)


def _check_textures(path: Path, images: set[bpy.types.Image]) -> None:
    for image in images:
        if image.source == "FILE" and not image.has_data and image.size[0] == 0:
            raise CustomMeshError(f"{path.name}: its image {image.filepath} is missing or cannot be read")


def _restrict_to_mesh(material: bpy.types.Material, opaque: bool) -> None:
    """Make a material show exactly the triangles of its mesh, because masks follow the mesh.

    Displacement becomes bump. If `opaque`, alpha becomes 1.

    Raises:
        CustomMeshError: an opaque material has a Transparent BSDF.
    """
    material.displacement_method = "BUMP"
    if not opaque or not material.use_nodes:
        return
    tree = material.node_tree
    for node in tree.nodes:
        if node.type == "BSDF_TRANSPARENT":
            raise CustomMeshError(
                f"material {material.name} uses a Transparent BSDF, but masks follow the mesh: make it opaque, or cut "
                "holes into the mesh"
            )
        if node.type == "BSDF_PRINCIPLED":
            alpha = node.inputs["Alpha"]
            for link in list(alpha.links):
                tree.links.remove(link)
            alpha.default_value = 1.0
