# SPDX-License-Identifier: Apache-2.0
"""Trucks and people put where the camera sees them, from far to near, and where they make sense.

Trucks snap to what trucks are parked at: a free slot of a rack, a wall of pallets, a row, a look-alike. People stand
before what they work at, and together.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.config.config import Config
from pipeline.config.world import TrucksSection
from pipeline.record.objects import CustomObject, Prop, SceneObject
from pipeline.scenes.actors.activities import (
    draw_people_group,
    draw_truck_with_person,
    places_at_goods,
    places_at_rack_slots,
    places_beside,
)
from pipeline.scenes.actors.visible_placement import (
    MIN_GAP_M,
    HeadingSampler,
    View,
    draw_headings_from_camera,
    draw_traffic_headings,
    keep_backs_to_camera,
    make_places,
    propose_places_in_view,
    put_as_subject,
    put_in_view,
)
from pipeline.scenes.assets.custom_meshes import draw_custom_mesh, make_custom_object, row_of_custom_objects
from pipeline.scenes.assets.pallet_trucks import (
    TruckParameters,
    draw_fleet,
    draw_parked_truck,
    fits_pallet,
    make_truck,
    row_of_trucks,
    truck_with_pallet,
)
from pipeline.scenes.geometry.collision_boxes import TRUCK_REAR_M, world_boxes
from pipeline.scenes.geometry.free_space import Place, first_free_place
from pipeline.scenes.layouts.hall_plan import HallPlan

OUT_OF_VIEW = 0.04  # share of groups that may stand anywhere, seen or not
TRIES_ANYWHERE = 2000
AT_GOODS = 0.6  # share of people alone who are at a rack or a load


class NoRoomError(Exception):
    """The hall is too full for the people and trucks that were asked for."""


@dataclass(frozen=True)
class ActorCounts:
    people: int
    trucks: int
    pairs: int


def draw_counts(random: np.random.Generator, config: Config) -> ActorCounts:
    """Draw how many people and trucks there are, those who work together (`pairs`) among them.

    Both ranges count evenly, except that nothing at all comes up as often as `empty` says (or always, if the ranges
    allow nothing else); a working pair needs one of each, so it raises a zero that the ranges allow to be one.
    """
    people = range(config.people.count[0], config.people.count[1] + 1)
    trucks = range(config.trucks.count[0], config.trucks.count[1] + 1)
    all_counts = [(p, t) for p in people for t in trucks if p + t > 0]
    pair_counts = [(p, t) for p, t in all_counts if p and t]
    if random.random() < config.layout.empty or not all_counts:
        return ActorCounts(0, 0, 0)
    works = bool(pair_counts) and random.random() < config.people.working_pairs
    choices = pair_counts if works else all_counts
    chosen = choices[random.integers(len(choices))]
    pairs = 1 + int(min(chosen) > 1 and random.random() < 0.25) if works else 0
    return ActorCounts(*chosen, pairs)


def add_actors(random: np.random.Generator, config: Config, view: View, counts: ActorCounts) -> None:
    """Put so many trucks and people into the hall.

    Raises:
        NoRoomError: a group found no free place anywhere.
    """
    fleet = draw_fleet(random, config.trucks)
    for _ in range(counts.pairs):
        _place(random, view, draw_truck_with_person(random, config.people, view.setting.stock, fleet))
    _add_trucks(random, config, view, fleet, counts.trucks - counts.pairs)
    _add_people(random, config, view, counts.people - counts.pairs)


def _add_trucks(
    random: np.random.Generator, config: Config, view: View, fleet: list[TruckParameters], count: int
) -> None:
    """Park trucks: alone, in a row, in or before a rack, with the forks in a pallet, by a look-alike."""
    left = count
    while left > 0:
        where = choose_weighted(random, config.trucks.places)
        if where == "row" and left > 1:
            row = min(left, int(random.integers(2, 5)))
            own = draw_custom_mesh(random, view.setting.own, config.trucks.custom_share, "pallet_truck", "row")
            trucks = row_of_custom_objects(random, own, row) if own else row_of_trucks(random, fleet, row)
            _place(random, view, trucks, turn=_draw_turn(random, config.trucks))
            left -= row
        else:
            _park_one(random, config, view, fleet, "free" if where == "row" else where)
            left -= 1


def _park_one(
    random: np.random.Generator, config: Config, view: View, fleet: list[TruckParameters], where: str
) -> None:
    truck = draw_parked_truck(random, fleet)
    group, places = [make_truck(truck)], None
    own = draw_custom_mesh(random, view.setting.own, config.trucks.custom_share, "pallet_truck", where)
    if own:
        group = [make_custom_object(own, rear_m=TRUCK_REAR_M)]
    if where == "pallet" and fits_pallet(truck):
        raised = truck.fork_length_m > 1 and random.random() < 0.4
        group = truck_with_pallet(random, truck, view.setting.stock, raised)
    elif where == "rack" and view.setting.slots:
        places = places_at_rack_slots(random, view, group, config.trucks.under_beams)
    elif where == "beside" and (others := _lookalikes(view.setting)):
        places = places_beside(random, others[random.integers(len(others))])
    turn = _draw_turn(random, config.trucks)
    if places and turn is draw_headings_from_camera:
        places = keep_backs_to_camera(view, places)
    _place(random, view, group, places, turn)


def _draw_turn(random: np.random.Generator, config: TrucksSection) -> HeadingSampler:
    return draw_headings_from_camera if random.random() < config.tiller_to_camera else draw_traffic_headings


def _lookalikes(setting: HallPlan) -> list[Prop | CustomObject]:
    return [thing for thing in setting.space.things if thing.name in setting.parked]


def _add_people(random: np.random.Generator, config: Config, view: View, count: int) -> None:
    left = count
    while left > 0:
        if own := draw_custom_mesh(random, view.setting.own, config.people.custom_share, "pedestrian"):
            _place(random, view, [make_custom_object(own)])
            left -= 1
            continue
        crew = draw_people_group(random, config.people, view.setting.stock, left)
        at = places_at_goods(random, view, crew) if crew.reach_m and random.random() < AT_GOODS else None
        _place(random, view, crew.things, at)
        left -= crew.people


def _place(
    random: np.random.Generator,
    view: View,
    group: list[SceneObject],
    wanted: list[Place] | None = None,
    turn: HeadingSampler = draw_traffic_headings,
) -> None:
    """Put a group where the camera aims, on a wanted place, where it is seen well, or in part, or (rarely) anywhere."""
    setting = view.setting
    if put_as_subject(random, view, group, turn):
        return
    if random.random() > OUT_OF_VIEW:
        if wanted and put_in_view(view, group, wanted, 0.35):
            return
        for visible in (0.1,) if random.random() < 0.15 else (0.5, 0.1):
            if put_in_view(view, group, propose_places_in_view(random, view, group, turn), visible):
                return
    half = np.array(setting.space.size_m[:2]) / 2
    points = random.uniform(-half, half, (TRIES_ANYWHERE, 2))
    places = make_places(points, turn(random, view, points))
    place = first_free_place(setting.space, world_boxes(group), places, MIN_GAP_M)
    if place is None:
        names = ", ".join(thing.asset for thing in group)
        raise NoRoomError(f"no free place for {names}; lower people.count, trucks.count or goods.fill")
    setting.space.put(group, *place)
