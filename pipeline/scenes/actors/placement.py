# SPDX-License-Identifier: Apache-2.0
"""Place trucks and people where the camera sees them, at all distances, and where they are found in a warehouse.

Trucks stand in a free slot of a rack, with the forks in a pallet, in a row, or beside a look-alike. People stand in
front of the goods they work at, and in groups.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.config.stages import SampleConfig
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
from pipeline.scenes.geometry.collision_boxes import HAND_TRUCK_REAR_M, world_boxes
from pipeline.scenes.geometry.free_space import Place, first_free_place
from pipeline.scenes.layouts.hall_plan import HallPlan

OUT_OF_VIEW_SHARE = 0.04  # share of groups that may stand anywhere, in view or not
MAX_TRIES_ANYWHERE = 2000
AT_GOODS_SHARE = 0.6  # share of single people who stand at a rack or a load


@dataclass(frozen=True)
class ActorCounts:
    """Numbers of people and trucks; each of the `pairs` is one of these people with one of these trucks."""

    people: int
    trucks: int
    pairs: int


def draw_counts(random: np.random.Generator, config: SampleConfig) -> ActorCounts:
    """Draw the numbers of people, trucks and working pairs.

    An image is empty with the probability `layout.empty`, or always if both ranges only allow 0. Otherwise all
    combinations of the two ranges are equally likely, without (0, 0). In images with a working pair, only the
    combinations with at least one person and one truck are drawn.
    """
    people = range(config.people.count[0], config.people.count[1] + 1)
    trucks = range(config.trucks.count[0], config.trucks.count[1] + 1)
    all_counts = [counts for counts in product(people, trucks) if any(counts)]
    pair_counts = [counts for counts in all_counts if all(counts)]
    if random.random() < config.layout.empty or not all_counts:
        return ActorCounts(0, 0, 0)
    has_pairs = bool(pair_counts) and random.random() < config.people.working_pairs
    choices = pair_counts if has_pairs else all_counts
    chosen = choices[random.integers(len(choices))]
    pairs = 1 + int(min(chosen) > 1 and random.random() < 0.25) if has_pairs else 0
    return ActorCounts(*chosen, pairs)


def add_actors(random: np.random.Generator, config: SampleConfig, view: View, counts: ActorCounts) -> None:
    """Add the trucks and people to the hall. A group that finds no free place is left out."""
    fleet = draw_fleet(random, config.trucks)
    for _ in range(counts.pairs):
        _place_group(random, view, draw_truck_with_person(random, config.people, view.plan.stock, fleet))
    _add_trucks(random, config, view, fleet, counts.trucks - counts.pairs)
    _add_people(random, config, view, counts.people - counts.pairs)


def _add_trucks(
    random: np.random.Generator, config: SampleConfig, view: View, fleet: list[TruckParameters], count: int
) -> None:
    """Park trucks: single or in a row, at a rack, with the forks in a pallet, or beside a look-alike."""
    remaining = count
    while remaining > 0:
        placement = choose_weighted(random, config.trucks.places)
        if placement == "row" and remaining > 1:
            row_length = min(remaining, int(random.integers(2, 5)))
            mesh = draw_custom_mesh(random, view.plan.custom_meshes, config.trucks.custom_share, "pallet_truck", "row")
            if mesh:
                trucks = row_of_custom_objects(random, mesh, row_length)
            else:
                trucks = row_of_trucks(random, fleet, row_length)
            _place_group(random, view, trucks, draw_headings=_draw_heading_sampler(random, config.trucks))
            remaining -= row_length
        else:
            _park_truck(random, config, view, fleet, "free" if placement == "row" else placement)
            remaining -= 1


def _park_truck(
    random: np.random.Generator, config: SampleConfig, view: View, fleet: list[TruckParameters], placement: str
) -> None:
    """Park a single truck; `placement` is a key of `trucks.places`."""
    truck = draw_parked_truck(random, fleet)
    group, places = [make_truck(truck)], None
    mesh = draw_custom_mesh(random, view.plan.custom_meshes, config.trucks.custom_share, "pallet_truck", placement)
    if mesh:
        group = [make_custom_object(mesh, rear_m=HAND_TRUCK_REAR_M)]
    if placement == "pallet" and fits_pallet(truck):
        raised = truck.fork_length_m > 1 and random.random() < 0.4
        group = truck_with_pallet(random, truck, view.plan.stock, raised)
    elif placement == "rack" and view.plan.rack_slots:
        places = places_at_rack_slots(random, view, group, config.trucks.under_beams)
    elif placement == "beside" and (lookalikes := _placed_lookalikes(view.plan)):
        places = places_beside(random, lookalikes[random.integers(len(lookalikes))])
    draw_headings = _draw_heading_sampler(random, config.trucks)
    if places and draw_headings is draw_headings_from_camera:
        places = keep_backs_to_camera(view, places)
    _place_group(random, view, group, places, draw_headings)


def _draw_heading_sampler(random: np.random.Generator, config: TrucksSection) -> HeadingSampler:
    """Draw whether parked trucks turn their tiller to the camera."""
    return draw_headings_from_camera if random.random() < config.tiller_to_camera else draw_traffic_headings


def _placed_lookalikes(plan: HallPlan) -> list[Prop | CustomObject]:
    return [scene_object for scene_object in plan.space.objects if scene_object.name in plan.lookalike_names]


def _add_people(random: np.random.Generator, config: SampleConfig, view: View, count: int) -> None:
    remaining = count
    while remaining > 0:
        if mesh := draw_custom_mesh(random, view.plan.custom_meshes, config.people.custom_share, "pedestrian"):
            _place_group(random, view, [make_custom_object(mesh)])
            remaining -= 1
            continue
        people_group = draw_people_group(random, config.people, view.plan.stock, remaining)
        works_at_goods = people_group.reach_m and random.random() < AT_GOODS_SHARE
        preferred_places = places_at_goods(random, view, people_group) if works_at_goods else None
        _place_group(random, view, people_group.objects, preferred_places)
        remaining -= people_group.people


def _place_group(
    random: np.random.Generator,
    view: View,
    group: list[SceneObject],
    preferred_places: list[Place] | None = None,
    draw_headings: HeadingSampler = draw_traffic_headings,
) -> None:
    """Add a group to the hall.

    The first of these places with room is used: the place that the camera aims at, a preferred place, a place where the
    group is well visible, a place where it is partly visible, any place, in view or not. For a few groups only the last
    kind counts. If no place has room, the group is left out.
    """
    plan = view.plan
    if put_as_subject(random, view, group, draw_headings):
        return
    if random.random() > OUT_OF_VIEW_SHARE:
        if preferred_places and put_in_view(view, group, preferred_places, 0.35):
            return
        for min_visible_share in (0.1,) if random.random() < 0.15 else (0.5, 0.1):
            if put_in_view(view, group, propose_places_in_view(random, view, group, draw_headings), min_visible_share):
                return
    half = np.array(plan.space.size_m[:2]) / 2
    points = random.uniform(-half, half, (MAX_TRIES_ANYWHERE, 2))
    places = make_places(points, draw_headings(random, view, points))
    place = first_free_place(plan.space, world_boxes(group), places, MIN_GAP_M)
    if place is not None:
        plan.space.put(group, *place)
