# SPDX-License-Identifier: GPL-3.0-or-later
"""Small solids as numpy arrays, joined to one Blender mesh for each object.

Builders return a list of `Solid`; `solids_to_mesh` makes one Blender mesh with several materials from it. All lengths
are in meters, in the object's own frame: x forward, y left, z up. Faces are counterclockwise seen from outside.
"""

from dataclasses import dataclass, field, replace
from itertools import chain

import bpy
import numpy as np

from blender.mesh.rotation import rotation_matrix

# isort: split
import bmesh  # exists only once bpy is loaded

SMOOTH_UP_TO_DEG = 40.0
# Side 1, centered on the origin, counterclockwise.
UNIT_SQUARE = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])


@dataclass(frozen=True)
class Solid:
    """A part of an object, in one material.

    Attributes:
        vertices: (N, 3) float.
        faces: the vertex indices of each polygon.
        slot: index of the material.
        smooth: whether faces are shaded as one round surface.
    """

    vertices: np.ndarray
    faces: list[tuple[int, ...]]
    slot: int = 0
    smooth: bool = field(default=False)

    def moved(self, offset_m: tuple[float, float, float]) -> "Solid":
        """Return the solid at another position."""
        return replace(self, vertices=self.vertices + np.asarray(offset_m, float))

    def turned(self, axis: str, angle_deg: float) -> "Solid":
        """Return the solid rotated about "x", "y" or "z" through the origin, right-handed."""
        return replace(self, vertices=self.vertices @ rotation_matrix(axis, angle_deg).T)

    def mirrored(self) -> "Solid":
        """Return the mirror image at the plane y = 0; its faces still point outward."""
        return replace(self, vertices=self.vertices * (1, -1, 1), faces=[face[::-1] for face in self.faces])


def with_mirror_image(parts: list[Solid]) -> list[Solid]:
    """Return the parts, then their mirror images on the other side of the plane y = 0."""
    return [*parts, *(part.mirrored() for part in parts)]


def box(size_m: tuple[float, float, float], center_m: tuple[float, float, float] = (0, 0, 0), slot: int = 0) -> Solid:
    """Return an axis-aligned cuboid."""
    corners = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return Solid(corners * np.asarray(size_m, float) + np.asarray(center_m, float), faces, slot)


def prism(outline_m: np.ndarray, length_m: float, slot: int = 0) -> Solid:
    """Return a polygon (N, 2) in the x-z plane, counterclockwise seen from -y, extruded along y around y = 0."""
    outline = np.asarray(outline_m, float)
    count = len(outline)
    sides = [np.insert(outline, 1, y, axis=1) for y in (-length_m / 2, length_m / 2)]
    faces = [tuple(range(count)), tuple(range(2 * count - 1, count - 1, -1))]
    faces += [(i, i + count, (i + 1) % count + count, (i + 1) % count) for i in range(count)]
    return Solid(np.concatenate(sides), faces, slot)


def cylinder(radius_m: float, length_m: float, segments: int = 24, slot: int = 0) -> Solid:
    """Return a cylinder along y, centered on the origin, with flat caps."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    solid = prism(np.c_[radius_m * np.cos(angle), radius_m * np.sin(angle)], length_m, slot)
    return replace(solid, smooth=True)


def tube(path_m: np.ndarray, radius_m: float, segments: int = 12, slot: int = 0, closed: bool = False) -> Solid:
    """Return a round bar along a polyline (N, 3), N >= 2; `closed` joins its ends to a ring.

    From point to point, the cross-section rotates by the smallest angle between the tangents: the bar does not twist.
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
    return replace(loft(np.array(rings), slot, closed), smooth=True)


def _tangents(path: np.ndarray, closed: bool) -> np.ndarray:
    steps = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    return steps / np.linalg.norm(steps, axis=1, keepdims=True)


def loft(sections_m: np.ndarray, slot: int = 0, closed: bool = False) -> Solid:
    """Return a skin over closed outlines (S, N, 3), S >= 2, right-handed about the direction from first to last.

    The ends are flat; with `closed` the last outline is joined to the first.
    """
    sections = np.asarray(sections_m, float)
    count, around = sections.shape[:2]
    faces = [
        (a * around + i, a * around + (i + 1) % around, b * around + (i + 1) % around, b * around + i)
        for a, b in ((j, (j + 1) % count) for j in range(count if closed else count - 1))
        for i in range(around)
    ]
    if not closed:
        faces += [tuple(range(around))[::-1], tuple(range((count - 1) * around, count * around))]
    return Solid(sections.reshape(-1, 3), faces, slot)


def revolve(profile_m: np.ndarray, segments: int = 24, slot: int = 0) -> Solid:
    """Return a ring about the y axis from a closed outline (N, 2) of (radius > 0, y).

    The outline is counterclockwise with the radius to the right and y up.
    """
    profile = np.asarray(profile_m, float)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    around = np.stack([np.cos(angle), np.zeros(segments), -np.sin(angle)], axis=1)
    sections = profile[None, :, :1] * around[:, None] + profile[None, :, 1:] * np.array([0.0, 1.0, 0.0])
    return replace(loft(sections[::-1], slot, closed=True), smooth=True)


def flat_bar(
    start_m: tuple[float, float, float],
    end_m: tuple[float, float, float],
    width_m: float,
    height_m: float,
    slot: int = 0,
) -> Solid:
    """Return a flat bar between two points that are not vertically above each other; its width is horizontal."""
    start, end = np.asarray(start_m, float), np.asarray(end_m, float)
    level = np.cross((0.0, 0.0, 1.0), end - start)
    level /= np.linalg.norm(level)
    upright = np.cross(end - start, level)
    upright /= np.linalg.norm(upright)
    outline = np.array([a * width_m * level + b * height_m * upright for a, b in UNIT_SQUARE])
    return loft(np.array([start + outline, end + outline]), slot)


def plate(corners_m: np.ndarray, thickness_m: float, slot: int = 0) -> Solid:
    """Return a flat polygon (N, 3), thickened towards the side from which it is counterclockwise."""
    corners = np.asarray(corners_m, float)
    normal = np.cross(corners - corners[0], np.roll(corners, -1, axis=0) - corners[0]).sum(axis=0)
    return loft(np.array([corners, corners + thickness_m * normal / np.linalg.norm(normal)]), slot)


def round_corners(points_m: np.ndarray, radius_m: float, segments: int = 4, closed: bool = False) -> np.ndarray:
    """Return a polyline (N, D) with its corners rounded to arcs of `segments` pieces.

    A corner between short sides gets a smaller radius, so that no arc takes more than half of a side.

    Raises:
        ValueError: two neighboring sides lie in one line.
    """
    points = np.asarray(points_m, float)
    corners = points if closed else points[1:-1]
    to_before = (np.roll(points, 1, axis=0) if closed else points[:-2]) - corners
    to_after = (np.roll(points, -1, axis=0) if closed else points[2:]) - corners
    reach = 0.499 * np.minimum(_length(to_before), _length(to_after))
    to_before, to_after = to_before / _length(to_before), to_after / _length(to_after)
    half_angle = np.arccos(np.clip((to_before * to_after).sum(axis=1, keepdims=True), -1, 1)) / 2
    if np.any((half_angle < 1e-4) | (half_angle > np.pi / 2 - 1e-4)):
        raise ValueError(f"no corner to round in {points.tolist()}: two neighboring sides lie in one line")
    reach = np.minimum(reach, radius_m / np.tan(half_angle))
    # An arc is part of a circle about `middle`; `first` and `last` lead from there to its ends.
    between = to_before + to_after
    middle = corners + between / _length(between) * reach / np.cos(half_angle)
    first, last = corners + reach * to_before - middle, corners + reach * to_after - middle
    turn = np.pi - 2 * half_angle[:, None]
    part = np.linspace(0, 1, segments + 1)[None, :, None]
    arcs = np.sin((1 - part) * turn) * first[:, None] + np.sin(part * turn) * last[:, None]
    rounded_path = (middle[:, None] + arcs / np.sin(turn)).reshape(-1, points.shape[1])
    return rounded_path if closed else np.concatenate([points[:1], rounded_path, points[-1:]])


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=1, keepdims=True)


def bevelled(solid: Solid, radius_m: float, segments: int = 2) -> Solid:
    """Return the solid with its sharp edges rounded."""
    bevel_mesh = bmesh.new()
    vertices = [bevel_mesh.verts.new(vertex) for vertex in solid.vertices]
    for face in solid.faces:
        bevel_mesh.faces.new([vertices[i] for i in face])
    bevel_mesh.normal_update()
    edges = [edge for edge in bevel_mesh.edges if edge.calc_face_angle(0.0) > np.radians(SMOOTH_UP_TO_DEG)]
    bmesh.ops.bevel(
        bevel_mesh, geom=edges, offset=radius_m, segments=segments, profile=0.5, affect="EDGES", clamp_overlap=True
    )
    bevel_mesh.verts.index_update()
    rounded_vertices = np.array([vertex.co for vertex in bevel_mesh.verts])
    faces = [tuple(vertex.index for vertex in face.verts) for face in bevel_mesh.faces]
    bevel_mesh.free()
    return replace(solid, vertices=rounded_vertices, faces=faces)


def solids_to_mesh(name: str, solids: list[Solid], materials: list[bpy.types.Material]) -> bpy.types.Mesh:
    """Join solids to one Blender mesh; a solid's `slot` is an index of `materials`.

    Edges between faces at an angle above `SMOOTH_UP_TO_DEG` stay sharp in smooth solids, for example at the caps of a
    cylinder.
    """
    starts = np.cumsum([0] + [len(solid.vertices) for solid in solids])
    corners = [np.fromiter(chain.from_iterable(solid.faces), np.int32) for solid in solids]
    sizes = np.array([len(face) for solid in solids for face in solid.faces], np.int32)
    counts = [len(solid.faces) for solid in solids]
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(starts[-1])
    mesh.vertices.foreach_set("co", np.concatenate([solid.vertices for solid in solids]).astype(np.float32).ravel())
    mesh.loops.add(int(sizes.sum()))
    joined = np.concatenate([start + indices for start, indices in zip(starts, corners, strict=False)])
    mesh.loops.foreach_set("vertex_index", joined.astype(np.int32))
    mesh.polygons.add(len(sizes))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(sizes) - sizes).astype(np.int32))
    mesh.polygons.foreach_set("material_index", np.repeat([solid.slot for solid in solids], counts).astype(np.int32))
    for material in materials:
        mesh.materials.append(material)
    mesh.update(calc_edges=True)
    mesh.set_sharp_from_angle(angle=np.radians(SMOOTH_UP_TO_DEG))
    # Last, because marking sharp edges makes all faces smooth.
    mesh.polygons.foreach_set("use_smooth", np.repeat([solid.smooth for solid in solids], counts))
    return mesh
