# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole-object (amodal) silhouettes: an object's triangles, projected with the record's camera and filled as if nothing
hid them. Independent of Cycles, which they are there to check.

The canvas reaches one frame beyond the frame on every side, so that the cut part of an object counts as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from blender.camera import lens_distortion
from blender.camera.camera import CLIP_START_M, camera_to_pixels, world_to_camera

# Rows of triangles painted at once: bounds the memory of `rasterize_triangles` to some 100 MB.
CHUNK_SPANS = 1_000_000
# A distorted edge is drawn straight if it bends away no farther than this.
BEND_PX = 0.2
# Points along an edge are so close that none of the pixels it crosses for longer than that is left out.
EDGE_STEP_PX = 0.25


@dataclass(frozen=True)
class ObjectGeometry:
    """The evaluated meshes of an object: `points_m` (N, 3) in the world, `triangles` (T, 3) indices."""

    points_m: np.ndarray
    triangles: np.ndarray


@dataclass(frozen=True)
class Silhouette:
    """`mask` (h, w) bool, cropped to its pixels; (`x`, `y`) its top left corner in the frame, perhaps outside.

    An object beyond the canvas has a mask of no pixels (0, 0).
    """

    mask: np.ndarray
    x: int
    y: int

    @property
    def box_px(self) -> tuple[int, int, int, int] | None:
        """x, y, width, height of what is set; None for nothing."""
        height, width = self.mask.shape
        return (self.x, self.y, width, height) if self.mask.size else None

    def in_frame(self, width: int, height: int) -> np.ndarray:
        """Return the part inside the frame, (height, width) bool."""
        frame = np.zeros((height, width), bool)
        rows, columns = self.mask.shape
        top, left = max(self.y, 0), max(self.x, 0)
        bottom, right = min(self.y + rows, height), min(self.x + columns, width)
        if top < bottom and left < right:
            frame[top:bottom, left:right] = self.mask[top - self.y : bottom - self.y, left - self.x : right - self.x]
        return frame


def render_silhouette(geometry: ObjectGeometry, camera: dict, width: int, height: int) -> Silhouette:
    """Project and fill an object; what is nearer than the camera's near plane is cut off, as in the render."""
    seen, triangles = world_to_camera(camera, geometry.points_m), geometry.triangles
    front = seen[:, 2] >= CLIP_START_M
    whole = front[triangles].all(1)
    cut = clip_at_depth(seen[triangles[~whole]], CLIP_START_M)
    low, high = (-width, -height), (2 * width, 2 * height)
    if lens_distortion.is_distorted(camera):
        before = np.concatenate([seen[triangles[whole]], cut])
        radius = lens_distortion.covering_radius(camera, low, high)
        pieces = split_long_edges(
            before / before[:, :, 2:], lens_distortion.max_straight_length(camera, radius, BEND_PX), radius
        )
        return rasterize_triangles(camera_to_pixels(camera, pieces), low, high)
    pixels = camera_to_pixels(camera, np.where(front[:, None], seen, 1.0))
    return rasterize_triangles(np.concatenate([pixels[triangles[whole]], camera_to_pixels(camera, cut)]), low, high)


def split_long_edges(triangles: np.ndarray, longest: float, radius: float) -> np.ndarray:
    """Split triangles (T, 3, 3), all at depth 1, until no edge is longer than `longest`.

    What lies farther than `radius` from the axis, across or down, is cut off. Each step halves the longest edge of a
    triangle: that ends, and neighbours split the edge they share at the same places, so that no gap opens.
    """
    done, left = [], _within(triangles, radius)
    while len(left):
        lengths = np.linalg.norm(np.roll(left, -1, axis=1) - left, axis=2)
        long = lengths.max(1) > longest
        done.append(left[~long])
        # Turn each triangle so that its longest edge goes from the first to the second corner.
        left, which = left[long], np.argmax(lengths[long], axis=1)
        first, second, third = (left[np.arange(len(left)), (which + turn) % 3] for turn in range(3))
        middle = (first + second) / 2
        left = np.concatenate([np.stack([first, middle, third], 1), np.stack([middle, second, third], 1)])
    return np.concatenate(done) if done else left


def _within(triangles: np.ndarray, radius: float) -> np.ndarray:
    """Cut triangles (T, 3, 3), all at depth 1, down to the square of x and y from -radius to radius."""
    for order in ([2, 1, 0], [0, 2, 1]):  # `clip_at_depth` cuts at the last coordinate
        for side in (1, -1):
            triangles = side * clip_at_depth(side * triangles[:, :, order], -radius)[:, :, order]
    return triangles


def thin_pixels(geometry: ObjectGeometry, camera: dict, silhouette: Silhouette, width: int, height: int) -> np.ndarray:
    """Return the pixels of the frame, (height, width) bool, that an object touches far from any of its silhouette.

    A rod thinner than a pixel may pass between pixel centres: the silhouette has a gap there, the renderer, which
    takes its samples all over the pixel, may not.
    """
    edges = np.sort(geometry.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges = np.unique(edges, axis=0)
    seen = world_to_camera(camera, geometry.points_m)
    edges = edges[(seen[edges, 2] >= CLIP_START_M).all(1)]
    ends = seen[edges] / seen[edges][:, :, 2:]
    pixels = camera_to_pixels(camera, ends)
    near = ((pixels.max(1) >= 0) & (pixels.min(1) < (width, height))).all(1)
    lengths_px = np.linalg.norm(pixels[near, 1] - pixels[near, 0], axis=1)
    steps = np.minimum(np.ceil(lengths_px / EDGE_STEP_PX), 4 * (width + height)).astype(int) + 1
    x, y = np.floor(camera_to_pixels(camera, _along(ends[near], steps))).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    touched = np.zeros((height, width), bool)
    touched[y[inside], x[inside]] = True
    return touched & ~_grown(silhouette.in_frame(width, height))


def _along(ends: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return points on lines (N, 2, 3), ends included, `points` (N,) of each, one after the other: (sum, 3)."""
    which = np.repeat(np.arange(len(points)), points)
    share = (np.arange(len(which)) - np.repeat(np.cumsum(points) - points, points)) / np.maximum(points - 1, 1)[which]
    return ends[which, 0] + share[:, None] * (ends[which, 1] - ends[which, 0])


def _grown(mask: np.ndarray) -> np.ndarray:
    """Return the mask with one more pixel in all eight directions."""
    rows = mask | np.pad(mask[1:], ((0, 1), (0, 0))) | np.pad(mask[:-1], ((1, 0), (0, 0)))
    return rows | np.pad(rows[:, 1:], ((0, 0), (0, 1))) | np.pad(rows[:, :-1], ((0, 0), (1, 0)))


def world_geometry(root: bpy.types.Object) -> ObjectGeometry:
    """Return all evaluated meshes under `root` as the renderer sees them."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    points, triangles, start = [], [], 0
    for child in root.children_recursive:
        if child.type != "MESH":
            continue
        evaluated = child.evaluated_get(depsgraph)
        mesh = evaluated.data
        local = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", local)
        corners = np.empty(3 * len(mesh.loop_triangles), np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        world = np.array(evaluated.matrix_world)
        points.append(local.reshape(-1, 3).astype(float) @ world[:3, :3].T + world[:3, 3])
        triangles.append(corners.reshape(-1, 3) + start)
        start += len(points[-1])
    return ObjectGeometry(np.concatenate(points), np.concatenate(triangles))


def clip_at_depth(corners: np.ndarray, near_m: float) -> np.ndarray:
    """Cut triangles (T, 3, 3) in camera axes off at depth `near_m`; one that crosses gives one or two (Sutherland and
    Hodgman, Reentrant Polygon Clipping, 1974)."""
    front = corners[:, :, 2] >= near_m
    count = front.sum(1)
    kept = [corners[count == 3]]
    for inside in (1, 2):
        crossing = corners[count == inside]
        # Turn each triangle so that its odd corner comes first; a and b are where the two edges from it cross.
        odd = np.argmax(front[count == inside] == (inside == 1), axis=1)
        first, second, third = (crossing[np.arange(len(odd)), (odd + turn) % 3] for turn in range(3))
        a, b = _at_depth(first, second, near_m), _at_depth(first, third, near_m)
        if inside == 1:
            kept.append(np.stack([first, a, b], axis=1))
        else:
            kept += [np.stack([a, second, third], axis=1), np.stack([a, third, b], axis=1)]
    return np.concatenate(kept)


def _at_depth(start: np.ndarray, end: np.ndarray, depth_m: float) -> np.ndarray:
    """Return the points (T, 3) at a depth on the edges from `start` to `end`, which lie on either side of it."""
    share = (depth_m - start[:, 2:]) / (end[:, 2:] - start[:, 2:])
    return start + share * (end - start)


def rasterize_triangles(triangles: np.ndarray, low: tuple[int, int], high: tuple[int, int]) -> Silhouette:
    """Fill `triangles` (T, 3, 2), pixels, either winding, on a canvas of pixels from `low` (x, y) up to before `high`.

    Set is every pixel whose centre lies in a triangle or on its edge. By scanlines: a triangle covers one span of each
    row of pixel centres; +1 where spans begin and -1 behind their ends sum up to how often a pixel is covered.
    """
    triangles = triangles[_touching(triangles, low, high)]
    if not len(triangles):
        return Silhouette(np.zeros((0, 0), bool), *low)
    left, top = np.maximum(np.ceil(triangles.min((0, 1)) - 0.5).astype(int), low)
    right, bottom = np.minimum(np.floor(triangles.max((0, 1)) - 0.5).astype(int) + 1, high)
    width, height = right - left + 1, bottom - top  # one column more, for spans that end at the edge
    # Corners from top to bottom, so that neighbours compute the edge they share in the same way.
    order = np.argsort(triangles[:, :, 1], axis=1)
    triangles = np.take_along_axis(triangles, order[:, :, None], axis=1) - (left + 0.5, top + 0.5)
    changes = np.zeros(width * height, np.int32)
    for which, row in _rows(triangles, height):
        begin, end = _span(triangles[which], row)
        begin = np.ceil(np.clip(begin, 0, width - 1)).astype(int)
        end = np.floor(np.clip(end, -1, width - 2)).astype(int) + 1
        covered = begin < end
        at = row[covered] * width
        changes += np.bincount(at + begin[covered], minlength=len(changes)).astype(np.int32)
        changes -= np.bincount(at + end[covered], minlength=len(changes)).astype(np.int32)
    mask = np.cumsum(changes.reshape(height, width), axis=1)[:, :-1] > 0
    return _cropped(mask, int(left), int(top))


def _touching(triangles: np.ndarray, low: tuple[int, int], high: tuple[int, int]) -> np.ndarray:
    """Return which triangles have a row and a column of the canvas's pixel centres in their bounds, (T,) bool."""
    first = np.maximum(np.ceil(triangles.min(1) - 0.5), low)
    last = np.minimum(np.floor(triangles.max(1) - 0.5), np.subtract(high, 1))
    return (first <= last).all(1)


def _rows(triangles: np.ndarray, height: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (triangle indices, rows), both (S,) int: the rows of pixel centres that each triangle meets, in chunks."""
    first = np.maximum(np.ceil(triangles[:, 0, 1]), 0).astype(int)
    last = np.minimum(np.floor(triangles[:, 2, 1]), height - 1).astype(int)
    count = last - first + 1
    chunk = np.cumsum(count) // CHUNK_SPANS
    for number in np.unique(chunk):
        chosen = np.flatnonzero(chunk == number)
        each = count[chosen]
        which = np.repeat(chosen, each)
        yield which, first[which] + np.arange(len(which)) - np.repeat(np.cumsum(each) - each, each)


def _span(triangles: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where rows `y` (S,) enter and leave their triangles (S, 3, 2), corners sorted by y: two (S,) of x."""
    upper, middle, lower = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    below = (y >= middle[:, 1])[:, None]
    long = _crossing(upper, lower, y)
    short = _crossing(np.where(below, middle, upper), np.where(below, lower, middle), y)
    return np.minimum(long, short), np.maximum(long, short)


def _crossing(start: np.ndarray, end: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x (S,) where edges (S, 2) cross rows; a level edge gives its start."""
    rise = end[:, 1] - start[:, 1]
    share = np.divide(y - start[:, 1], rise, out=np.zeros_like(rise), where=rise > 0)
    return start[:, 0] + share * (end[:, 0] - start[:, 0])


def _cropped(mask: np.ndarray, left: int, top: int) -> Silhouette:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Silhouette(mask[:0, :0], left, top)
    used = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Silhouette(used.copy(), left + int(columns[0]), top + int(rows[0]))
