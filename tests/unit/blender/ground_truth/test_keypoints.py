# SPDX-License-Identifier: GPL-3.0-or-later
import cv2
import numpy as np
import pytest

from blender.camera.camera import world_to_pixels
from blender.ground_truth import keypoints, silhouettes
from blender.people import joints
from blender.shards import build_scene
from tests.helpers import records
from tests.unit.blender.people.test_person import POSES, person

WIDTH, HEIGHT = 320, 240
EVERYWHERE = np.ones((HEIGHT, WIDTH), bool)


def build(objects, position_m=(0.0, -2.6, 1.0)):
    """Return the record, seen by a camera that looks along +y, and the built scene."""
    made = records.record(0, width=WIDTH, height=HEIGHT).model_dump(mode="json")
    made["objects"], made["camera"]["position_m"] = list(objects), position_m
    return made, build_scene.build_scene(made)


def place(yaw_deg, instance_id=1, position_m=(0.0, 0.0, 0.0), **wanted):
    return {
        "name": f"person_{instance_id}",
        "asset": "person",
        "position_m": position_m,
        "yaw_deg": yaw_deg,
        "instance_id": instance_id,
        "parameters": person(**wanted),
    }


def measured(objects, **view):
    """Return {name: keypoint} of instance 1."""
    made, built = build(objects, **view)
    found = keypoints.measure_keypoints(built.roots[1], made["camera"], EVERYWHERE)
    return dict(zip(joints.KEYPOINT_NAMES, found, strict=True))


def test_keypoint_names_are_in_the_order_of_coco():
    pairs = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    expected = ["nose"] + [f"{side}_{part}" for part in pairs for side in ("left", "right")]
    assert list(joints.KEYPOINT_NAMES) == expected


def test_a_person_seen_from_the_front_has_all_keypoints_visible():
    found = measured([place(-90, name="walk", phase=0.35, head="hair")])
    assert {point["visibility"] for point in found.values()} == {2}
    for part in ("eye", "ear", "shoulder", "elbow", "hip"):
        assert found[f"left_{part}"]["u_px"] > found[f"right_{part}"]["u_px"], "the person's own left"
    heights = [
        np.mean([found[f"{side}_{part}"]["v_px"] for side in ("left", "right")])
        for part in ("eye", "shoulder", "elbow", "hip", "knee", "ankle")
    ]
    assert heights == sorted(heights)
    assert found["left_eye"]["v_px"] < found["nose"]["v_px"] < found["left_shoulder"]["v_px"]
    assert found["right_eye"]["u_px"] < found["nose"]["u_px"] < found["left_eye"]["u_px"]


def test_from_behind_the_face_is_hidden_and_left_is_left():
    found = measured([place(90, head="hair", seed=5)])
    assert {name for name, point in found.items() if point["visibility"] == 1} >= {"nose", "left_eye", "right_eye"}
    for part in ("shoulder", "hip", "knee"):
        assert found[f"left_{part}"]["visibility"] == found[f"right_{part}"]["visibility"] == 2
        assert found[f"left_{part}"]["u_px"] < found[f"right_{part}"]["u_px"]


def test_from_the_side_the_trunk_hides_the_far_half():
    found = measured([place(0, seed=3, head="hair")])
    for part in ("eye", "ear", "shoulder", "hip"):
        assert found[f"left_{part}"]["visibility"] == 1, part
    for part in ("ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert found[f"right_{part}"]["visibility"] == 2, part
    # Of an arm that hangs beside the trunk, the elbow is hidden too.
    assert found["left_elbow"]["visibility"] == 1


@pytest.mark.parametrize("wanted", POSES[::2])
def test_joints_lie_in_the_silhouette(wanted):
    made, built = build([place(-60, **wanted)])
    whole = silhouettes.render_silhouette(silhouettes.world_geometry(built.roots[1]), made["camera"], WIDTH, HEIGHT)
    near = cv2.dilate(whole.in_frame(WIDTH, HEIGHT).view(np.uint8), np.ones((5, 5), np.uint8)).view(bool)
    for point in keypoints.measure_keypoints(built.roots[1], made["camera"], EVERYWHERE):
        assert near[int(point["v_px"]), int(point["u_px"])]


def test_an_object_in_front_of_a_person_hides_it():
    wall = records.carton((2.0, 0.1, 0.9), (0.0, -0.6, 0.0)).model_dump(mode="json")
    found = measured([place(-90, head="hair", name="walk", phase=0.35), wall])
    assert {found[f"{side}_{part}"]["visibility"] for side in ("left", "right") for part in ("knee", "ankle")} == {1}
    assert found["nose"]["visibility"] == 2
    other = measured([place(-90), place(-90, 2, (0.0, -0.7, 0.0), shape={"weight": 0.9})])
    assert other["left_hip"]["visibility"] == 1, "another person is no part of this one"


def test_a_keypoint_without_a_pixel_of_its_person_nearby_is_hidden():
    made, built = build([place(-90, head="hair", name="walk", phase=0.35)])
    nose = keypoints.measure_keypoints(built.roots[1], made["camera"], EVERYWHERE)[0]
    x, y = int(nose["u_px"]), int(nose["v_px"])
    for away_px, visibility in ((2, 2), (3, 1)):
        visible = np.zeros_like(EVERYWHERE)
        visible[y, x + away_px] = True
        assert keypoints.measure_keypoints(built.roots[1], made["camera"], visible)[0]["visibility"] == visibility


def test_keypoints_outside_the_frame_or_behind_the_camera_have_visibility_0():
    cut = measured([place(-90, name="walk", phase=0.35)], position_m=(0.0, -0.9, 1.5))
    assert cut["nose"]["visibility"] > 0
    assert cut["left_ankle"]["visibility"] == 0
    assert cut["left_ankle"]["v_px"] > HEIGHT
    behind = measured([place(-90)], position_m=(0.0, 2.0, 1.0))
    assert set(map(tuple, (point.values() for point in behind.values()))) == {(None, None, 0)}


@pytest.mark.parametrize(("from_edge_px", "visibility"), [(0.003, 0), (0.02, 2)])
def test_the_rounded_position_decides_whether_a_keypoint_is_in_the_frame(from_edge_px, visibility):
    made, built = build([place(-90, name="walk", phase=0.35)])
    (nose,) = (child for child in built.roots[1].children if child.get(joints.PROPERTY) == "nose")
    exact = world_to_pixels(made["camera"], np.array([nose.matrix_world.translation]))[0][0, 0]
    made["camera"]["cx_px"] += WIDTH - from_edge_px - exact
    found = keypoints.measure_keypoints(built.roots[1], made["camera"], EVERYWHERE)[0]
    assert (found["u_px"], found["visibility"]) == (pytest.approx(WIDTH - from_edge_px, abs=0.005), visibility)


def test_a_truck_has_no_keypoints():
    made, built = build([records.truck(1).model_dump(mode="json")])
    assert keypoints.measure_keypoints(built.roots[1], made["camera"], EVERYWHERE) is None
