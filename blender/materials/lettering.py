# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as flat triangles, in the font that is built into Blender: for signs, labels and print on cartons."""

from functools import lru_cache

import bpy
import numpy as np

CAPITAL_HEIGHT = 0.686  # of an E, in units of the font


@lru_cache(maxsize=512)
def text_triangles(text: str) -> tuple[np.ndarray, tuple[tuple[int, int, int], ...]]:
    """Return corners (N, 2) and counterclockwise triangles (index triples) of a line of text.

    Capitals are 1 high; the origin is in the middle of the line. Curves are coarse, with about 9 triangles per letter,
    because letters are only a few pixels high in the images. The cache outlives the Blender file: the array is
    read-only.
    """
    curve = bpy.data.curves.new("text", "FONT")
    curve.body, curve.fill_mode, curve.resolution_u = text, "FRONT", 1
    text_object = bpy.data.objects.new("text", curve)
    mesh = text_object.to_mesh()
    points = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", points)
    faces = tuple(tuple(polygon.vertices) for polygon in mesh.polygons)
    text_object.to_mesh_clear()
    bpy.data.objects.remove(text_object)
    bpy.data.curves.remove(curve)
    corners = points.reshape(-1, 3)[:, :2] / CAPITAL_HEIGHT
    corners -= ((corners[:, 0].min() + corners[:, 0].max()) / 2, 0.5)
    corners.setflags(write=False)
    return corners, faces
