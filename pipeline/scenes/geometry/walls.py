# SPDX-License-Identifier: Apache-2.0
"""The four walls of a hall, each with a frame of its own: along it, and into the hall."""

from dataclasses import dataclass

import numpy as np

from pipeline.record.base_types import Vec2, Vec3


@dataclass(frozen=True)
class Wall:
    """A wall of a hall; `yaw_deg` looks from it into the hall."""

    length_m: float
    distance_m: float  # from the middle of the hall
    yaw_deg: float

    def floor_point(self, along_m: float, deep_m: float = 0.0) -> Vec2:
        """Return the point on the floor `along_m` from the wall's middle and `deep_m` before it, to a millimetre."""
        cos, sin = np.cos(np.radians(self.yaw_deg)), np.sin(np.radians(self.yaw_deg))
        inwards = deep_m - self.distance_m
        return round(float(cos * inwards - sin * along_m), 3), round(float(sin * inwards + cos * along_m), 3)


def hall_walls(size_m: Vec3) -> list[Wall]:
    length, width, _ = size_m
    return [
        Wall(width, length / 2, 0.0),
        Wall(length, width / 2, 90.0),
        Wall(width, length / 2, 180.0),
        Wall(length, width / 2, -90.0),
    ]
