# SPDX-License-Identifier: GPL-3.0-or-later
"""The surfaces of a scene that its own render shows.

A render engine that renders nothing receives the same evaluated scene as Cycles: with the modifiers, subdivision levels
and visibility of renders, and with all instances. It copies the meshes that a camera would see.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix

from blender.common.quiet_output import capture_output
from blender.mesh.importing.errors import CustomMeshError

# Positions are 32-bit floats with 24 significant bits: at this distance, errors reach a hundredth of the size.
MAX_DISTANCE_IN_SIZES = 1e5

MAX_NAMED = 3
# Collision shapes of Unreal and Unity, and copies for larger distances, which cover the mesh itself.
HELPER_NAME = re.compile(r"^(UCX|UBX|USP|UCP)_|collision|collider|[_ ]LOD_?[1-9]", re.IGNORECASE)

# What a render shows, but what has no mesh.
SHOWN_WITHOUT_MESH = {
    "VOLUME": "a volume",
    "POINTCLOUD": "a point cloud",
    "CURVES": "hair",
    "GREASEPENCIL": "Grease Pencil",
    "GPENCIL": "Grease Pencil",
}


@dataclass
class RenderedSurfaces:
    """What a render shows: meshes in meters (world coordinates), the objects that have them, and all objects."""

    meshes: list[bpy.types.Mesh] = field(default_factory=list)
    shown: set[bpy.types.Object] = field(default_factory=set)
    objects: set[bpy.types.Object] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def rendered_surfaces(scene: bpy.types.Scene) -> RenderedSurfaces:
    """Return what a camera would see of a scene at its current frame, in its first view layer that is rendered.

    Raises:
        CustomMeshError: no view layer is rendered; an object has points at NaN or infinity; something is shown that is
            no surface.
    """
    layers = [layer for layer in scene.view_layers if layer.use]
    if not layers:
        raise CustomMeshError("no view layer of its scene is used for rendering: switch one on")
    surfaces = _evaluate(scene, layers[0])
    if surfaces.problems:
        problems = list(dict.fromkeys(surfaces.problems))
        more = f"; and {len(problems) - MAX_NAMED} more" if len(problems) > MAX_NAMED else ""
        raise CustomMeshError("; ".join(problems[:MAX_NAMED]) + more)
    return surfaces


def helper_notes(shown: Iterable[bpy.types.Object]) -> list[str]:
    """Return a line for the log about shown objects that game engines hide, by their names."""
    names = sorted(each.name for each in shown if HELPER_NAME.search(each.name))
    if not names:
        return []
    named = ", ".join(names[:MAX_NAMED]) + (", …" if len(names) > MAX_NAMED else "")
    return [f"it shows {named}, by the name a collision shape or a copy with less detail: if so, remove it"]


def _evaluate(scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> RenderedSurfaces:
    """Let Blender evaluate a scene as for a render, and collect what it shows."""
    surfaces, errors = RenderedSurfaces(), []
    metres_per_unit = 1.0 if scene.unit_settings.system == "NONE" else scene.unit_settings.scale_length

    class Collector(bpy.types.RenderEngine):
        bl_idname = "CARISTE_COLLECTOR"
        bl_label = "Cariste: collect meshes"

        def render(self, depsgraph: bpy.types.Depsgraph) -> None:
            if depsgraph.view_layer_eval.name != layer.name:
                return
            try:
                _collect(depsgraph, Matrix.Scale(metres_per_unit, 4), surfaces)
            except Exception as error:  # Blender would only print it
                errors.append(error)

    _prepare_render(scene)
    bpy.utils.register_class(Collector)
    try:
        scene.render.engine = Collector.bl_idname
        with capture_output():
            bpy.ops.render.render(scene=scene.name, layer=layer.name)
    except RuntimeError as error:
        raise CustomMeshError(f"Blender cannot render it: {error}") from None
    finally:
        bpy.utils.unregister_class(Collector)
    if errors:
        raise errors[0]
    return surfaces


def _prepare_render(scene: bpy.types.Scene) -> None:
    """Switch off everything of a render that costs time, runs other code or writes files."""
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
    render = scene.render
    render.use_compositing = render.use_sequencer = render.use_freestyle = False
    render.use_motion_blur = render.use_multiview = render.use_border = False
    render.resolution_x = render.resolution_y = 4
    render.resolution_percentage = 100


def _collect(depsgraph: bpy.types.Depsgraph, to_metres: Matrix, surfaces: RenderedSurfaces) -> None:
    layer = depsgraph.view_layer_eval
    for instance in depsgraph.object_instances:
        shown = instance.object
        surfaces.objects.add(shown.original)
        if not _camera_sees(instance, layer):
            continue
        if instance.show_particles and (hair := _rendered_hair(shown)):
            surfaces.problems.append(f"object {shown.name} has hair ({hair}): convert it to a mesh, or remove it")
        if not instance.show_self:
            continue
        if shown.type in SHOWN_WITHOUT_MESH and not _is_empty(shown):
            what = SHOWN_WITHOUT_MESH[shown.type]
            surfaces.problems.append(f"object {shown.name} is {what}: convert it to a mesh, or hide it in renders")
        elif shown.type == "MESH" and len(shown.data.polygons):
            surfaces.shown |= {shown.original, (instance.parent or shown).original}
            _add_mesh(shown, to_metres @ instance.matrix_world, surfaces)


def _camera_sees(instance: bpy.types.DepsgraphObjectInstance, layer: bpy.types.ViewLayer) -> bool:
    """Return whether rays of the camera meet the instance, by the rules of Cycles (`BlenderSync::sync_object`)."""
    shown = instance.object
    parent = instance.parent if instance.is_instance else shown
    return (
        shown.visible_camera
        and parent.visible_camera
        and not shown.is_shadow_catcher
        and not parent.holdout_get(view_layer=layer)
        and not parent.indirect_only_get(view_layer=layer)
    )


def _is_empty(shown: bpy.types.Object) -> bool:
    """Return whether a point cloud or hair has no points, for example because geometry nodes replace it."""
    points = getattr(shown.data, "points", None)
    return points is not None and not len(points)


def _rendered_hair(shown: bpy.types.Object) -> str | None:
    """Return the name of a particle system that is rendered as strands, if the object has one."""
    for modifier in shown.modifiers:
        if modifier.type == "PARTICLE_SYSTEM" and modifier.show_render:
            settings = modifier.particle_system.settings
            if settings.type == "HAIR" and settings.render_type == "PATH":
                return modifier.particle_system.name
    return None


def _add_mesh(shown: bpy.types.Object, world: Matrix, surfaces: RenderedSurfaces) -> None:
    """Copy the evaluated mesh of an object in world coordinates, without loose vertices."""
    mesh = shown.data.copy()
    surfaces.meshes.append(mesh)
    for slot in shown.material_slots:
        if slot.link == "OBJECT" and slot.slot_index < len(mesh.materials):
            mesh.materials[slot.slot_index] = slot.material.original if slot.material else None
    points = vertex_positions(mesh)
    if problem := _position_problem(points, np.array(world)):
        surfaces.problems.append(f"object {shown.name} {problem}")
        return
    mesh.validate()
    _drop_loose_vertices(mesh)
    mesh.transform(world)
    if world.is_negative:
        mesh.flip_normals()


def _position_problem(points: np.ndarray, world: np.ndarray) -> str | None:
    """Return why points (N, 3) with the matrix `world` (4, 4) cannot be used, else None."""
    if not (np.isfinite(points).all() and np.isfinite(world).all()):
        return "has points at infinity or NaN: remove them in Blender"
    points = points @ world[:3, :3].T + world[:3, 3]
    if np.abs(points).max() > MAX_DISTANCE_IN_SIZES * np.ptp(points, axis=0).max():
        return "is so far from the origin that its points are rounded: move it to the origin"
    return None


def vertex_positions(mesh: bpy.types.Mesh) -> np.ndarray:
    """Return the positions of all vertices, (N, 3) float."""
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(float)


def _drop_loose_vertices(mesh: bpy.types.Mesh) -> None:
    """Move vertices without a face, which are invisible, to a vertex with a face, so that they do not add to the size.

    To delete them takes much longer for large meshes.
    """
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    loose = np.ones(len(mesh.vertices), bool)
    loose[corners] = False
    if not loose.any() or not len(corners):
        return
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3)
    points[loose] = points[corners[0]]
    mesh.vertices.foreach_set("co", points.ravel())
