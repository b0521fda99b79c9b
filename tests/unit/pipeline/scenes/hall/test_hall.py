# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.common.randomness import rng
from pipeline.scenes.geometry.walls import Door
from pipeline.scenes.hall import hall


def everything_is_free(boxes):
    return True


@pytest.mark.parametrize("index", range(20))
def test_openings_lie_in_the_walls_and_the_roof(index):
    size = hall.draw_hall_size(rng(2, index, "size"), "staging")
    for opening in hall.draw_openings(rng(2, index, "openings"), size, [], index % 2 == 0, everything_is_free):
        x, y, z = opening.center_m
        if opening.kind == "skylight":
            assert z == pytest.approx(size[2], abs=0.01)
            continue
        inwards = np.array([np.cos(np.radians(opening.yaw_deg)), np.sin(np.radians(opening.yaw_deg))])
        distance, place = -inwards @ (x, y), abs(inwards[1] * x - inwards[0] * y)
        length = size[0] if abs(inwards[1]) > 0.5 else size[1]
        depth = size[1] if abs(inwards[1]) > 0.5 else size[0]
        assert distance == pytest.approx(depth / 2, abs=0.01)
        assert place + opening.size_m[0] / 2 <= length / 2 + 0.01
        assert z - opening.size_m[1] / 2 >= -0.01
        assert z + opening.size_m[1] / 2 <= size[2]


def test_the_doors_of_a_layout_become_openings():
    doors = [Door(x, -5.0, 90.0, 2.6, 3.0) for x in (0.0, 4.0)]
    openings = hall.draw_openings(rng(3, 0, "openings"), (14.0, 10.0, 5.0), doors, False, everything_is_free)
    door_openings = [opening for opening in openings if opening.kind == "dock_door"]
    assert [opening.center_m for opening in door_openings] == [(0.0, -5.0, 1.5), (4.0, -5.0, 1.5)]
    assert door_openings[1].number == door_openings[0].number + 1


def test_no_door_is_drawn_where_an_object_stands_in_front_of_it():
    found = [
        hall.draw_openings(rng(4, index, "openings"), (14.0, 10.0, 5.0), [], False, everything_is_free)
        for index in range(30)
    ]
    assert any(opening.kind == "dock_door" for openings in found for opening in openings)
    for index in range(30):
        openings = hall.draw_openings(rng(4, index, "openings"), (14.0, 10.0, 5.0), [], False, lambda boxes: False)
        assert all(opening.kind != "dock_door" for opening in openings)
