# SPDX-License-Identifier: Apache-2.0
"""Upright boxes, in metres: what things take up, where they meet, what hides them from a ray."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from pipeline.record.base_types import Vec3


@dataclass(frozen=True)
class Boxes:
    """n upright boxes: `rows` (n, 7) float: x, y of the middle, yaw_deg, length (along yaw), width, low z, high z."""

    rows: np.ndarray

    def moved(self, position_m: Vec3, yaw_deg: float) -> "Boxes":
        """Turn about z through the origin by `yaw_deg`, then shift."""
        count = len(self.rows)
        return self.moved_each(np.repeat([position_m], count, axis=0), np.full(count, yaw_deg))

    def moved_each(self, positions_m: np.ndarray, yaws_deg: np.ndarray) -> "Boxes":
        """Like `moved`, every box by its own position (n, 3) and yaw (n,)."""
        x, y, yaw, length, width, low, high = self.rows.T
        cos, sin = np.cos(np.radians(yaws_deg)), np.sin(np.radians(yaws_deg))
        to_x, to_y, up = positions_m.T
        middle = (to_x + cos * x - sin * y, to_y + sin * x + cos * y)
        return Boxes(np.column_stack([*middle, yaw + yaws_deg, length, width, low + up, high + up]))

    def floor_corners_m(self) -> np.ndarray:
        """Return the footprints' corners (n, 4, 2), counter-clockwise."""
        angle = np.radians(self.rows[:, 2])
        cos, sin = np.cos(angle), np.sin(angle)
        along = np.column_stack([cos, sin]) * self.rows[:, 3:4] / 2
        across = np.column_stack([-sin, cos]) * self.rows[:, 4:5] / 2
        offsets = np.stack([along + across, across - along, -along - across, along - across], axis=1)
        return self.rows[:, None, :2] + offsets

    def corners_m(self) -> np.ndarray:
        """Return all corners (8 n, 3)."""
        flat = self.floor_corners_m()
        ends = [np.dstack([flat, np.repeat(self.rows[:, height, None], 4, axis=1)]) for height in (5, 6)]
        return np.concatenate(ends).reshape(-1, 3)

    def footprints(self) -> np.ndarray:
        """Return the footprints (n,) as shapely polygons."""
        return shapely.polygons(self.floor_corners_m())

    @cached_property
    def bounds_m(self) -> np.ndarray:
        """(n, 6): least x, y, z, greatest x, y, z."""
        x, y, yaw, length, width, low, high = self.rows.T
        cos, sin = np.abs(np.cos(np.radians(yaw))) / 2, np.abs(np.sin(np.radians(yaw))) / 2
        along, across = cos * length + sin * width, sin * length + cos * width
        return np.column_stack([x - along, y - across, low, x + along, y + across, high])

    def within_bounds(self, bounds_m: np.ndarray, gap_m: float = 0.0) -> "Boxes":
        """Return those whose own bounds meet `bounds_m` (6,) widened by `gap_m`: few, and quick to find."""
        bounds, (low_x, low_y, low_z), (high_x, high_y, high_z) = (
            self.bounds_m.T,
            bounds_m[:3] - gap_m,
            bounds_m[3:] + gap_m,
        )
        meets = (bounds[0] < high_x) & (bounds[3] > low_x) & (bounds[1] < high_y) & (bounds[4] > low_y)
        return Boxes(self.rows[meets & (bounds[2] < high_z) & (bounds[5] > low_z)])

    @cached_property
    def total_bounds_m(self) -> np.ndarray:
        """(6,): the bounds of all boxes together, in the order of `bounds_m`."""
        return np.concatenate([self.bounds_m[:, :3].min(axis=0), self.bounds_m[:, 3:].max(axis=0)])

    def ray_entry(self, origin_m: np.ndarray, rays_m: np.ndarray) -> np.ndarray:
        """Return (k, n): where each ray `origin + t * ray` first is inside each box, as t >= 0; inf if it misses.

        `origin_m` (3,), `rays_m` (k, 3). Slab method, in each box's own frame.
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
    """Return all boxes of the parts in one."""
    joined = Boxes(np.concatenate([part.rows for part in parts]))
    if "bounds_m" in vars(parts[0]):  # known already: a hall grows by one thing after the other
        vars(joined)["bounds_m"] = np.concatenate([part.bounds_m for part in parts])
    return joined
