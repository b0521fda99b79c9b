# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses of one body: feet on the floor, bones of constant length, hands on their grips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender.people import body_shape, pose_solver, shoes
from blender.people.skeleton import (
    SIDES,
    apply_skinning,
    body_rig,
    find_skeleton,
    forward_kinematics,
    joint_position,
    solve_middle_joint,
)
from tests.helpers.search import examples
from tests.unit.blender.people.test_body_shape import AVERAGE

NAMES = ["walk", "stand", "push", "pull", "crouch", "walk_beside", "carry", "reach", "bend", "sit", "scan", "talk"]
heights = st.floats(1.4, 2.1)
phases = st.floats(0, 1)


def pose(name, phase=0.0, seed=0, left=None, right=None, seat=None):
    seat = 0.45 if name == "sit" and seat is None else seat
    return {"name": name, "phase": phase, "seed": seed, "hand_left_m": left, "hand_right_m": right, "seat_m": seat}


def solved(parameters, pose_record):
    """Return the vertices of a body at rest, its skeleton, its shoes and the transforms (B, 4, 4) of a pose."""
    vertices = body_shape.shape_vertices(AVERAGE | parameters)
    bones = find_skeleton(vertices)
    pair = shoes.fit_shoes(bones, vertices)
    return vertices, bones, pair, pose_solver.solve_pose(bones, pose_record, (pair.points, pair.weights))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.62, 0.9])
def test_soles_touch_the_floor_and_hips_are_above_the_origin(name, phase):
    for seed in range(4):
        _, bones, pair, transforms = solved({}, pose(name, phase, seed))
        assert apply_skinning(pair.points, pair.weights, transforms)[:, 2].min() == pytest.approx(0, abs=1e-6)
        hips = [joint_position(bones, transforms, f"upperleg01.{side}") for side in SIDES]
        np.testing.assert_allclose(np.mean(hips, axis=0)[:2], 0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_bones_keep_their_lengths(name):
    _, bones, _, transforms = solved({}, pose(name, 0.2, 5))
    for upper, lower in (("upperleg01", "lowerleg01"), ("lowerleg01", "foot"), ("upperarm01", "lowerarm01")):
        for side in SIDES:
            ends = f"{upper}.{side}", f"{lower}.{side}"
            posed = np.linalg.norm(np.subtract(*(joint_position(bones, transforms, bone) for bone in ends)))
            assert posed == pytest.approx(np.linalg.norm(np.subtract(*(bones.joints[bone] for bone in ends))))


def test_walking_legs_alternate():
    _, bones, _, transforms = solved({}, pose("walk", 0.0))
    right, left = (joint_position(bones, transforms, f"foot.{side}") for side in "RL")
    assert right[0] > 0.2 > -0.1 > left[0], "phase 0 is the heel strike of the right foot"
    _, bones, _, half = solved({}, pose("walk", 0.5))
    assert joint_position(bones, half, "foot.L")[0] == pytest.approx(right[0], abs=0.02)
    assert joint_position(bones, transforms, "wrist.L")[0] > joint_position(bones, transforms, "wrist.R")[0]


@pytest.mark.parametrize("name", ["walk", "push", "pull"])
@pytest.mark.parametrize("phase", np.arange(12) / 12)
def test_the_stance_foot_is_on_the_floor_and_the_swing_foot_above_it(name, phase):
    _, _, pair, transforms = solved({}, pose(name, phase))
    points = apply_skinning(pair.points, pair.weights, transforms)
    for side, foot_phase in (("R", phase), ("L", (phase + 0.5) % 1)):
        lowest = points[pair.points[:, 1] * SIDES[side] > 0, 2].min()
        if foot_phase < 0.62:
            assert lowest == pytest.approx(0, abs=0.004)
        elif 0.7 < foot_phase < 0.92:
            assert 0.008 < lowest < 0.06


def test_crouching_people_have_one_knee_near_the_floor():
    for seed in range(6):
        vertices, bones, _, transforms = solved({}, pose("crouch", seed=seed))
        knees = sorted(joint_position(bones, transforms, f"lowerleg01.{side}")[2] for side in SIDES)
        posed = apply_skinning(vertices, body_rig().weights, transforms)[: body_shape.SKIN_VERTICES]
        assert knees[0] < 0.28 < knees[1]
        assert 0.8 < posed[:, 2].max() < 1.35
        feet = [joint_position(bones, transforms, f"foot.{side}")[0] for side in SIDES]
        assert min(feet) < posed[:, 0].mean() < max(feet) + 0.25, "the center of the body is above the feet"


@settings(max_examples=examples(15))
@given(
    heights,
    st.integers(0, 1),
    phases,
    st.integers(0, 9),
    st.floats(0.35, 0.55),
    st.floats(0, 0.22),
    st.floats(0.75, 1.1),
    st.sampled_from(["L", "R", "LR"]),
)
def test_pushing_hands_hold_the_bar(height_m, gender, phase, seed, ahead, aside, up, hands):
    grips = {side: (ahead, SIDES[side] * aside, up) for side in hands}
    pose_record = pose("push", phase, seed, grips.get("L"), grips.get("R"))
    _check_grips({"height_m": height_m, "gender": gender}, pose_record, grips)


@settings(max_examples=examples(15))
@given(
    heights,
    st.integers(0, 1),
    phases,
    st.integers(0, 9),
    st.floats(0.35, 0.5),
    st.floats(0.15, 0.3),
    st.floats(0.75, 1.1),
    st.sampled_from("LR"),
)
def test_the_pulling_hand_holds_the_bar(height_m, gender, phase, seed, behind, aside, up, side):
    grips = {side: (-behind, SIDES[side] * aside, up)}
    pose_record = pose("pull", phase, seed, grips.get("L"), grips.get("R"))
    _check_grips({"height_m": height_m, "gender": gender}, pose_record, grips)


def _check_grips(parameters, pose_record, grips):
    """Check that each bar runs through the fist: between knuckle, middle finger and thumb, with skin all around it."""
    vertices, bones, pair, transforms = solved(parameters, pose_record)
    assert apply_skinning(pair.points, pair.weights, transforms)[:, 2].min() == pytest.approx(0, abs=1e-6)
    for side, grip in grips.items():
        knuckles = [joint_position(bones, transforms, f"finger{finger}-1.{side}") for finger in (2, 3, 4, 5)]
        assert np.mean(knuckles, axis=0)[1] == pytest.approx(grip[1], abs=0.012)
        ring = [
            joint_position(bones, transforms, f"finger{joint}.{side}") for joint in ("3-1", "3-2", "3-3", "1-3", "1-3")
        ]
        assert np.linalg.norm((np.mean(ring, axis=0) - grip)[[0, 2]]) < 0.02
        fingers = [f"finger{finger}-{joint}.{side}" for finger in (1, 3) for joint in (1, 2, 3)]
        hand = np.flatnonzero(body_rig().bone_weights(*fingers, f"metacarpal2.{side}", f"wrist.{side}") > 0.6)
        away = (apply_skinning(vertices[hand], body_rig().weights[hand], transforms) - grip)[:, [0, 2]]
        distance = np.linalg.norm(away, axis=1)
        assert 0.003 < distance.min() < 0.02
        around = away[distance < 0.06]
        sectors = np.unique(np.degrees(np.arctan2(around[:, 1], around[:, 0])) // 45)
        assert len(sectors) >= 7, "along the bar, the fist looks like a ring"


@settings(max_examples=examples(10))
@given(
    heights,
    st.integers(0, 1),
    phases,
    st.floats(-0.35, 0.4),
    st.floats(0.2, 0.4),
    st.floats(0.75, 1.1),
    st.sampled_from("LR"),
)
def test_the_hand_of_a_person_beside_a_truck_holds_the_bar(height_m, gender, phase, ahead, aside, up, side):
    grips = {side: (ahead, SIDES[side] * aside, up)}
    pose_record = pose("walk_beside", phase, 0, grips.get("L"), grips.get("R"))
    _check_grips({"height_m": height_m, "gender": gender}, pose_record, grips)


@settings(max_examples=examples(10))
@given(heights, phases, st.floats(0.32, 0.46), st.floats(0.14, 0.28), st.floats(0.85, 1.15))
def test_palms_lie_on_the_sides_of_a_carried_load(height_m, phase, ahead, aside, up):
    pose_record = pose("carry", phase, 0, (ahead, aside, up), (ahead, -aside, up))
    vertices, _bones, _, transforms = solved({"height_m": height_m}, pose_record)
    for side, sign in SIDES.items():
        hand = np.flatnonzero(body_rig().bone_weights(f"wrist.{side}", "metacarpal", f"finger3-1.{side}") > 0.6)
        hand = hand[hand < body_shape.SKIN_VERTICES]
        posed = apply_skinning(vertices[hand], body_rig().weights[hand], transforms)
        near = posed[(posed[:, 1] * sign > 0) & (np.linalg.norm(posed - [ahead, sign * aside, up], axis=1) < 0.03)]
        assert len(near) > 3, "the palm touches the load"
        # Nothing of the palm is more than a centimeter inside the load.
        assert (near[:, 1] * sign).min() > aside - 0.012


def test_reaching_hands_are_above_the_head_and_bending_ones_below_the_hips():
    for seed in range(6):
        _, bones, _, transforms = solved({}, pose("reach", seed=seed))
        wrists = [joint_position(bones, transforms, f"wrist.{side}")[2] for side in SIDES]
        assert max(wrists) > joint_position(bones, transforms, "head")[2]
        _, bones, _, transforms = solved({}, pose("bend", seed=seed))
        hips, head = (joint_position(bones, transforms, bone) for bone in ("upperleg01.L", "head"))
        assert head[0] > hips[0] + 0.3
        assert all(joint_position(bones, transforms, f"wrist.{side}")[2] < hips[2] for side in SIDES)


@pytest.mark.parametrize("seat_m", [0.144, 0.3, 0.45, 0.6])
def test_sitting_people_are_on_the_seat_with_both_feet_on_the_floor(seat_m):
    for seed in range(3):
        vertices, _bones, pair, transforms = solved({}, pose("sit", seed=seed, seat=seat_m))
        posed = apply_skinning(vertices, body_rig().weights, transforms)[: body_shape.SKIN_VERTICES]
        seated = posed[(np.abs(posed[:, 0]) < 0.12) & (np.abs(posed[:, 1]) < 0.2)]
        assert seated[:, 2].min() == pytest.approx(seat_m, abs=0.05)
        points = apply_skinning(pair.points, pair.weights, transforms)
        for side in SIDES:
            assert points[pair.points[:, 1] * SIDES[side] > 0, 2].min() == pytest.approx(0, abs=0.004)
        assert points[:, 0].min() > 0.2, "the feet are ahead of the edge of the seat"


def test_a_grip_out_of_reach_raises_an_error_with_the_distance():
    with pytest.raises(ValueError, match=r"hand_right_m = \(1\.50, -0\.20, 1\.00\) is 0\.\d\d m out of reach"):
        solved({}, pose("push", right=(1.5, -0.2, 1.0)))


def test_an_unknown_pose_raises_an_error_with_the_known_ones():
    with pytest.raises(ValueError, match=r"pose.name = 'dance' is unknown; use one of walk, stand, push, pull, crouch"):
        solved({}, pose("dance"))


def test_only_the_seed_varies_a_pose():
    first, again, other = (solved({}, pose("stand", seed=seed))[3] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_the_middle_joint_keeps_both_bone_lengths():
    middle = solve_middle_joint(np.zeros(3), np.array([1.0, 0, 0]), (0.7, 0.6), np.array([0, 0, 1.0]))
    assert np.linalg.norm(middle) == pytest.approx(0.7)
    assert np.linalg.norm(middle - [1, 0, 0]) == pytest.approx(0.6)
    assert middle[2] > 0


def test_child_bones_follow_their_parent():
    vertices = body_shape.shape_vertices(AVERAGE)
    bones = find_skeleton(vertices)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    transforms = forward_kinematics(bones, {"root": turn}, np.array([0, 0, 1.0]))
    expected = turn @ (bones.joints["head"] - bones.joints["root"]) + bones.joints["root"] + [0, 0, 1]
    np.testing.assert_allclose(joint_position(bones, transforms, "head"), expected, atol=1e-9)
