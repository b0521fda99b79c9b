# SPDX-License-Identifier: GPL-3.0-or-later
"""Words as flat triangles, in the font that is built into Blender: signs, print on cartons, labels."""

from functools import lru_cache

import bpy
import numpy as np

CAPITAL = 0.686  # height of an E in the font's own units


@lru_cache(maxsize=512)
def text_triangles(text: str) -> tuple[np.ndarray, tuple[tuple[int, int, int], ...]]:
    """Return corners (N, 2) and counter-clockwise triangles of a line of text.

    Capitals are 1 high, the origin is in the middle of the line. Round letters are coarse, some 9 triangles a letter:
    in an image they are a few pixels high. The arrays outlive the Blender file and must not be changed.
    """
    curve = bpy.data.curves.new("text", "FONT")
    curve.body, curve.fill_mode, curve.resolution_u = text, "FRONT", 1
    writer = bpy.data.objects.new("text", curve)
    mesh = writer.to_mesh()
    points = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", points)
    faces = tuple(tuple(polygon.vertices) for polygon in mesh.polygons)
    writer.to_mesh_clear()
    bpy.data.objects.remove(writer)
    bpy.data.curves.remove(curve)
    corners = points.reshape(-1, 3)[:, :2] / CAPITAL
    corners -= ((corners[:, 0].min() + corners[:, 0].max()) / 2, 0.5)
    corners.setflags(write=False)
    return corners, faces
