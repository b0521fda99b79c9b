# SPDX-License-Identifier: Apache-2.0
"""Turn and shift points of the floor: from the frame of an object, a wall or a group to the frame around it."""

from collections.abc import Sequence

import numpy as np

Floats = float | np.ndarray


def to_parent_frame(
    x: Floats, y: Floats, yaw_deg: Floats, origin_m: Sequence[Floats] = (0.0, 0.0)
) -> tuple[Floats, Floats]:
    """Return (x, y) of points in the parent frame; numbers or arrays that broadcast.

    `x` (forward) and `y` (left) are coordinates in a frame whose origin lies at `origin_m` of the parent frame, turned
    counterclockwise by `yaw_deg`.
    """
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    return origin_m[0] + cos * x - sin * y, origin_m[1] + sin * x + cos * y
