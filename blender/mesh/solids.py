# SPDX-License-Identifier: GPL-3.0-or-later
"""Small solids as numpy arrays, joined part by part and handed to Blender once per asset.

A `Solid` is vertices, polygons and one material slot; builders return solids, `solids_to_mesh` makes one Blender mesh with
several materials from a list of them. Everything is in metres, in the asset's own frame.
"""

from dataclasses import dataclass, field, replace
from itertools import chain

import bpy
import numpy as np

from blender.mesh.rotation import rotation_matrix

# isort: split
import bmesh  # exists only once bpy is loaded

SMOOTH_UP_TO_DEG = 40.0
# Side 1, centered on the origin, counter-clockwise.
UNIT_SQUARE = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])


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
        return replace(self, vertices=self.vertices @ rotation_matrix(axis, angle_deg).T)

    def mirrored(self) -> "Solid":
        """The left part for the right one: y becomes -y, faces still look outward."""
        return replace(self, vertices=self.vertices * (1, -1, 1), faces=[face[::-1] for face in self.faces])


def with_mirror_image(parts: list[Solid]) -> list[Solid]:
    """Return the parts, then their mirror images on the other side of the plane y = 0."""
    return [*parts, *(part.mirrored() for part in parts)]


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
    return replace(loft(np.array(rings), slot, closed), smooth=True)


def _tangents(path: np.ndarray, closed: bool) -> np.ndarray:
    steps = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    return steps / np.linalg.norm(steps, axis=1, keepdims=True)


def loft(sections_m: np.ndarray, slot: int = 0, closed: bool = False) -> Solid:
    """A skin over closed outlines (S, N, 3), S >= 2, each right-handed about the way from the first to the last.

    Flat ends, or with `closed` a ring.
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
    """A ring about the y axis from a closed outline (N, 2) of (radius > 0, y), counter-clockwise with radius to the
    right and y up."""
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
    """A straight flat bar between two points, not vertical above each other; `width_m` is level, `height_m` upright."""
    start, end = np.asarray(start_m, float), np.asarray(end_m, float)
    level = np.cross((0.0, 0.0, 1.0), end - start)
    level /= np.linalg.norm(level)
    upright = np.cross(end - start, level)
    upright /= np.linalg.norm(upright)
    outline = np.array([a * width_m * level + b * height_m * upright for a, b in UNIT_SQUARE])
    return loft(np.array([start + outline, end + outline]), slot)


def plate(corners_m: np.ndarray, thickness_m: float, slot: int = 0) -> Solid:
    """A flat polygon (N, 3), counter-clockwise seen from where it looks to, thickened towards there."""
    corners = np.asarray(corners_m, float)
    normal = np.cross(corners - corners[0], np.roll(corners, -1, axis=0) - corners[0]).sum(axis=0)
    return loft(np.array([corners, corners + thickness_m * normal / np.linalg.norm(normal)]), slot)


def round_corners(points_m: np.ndarray, radius_m: float, segments: int = 4, closed: bool = False) -> np.ndarray:
    """Round the corners of a polyline (N, D) to arcs of `segments` pieces, `segments` + 1 points each.

    A corner between short sides gets a smaller radius: no arc takes more than half of a side. Raises ValueError where
    a side runs straight on or straight back: there is no arc.
    """
    points = np.asarray(points_m, float)
    corners = points if closed else points[1:-1]
    to_before = (np.roll(points, 1, axis=0) if closed else points[:-2]) - corners
    to_after = (np.roll(points, -1, axis=0) if closed else points[2:]) - corners
    reach = 0.499 * np.minimum(_length(to_before), _length(to_after))
    to_before, to_after = to_before / _length(to_before), to_after / _length(to_after)
    half_angle = np.arccos(np.clip((to_before * to_after).sum(axis=1, keepdims=True), -1, 1)) / 2
    if np.any((half_angle < 1e-4) | (half_angle > np.pi / 2 - 1e-4)):
        raise ValueError(f"no corner to round in {points.tolist()}: two neighbouring sides lie in one line")
    reach = np.minimum(reach, radius_m / np.tan(half_angle))
    # An arc is the part of a circle about its middle, spanned by the directions to both points where it touches.
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
    """Round the sharp edges of a solid for good: for parts of a mesh that is shared or made of many materials."""
    work = bmesh.new()
    vertices = [work.verts.new(vertex) for vertex in solid.vertices]
    for face in solid.faces:
        work.faces.new([vertices[i] for i in face])
    work.normal_update()
    edges = [edge for edge in work.edges if edge.calc_face_angle(0.0) > np.radians(SMOOTH_UP_TO_DEG)]
    bmesh.ops.bevel(
        work, geom=edges, offset=radius_m, segments=segments, profile=0.5, affect="EDGES", clamp_overlap=True
    )
    work.verts.index_update()
    made = np.array([vertex.co for vertex in work.verts])
    faces = [tuple(vertex.index for vertex in face.verts) for face in work.faces]
    work.free()
    return replace(solid, vertices=made, faces=faces)


def solids_to_mesh(name: str, solids: list[Solid], materials: list[bpy.types.Material]) -> bpy.types.Mesh:
    """Join solids into one Blender mesh; a solid's `slot` is its place in `materials`.

    Smooth solids keep a crease where faces meet at more than `SMOOTH_UP_TO_DEG`: a cylinder's caps stay flat.
    """
    starts = np.cumsum([0] + [len(solid.vertices) for solid in solids])
    corners = [np.fromiter(chain.from_iterable(solid.faces), np.int32) for solid in solids]
    sizes = np.array([len(face) for solid in solids for face in solid.faces], np.int32)
    counts = [len(solid.faces) for solid in solids]
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(starts[-1])
    mesh.vertices.foreach_set("co", np.concatenate([solid.vertices for solid in solids]).astype(np.float32).ravel())
    mesh.loops.add(int(sizes.sum()))
    joined = np.concatenate([start + own for start, own in zip(starts, corners, strict=False)])
    mesh.loops.foreach_set("vertex_index", joined.astype(np.int32))
    mesh.polygons.add(len(sizes))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(sizes) - sizes).astype(np.int32))
    mesh.polygons.foreach_set("material_index", np.repeat([solid.slot for solid in solids], counts).astype(np.int32))
    for material in materials:
        mesh.materials.append(material)
    mesh.update(calc_edges=True)
    mesh.set_sharp_from_angle(angle=np.radians(SMOOTH_UP_TO_DEG))
    # Only now: marking sharp edges makes all faces smooth.
    mesh.polygons.foreach_set("use_smooth", np.repeat([solid.smooth for solid in solids], counts))
    return mesh


def bevel(target: bpy.types.Object, width_m: float, segments: int = 1) -> None:
    """Round the sharp edges of an object: real edges catch the light, mathematical ones do not."""
    modifier = target.modifiers.new("bevel", "BEVEL")
    modifier.width, modifier.segments, modifier.limit_method = width_m, segments, "ANGLE"
