# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduce the number of triangles of meshes. Their size stays."""

import bpy
import numpy as np
from mathutils import Matrix

from blender.mesh.importing.rendered_surfaces import vertex_positions

# Blender's modifier leaves a few triangles more than asked for.
ATTEMPTS = 3


def count_triangles(meshes: list[bpy.types.Mesh]) -> int:
    """Return the number of triangles of meshes; a face with n corners has n - 2."""
    return sum(len(mesh.loops) - 2 * len(mesh.polygons) for mesh in meshes)


def decimate(meshes: list[bpy.types.Mesh], max_triangles: int) -> list[bpy.types.Mesh]:
    """Return meshes with at most about `max_triangles` triangles and the same box around each.

    Source of the method: Garland and Heckbert, Surface Simplification Using Quadric Error Metrics, 1997 (Blender's
    modifier Decimate).
    """
    target = max_triangles
    reduced = meshes
    for _ in range(ATTEMPTS):
        count = count_triangles(reduced)
        if count <= max_triangles:
            break
        reduced = [_decimated(mesh, target / count) for mesh in reduced]
        target -= max(0, count_triangles(reduced) - max_triangles)
    return reduced


def _decimated(mesh: bpy.types.Mesh, share: float) -> bpy.types.Mesh:
    scene_object = bpy.data.objects.new("decimated", mesh)
    bpy.context.scene.collection.objects.link(scene_object)
    try:
        modifier = scene_object.modifiers.new("decimate", "DECIMATE")
        modifier.ratio = share
        evaluated = scene_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
        small = evaluated.data.copy()
    finally:
        bpy.data.objects.remove(scene_object)
    _stretch_to_box(small, vertex_positions(mesh))
    bpy.data.meshes.remove(mesh)
    return small


def _stretch_to_box(mesh: bpy.types.Mesh, points: np.ndarray) -> None:
    """Scale a mesh along the axes so that its box is that of `points` (N, 3)."""
    small = vertex_positions(mesh)
    if not len(small):
        return
    size, small_size = np.ptp(points, axis=0), np.ptp(small, axis=0)
    scale = np.divide(size, small_size, out=np.ones(3), where=small_size > 0)
    shift = points.min(axis=0) - small.min(axis=0) * scale
    mesh.transform(Matrix.Translation(shift) @ Matrix.Diagonal((*scale, 1.0)))
