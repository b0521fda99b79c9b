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


def heading_error_deg(camera, scene_object):
    """Return the angle in 0..180 between the heading of an object and the direction away from the camera."""
    x, y = np.array(scene_object.position_m[:2]) - camera.position_m[:2]
    return abs((scene_object.yaw_deg - np.degrees(np.arctan2(y, x)) + 180) % 360 - 180)


def test_headings_from_the_camera_point_away_from_it():
    points = np.repeat([[5.0, 0.0], [1.0, 3.0], [-3.0, -1.0]], 200, axis=0)
    headings = draw_headings_from_camera(rng(0, 0, "turn"), view_from((1.0, 0.0, 0.5)), points).reshape(3, 200)
    straight = np.array([0.0, 90.0, np.degrees(np.arctan2(-1, -4))])
    assert headings.mean(axis=1) == pytest.approx(straight, abs=5)
    assert (headings.std(axis=1) > 10).all()


def test_only_places_that_face_away_from_the_camera_are_kept():
    points = np.full((8, 2), (-6.0, 0.0))
    places = make_places(points, np.arange(8) * 45.0 + 190)  # 180 is the direction away from the camera
    kept = [yaw for _, yaw in keep_backs_to_camera(view_from((1.0, 0.0, 0.5)), places)]
    assert kept == [190.0, 190 + 7 * 45.0]
    assert 45 < MAX_HEADING_ERROR_DEG < 55


def heading_errors_of_parked_trucks(share):
    """Return the heading errors (n,) of the parked trucks of 16 images."""
    config = Config(
        people={"count": 0}, trucks={"count": [1, 3], "tiller_to_camera": share}, camera={"subject": 0.5},
        goods={"fill": 0.4}, layout={"empty": 0},
    )  # fmt: skip
    errors = []
    for scene in (sample_scene(config, index) for index in range(16)):
        trucks = (scene_object for scene_object in scene.objects if scene_object.category)
        errors += [heading_error_deg(scene.camera, truck) for truck in trucks]
    return np.array(errors)


def test_the_config_sets_the_share_of_trucks_with_their_tiller_to_the_camera():
    always, never = heading_errors_of_parked_trucks(1.0), heading_errors_of_parked_trucks(0.0)
    assert np.mean(always < 60) > 0.85  # trucks outside the view are not aligned
    assert np.mean(never < 60) < 0.6
