# SPDX-License-Identifier: Apache-2.0
from collections import Counter

import numpy as np
import pytest

from pipeline.common.randomness import rng
from pipeline.config.config import Config
from pipeline.config.world import CameraSection, PeopleSection, TrucksSection
from pipeline.scenes.actors.person_groups import draw_pose, make_person
from pipeline.scenes.actors.visible_placement import View, draw_traffic_headings, put_as_subject, put_in_view
from pipeline.scenes.assets.pallet_trucks import draw_fleet, make_truck
from pipeline.scenes.assets.pallets_and_cartons import draw_carton_stock
from pipeline.scenes.assets.people import draw_person
from pipeline.scenes.cameras.aimed_camera import (
    MAX_DOWN_ANGLE_DEG,
    SUBJECT_HEIGHT_M,
    draw_aimed_camera,
    draw_subject_category,
)
from pipeline.scenes.cameras.projection import shares_in_frame
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import world_boxes
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.geometry.free_space import HallSpace
from pipeline.scenes.layouts.hall_plan import HallPlan
from pipeline.scenes.sample import sample_scene
from tests.helpers.cameras import image_box

WALKWAY = FloorArea((-9, -5), (9, 5), 0.0)
PEOPLE = PeopleSection()
STILL = {"aim_deg": 0, "roll_deg": 0}  # the camera aims without error


def aimed(index, category="pedestrian", space=None, **section):
    space = space or HallSpace((20, 12, 8))
    return draw_aimed_camera(rng(0, index, "aim"), CameraSection(**section), space, [WALKWAY], 7.0, category)


def post_at(subject):
    """Return the boxes of a post as high as the subject, and its place."""
    tall = SUBJECT_HEIGHT_M[subject.category]
    return Boxes(np.array([(0, 0, 0, 0.1, 0.1, 0, tall)])), ((*subject.spot_m, 0.0), 0.0)


@pytest.mark.parametrize("category", SUBJECT_HEIGHT_M)
@pytest.mark.parametrize("rig", ["robot", "handheld"])
def test_the_subject_is_complete_and_has_the_height_of_the_config(rig, category):
    for index in range(20):
        camera, subject = aimed(index, category, rigs={rig: 1}, subject_height=0.6, **STILL)
        post, place = post_at(subject)
        _, top, _, bottom = image_box(camera, post.moved(*place))
        assert 0.42 < (bottom - top) / (2 * camera.cy_px) < 0.75  # in a tilted camera it looks longer or shorter
        assert shares_in_frame(camera, post, [place]) == pytest.approx(1)


def test_a_ceiling_camera_keeps_the_largest_down_angle():
    for index in range(20):
        camera, subject = aimed(index, rigs={"ceiling": 1}, **STILL)
        assert np.array(camera.rotation)[2, 2] > -np.sin(np.radians(MAX_DOWN_ANGLE_DEG + 0.1))
        post, place = post_at(subject)
        assert shares_in_frame(camera, post, [place]) > 0.8


def test_a_full_hall_has_no_room_for_a_subject():
    space = HallSpace((20, 12, 8))
    # Low goods fill all but the middle of the hall, which leaves room for a camera but not for a subject.
    space.reserve(Boxes(np.array([(x, 0, 0, 8.5, 12, 0, 2) for x in (-5.75, 5.75)], float)))
    assert aimed(0, space=space, rigs={"handheld": 1}, subject_height=0.3) is None


def test_the_subject_has_a_category_of_the_image():
    always = CameraSection(subject=1)
    drawn = Counter(draw_subject_category(rng(0, index, "subject"), always, 1, 1) for index in range(200))
    assert drawn.keys() == SUBJECT_HEIGHT_M.keys()
    assert min(drawn.values()) > 70
    assert draw_subject_category(rng(0, 0, "subject"), always, 0, 3) == "pallet_truck"
    assert draw_subject_category(rng(0, 0, "subject"), always, 0, 0) is None
    assert draw_subject_category(rng(0, 0, "subject"), CameraSection(subject=0), 2, 2) is None


def tallest_people(share):
    """Return the height (n,) of the tallest person in n images, as a share of the image height; 0 without people."""
    config = Config(
        camera={"subject": share, "subject_height": [0.5, 0.9], "rigs": {"handheld": 1}},
        people={"count": [1, 2], "working_pairs": 0},
        trucks={"count": 0},
        layout={"empty": 0},
    )
    return np.array([_tallest(sample_scene(config, index)) for index in range(12)])


def _tallest(scene):
    people = [world_boxes([scene_object]) for scene_object in scene.objects if scene_object.category == "pedestrian"]
    seen = [person for person in people if shares_in_frame(scene.camera, person, [((0, 0, 0), 0)])[0] > 0.6]
    boxes = [image_box(scene.camera, person) for person in seen]
    return max(((bottom - top) / (2 * scene.camera.cy_px) for _, top, _, bottom in boxes), default=0)


def test_images_with_a_subject_have_nearer_people():
    with_subject, without = tallest_people(1), tallest_people(0)
    assert np.mean(with_subject > 0.4) > 0.9
    assert np.mean(with_subject > 0.4) > np.mean(without > 0.4) + 0.2


def test_only_the_subject_stands_at_its_place_and_nothing_in_front_of_it():
    camera, subject = aimed(0, "pallet_truck", rigs={"robot": 1})
    plan = HallPlan(HallSpace((20, 12, 8)), draw_carton_stock(rng(0, 0, "stock")), [WALKWAY])
    view = View(plan, camera, subject)
    truck = [make_truck(draw_fleet(rng(0, 0, "fleet"), TrucksSection())[0])]
    halfway = np.add(subject.spot_m, camera.position_m[:2]) / 2
    places = [((*subject.spot_m, 0.0), 0.0), ((*map(float, halfway), 0.0), 0.0)]
    assert put_in_view(view, truck, places, 0.1) == []
    person = [make_person(draw_person(rng(0, 0, "person"), PEOPLE, draw_pose(rng(0, 0, "pose"), PEOPLE)))]
    assert put_as_subject(rng(0, 0, "put"), view, person, draw_traffic_headings) == []  # the camera aims at a truck
    (put,) = put_as_subject(rng(0, 0, "put"), view, truck, draw_traffic_headings)
    assert np.allclose(put.position_m[:2], subject.spot_m, atol=0.31)
    assert put_as_subject(rng(0, 1, "put"), view, truck, draw_traffic_headings) == []  # the place is taken
