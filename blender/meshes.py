# SPDX-License-Identifier: GPL-3.0-or-later
"""Small solids as numpy arrays, joined part by part and handed to Blender once per asset.

A `Solid` is vertices, polygons and one material slot; builders return solids, `to_mesh` makes one Blender mesh with
several materials from a list of them. Everything is in metres, in the asset's own frame.
"""

from dataclasses import dataclass, field, replace

import bpy
import numpy as np


@dataclass(frozen=True)
class Solid:
    """`vertices` (N, 3) float; `faces` vertex indices of each polygon; `slot` index of its material; smooth shading."""

    vertices: np.ndarray
    faces: list[tuple[int, ...]]
    slot: int = 0
    smooth: bool = field(default=False)

    def moved(self, offset_m: tuple[float, float, float]) -> "Solid":
        return replace(self, vertices=self.vertices + np.asarray(offset_m, float))

    def turned(self, axis: str, angle_deg: float) -> "Solid":
        """Turn about an axis through the origin, right-handed."""
        return replace(self, vertices=self.vertices @ rotation(axis, angle_deg).T)


def rotation(axis: str, angle_deg: float) -> np.ndarray:
    """Return the 3x3 matrix of a right-handed turn about "x", "y" or "z"."""
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


def box(size_m: tuple[float, float, float], center_m: tuple[float, float, float] = (0, 0, 0), slot: int = 0) -> Solid:
    """An axis-aligned cuboid."""
    corners = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return Solid(corners * np.asarray(size_m, float) + np.asarray(center_m, float), faces, slot)


def prism(outline_m: np.ndarray, length_m: float, slot: int = 0) -> Solid:
    """A polygon (N, 2) in the x-z plane, counter-clockwise seen from -y, pulled along y, centred on y = 0."""
    outline = np.asarray(outline_m, float)
    count = len(outline)
    sides = [np.insert(outline, 1, y, axis=1) for y in (-length_m / 2, length_m / 2)]
    faces = [tuple(range(count)), tuple(range(2 * count - 1, count - 1, -1))]
    faces += [(i, i + count, (i + 1) % count + count, (i + 1) % count) for i in range(count)]
    return Solid(np.concatenate(sides), faces, slot)


def cylinder(radius_m: float, length_m: float, segments: int = 24, slot: int = 0) -> Solid:
    """A cylinder along y, centred on the origin, with flat caps."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    solid = prism(np.c_[radius_m * np.cos(angle), radius_m * np.sin(angle)], length_m, slot)
    return replace(solid, smooth=True)


def tube(path_m: np.ndarray, radius_m: float, segments: int = 12, slot: int = 0, closed: bool = False) -> Solid:
    """A round bar swept along a polyline (N, 3), N >= 2; `closed` joins its ends to a ring.

    Rings are carried from point to point by the smallest turn between tangents, so that the bar does not twist.
    """
    path = np.asarray(path_m, float)
    tangents = _tangents(path, closed)
    normal = np.cross(tangents[0], np.eye(3)[np.argmin(np.abs(tangents[0]))])
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)[:, None]
    rings = []
    for point, tangent in zip(path, tangents, strict=True):
        normal = normal - tangent * (normal @ tangent)
        normal /= np.linalg.norm(normal)
        side = np.cross(tangent, normal)
        rings.append(point + radius_m * (np.cos(angle) * normal + np.sin(angle) * side))
    count = len(path)
    faces = [
        (a * segments + i, a * segments + (i + 1) % segments, b * segments + (i + 1) % segments, b * segments + i)
        for a, b in ((j, (j + 1) % count) for j in range(count if closed else count - 1))
        for i in range(segments)
    ]
    if not closed:
        faces += [tuple(range(segments))[::-1], tuple(range((count - 1) * segments, count * segments))]
    return Solid(np.concatenate(rings), faces, slot, smooth=True)


def _tangents(path: np.ndarray, closed: bool) -> np.ndarray:
    steps = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    return steps / np.linalg.norm(steps, axis=1, keepdims=True)


def to_mesh(name: str, solids: list[Solid], materials: list[bpy.types.Material]) -> bpy.types.Mesh:
    """Join solids into one Blender mesh; a solid's `slot` is its place in `materials`."""
    starts = np.cumsum([0] + [len(solid.vertices) for solid in solids])
    faces = [
        tuple(start + i for i in face) for start, solid in zip(starts, solids, strict=False) for face in solid.faces
    ]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.concatenate([solid.vertices for solid in solids]).tolist(), [], faces)
    counts = [len(solid.faces) for solid in solids]
    mesh.polygons.foreach_set("material_index", np.repeat([solid.slot for solid in solids], counts).astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.repeat([solid.smooth for solid in solids], counts))
    for material in materials:
        mesh.materials.append(material)
    mesh.update()
    return mesh


def bevel(target: bpy.types.Object, width_m: float, segments: int = 1) -> None:
    """Round the sharp edges of an object: real edges catch the light, mathematical ones do not."""
    modifier = target.modifiers.new("bevel", "BEVEL")
    modifier.width, modifier.segments, modifier.limit_method = width_m, segments, "ANGLE"
