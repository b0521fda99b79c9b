# SPDX-License-Identifier: Apache-2.0
"""Records of complete images, checked against the rules of docs/reference/data_set.md."""

import json
from collections import Counter
from typing import get_args

import numpy as np
import pytest
import shapely

from pipeline.common.randomness import rng
from pipeline.common.vocabulary import LayoutKind
from pipeline.config.config import Config
from pipeline.config.world import LayoutSection, PeopleSection, TrucksSection
from pipeline.record.scene import Scene, read_scenes
from pipeline.scenes import sample
from pipeline.scenes.actors.person_groups import truck_and_person
from pipeline.scenes.actors.placement import draw_counts
from pipeline.scenes.assets.palettes import linear
from pipeline.scenes.assets.pallet_trucks import draw_fleet, grip_m
from pipeline.scenes.cameras.projection import shares_in_frame
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import world_boxes
from pipeline.scenes.hall.lighting import blackbody
from pipeline.scenes.sample import sample_scene, write_scenes
from tests.helpers.cameras import image_box
from tests.helpers.commands import run_cariste
from tests.helpers.support_checks import check_every_object_is_supported, check_no_objects_overlap

COUNT = 30
HERE = ((0.0, 0.0, 0.0), 0.0)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [sample_scene(Config(), index) for index in range(COUNT)]


def trucks_with_people(scene):
    """Yield (truck, person) for each person who pushes or pulls, with the nearest truck."""
    trucks = [scene_object for scene_object in scene.objects if scene_object.asset == "hand_pallet_truck"]
    for person in people_of([scene]):
        if person.parameters.pose.name in ("push", "pull"):
            yield min(trucks, key=lambda truck: np.linalg.norm(world_grip(truck) - hand_center(person))), person


def people_of(scenes):
    return [scene_object for scene in scenes for scene_object in scene.objects if scene_object.asset == "person"]


def to_world(scene_object, point):
    angle = np.radians(scene_object.yaw_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return np.array(scene_object.position_m) + turn @ point


def world_grip(truck):
    return to_world(truck, grip_m(truck.parameters))


def hand_center(person):
    pose = person.parameters.pose
    hands = [hand for hand in (pose.hand_left_m, pose.hand_right_m) if hand is not None]
    return to_world(person, np.mean(hands, axis=0))


def test_objects_do_not_overlap(scenes):
    for scene in scenes:
        check_no_objects_overlap(scene.objects)


def test_all_objects_are_inside_the_hall(scenes):
    for scene in scenes:
        hull = world_boxes(scene.objects).total_bounds_m
        half = np.array(scene.hall.size_m) / (2, 2, 1)
        assert np.all(np.abs(hull[[0, 1]]) <= half[:2])
        assert np.all(hull[[3, 4]] <= half[:2])
        assert hull[2] >= 0
        assert hull[5] <= half[2]


def test_all_objects_stand_on_something(scenes):
    seen = set().union(*(check_every_object_is_supported(scene.objects, scene.hall.size_m[2]) for scene in scenes))
    assert {("carton_stack", "eur_pallet"), ("eur_pallet", "rack"), ("eur_pallet", "hand_pallet_truck")} <= seen
    assert {("eur_pallet", "eur_pallet"), ("carton", "eur_pallet"), ("person", "floor")} <= seen
    assert {("carton", "person"), ("hanging_sign", "ceiling"), ("stillage", "stillage")} <= seen


@pytest.mark.parametrize("pose_name", ["push", "pull"])
def test_hands_are_on_the_grip_and_within_reach(pose_name):
    for index in range(100):
        random = rng(0, index, "test")
        parameters, person = truck_and_person(
            random, PeopleSection(), draw_fleet(random, TrucksSection(electric=0))[0], pose_name
        )
        pose, height = person.parameters.pose, person.parameters.height_m
        assert pose.name == pose_name
        assert hand_center(person) == pytest.approx(grip_m(parameters), abs=1e-3)
        assert 0.75 <= grip_m(parameters)[2] <= 1.1
        hands = [hand for hand in (pose.hand_left_m, pose.hand_right_m) if hand is not None]
        assert len(hands) == (2 if pose_name == "push" else 1)
        for x, y, z in hands:
            # The shoulder is at 0.81 of the height, and the trunk leans 0.12 m towards the grip.
            assert np.hypot(max(abs(x) - 0.12, 0), 0.81 * height - z) <= 0.332 * height + 0.06
            assert abs(y) <= 0.23
        assert np.cos(np.radians(person.yaw_deg)) * (1 if pose_name == "push" else -1) > 0.7


def test_people_who_push_or_pull_hold_the_grip_of_a_truck(scenes):
    poses = Counter()
    for truck, person in (pair for scene in scenes for pair in trucks_with_people(scene)):
        poses[person.parameters.pose.name] += 1
        assert hand_center(person) == pytest.approx(world_grip(truck), abs=2e-3)
    assert poses["push"]
    assert poses["pull"]


def test_only_people_who_hold_something_have_grips(scenes):
    for person in people_of(scenes):
        pose = person.parameters.pose
        has_grip = pose.hand_left_m is not None or pose.hand_right_m is not None
        assert has_grip == (pose.name in ("push", "pull", "walk_beside", "carry"))


def test_names_are_unique_and_instance_ids_count_the_labeled_objects(scenes):
    for scene in scenes:
        names = [scene_object.name for scene_object in scene.objects]
        assert len(set(names)) == len(names)
        labeled = [scene_object.instance_id for scene_object in scene.objects if scene_object.category is not None]
        assert labeled == list(range(1, len(labeled) + 1))
        assert all(scene_object.instance_id == 0 for scene_object in scene.objects if scene_object.category is None)


def test_the_camera_keeps_a_distance_to_objects_and_walls(scenes):
    for scene in scenes:
        camera = np.array(scene.camera.position_m)
        boxes = world_boxes(scene.objects)
        beside = shapely.distance(boxes.footprints(), shapely.Point(camera[:2]))
        above = np.maximum(np.maximum(boxes.rows[:, 5] - camera[2], camera[2] - boxes.rows[:, 6]), 0)
        assert np.hypot(beside, above).min() >= 0.3
        assert np.all(np.abs(camera[:2]) <= np.array(scene.hall.size_m[:2]) / 2 - 0.3)
        assert camera[2] < min(
            (lamp.position_m[2] for lamp in scene.lamps if lamp.kind in ("high_bay", "strip")), default=9
        )


def test_all_layouts_rigs_poses_and_outfits_occur(scenes):
    assert {scene.layout for scene in scenes} == set(get_args(LayoutKind))
    assert {scene.camera.rig for scene in scenes} == {"robot", "handheld", "ceiling", "forklift_mast"}
    people = [person.parameters for person in people_of(scenes)]
    assert {person.pose.name for person in people} >= {"walk", "stand", "scan", "push", "pull"}
    assert {person.outfit.head for person in people} >= {"helmet", "cap", "hair"}
    vests = np.mean([bool(person.outfit.vest_rgb or person.outfit.jacket_rgb) for person in people])
    assert 0.35 < vests < 0.65


def test_people_and_trucks_are_in_the_image_at_all_sizes(scenes):
    heights = []
    for scene in scenes:
        for scene_object in (scene_object for scene_object in scene.objects if scene_object.category is not None):
            boxes = world_boxes([scene_object])
            if shares_in_frame(scene.camera, boxes, [HERE])[0] > 0.25:
                _, top, _, bottom = image_box(scene.camera, boxes)
                heights.append((bottom - top) / (2 * scene.camera.cy_px))
    actors = sum(scene_object.category is not None for scene in scenes for scene_object in scene.objects)
    assert len(heights) > 0.8 * actors
    assert np.percentile(heights, 10) < 0.21
    assert 0.21 < np.median(heights) < 0.45
    assert np.percentile(heights, 90) > 0.62


def test_empty_share_and_counts_follow_the_config():
    section = Config(people={"count": (1, 3), "working_pairs": 0.5}, trucks={"count": (0, 2)}, layout={"empty": 0.25})
    drawn = [draw_counts(rng(0, index, "test"), section) for index in range(1500)]
    empty = [counts for counts in drawn if counts.people + counts.trucks == 0]
    full = [counts for counts in drawn if counts not in empty]
    assert len(empty) / 1500 == pytest.approx(0.25, abs=0.04)
    assert {counts.people for counts in full} == {1, 2, 3}
    assert {counts.trucks for counts in full} == {0, 1, 2}
    assert np.mean([counts.pairs > 0 for counts in full]) == pytest.approx(0.5, abs=0.05)
    assert all(counts.pairs <= min(counts.people, counts.trucks) for counts in drawn)


def test_empty_images_show_a_furnished_hall():
    scene = sample_scene(Config(layout={"empty": 1}), 3)
    assert not [scene_object for scene_object in scene.objects if scene_object.category is not None]
    assert scene.lamps
    assert scene.objects


def test_a_record_depends_on_seed_and_index_alone(scenes):
    assert sample_scene(Config(data={"images": 9000, "shard_size": 3}), 5) == scenes[5]
    assert sample_scene(Config(train={"iterations": 1}), 5) == scenes[5]
    assert sample_scene(Config(data={"seed": 8}), 5) != scenes[5]
    assert sample_scene(Config(data={"seed": 0}), 5) != sample_scene(Config(data={"seed": 1}), 5)


def test_stages_are_independent(scenes):
    """Other light does not change the objects. Other people do not change lamps, hall and unaimed cameras."""
    lit = sample_scene(Config(light={"colored": 1, "exposure_ev": [2, 3]}), 5)
    assert lit.objects == scenes[5].objects
    few, crowd = (sample_scene(Config(people={"count": count}, camera={"subject": 0}), 5) for count in (1, 5))
    assert (crowd.lamps, crowd.camera, crowd.hall) == (few.lamps, few.camera, few.hall)


def test_records_read_back_equal(scenes, tmp_path):
    write_scenes(scenes[:5], tmp_path / "deep" / "00000.jsonl")
    assert read_scenes(tmp_path / "deep" / "00000.jsonl") == scenes[:5]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["00000.jsonl"]


def test_an_interrupted_write_leaves_no_file(scenes, tmp_path):
    def crashing():
        yield scenes[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_scenes(crashing(), tmp_path / "00000.jsonl")
    assert not (tmp_path / "00000.jsonl").exists()


def test_people_and_trucks_without_room_are_left_out_and_a_warning_counts_them(monkeypatch, caplog):
    def fill_hall(_random, _config, view):
        length, width, height = view.plan.space.size_m
        view.plan.space.reserve(Boxes(np.array([(0, 0, 0, length, width, 0, height)])))

    monkeypatch.setattr(sample, "add_lookalikes", fill_hall)
    config = Config(
        people=PeopleSection(count=(5, 5)), trucks=TrucksSection(count=(2, 2)), layout=LayoutSection(empty=0)
    )
    scene = sample_scene(config, 3)
    assert not any(scene_object.category for scene_object in scene.objects)
    assert "image 3: no free place for 5 of 5 people and 2 of 2 pallet trucks, so they are left out" in caplog.text


def test_the_command_writes_the_same_bytes_for_any_range_of_images(tmp_path, scenes):
    all_images, last_images = tmp_path / "all.jsonl", tmp_path / "last.jsonl"
    defaults, fewer = tmp_path / "defaults.yaml", tmp_path / "fewer.yaml"
    defaults.write_text("{}")
    fewer.write_text("data: {images: 3}")
    assert run_cariste("sample", "--config", defaults, "--count", 4, "--out", all_images).exit_code == 0
    assert run_cariste("sample", "--config", fewer, "--first", 2, "--count", 2, "--out", last_images).exit_code == 0
    assert all_images.read_bytes().splitlines()[2:] == last_images.read_bytes().splitlines()
    assert read_scenes(all_images) == scenes[:4]
    assert json.loads(all_images.read_text().splitlines()[0])["generator_version"] == scenes[0].generator_version


def test_the_command_reports_a_wrong_config_in_one_line(tmp_path):
    done = run_cariste("sample", "--config", "{goods: {fill: 2}}", "--count", 1, "--out", tmp_path / "x.jsonl")
    assert done == (2, "", "config: goods.fill = 2: must lie within 0 and 1\n")
    assert not list(tmp_path.iterdir())


def test_colors_of_paints_and_lamps():
    assert linear("#BC8040") == pytest.approx([0.5029, 0.2159, 0.0513], abs=1e-3)
    assert blackbody(6504) == pytest.approx([1, 1, 1], abs=0.06)
    warm, cold = blackbody(2700), blackbody(7500)
    assert warm[0] == 1
    assert warm[2] < 0.35
    assert cold[2] == 1
    assert 0.75 < cold[0] < 0.95


def test_the_camera_does_not_darken_dark_halls():
    config = Config(light={"scenes": {"torch": 1}}, camera={"exposure_error": 1, "exposure_error_ev": -9})
    (bright,) = {sample_scene(config, index).render.contrast for index in range(4)}
    assert bright == "base"
    assert all(sample_scene(config, index).render.exposure_ev > -4 for index in range(4))
