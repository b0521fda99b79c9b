# SPDX-License-Identifier: Apache-2.0
"""The four walls of a hall and the doors in them."""

from dataclasses import dataclass

from pipeline.record.base_types import Vec2, Vec3
from pipeline.scenes.geometry.transform import to_parent_frame


@dataclass(frozen=True)
class Wall:
    """A wall of a hall. `yaw_deg` is the direction from the wall into the hall."""

    length_m: float
    distance_m: float  # from the center of the hall
    yaw_deg: float

    def floor_point(self, along_m: float, depth_m: float = 0.0) -> Vec2:
        """Return the floor point `along_m` from the middle of the wall and `depth_m` in front of it, to 1 mm."""
        x, y = to_parent_frame(depth_m - self.distance_m, along_m, self.yaw_deg)
        return round(float(x), 3), round(float(y), 3)


@dataclass(frozen=True)
class Door:
    """A dock door. (`x_m`, `y_m`) is the middle of its sill on a wall, `yaw_deg` the direction into the hall."""

    x_m: float
    y_m: float
    yaw_deg: float
    width_m: float
    height_m: float


def hall_walls(size_m: Vec3) -> list[Wall]:
    """Return the walls at low x, low y, high x and high y of a hall of `size_m` (x, y, height)."""
    length, width, _ = size_m
    return [
        Wall(width, length / 2, 0.0),
        Wall(length, width / 2, 90.0),
        Wall(width, length / 2, 180.0),
        Wall(length, width / 2, -90.0),
    ]
