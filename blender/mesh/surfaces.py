# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces of skin and cloth as numpy arrays: smooth them, cut them along a line, continue them beyond their border.

Per-vertex values are arrays (N, ...). Faces (F, 4) hold vertex indices, counterclockwise seen from outside; a triangle
repeats its last index.
"""

from dataclasses import dataclass

import bpy
import numpy as np


@dataclass(frozen=True)
class SkinSurface:
    """A piece of skin or cloth.

    Attributes:
        points: (N, 3) positions in meters, in the final pose.
        faces: (F, 4) vertex indices.
        values: by name, (N,) numbers or (N, 3) vectors of the vertices; materials read them by an attribute node.
    """

    points: np.ndarray
    faces: np.ndarray
    values: dict[str, np.ndarray]


@dataclass(frozen=True)
class CutMesh:
    """The part of a mesh on one side of a line.

    `faces` (F, 4) index its M vertices. Vertex i is (1 - blend[i]) * old[a] + blend[i] * old[b], where (a, b) is row i
    of `ends` (M, 2) and old are the vertices of the original mesh.
    """

    faces: np.ndarray
    ends: np.ndarray
    blend: np.ndarray

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Return the values (M, ...) of the cut mesh's vertices from those (N, ...) of the original mesh."""
        blend = self.blend.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
        return values[self.ends[:, 0]] * (1 - blend) + values[self.ends[:, 1]] * blend


def _mean_at(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Return the mean (count, 3) of the values (K, 3) that belong to each index."""
    sums = np.stack([np.bincount(index, values[:, i], count) for i in range(3)], axis=1)
    return sums / np.bincount(index, minlength=count).clip(1)[:, None]


def neighbor_table(faces: np.ndarray, count: int) -> np.ndarray:
    """Return the neighbors (count, K) of each vertex along edges, padded with the vertex itself."""
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    edges = edges[edges[:, 0] != edges[:, 1]]
    degree = np.bincount(edges[:, 0], minlength=count)
    table = np.repeat(np.arange(count)[:, None], degree.max(), axis=1)
    table[edges[:, 0], np.arange(len(edges)) - np.repeat(np.cumsum(degree) - degree, degree)] = edges[:, 1]
    return table


def smoothed(values: np.ndarray, table: np.ndarray, rounds: int) -> np.ndarray:
    """Return values (N, C) after moving them `rounds` times half way to the mean of their neighbors.

    `table` (N, K) comes from `neighbor_table`.
    """
    for _ in range(rounds):
        values = (values + values[table].mean(axis=1)) / 2
    return values


def vertex_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return unit vertex normals (N, 3), weighted by the area of faces; zeros for vertices without faces."""
    corners = points[faces]
    flat = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    sums = _mean_at(faces.ravel(), np.repeat(flat, 4, axis=0), len(points))
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)


def cut_mesh(faces: np.ndarray, field: np.ndarray, snap: float = 0.0015) -> CutMesh:
    """Return the part of a mesh where `field` (N,) is positive; its border is the line field = 0.

    Vertices with |field| < `snap` count as on the line, so that no narrow faces appear.
    """
    field = np.where(np.abs(field) < snap, 0.0, field)
    inside = field >= 0
    touched = (field[faces] > 0).any(axis=1)
    fully_inside = inside[faces].all(axis=1)
    kept = [faces[fully_inside & touched]]
    crossings: dict[tuple[int, int], int] = {}
    for face in faces[~fully_inside & touched].tolist():
        polygon: list[int] = []
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            if inside[a] and (not polygon or polygon[-1] != a):
                polygon.append(a)
            if inside[a] != inside[b] and field[a] != 0 and field[b] != 0:
                key = (a, b) if inside[a] else (b, a)
                polygon.append(crossings.setdefault(key, len(field) + len(crossings)))
        kept.append(fan_faces(polygon))
    crossed = np.array(list(crossings), int).reshape(-1, 2)
    ends = np.concatenate([np.repeat(np.arange(len(field))[:, None], 2, axis=1), crossed])
    t = np.concatenate([np.zeros(len(field)), field[crossed[:, 0]] / (field[crossed[:, 0]] - field[crossed[:, 1]])])
    faces, used = compact_faces(np.concatenate(kept))
    return CutMesh(faces, ends[used], t[used])


def fan_faces(polygon: list[int]) -> np.ndarray:
    """Split a convex polygon, given by vertex indices, into faces (F, 4)."""
    last = len(polygon) - 1
    rows = [(polygon[0], polygon[i], polygon[i + 1], polygon[min(i + 2, last)]) for i in range(1, last, 2)]
    return np.array(rows, int).reshape(-1, 4)


def compact_faces(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Renumber faces (F, 4) to the vertices that they use; return them and the old indices (M,) of these vertices."""
    mask = np.zeros(faces.max(initial=-1) + 1, bool)
    mask[faces] = True
    return (np.cumsum(mask) - 1)[faces], np.flatnonzero(mask)


def border_edges(faces: np.ndarray) -> np.ndarray:
    """Return the edges (E, 2) that belong to one face only, in the direction in which it passes them."""
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges = edges[edges[:, 0] != edges[:, 1]]
    both = np.sort(edges, axis=1)
    _, edge_index, uses = np.unique(both @ [edges.max() + 1, 1], return_inverse=True, return_counts=True)
    return edges[uses[edge_index] == 1]


def with_border_strips(
    surface: SkinSurface, profile_m: list[tuple[float, float]], border_vertices: np.ndarray | None = None
) -> SkinSurface:
    """Continue a surface beyond its border, by a strip for each step of a profile: a hem, a collar.

    A step (outward, up) in meters is measured from the border: outward along the surface, up along its normal.
    `border_vertices` (N,) bool limits the strips to border edges with both vertices set. New vertices take the border's
    values.
    """
    edges = border_edges(surface.faces)
    if border_vertices is not None:
        edges = edges[border_vertices[edges].all(axis=1)]
    rim = np.unique(edges)
    rim_index = np.zeros(len(surface.points), int)
    rim_index[rim] = np.arange(len(rim))
    up = vertex_normals(surface.points, surface.faces)[rim]
    tangents = surface.points[edges[:, 1]] - surface.points[edges[:, 0]]
    tangents = _mean_at(rim_index[edges].ravel(), np.repeat(tangents, 2, axis=0), len(rim))
    outward = np.cross(tangents, up)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12)
    points, faces, rows = [surface.points], [surface.faces], [np.arange(len(surface.points))]
    low = rim
    start = len(surface.points)
    for out_m, up_m in profile_m:
        points.append(surface.points[rim] + out_m * outward + up_m * up)
        rows.append(rim)
        high = start + np.arange(len(rim))
        a, b = rim_index[edges[:, 0]], rim_index[edges[:, 1]]
        faces.append(np.c_[low[b], low[a], high[a], high[b]])
        low, start = high, start + len(rim)
    source = np.concatenate(rows)
    values = {name: value[source] for name, value in surface.values.items()}
    return SkinSurface(np.concatenate(points), np.concatenate(faces), values)


def join_surfaces(surfaces: list[SkinSurface]) -> SkinSurface:
    """Join surfaces that have values of the same names; their vertices stay apart."""
    starts = np.cumsum([0] + [len(surface.points) for surface in surfaces])
    faces = [surface.faces + start for start, surface in zip(starts, surfaces, strict=False)]
    values = {name: np.concatenate([surface.values[name] for surface in surfaces]) for name in surfaces[0].values}
    return SkinSurface(np.concatenate([surface.points for surface in surfaces]), np.concatenate(faces), values)


def surface_object(
    name: str, surface: SkinSurface, materials: list[bpy.types.Material], slots: np.ndarray | None = None
) -> bpy.types.Object:
    """Return a smooth Blender object; `slots` (F,) int are the faces' indices in `materials`, 0 if not given."""
    faces, used = compact_faces(surface.faces)
    lengths = np.where(faces[:, 3] == faces[:, 2], 3, 4)
    corners = faces[np.arange(4) < lengths[:, None]]
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(used))
    mesh.loops.add(len(corners))
    mesh.polygons.add(len(faces))
    mesh.vertices.foreach_set("co", surface.points[used].astype(np.float32).ravel())
    mesh.loops.foreach_set("vertex_index", corners.astype(np.int32))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(lengths) - lengths).astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    if slots is not None:
        mesh.polygons.foreach_set("material_index", slots.astype(np.int32))
    for key, value in surface.values.items():
        kind, slot = ("FLOAT", "value") if value.ndim == 1 else ("FLOAT_VECTOR", "vector")
        mesh.attributes.new(key, kind, "POINT").data.foreach_set(slot, value[used].astype(np.float32).ravel())
    for material in materials:
        mesh.materials.append(material)
    mesh.update(calc_edges=True)
    return bpy.data.objects.new(name, mesh)
