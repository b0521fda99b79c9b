# SPDX-License-Identifier: Apache-2.0
"""Upright boxes that stand for objects: where they collide, and what hides them from a ray. Lengths in meters."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from pipeline.record.base_types import Vec3
from pipeline.scenes.geometry.transform import to_parent_frame


@dataclass(frozen=True)
class Boxes:
    """n upright boxes. `rows` (n, 7): x and y of the center, yaw_deg, length (along yaw), width, low z, high z."""

    rows: np.ndarray

    def moved(self, position_m: Vec3, yaw_deg: float) -> "Boxes":
        """Return the boxes turned by `yaw_deg` about the z axis, then shifted by `position_m`."""
        count = len(self.rows)
        return self.moved_each(np.repeat([position_m], count, axis=0), np.full(count, yaw_deg))

    def moved_each(self, positions_m: np.ndarray, yaws_deg: np.ndarray) -> "Boxes":
        """Like `moved`, but with a position (n, 3) and a yaw (n,) for each box."""
        x, y, yaw, length, width, low, high = self.rows.T
        center = to_parent_frame(x, y, yaws_deg, positions_m.T)
        up = positions_m[:, 2]
        return Boxes(np.column_stack([*center, yaw + yaws_deg, length, width, low + up, high + up]))

    def floor_corners_m(self) -> np.ndarray:
        """Return the corners (n, 4, 2) of the footprints, counterclockwise."""
        angle = np.radians(self.rows[:, 2])
        cos, sin = np.cos(angle), np.sin(angle)
        along = np.column_stack([cos, sin]) * self.rows[:, 3:4] / 2
        across = np.column_stack([-sin, cos]) * self.rows[:, 4:5] / 2
        offsets = np.stack([along + across, across - along, -along - across, along - across], axis=1)
        return self.rows[:, None, :2] + offsets

    def corners_m(self) -> np.ndarray:
        """Return the corners (8 n, 3) of all boxes."""
        flat = self.floor_corners_m()
        ends = [np.dstack([flat, np.repeat(self.rows[:, height, None], 4, axis=1)]) for height in (5, 6)]
        return np.concatenate(ends).reshape(-1, 3)

    def footprints(self) -> np.ndarray:
        """Return the footprints as shapely polygons (n,)."""
        return shapely.polygons(self.floor_corners_m())

    @cached_property
    def bounds_m(self) -> np.ndarray:
        """Bounds (n, 6) of each box along the axes: lowest x, y, z, highest x, y, z."""
        x, y, yaw, length, width, low, high = self.rows.T
        cos, sin = np.abs(np.cos(np.radians(yaw))) / 2, np.abs(np.sin(np.radians(yaw))) / 2
        along, across = cos * length + sin * width, sin * length + cos * width
        return np.column_stack([x - along, y - across, low, x + along, y + across, high])

    def within_bounds(self, bounds_m: np.ndarray, gap_m: float = 0.0) -> "Boxes":
        """Return the boxes whose bounds overlap `bounds_m` (6,) widened by `gap_m`: a fast first selection."""
        low, high = bounds_m[:3] - gap_m, bounds_m[3:] + gap_m
        return Boxes(self.rows[np.all((self.bounds_m[:, :3] < high) & (self.bounds_m[:, 3:] > low), axis=1)])

    @cached_property
    def total_bounds_m(self) -> np.ndarray:
        """Bounds (6,) of all boxes together: lowest x, y, z, highest x, y, z."""
        return np.concatenate([self.bounds_m[:, :3].min(axis=0), self.bounds_m[:, 3:].max(axis=0)])

    def ray_entry(self, origin_m: np.ndarray, rays_m: np.ndarray) -> np.ndarray:
        """Return t (k, n) >= 0 at which each ray `origin + t * ray` enters each box; inf where it misses the box.

        `origin_m` (3,), `rays_m` (k, 3). This is the slab method, in the frame of each box.
        """
        angle = np.radians(self.rows[:, 2])
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        start = np.einsum("ijn,nj->ni", turn, origin_m[:2] - self.rows[:, :2])
        ray = np.einsum("ijn,kj->kni", turn, rays_m[:, :2])
        start = np.column_stack([start, origin_m[2] - self.rows[:, 5:].mean(axis=1)])
        ray = np.dstack([ray, np.repeat(rays_m[:, 2:], len(self.rows), axis=1)])
        half = np.column_stack([self.rows[:, 3:5], self.rows[:, 6] - self.rows[:, 5]]) / 2
        slope = np.where(np.abs(ray) < 1e-9, 1e-9, ray)
        near, far = (-np.sign(slope) * half - start) / slope, (np.sign(slope) * half - start) / slope
        first, last = np.maximum(near.max(axis=2), 0), far.min(axis=2)
        return np.where(first <= last, first, np.inf)


def concatenate_boxes(parts: Sequence[Boxes]) -> Boxes:
    """Return the boxes of all parts as one."""
    joined = Boxes(np.concatenate([part.rows for part in parts]))
    # A hall grows by one group at a time. Keep the bounds that are already cached.
    if "bounds_m" in vars(parts[0]):
        vars(joined)["bounds_m"] = np.concatenate([part.bounds_m for part in parts])
    return joined
