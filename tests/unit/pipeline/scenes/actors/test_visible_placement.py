# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.common.randomness import rng
from pipeline.config.config import Config
from pipeline.config.world import CameraSection
from pipeline.scenes.actors.visible_placement import (
    MAX_HEADING_ERROR_DEG,
    View,
    draw_headings_from_camera,
    keep_backs_to_camera,
    make_places,
)
from pipeline.scenes.assets.pallets_and_cartons import draw_carton_stock
from pipeline.scenes.cameras.rigs import camera_rotation, make_camera
from pipeline.scenes.geometry.free_space import HallSpace
from pipeline.scenes.layouts.hall_plan import HallPlan
from pipeline.scenes.sample import sample_scene


def view_from(position_m):
    camera = make_camera(CameraSection(), "robot", 60.0, position_m, camera_rotation(0, 0, 0))
    return View(HallPlan(HallSpace((20, 12, 8)), draw_carton_stock(rng(0, 0, "stock")), []), camera)


def askew_deg(camera, scene_object):
    """How far a thing's heading is from straight away from the camera, 0 .. 180."""
    x, y = np.array(scene_object.position_m[:2]) - camera.position_m[:2]
    return abs((scene_object.yaw_deg - np.degrees(np.arctan2(y, x)) + 180) % 360 - 180)


def test_what_turns_its_back_to_the_camera_looks_away_from_it():
    points = np.repeat([[5.0, 0.0], [1.0, 3.0], [-3.0, -1.0]], 200, axis=0)
    headings = draw_headings_from_camera(rng(0, 0, "turn"), view_from((1.0, 0.0, 0.5)), points).reshape(3, 200)
    straight = np.array([0.0, 90.0, np.degrees(np.arctan2(-1, -4))])
    assert headings.mean(axis=1) == pytest.approx(straight, abs=5)
    assert (headings.std(axis=1) > 10).all()


def test_of_wanted_places_those_stay_that_look_away_from_the_camera():
    points = np.full((8, 2), (-6.0, 0.0))
    places = make_places(points, np.arange(8) * 45.0 + 190)  # straight away from the camera is 180
    kept = [yaw for _, yaw in keep_backs_to_camera(view_from((1.0, 0.0, 0.5)), places)]
    assert kept == [190.0, 190 + 7 * 45.0]
    assert 45 < MAX_HEADING_ERROR_DEG < 55


def parked_askew_deg(share):
    """Return (n,) angles of the parked trucks of 16 images."""
    config = Config(
        people={"count": 0}, trucks={"count": [1, 3], "tiller_to_camera": share}, camera={"subject": 0.5},
        goods={"fill": 0.4}, layout={"empty": 0},
    )  # fmt: skip
    scenes = [sample_scene(config, index) for index in range(16)]
    return np.array(
        [askew_deg(s.camera, scene_object) for s in scenes for scene_object in s.objects if scene_object.category]
    )


def test_the_share_of_trucks_whose_tiller_the_camera_sees_is_a_setting():
    always, never = parked_askew_deg(1.0), parked_askew_deg(0.0)
    assert np.mean(always < 60) > 0.85  # but those that stand where there was room, seen or not
    assert np.mean(never < 60) < 0.6
