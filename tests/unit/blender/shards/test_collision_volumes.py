# SPDX-License-Identifier: GPL-3.0-or-later
"""The collision boxes of the stage sample enclose the meshes that Blender builds, so meshes do not overlap either."""

import bpy
import numpy as np
import pytest

from blender.shards.build_scene import OBJECT_BUILDERS
from pipeline.config.config import Config
from pipeline.scenes.geometry.collision_boxes import local_boxes
from pipeline.scenes.sample import sample_scene

# Arms that reach for a grip leave the boxes: the grip is where they end.
OUTSIDE_M = {"push": 0.1, "pull": 0.15}


def outside_m(things: list[bpy.types.Object], rows: np.ndarray) -> float:
    """Return the distance of the farthest vertex outside all boxes."""
    bpy.context.view_layer.update()
    points = np.concatenate(
        [
            np.array([thing.matrix_basis @ vertex.co for vertex in thing.data.vertices])
            for thing in things
            if thing.type == "MESH"
        ]
    )
    angle = np.radians(rows[:, 2])
    x, y = (points[:, None, axis] - rows[:, axis] for axis in (0, 1))
    along = np.abs(np.cos(angle) * x + np.sin(angle) * y) - rows[:, 3] / 2
    across = np.abs(np.cos(angle) * y - np.sin(angle) * x) - rows[:, 4] / 2
    up = np.maximum(rows[:, 5] - points[:, 2:], points[:, 2:] - rows[:, 6])
    gaps = np.maximum(np.stack([along, across, up]), 0)
    return float(np.linalg.norm(gaps, axis=0).min(axis=1).max())


@pytest.mark.parametrize("index", range(3))
def test_collision_boxes_enclose_the_meshes(asset_cache, index):
    config = Config(people={"count": 2, "working_pairs": 1}, trucks={"count": 2}, layout={"empty": 0})
    kinds = {}
    for thing in sample_scene(config, index).objects:
        kinds[(thing.asset, thing.name if thing.category else "")] = thing
    for thing in kinds.values():
        made = OBJECT_BUILDERS[thing.asset](thing.parameters.model_dump(mode="json"), asset_cache)
        allowed = OUTSIDE_M.get(thing.parameters.pose.name, 0.03) if thing.asset == "person" else 0.03
        rows = local_boxes(thing).rows
        if thing.stands_on == "ceiling":
            rows[:, 6] = np.inf  # what it hangs from
        assert outside_m(made, rows) < allowed, thing.name
