# SPDX-License-Identifier: Apache-2.0
"""Trucks and people put where the camera sees them, from far to near, and where they make sense.

Trucks snap to what trucks are parked at: a free slot of a rack, a wall of pallets, a row, a look-alike. People stand
before what they work at, and together.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.common.randomness import choose
from pipeline.config.config import Config
from pipeline.config.world import TrucksSection
from pipeline.record.objects import Imported, Prop, Thing
from pipeline.scenes.actors.activities import at_goods, beside, draw_crew, driven_truck, near_slots
from pipeline.scenes.actors.in_view import (
    GAP_M,
    Turn,
    View,
    along_traffic,
    as_places,
    backs_to_camera,
    in_view,
    put_as_subject,
    put_in_view,
    with_backs_to_camera,
)
from pipeline.scenes.assets.custom_meshes import as_thing, draw_own, row_of_own
from pipeline.scenes.assets.pallet_trucks import (
    TruckParameters,
    as_truck,
    draw_fleet,
    fits_pallet,
    parked,
    row_of_trucks,
    with_pallet,
)
from pipeline.scenes.geometry.collision_boxes import TRUCK_REAR_M, volumes
from pipeline.scenes.geometry.free_space import Place, find_place
from pipeline.scenes.layouts.furnished_hall import Setting

OUT_OF_VIEW = 0.04  # share of groups that may stand anywhere, seen or not
TRIES_ANYWHERE = 2000
AT_GOODS = 0.6  # share of people alone who are at a rack or a load


class NoRoomError(Exception):
    """The hall is too full for the people and trucks that were asked for."""


@dataclass(frozen=True)
class Counts:
    people: int
    trucks: int
    pairs: int


def draw_counts(random: np.random.Generator, config: Config) -> Counts:
    """Draw how many people and trucks there are, those who work together (`pairs`) among them.

    Both ranges count evenly, except that nothing at all comes up as often as `empty` says (or always, if the ranges
    allow nothing else); a working pair needs one of each, so it raises a zero that the ranges allow to be one.
    """
    people = range(config.people.count[0], config.people.count[1] + 1)
    trucks = range(config.trucks.count[0], config.trucks.count[1] + 1)
    all_counts = [(p, t) for p in people for t in trucks if p + t > 0]
    pair_counts = [(p, t) for p, t in all_counts if p and t]
    if random.random() < config.layout.empty or not all_counts:
        return Counts(0, 0, 0)
    works = bool(pair_counts) and random.random() < config.people.working_pairs
    choices = pair_counts if works else all_counts
    chosen = choices[random.integers(len(choices))]
    pairs = 1 + int(min(chosen) > 1 and random.random() < 0.25) if works else 0
    return Counts(*chosen, pairs)


def add_actors(random: np.random.Generator, config: Config, view: View, counts: Counts) -> None:
    """Put so many trucks and people into the hall.

    Raises:
        NoRoomError: a group found no free place anywhere.
    """
    fleet = draw_fleet(random, config.trucks)
    for _ in range(counts.pairs):
        _place(random, view, driven_truck(random, config.people, view.setting.stock, fleet))
    _add_trucks(random, config, view, fleet, counts.trucks - counts.pairs)
    _add_people(random, config, view, counts.people - counts.pairs)


def _add_trucks(
    random: np.random.Generator, config: Config, view: View, fleet: list[TruckParameters], count: int
) -> None:
    """Park trucks: alone, in a row, in or before a rack, with the forks in a pallet, by a look-alike."""
    left = count
    while left > 0:
        where = choose(random, config.trucks.places)
        if where == "row" and left > 1:
            row = min(left, int(random.integers(2, 5)))
            own = draw_own(random, view.setting.own, config.trucks.own, "pallet_truck", "row")
            trucks = row_of_own(random, own, row) if own else row_of_trucks(random, fleet, row)
            _place(random, view, trucks, turn=_draw_turn(random, config.trucks))
            left -= row
        else:
            _park_one(random, config, view, fleet, "free" if where == "row" else where)
            left -= 1


def _park_one(
    random: np.random.Generator, config: Config, view: View, fleet: list[TruckParameters], where: str
) -> None:
    truck = parked(random, fleet)
    group, places = [as_truck(truck)], None
    own = draw_own(random, view.setting.own, config.trucks.own, "pallet_truck", where)
    if own:
        group = [as_thing(own, rear_m=TRUCK_REAR_M)]
    if where == "pallet" and fits_pallet(truck):
        raised = truck.fork_length_m > 1 and random.random() < 0.4
        group = with_pallet(random, truck, view.setting.stock, raised)
    elif where == "rack" and view.setting.slots:
        places = near_slots(random, view, group, config.trucks.under_beams)
    elif where == "beside" and (others := _lookalikes(view.setting)):
        places = beside(random, others[random.integers(len(others))])
    turn = _draw_turn(random, config.trucks)
    if places and turn is backs_to_camera:
        places = with_backs_to_camera(view, places)
    _place(random, view, group, places, turn)


def _draw_turn(random: np.random.Generator, config: TrucksSection) -> Turn:
    return backs_to_camera if random.random() < config.tiller_to_camera else along_traffic


def _lookalikes(setting: Setting) -> list[Prop | Imported]:
    return [thing for thing in setting.space.things if thing.name in setting.parked]


def _add_people(random: np.random.Generator, config: Config, view: View, count: int) -> None:
    left = count
    while left > 0:
        if own := draw_own(random, view.setting.own, config.people.own, "pedestrian"):
            _place(random, view, [as_thing(own)])
            left -= 1
            continue
        crew = draw_crew(random, config.people, view.setting.stock, left)
        at = at_goods(random, view, crew) if crew.reach_m and random.random() < AT_GOODS else None
        _place(random, view, crew.things, at)
        left -= crew.people


def _place(
    random: np.random.Generator,
    view: View,
    group: list[Thing],
    wanted: list[Place] | None = None,
    turn: Turn = along_traffic,
) -> None:
    """Put a group where the camera aims, on a wanted place, where it is seen well, or in part, or (rarely) anywhere."""
    setting = view.setting
    if put_as_subject(random, view, group, turn):
        return
    if random.random() > OUT_OF_VIEW:
        if wanted and put_in_view(view, group, wanted, 0.35):
            return
        for visible in (0.1,) if random.random() < 0.15 else (0.5, 0.1):
            if put_in_view(view, group, in_view(random, view, group, turn), visible):
                return
    half = np.array(setting.space.size_m[:2]) / 2
    points = random.uniform(-half, half, (TRIES_ANYWHERE, 2))
    places = as_places(points, turn(random, view, points))
    place = find_place(setting.space, volumes(group), places, GAP_M)
    if place is None:
        names = ", ".join(thing.asset for thing in group)
        raise NoRoomError(f"no free place for {names}; lower people.count, trucks.count or goods.fill")
    setting.space.put(group, *place)
