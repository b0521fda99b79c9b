# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from blender.hall import openings

DOOR = {"kind": "dock_door", "center_m": [0, -5, 1.5], "yaw_deg": 90, "size_m": [2.6, 3.0], "open": 0.5, "number": 12}
HALL = {"size_m": [14, 10, 5], "outside_rgb": [0.8, 0.9, 1.0], "outside_strength": 3.0}


def built(asset_cache, *which):
    return openings.build_openings({**HALL, "openings": list(which)}, asset_cache)


def test_a_hall_without_openings_has_no_object_for_them(asset_cache):
    assert built(asset_cache) == []


def test_a_door_faces_the_hall_and_is_in_its_wall(asset_cache):
    (thing,) = built(asset_cache, DOOR)
    points = np.array([vertex.co for vertex in thing.data.vertices])
    assert points[:, 1].min() == pytest.approx(-5, abs=1e-5)
    assert points[:, 1].max() < -4.7
    assert points[:, 2].min() > -1e-5
    outside = [face for face in thing.data.polygons if face.material_index == openings.OUTSIDE_SLOT]
    assert sum(face.normal[1] > 0.9 for face in outside) == 1


def test_a_drawn_up_door_has_fewer_slats(asset_cache):
    faces = [len(built(asset_cache, {**DOOR, "open": share})[0].data.polygons) for share in (0.0, 0.5, 1.0)]
    assert faces[0] > faces[1] > faces[2]
