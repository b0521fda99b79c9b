# SPDX-License-Identifier: GPL-3.0-or-later
"""Amodal silhouettes: the triangles of an object, projected with the record's camera and filled as if nothing hid them.

They are computed with numpy, independently of Cycles, because they are used to check its masks. The canvas extends the
frame by its own size on each side, so that the truncated part of an object counts as well. Pixel coordinates start at
the top left corner of the frame; pixel centers are at halves.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from blender.camera import lens_distortion
from blender.camera.camera import CLIP_START_M, camera_to_pixels, world_to_camera

# Rows of triangles that are filled at once: limits the memory of `rasterize_triangles` to about 100 MB.
CHUNK_SPANS = 1_000_000
# A distorted edge is drawn as a straight line if it deviates from it by less than this.
MAX_BEND_PX = 0.2
# Distance of the points along an edge: a pixel that the edge crosses over a longer way is not missed.
EDGE_STEP_PX = 0.25


@dataclass(frozen=True)
class ObjectGeometry:
    """The evaluated meshes of an object: `points_m` (N, 3) in the world, `triangles` (T, 3) indices."""

    points_m: np.ndarray
    triangles: np.ndarray


@dataclass(frozen=True)
class Silhouette:
    """A mask (h, w) bool, cropped to its pixels; (`x`, `y`) is its top left corner, which may lie outside the frame.

    The mask of an object outside the canvas has the shape (0, 0).
    """

    mask: np.ndarray
    x: int
    y: int

    @property
    def box_px(self) -> tuple[int, int, int, int] | None:
        """The box (x, y, width, height) around all pixels, or None if there are none."""
        height, width = self.mask.shape
        return (self.x, self.y, width, height) if self.mask.size else None

    def in_frame(self, width: int, height: int) -> np.ndarray:
        """Return the part of the mask inside the frame, (height, width) bool."""
        frame = np.zeros((height, width), bool)
        rows, columns = self.mask.shape
        top, left = max(self.y, 0), max(self.x, 0)
        bottom, right = min(self.y + rows, height), min(self.x + columns, width)
        if top < bottom and left < right:
            frame[top:bottom, left:right] = self.mask[top - self.y : bottom - self.y, left - self.x : right - self.x]
        return frame


def render_silhouette(geometry: ObjectGeometry, camera: dict, width: int, height: int) -> Silhouette:
    """Return the silhouette of an object in an image of `width` x `height` pixels.

    As in the render, everything nearer than the camera's near plane is cut off.
    """
    camera_points, triangles = world_to_camera(camera, geometry.points_m), geometry.triangles
    front = camera_points[:, 2] >= CLIP_START_M
    in_front = front[triangles].all(1)
    clipped = clip_at_depth(camera_points[triangles[~in_front]], CLIP_START_M)
    low, high = (-width, -height), (2 * width, 2 * height)
    if lens_distortion.is_distorted(camera):
        plane_triangles = np.concatenate([camera_points[triangles[in_front]], clipped])
        radius = lens_distortion.covering_radius(camera, low, high)
        max_length = lens_distortion.max_straight_length(camera, radius, MAX_BEND_PX)
        pieces = split_long_edges(plane_triangles / plane_triangles[:, :, 2:], max_length, radius)
        return rasterize_triangles(camera_to_pixels(camera, pieces), low, high)
    pixels = camera_to_pixels(camera, np.where(front[:, None], camera_points, 1.0))
    return rasterize_triangles(
        np.concatenate([pixels[triangles[in_front]], camera_to_pixels(camera, clipped)]), low, high
    )


def split_long_edges(triangles: np.ndarray, max_length: float, radius: float) -> np.ndarray:
    """Split triangles (T, 3, 3), all at depth 1, until no edge is longer than `max_length`.

    Parts farther than `radius` from the axis, across or down, are cut off. Each step halves the longest edge of a
    triangle. Neighbors split a shared edge at the same points, so that no gap opens.
    """
    done, remaining = [], _clip_to_square(triangles, radius)
    while len(remaining):
        lengths = np.linalg.norm(np.roll(remaining, -1, axis=1) - remaining, axis=2)
        long = lengths.max(1) > max_length
        done.append(remaining[~long])
        # Rotate the corners so that the longest edge goes from the first to the second one.
        remaining, longest_edge = remaining[long], np.argmax(lengths[long], axis=1)
        first, second, third = (remaining[np.arange(len(remaining)), (longest_edge + turn) % 3] for turn in range(3))
        middle = (first + second) / 2
        remaining = np.concatenate([np.stack([first, middle, third], 1), np.stack([middle, second, third], 1)])
    return np.concatenate(done) if done else remaining


def _clip_to_square(triangles: np.ndarray, radius: float) -> np.ndarray:
    """Clip triangles (T, 3, 3), all at depth 1, to the square of x and y from -radius to radius."""
    for order in ([2, 1, 0], [0, 2, 1]):  # `clip_at_depth` clips at the last coordinate
        for side in (1, -1):
            triangles = side * clip_at_depth(side * triangles[:, :, order], -radius)[:, :, order]
    return triangles


def thin_pixels(geometry: ObjectGeometry, camera: dict, silhouette: Silhouette, width: int, height: int) -> np.ndarray:
    """Return the pixels (height, width) bool that an object touches although its silhouette has no pixel beside them.

    A rod thinner than a pixel can pass between pixel centers. The silhouette then has a gap. The renderer, which
    samples the whole area of a pixel, may have none.
    """
    edges = np.sort(geometry.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges = np.unique(edges, axis=0)
    camera_points = world_to_camera(camera, geometry.points_m)
    edges = edges[(camera_points[edges, 2] >= CLIP_START_M).all(1)]
    ends = camera_points[edges] / camera_points[edges][:, :, 2:]
    pixels = camera_to_pixels(camera, ends)
    near = ((pixels.max(1) >= 0) & (pixels.min(1) < (width, height))).all(1)
    lengths_px = np.linalg.norm(pixels[near, 1] - pixels[near, 0], axis=1)
    steps = np.minimum(np.ceil(lengths_px / EDGE_STEP_PX), 4 * (width + height)).astype(int) + 1
    x, y = np.floor(camera_to_pixels(camera, _points_on_edges(ends[near], steps))).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    touched = np.zeros((height, width), bool)
    touched[y[inside], x[inside]] = True
    return touched & ~_dilated(silhouette.in_frame(width, height))


def _points_on_edges(ends: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return points (sum of `counts`, 3) on lines (N, 2, 3), both ends included; line i gets `counts[i]` counts."""
    line_index = np.repeat(np.arange(len(counts)), counts)
    fraction = (np.arange(len(line_index)) - np.repeat(np.cumsum(counts) - counts, counts)) / np.maximum(counts - 1, 1)[
        line_index
    ]
    return ends[line_index, 0] + fraction[:, None] * (ends[line_index, 1] - ends[line_index, 0])


def _dilated(mask: np.ndarray) -> np.ndarray:
    """Return the mask dilated by one pixel in all eight directions."""
    rows = mask | np.pad(mask[1:], ((0, 1), (0, 0))) | np.pad(mask[:-1], ((1, 0), (0, 0)))
    return rows | np.pad(rows[:, 1:], ((0, 0), (0, 1))) | np.pad(rows[:, :-1], ((0, 0), (1, 0)))


def world_geometry(root: bpy.types.Object) -> ObjectGeometry:
    """Return all meshes under `root` as the renderer sees them, in world coordinates."""
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
    """Clip triangles (T, 3, 3) in camera axes at the depth `near_m`; one that crosses it becomes one or two.

    Source: Sutherland and Hodgman, Reentrant Polygon Clipping, 1974.
    """
    front = corners[:, :, 2] >= near_m
    count = front.sum(1)
    kept = [corners[count == 3]]
    for inside in (1, 2):
        crossing = corners[count == inside]
        # Rotate the corners so that the one alone on its side comes first; a and b are where its two edges cross.
        odd = np.argmax(front[count == inside] == (inside == 1), axis=1)
        first, second, third = (crossing[np.arange(len(odd)), (odd + turn) % 3] for turn in range(3))
        a, b = _at_depth(first, second, near_m), _at_depth(first, third, near_m)
        if inside == 1:
            kept.append(np.stack([first, a, b], axis=1))
        else:
            kept += [np.stack([a, second, third], axis=1), np.stack([a, third, b], axis=1)]
    return np.concatenate(kept)


def _at_depth(start: np.ndarray, end: np.ndarray, depth_m: float) -> np.ndarray:
    """Return the points (T, 3) at a depth on edges from `start` to `end`, which lie on different sides of it."""
    fraction = (depth_m - start[:, 2:]) / (end[:, 2:] - start[:, 2:])
    return start + fraction * (end - start)


def rasterize_triangles(triangles: np.ndarray, low: tuple[int, int], high: tuple[int, int]) -> Silhouette:
    """Fill triangles (T, 3, 2) in pixel coordinates, of either winding, on the canvas from `low` to `high` (x, y).

    `high` is exclusive. A pixel is set if its center lies in a triangle or on its edge. In each row of pixel centers a
    triangle covers one span. The sum over a row of +1 where a span begins and -1 after its end counts how often a pixel
    is covered.
    """
    triangles = triangles[_meets_canvas(triangles, low, high)]
    if not len(triangles):
        return Silhouette(np.zeros((0, 0), bool), *low)
    left, top = np.maximum(np.ceil(triangles.min((0, 1)) - 0.5).astype(int), low)
    right, bottom = np.minimum(np.floor(triangles.max((0, 1)) - 0.5).astype(int) + 1, high)
    width, height = right - left + 1, bottom - top  # one more column, for spans that end at the edge
    # Sort the corners from top to bottom, so that neighbors compute a shared edge in the same way.
    order = np.argsort(triangles[:, :, 1], axis=1)
    triangles = np.take_along_axis(triangles, order[:, :, None], axis=1) - (left + 0.5, top + 0.5)
    changes = np.zeros(width * height, np.int32)
    for triangle_index, row in _scanline_rows(triangles, height):
        begin, end = _row_span(triangles[triangle_index], row)
        begin = np.ceil(np.clip(begin, 0, width - 1)).astype(int)
        end = np.floor(np.clip(end, -1, width - 2)).astype(int) + 1
        covered = begin < end
        row_start = row[covered] * width
        changes += np.bincount(row_start + begin[covered], minlength=len(changes)).astype(np.int32)
        changes -= np.bincount(row_start + end[covered], minlength=len(changes)).astype(np.int32)
    mask = np.cumsum(changes.reshape(height, width), axis=1)[:, :-1] > 0
    return _crop_to_content(mask, int(left), int(top))


def _meets_canvas(triangles: np.ndarray, low: tuple[int, int], high: tuple[int, int]) -> np.ndarray:
    """Return (T,) bool: the bounds of the triangle hold a row and a column of the canvas's pixel centers."""
    first = np.maximum(np.ceil(triangles.min(1) - 0.5), low)
    last = np.minimum(np.floor(triangles.max(1) - 0.5), np.subtract(high, 1))
    return (first <= last).all(1)


def _scanline_rows(triangles: np.ndarray, height: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (triangle indices, rows), both (S,) int, in chunks: the rows of pixel centers that a triangle meets."""
    first = np.maximum(np.ceil(triangles[:, 0, 1]), 0).astype(int)
    last = np.minimum(np.floor(triangles[:, 2, 1]), height - 1).astype(int)
    count = last - first + 1
    chunk = np.cumsum(count) // CHUNK_SPANS
    for number in np.unique(chunk):
        chosen = np.flatnonzero(chunk == number)
        row_counts = count[chosen]
        triangle_index = np.repeat(chosen, row_counts)
        span_starts = np.cumsum(row_counts) - row_counts
        row_in_triangle = np.arange(len(triangle_index)) - np.repeat(span_starts, row_counts)
        yield triangle_index, first[triangle_index] + row_in_triangle


def _row_span(triangles: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the x (S,) where rows `y` (S,) enter and leave triangles (S, 3, 2) with corners sorted by y."""
    upper, middle, lower = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    below = (y >= middle[:, 1])[:, None]
    long = _edge_x_at(upper, lower, y)
    short = _edge_x_at(np.where(below, middle, upper), np.where(below, lower, middle), y)
    return np.minimum(long, short), np.maximum(long, short)


def _edge_x_at(start: np.ndarray, end: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x (S,) where edges from `start` to `end`, both (S, 2), cross rows; for a level edge, that of its start."""
    rise = end[:, 1] - start[:, 1]
    fraction = np.divide(y - start[:, 1], rise, out=np.zeros_like(rise), where=rise > 0)
    return start[:, 0] + fraction * (end[:, 0] - start[:, 0])


def _crop_to_content(mask: np.ndarray, left: int, top: int) -> Silhouette:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Silhouette(mask[:0, :0], left, top)
    used = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Silhouette(used.copy(), left + int(columns[0]), top + int(rows[0]))
