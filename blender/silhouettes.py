# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole-object pixels: each labelled object's triangles, projected and filled as if nothing hid them.

The canvas reaches one frame beyond the frame on every side, so that the cut part of an object counts as well.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from blender.camera import CLIP_START_M, project

# Pixels tested against triangles at once; bounds the memory of `fill` to some 100 MB.
CHUNK_PIXELS = 1_000_000


@dataclass(frozen=True)
class Silhouette:
    """`mask` (3 H, 3 W) bool with the frame in its middle ninth; `truncated`: a part lies outside the frame."""

    mask: np.ndarray
    truncated: bool
    distance_m: float

    @property
    def in_frame(self) -> np.ndarray:
        height, width = self.mask.shape[0] // 3, self.mask.shape[1] // 3
        return self.mask[height : 2 * height, width : 2 * width]


def of(root: bpy.types.Object, camera: dict, width: int, height: int) -> Silhouette:
    """Project and fill all meshes under `root` with the record's camera."""
    points_m, triangles = triangles_of(root)
    pixels, depth_m = project(camera, points_m)
    front = depth_m > CLIP_START_M
    inside = front & (pixels >= 0).all(1) & (pixels < (width, height)).all(1)
    middle = (points_m.min(0) + points_m.max(0)) / 2
    # A triangle that reaches behind the camera belongs to an object that the frame cuts anyway: left out of the count.
    whole = triangles[front[triangles].all(1)]
    mask = np.zeros((3 * height, 3 * width), bool)
    fill(mask, (pixels + np.array([width, height]))[whole])
    distance_m = float(np.linalg.norm(middle - np.array(camera["position_m"])))
    return Silhouette(mask, bool(not inside.all()), distance_m)


def triangles_of(root: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """World vertices (N, 3) in metres and triangles (T, 3) of all evaluated meshes under `root`."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    points, triangles, start = [], [], 0
    for child in root.children_recursive:
        if child.type != "MESH":
            continue
        evaluated = child.evaluated_get(depsgraph)
        mesh = evaluated.to_mesh()
        local = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", local)
        corners = np.empty(3 * len(mesh.loop_triangles), np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        world = np.array(evaluated.matrix_world)
        points.append(local.reshape(-1, 3).astype(float) @ world[:3, :3].T + world[:3, 3])
        triangles.append(corners.reshape(-1, 3) + start)
        start += len(points[-1])
        evaluated.to_mesh_clear()
    return np.concatenate(points), np.concatenate(triangles)


def fill(mask: np.ndarray, triangles: np.ndarray) -> None:
    """Set every pixel of `mask` (H, W) whose centre lies in one of `triangles` (T, 3, 2), in pixels, of either winding.

    Edge functions as in Pineda, A Parallel Algorithm for Polygon Rasterization, 1988.
    """
    height, width = mask.shape
    low = np.clip(np.ceil(triangles.min(1) - 0.5), 0, (width, height)).astype(int)
    high = np.clip(np.floor(triangles.max(1) - 0.5) + 1, 0, (width, height)).astype(int)
    size = np.maximum(high - low, 0)
    area = size.prod(1)
    order = np.flatnonzero(area)
    chunk = np.cumsum(area[order]) // CHUNK_PIXELS
    for number in np.unique(chunk):
        _fill_chunk(mask, triangles, low, size, order[chunk == number])


def _fill_chunk(mask: np.ndarray, triangles: np.ndarray, low: np.ndarray, size: np.ndarray, chosen: np.ndarray) -> None:
    """Test all pixels in the bounding boxes of the chosen triangles at once."""
    area = size[chosen].prod(1)
    which = np.repeat(chosen, area)
    place = np.arange(len(which)) - np.repeat(np.cumsum(area) - area, area)
    x = low[which, 0] + place % size[which, 0]
    y = low[which, 1] + place // size[which, 0]
    signs = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        start, end = triangles[:, a], triangles[:, b]
        edge = (end - start)[which]
        signs.append(edge[:, 0] * (y + 0.5 - start[which, 1]) - edge[:, 1] * (x + 0.5 - start[which, 0]))
    inside = np.minimum.reduce(signs) >= 0
    inside |= np.maximum.reduce(signs) <= 0
    mask[y[inside], x[inside]] = True
