# SPDX-License-Identifier: Apache-2.0
"""Turn and shift points of the floor: from the frame of an object, a wall or a group to the frame around it."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Coordinate = TypeVar("Coordinate", float, np.ndarray)


def to_parent_frame(
    x: Coordinate, y: Coordinate, yaw_deg: Coordinate, origin_m: Sequence[float] = (0.0, 0.0)
) -> tuple[Coordinate, Coordinate]:
    """Return (x, y) of points in the parent frame; numbers or arrays that broadcast.

    `x` (forward) and `y` (left) are coordinates in a frame whose origin lies at `origin_m` of the parent frame, turned
    counterclockwise by `yaw_deg`.
    """
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    return origin_m[0] + cos * x - sin * y, origin_m[1] + sin * x + cos * y
