# SPDX-License-Identifier: Apache-2.0
"""Groups of people and trucks by activity, and the places where they work: at goods, racks and look-alikes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.common.randomness import choose_weighted, draw_seed
from pipeline.config.world import PeopleSection
from pipeline.record.objects import (
    Carton,
    CustomObject,
    ElectricPalletTruckParameters,
    EurPallet,
    Prop,
    Rack,
    SceneObject,
)
from pipeline.scenes.actors.person_groups import (
    SEAT_EDGE_M,
    carrying_person,
    draw_pose,
    make_person,
    person_beside_truck,
    sitting_person,
    talking_pair,
    truck_and_person,
)
from pipeline.scenes.actors.visible_placement import View, make_places, select_by_distance
from pipeline.scenes.assets.pallet_trucks import (
    TruckParameters,
    draw_from_fleet,
    electric_grip_m,
    fits_pallet,
    make_truck,
    truck_with_pallet,
)
from pipeline.scenes.assets.pallets_and_cartons import Stock, pallet_pile
from pipeline.scenes.assets.people import draw_person
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M, rack_length_m, world_boxes
from pipeline.scenes.geometry.free_space import Place, moved, overlaps
from pipeline.scenes.geometry.transform import to_parent_frame

# Distance from the hips to the front of a working person, as in collision_boxes.py.
REACH_M = {"reach": 0.75, "bend": 1.05, "scan": 0.75, "crouch": 0.88, "stand": 0.5}
ELECTRIC_TILT_DEG = (36.0, 58.0)  # the head of the tiller is then 0.8 to 1.07 m high
GRIP_OFFSET_M = 0.12  # from the middle of the tiller head to each grip
WALK_BESIDE_SHARE = 0.3  # share of people who walk beside an electric truck; the others walk in front of it
MAX_OVERLAP_TRIES = 200
PILE_OFFSET_M = 0.025  # largest overhang of the upper pallets of a pile
CARRIED_SIZE_RANGE_M = ((0.22, 0.3, 0.16), (0.4, 0.48, 0.36))  # smallest and largest carton that a person carries


@dataclass(frozen=True)
class PeopleGroup:
    """A group with `people` people in it. `reach_m` is the reach of a person who works at goods, None for others."""

    objects: list[SceneObject]
    people: int
    reach_m: float | None = None


def draw_truck_with_person(
    random: np.random.Generator, config: PeopleSection, stock: Stock, fleet: list[TruckParameters]
) -> list[SceneObject]:
    """Return a truck, empty or with a pallet, and the person who pushes, pulls or leads it."""
    truck, person = _draw_without_overlap(lambda: _truck_with_person(random, config, draw_from_fleet(random, fleet)))
    if fits_pallet(truck.parameters) and truck.parameters.fork_length_m > 1 and random.random() < 0.55:
        return [*truck_with_pallet(random, truck.parameters, stock, raised=True), person]
    return [truck, person]


def _draw_without_overlap(draw: Callable[[], list[SceneObject]]) -> list[SceneObject]:
    """Draw groups until the first object of a group overlaps none of its others: bags and legs need space.

    Raises:
        RuntimeError: all groups overlap.
    """
    for _ in range(MAX_OVERLAP_TRIES):
        group = draw()
        if not overlaps(world_boxes(group[:1]), world_boxes(group[1:]), 0.0):
            return group
    assets = ", ".join(scene_object.asset for scene_object in group)
    raise RuntimeError(f"the objects of this group overlap in all of {MAX_OVERLAP_TRIES} tries: {assets}")


def _truck_with_person(
    random: np.random.Generator, config: PeopleSection, parameters: TruckParameters
) -> list[SceneObject]:
    """Return a truck and the person who pushes or pulls it, or who leads an electric truck by one grip."""
    parameters = parameters.model_copy(update={"seed": draw_seed(random)})
    if not isinstance(parameters, ElectricPalletTruckParameters):
        truck, person = truck_and_person(random, config, parameters, str(random.choice(["push", "pull"])))
        return [make_truck(truck), person]
    tilted = {
        "tiller_tilt_deg": round(float(random.uniform(*ELECTRIC_TILT_DEG)), 2),
        "tiller_turn_deg": round(float(np.clip(random.normal(0, 10), -30, 30)), 2),
    }
    truck = parameters.model_copy(update=tilted)
    grip = electric_grip_m(truck, float(random.choice([-GRIP_OFFSET_M, GRIP_OFFSET_M])))
    heading = 0.0 if random.random() < WALK_BESIDE_SHARE else 180.0
    return [make_truck(truck), person_beside_truck(random, config, grip, truck.tiller_turn_deg + heading)]


def draw_people_group(random: np.random.Generator, config: PeopleSection, stock: Stock, max_people: int) -> PeopleGroup:
    """Draw an activity and return its group of one or two people, at most `max_people`."""
    activity = choose_weighted(random, config.activities)
    if activity == "talk" and max_people > 1:
        return PeopleGroup(talking_pair(random, config), 2)
    if activity == "sit":
        return PeopleGroup(_draw_without_overlap(lambda: _sitting_group(random, config, stock)), 1)
    if activity == "carry":
        return PeopleGroup(_carrying_group(random, config, stock), 1)
    pose = draw_pose(random, config)
    return PeopleGroup([make_person(draw_person(random, config, pose))], 1, REACH_M.get(pose.name))


def _sitting_group(random: np.random.Generator, config: PeopleSection, stock: Stock) -> list[SceneObject]:
    """Return a person who sits on the long side of a pile of two to four pallets, and the pile."""
    count = int(random.integers(2, 5))
    middle = SEAT_EDGE_M - PALLET_SIZE_M[1] / 2 - PILE_OFFSET_M
    aside = float(random.uniform(-0.15, 0.15))
    pile = [moved(scene_object, (middle, aside, 0), 90) for scene_object in pallet_pile(random, stock, count)]
    return [sitting_person(random, config, count * PALLET_SIZE_M[2]), *pile]


def _carrying_group(random: np.random.Generator, config: PeopleSection, stock: Stock) -> list[SceneObject]:
    """Return a person and the carton that the person carries."""
    parameters = stock.cartons[random.integers(len(stock.cartons))]
    size = tuple(round(float(side), 3) for side in random.uniform(*CARRIED_SIZE_RANGE_M))
    carton = Carton(
        name="carton", position_m=(0, 0, 0), yaw_deg=0, stands_on="person", instance_id=0,
        parameters=parameters.model_copy(update={"size_m": size}),
    )  # fmt: skip
    return carrying_person(random, config, carton)


def places_at_goods(random: np.random.Generator, view: View, people_group: PeopleGroup) -> list[Place]:
    """Return places in front of racks and pallets, facing them, whose camera distances fit log-uniform heights."""
    spots = [
        spot
        for scene_object in view.plan.space.objects
        if isinstance(scene_object, Rack) or (isinstance(scene_object, EurPallet) and scene_object.stands_on == "floor")
        for spot in _access_points(random, scene_object)
    ]
    if not spots:
        return []
    x, y, yaw = select_by_distance(random, view, people_group.objects, np.array(spots)).T
    distance = people_group.reach_m + random.uniform(0.06, 0.3, len(x))
    points = np.column_stack(to_parent_frame(-distance, 0.0, yaw, (x, y)))
    return make_places(points, yaw + random.normal(0, 6, len(x)))


def _access_points(random: np.random.Generator, scene_object: Rack | EurPallet) -> list[tuple[float, float, float]]:
    """Return (x, y, heading towards the goods) of points at both long sides of a rack, or at one side of a pallet."""
    if isinstance(scene_object, Rack):
        half = rack_length_m(scene_object.parameters) / 2
        face = scene_object.parameters.depth_m / 2 + 0.1
        sides = [(x, side * face, -90.0 * side) for x in random.uniform(-half, half, 6) for side in (-1, 1)]
    else:
        half_x, half_y = PALLET_SIZE_M[0] / 2, PALLET_SIZE_M[1] / 2
        all_sides = [(half_x, 0.0, 180.0), (-half_x, 0.0, 0.0), (0.0, half_y, -90.0), (0.0, -half_y, 90.0)]
        sides = [all_sides[random.integers(4)]]
    return [
        (*to_parent_frame(x, y, scene_object.yaw_deg, scene_object.position_m), yaw + scene_object.yaw_deg)
        for x, y, yaw in sides
    ]


def places_at_rack_slots(
    random: np.random.Generator, view: View, group: list[SceneObject], under_share: float
) -> list[Place]:
    """Return places at free rack slots whose camera distances fit log-uniform heights.

    A truck stands under the lowest beam (`under_share`), with its forks in the rack, or in front of the rack.
    """
    slots = np.array([(slot.x_m, slot.y_m, slot.yaw_deg) for slot in view.plan.rack_slots])
    x, y, yaw = select_by_distance(random, view, group, slots).T
    count = len(x)
    distance = np.where(random.random(count) < 0.75, random.uniform(0.1, 0.7, count), random.uniform(1.6, 1.8, count))
    distance = np.where(random.random(count) < under_share, random.uniform(-0.6, 0.05, count), distance)
    points = np.column_stack(to_parent_frame(-distance, 0.0, yaw, (x, y)))
    return make_places(points, yaw + random.normal(0, 3, count))


def places_beside(random: np.random.Generator, other: Prop | CustomObject) -> list[Place]:
    """Return places at both sides of a parked object, with the same or the opposite heading."""
    count = 16
    side = random.choice([-1, 1], count)
    left = side * (other.parameters.size_m[1] / 2 + random.uniform(0.4, 1.0, count))
    ahead = random.uniform(-0.5, 0.5, count) * other.parameters.size_m[0]
    points = np.column_stack(to_parent_frame(ahead, left, other.yaw_deg, other.position_m))
    return make_places(points, other.yaw_deg + random.choice([0, 180], count) + random.normal(0, 5, count))
