# SPDX-License-Identifier: Apache-2.0
"""People and what they work with: a truck, a load, a seat, each other.

Reach follows the body proportions of Drillis and Contini 1966 (as in Winter, Biomechanics and Motor Control of Human
Movement).
"""

import numpy as np

from pipeline.common.randomness import choose_weighted, draw_seed
from pipeline.config.world import PeopleSection
from pipeline.record.base_types import Vec3
from pipeline.record.objects import Carton, HandPalletTruckParameters, Person, PersonParameters, Pose, SceneObject
from pipeline.scenes.assets.pallet_trucks import grip_m
from pipeline.scenes.assets.people import draw_person
from pipeline.scenes.geometry.collision_boxes import TILLER_LENGTH_M, TILLER_PIVOT_M
from pipeline.scenes.geometry.free_space import moved

GRIP_DISTANCE_M = 0.45  # from the hips to the grip bar, ahead when pushing, behind when pulling
PULL_ARM_OFFSET_M = 0.22  # the pulling arm hangs beside the body
TILLER_TILT_DEG = (29.0, 55.0)
CARRY_GAP_M = 0.17  # from the hips to a load's near side
SEAT_EDGE_M = 0.2  # the seat's edge lies so far ahead of the hips of who sits on it
TALK_DISTANCE_M = (0.9, 1.5)  # from hips to hips


def draw_pose(random: np.random.Generator, config: PeopleSection) -> Pose:
    """What somebody does alone and without a truck."""
    return _make_pose(random, choose_weighted(random, config.poses_alone), None, None)


def _make_pose(
    random: np.random.Generator, name: str, left: Vec3 | None, right: Vec3 | None, seat_m: float | None = None
) -> Pose:
    phase, seed = round(float(random.random()), 3), draw_seed(random)
    return Pose(name=name, phase=phase, seed=seed, hand_left_m=left, hand_right_m=right, seat_m=seat_m)


def make_person(parameters: PersonParameters, name: str = "person") -> Person:
    """The person at the origin; it gets its instance id when all trucks and people are there."""
    return Person(name=name, position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters)


def sitting_person(random: np.random.Generator, config: PeopleSection, seat_m: float, name: str = "person") -> Person:
    """Return somebody who sits on an edge `seat_m` high (0.14 to 0.65), which runs along y at x = SEAT_EDGE_M.

    The seat lies behind the edge, below the origin; `_person` in volumes.py leaves room for it.
    """
    return make_person(
        draw_person(random, config, _make_pose(random, "sit", None, None, round(float(seat_m), 3))), name
    )


def talking_pair(random: np.random.Generator, config: PeopleSection) -> list[Person]:
    """Return two who talk, the first at the origin, both turned to each other."""
    bearing, distance = random.normal(0, 25), random.uniform(*TALK_DISTANCE_M)
    angle = np.radians(bearing)
    second_position = (float(distance * np.cos(angle)), float(distance * np.sin(angle)), 0.0)
    yaws = bearing + random.normal(0, 12), bearing + 180 + random.normal(0, 15)
    pair = [
        make_person(draw_person(random, config, _make_pose(random, "talk", None, None)), f"person_{i}") for i in (1, 2)
    ]
    return [moved(pair[0], (0, 0, 0), float(yaws[0])), moved(pair[1], second_position, float(yaws[1]))]


def carrying_person(random: np.random.Generator, config: PeopleSection, carton: Carton) -> list[SceneObject]:
    """Return somebody who carries `carton` (0.28 to 0.5 m wide, at most 0.45 m long and high) and the carton in place.

    The carton is a thing of its own without a label: COCO's people do not hold what they carry.
    """
    length, width, height = carton.parameters.size_m
    body = draw_person(random, config, _make_pose(random, "carry", None, None))
    middle = CARRY_GAP_M + length / 2 + 0.04 * (body.weight - 0.5)
    up = round(float(body.height_m * random.uniform(0.57, 0.62)), 3)
    ahead = round(float(middle), 3)
    hands = {"hand_left_m": (ahead, width / 2, up), "hand_right_m": (ahead, -width / 2, up)}
    person = make_person(body.model_copy(update={"pose": body.pose.model_copy(update=hands)}))
    # The hands hold it low.
    return [person, moved(carton, (ahead, 0.0, up - 0.35 * height), 0.0, stands_on=person.name)]


def person_beside_truck(
    random: np.random.Generator, config: PeopleSection, grip_position_m: Vec3, yaw_deg: float
) -> Person:
    """Return somebody who walks with one hand on a tiller's grip at `grip_at_m`, 0.75 to 1.1 m high, facing `yaw_deg`.

    Heading 180 in the frame of a truck leads it by the tiller, heading 0 walks beside it the way its forks point.
    """
    side = 1 if random.random() < 0.35 else -1
    ahead, aside = round(float(random.uniform(-0.32, 0.12)), 3), round(float(random.uniform(0.26, 0.36)), 3)
    hand = (ahead, side * aside, round(float(grip_position_m[2]), 3))
    pose = _make_pose(random, "walk_beside", hand if side > 0 else None, hand if side < 0 else None)
    person = make_person(draw_person(random, config, pose))
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    x, y, _ = grip_position_m
    hips = (x - cos * hand[0] + sin * hand[1], y - sin * hand[0] - cos * hand[1], 0.0)
    return moved(person, (float(hips[0]), float(hips[1]), 0.0), yaw_deg)


def min_grip_height_m(height_m: float, pose: str) -> float:
    """Return the lowest grip height that the arms of somebody reach without bowing.

    Shoulders at 0.81 of the height, leaning a little ahead; from shoulder to fist 0.332 of the height + 50 mm.
    When pulling, the trunk turns, so that the shoulder comes back to above the hips.
    """
    shoulder_ahead = 0.07 * height_m if pose == "push" else -0.07
    across = GRIP_DISTANCE_M - shoulder_ahead if pose == "push" else GRIP_DISTANCE_M + shoulder_ahead
    reach = 0.332 * height_m + 0.05
    return 0.81 * height_m - float(np.sqrt(reach**2 - across**2))


def truck_and_person(
    random: np.random.Generator, config: PeopleSection, parameters: HandPalletTruckParameters, pose_name: str
) -> tuple[HandPalletTruckParameters, Person]:
    """Return a truck with its tiller leant out and the person who pushes or pulls it by the grip, in the truck's frame.

    Args:
        name: "push" (behind the tiller, facing the forks) or "pull" (ahead of it, facing away, one hand behind).
    """
    body = draw_person(random, config, _make_pose(random, pose_name, None, None))
    lowest = min_grip_height_m(body.height_m, pose_name)
    max_tilt = np.degrees(np.arccos((lowest - TILLER_PIVOT_M) / TILLER_LENGTH_M))
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
    """Put the person so that the point `grip_own_m` of the own frame lies on the truck's grip, in line with the tiller.

    Whoever has the grip ahead faces along the tiller towards the truck, whoever has it behind faces away from it.
    """
    yaw = truck.tiller_turn_deg + (0 if grip_local_m[0] > 0 else 180)
    cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    x, y, _ = grip_m(truck)
    hips = (x - cos * grip_local_m[0] + sin * grip_local_m[1], y - sin * grip_local_m[0] - cos * grip_local_m[1], 0.0)
    return moved(person, hips, yaw)
