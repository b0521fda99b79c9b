# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.config.world import PeopleSection
from pipeline.record.objects import Carton, CartonParameters, Pose
from pipeline.scenes.actors import person_groups


def test_a_person_beside_a_truck_has_a_hand_on_the_grip():
    random = np.random.default_rng(0)
    for yaw in (0.0, 180.0, 37.0):
        person = person_groups.person_beside_truck(random, PeopleSection(), (-0.6, 0.1, 0.95), yaw)
        pose, angle = person.parameters.pose, np.radians(person.yaw_deg)
        x, y, z = pose.hand_left_m or pose.hand_right_m
        hand = np.array([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y, z])
        np.testing.assert_allclose(hand + person.position_m, (-0.6, 0.1, 0.95), atol=2e-3)


def test_two_people_who_talk_face_each_other():
    for seed in range(10):
        first, second = person_groups.talking_pair(np.random.default_rng(seed), PeopleSection())
        offset = np.subtract(second.position_m, first.position_m)[:2]
        assert 0.9 <= np.linalg.norm(offset) <= 1.5
        for person, to_other in ((first, offset), (second, -offset)):
            angle = np.degrees(np.arctan2(to_other[1], to_other[0])) - person.yaw_deg
            assert abs((angle + 180) % 360 - 180) < 65


def test_the_palms_of_a_carrying_person_are_on_both_sides_of_the_carton():
    parameters = CartonParameters(size_m=(0.3, 0.4, 0.3), color_rgb=(0.5, 0.4, 0.3), seed=1)
    carton = Carton(
        name="carton", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters
    )
    person, held = person_groups.carrying_person(np.random.default_rng(0), PeopleSection(), carton)
    left, right = person.parameters.pose.hand_left_m, person.parameters.pose.hand_right_m
    assert left[1] - right[1] == pytest.approx(0.4)
    assert held.stands_on == person.name
    assert held.instance_id == 0
    assert held.position_m[0] == pytest.approx(left[0], abs=1e-3)
    assert held.position_m[2] < left[2] < held.position_m[2] + 0.3


def test_only_a_sitting_person_has_a_seat():
    assert person_groups.sitting_person(np.random.default_rng(0), PeopleSection(), 0.45).parameters.pose.seat_m == 0.45
    for name, seat in (("sit", None), ("stand", 0.4)):
        with pytest.raises(ValidationError, match="seat_m"):
            Pose(name=name, phase=0, seed=0, hand_left_m=None, hand_right_m=None, seat_m=seat)
