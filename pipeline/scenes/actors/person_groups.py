# SPDX-License-Identifier: Apache-2.0
"""People together with a truck, a load, a seat or another person.

The reach of arms follows the body proportions of Drillis and Contini 1966 (see Winter, Biomechanics and Motor Control
of Human Movement).
"""

import numpy as np

from pipeline.common.randomness import choose_weighted, draw_seed
from pipeline.config.world import PeopleSection
from pipeline.record.base_types import Vec3
from pipeline.record.objects import Carton, HandPalletTruckParameters, Person, PersonParameters, Pose, SceneObject
from pipeline.scenes.assets.pallet_trucks import grip_m
from pipeline.scenes.assets.people import draw_person
from pipeline.scenes.geometry.collision_boxes import HAND_TILLER_LENGTH_M, HAND_TILLER_PIVOT_M
from pipeline.scenes.geometry.free_space import moved
from pipeline.scenes.geometry.transform import to_parent_frame

GRIP_DISTANCE_M = 0.45  # from the hips to the grip bar: ahead when pushing, behind when pulling
PULL_ARM_OFFSET_M = 0.22  # the pulling arm is beside the body
TILLER_TILT_DEG = (29.0, 55.0)
CARRY_GAP_M = 0.17  # from the hips to the near side of the load
SEAT_EDGE_M = 0.2  # from the hips to the edge of the seat
TALK_DISTANCE_M = (0.9, 1.5)  # between the hips of both people


def draw_pose(random: np.random.Generator, config: PeopleSection) -> Pose:
    """Draw the pose of a single person without a truck."""
    return _make_pose(random, choose_weighted(random, config.poses_alone), None, None)


def _make_pose(
    random: np.random.Generator, name: str, left: Vec3 | None, right: Vec3 | None, seat_m: float | None = None
) -> Pose:
    phase, seed = round(float(random.random()), 3), draw_seed(random)
    return Pose(name=name, phase=phase, seed=seed, hand_left_m=left, hand_right_m=right, seat_m=seat_m)


def make_person(parameters: PersonParameters, name: str = "person") -> Person:
    """Return the person at the origin, without an instance id: `sample_scene` assigns it at the end."""
    return Person(name=name, position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters)


def sitting_person(random: np.random.Generator, config: PeopleSection, seat_m: float, name: str = "person") -> Person:
    """Return a person who sits on a seat `seat_m` high (0.14 to 0.65), whose edge runs along y at x = SEAT_EDGE_M.

    The seat lies behind this edge, below the origin; `_person` in collision_boxes.py leaves space for it.
    """
    pose = _make_pose(random, "sit", None, None, round(float(seat_m), 3))
    return make_person(draw_person(random, config, pose), name)


def talking_pair(random: np.random.Generator, config: PeopleSection) -> list[Person]:
    """Return two people who talk and face each other, the first at the origin."""
    bearing, distance = random.normal(0, 25), random.uniform(*TALK_DISTANCE_M)
    x, y = to_parent_frame(distance, 0.0, bearing)
    second_position = (float(x), float(y), 0.0)
    yaws = bearing + random.normal(0, 12), bearing + 180 + random.normal(0, 15)
    bodies = [draw_person(random, config, _make_pose(random, "talk", None, None)) for _ in range(2)]
    first, second = (make_person(body, f"person_{number}") for number, body in enumerate(bodies, 1))
    return [moved(first, (0, 0, 0), float(yaws[0])), moved(second, second_position, float(yaws[1]))]


def carrying_person(random: np.random.Generator, config: PeopleSection, carton: Carton) -> list[SceneObject]:
    """Return a person and the `carton` that the person carries: 0.28 to 0.5 m wide, at most 0.45 m long and high.

    The carton is an object of its own without a label, because person masks in COCO exclude carried objects.
    """
    length, width, height = carton.parameters.size_m
    body = draw_person(random, config, _make_pose(random, "carry", None, None))
    middle = CARRY_GAP_M + length / 2 + 0.04 * (body.weight - 0.5)
    up = round(float(body.height_m * random.uniform(0.57, 0.62)), 3)
    ahead = round(float(middle), 3)
    hands = {"hand_left_m": (ahead, width / 2, up), "hand_right_m": (ahead, -width / 2, up)}
    person = make_person(body.model_copy(update={"pose": body.pose.model_copy(update=hands)}))
    # The hands hold the carton below its middle.
    return [person, moved(carton, (ahead, 0.0, up - 0.35 * height), 0.0, stands_on=person.name)]


def person_beside_truck(
    random: np.random.Generator, config: PeopleSection, grip_position_m: Vec3, yaw_deg: float
) -> Person:
    """Return a person who walks with heading `yaw_deg` and one hand on a grip of a tiller, 0.75 to 1.1 m high.

    In the frame of the truck, a person with heading 180 leads it by the tiller; a person with heading 0 walks beside it
    in the direction of the forks.
    """
    side = 1 if random.random() < 0.35 else -1
    ahead, aside = round(float(random.uniform(-0.32, 0.12)), 3), round(float(random.uniform(0.26, 0.36)), 3)
    hand = (ahead, side * aside, round(float(grip_position_m[2]), 3))
    pose = _make_pose(random, "walk_beside", hand if side > 0 else None, hand if side < 0 else None)
    person = make_person(draw_person(random, config, pose))
    x, y = to_parent_frame(-hand[0], -hand[1], yaw_deg, grip_position_m)
    return moved(person, (float(x), float(y), 0.0), yaw_deg)


def min_grip_height_m(height_m: float, pose: str) -> float:
    """Return the lowest grip height that a person of `height_m` reaches without bending down.

    The shoulders are at 0.81 of the height, slightly ahead of the hips. From shoulder to fist are 0.332 of the height
    plus 50 mm. When pulling, the trunk turns, which moves the shoulder back above the hips.
    """
    shoulder_ahead = 0.07 * height_m if pose == "push" else -0.07
    across = GRIP_DISTANCE_M - shoulder_ahead if pose == "push" else GRIP_DISTANCE_M + shoulder_ahead
    reach = 0.332 * height_m + 0.05
    return 0.81 * height_m - float(np.sqrt(reach**2 - across**2))


def truck_and_person(
    random: np.random.Generator, config: PeopleSection, parameters: HandPalletTruckParameters, pose_name: str
) -> tuple[HandPalletTruckParameters, Person]:
    """Return a truck with a tilted tiller and the person who holds its grip, in the frame of the truck.

    `pose_name` is "push" (both hands on the grip, facing the forks) or "pull" (one hand behind the back, facing away).
    """
    body = draw_person(random, config, _make_pose(random, pose_name, None, None))
    lowest = min_grip_height_m(body.height_m, pose_name)
    max_tilt = np.degrees(np.arccos((lowest - HAND_TILLER_PIVOT_M) / HAND_TILLER_LENGTH_M))
    tilt = random.uniform(TILLER_TILT_DEG[0], max(TILLER_TILT_DEG[0], min(max_tilt, TILLER_TILT_DEG[1])))
    turn = random.normal(0, 12)
    tilted = {"tiller_tilt_deg": round(float(tilt), 2), "tiller_turn_deg": round(float(np.clip(turn, -35, 35)), 2)}
    truck = parameters.model_copy(update=tilted)
    height = grip_m(truck)[2]
    if pose_name == "push":
        half = round(float(random.uniform(0.13, 0.16)), 3)
        hands, grip = ((GRIP_DISTANCE_M, half, height), (GRIP_DISTANCE_M, -half, height)), (GRIP_DISTANCE_M, 0.0)
    else:
        side = 1 if random.random() < 0.3 else -1
        hand = (-GRIP_DISTANCE_M, side * PULL_ARM_OFFSET_M, height)
        hands, grip = ((hand, None) if side > 0 else (None, hand)), hand[:2]
    pose = body.pose.model_copy(update={"hand_left_m": hands[0], "hand_right_m": hands[1]})
    return truck, _person_at_grip(make_person(body.model_copy(update={"pose": pose})), grip, truck)


def _person_at_grip(person: Person, grip_local_m: tuple[float, float], truck: HandPalletTruckParameters) -> SceneObject:
    """Move the person so that the point `grip_local_m` of the person's frame lies on the grip of the truck.

    The person stands in line with the tiller: facing the truck if the grip is ahead, facing away if it is behind.
    """
    yaw = truck.tiller_turn_deg + (0 if grip_local_m[0] > 0 else 180)
    x, y = to_parent_frame(-grip_local_m[0], -grip_local_m[1], yaw, grip_m(truck))
    return moved(person, (x, y, 0.0), yaw)
