# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np

from blender.hall.fittings import FITTING_COLORS
from blender.hall.litter import litter_solids

SIZE = (12.0, 9.0, 5.0)


def test_litter_lies_flat_on_the_floor_inside_the_hall():
    solids = litter_solids(SIZE, {"wear": 0.8, "seed": 4})
    points = np.concatenate([solid.vertices for solid in solids])
    assert (np.abs(points[:, :2]) < (6, 4.5)).all()
    assert points[:, 2].min() >= 0
    assert points[:, 2].max() < 0.02
    assert {solid.slot for solid in solids} <= set(range(len(FITTING_COLORS)))


def test_a_worn_floor_has_more_litter():
    assert litter_solids(SIZE, {"wear": 0.0, "seed": 4}) == []
    assert len(litter_solids(SIZE, {"wear": 0.9, "seed": 4})) > 2 * len(litter_solids(SIZE, {"wear": 0.3, "seed": 4}))
