# SPDX-License-Identifier: Apache-2.0
"""Pallet racks and what stands in them: groups of things to be put into a hall."""

from dataclasses import dataclass

import numpy as np

from pipeline.record.objects import Rack, RackParameters, SceneObject
from pipeline.scenes.assets.palettes import RACK_BEAMS, RACK_UPRIGHTS, draw_color
from pipeline.scenes.assets.pallets_and_cartons import SEED_RANGE, Stock, unit_load
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M, rack_length_m
from pipeline.scenes.geometry.free_space import moved

# Length and width of loads that need no pallet: guards at the feet of the uprights take room from those on the floor.
WIDEST_ON_BEAMS_M, WIDEST_BELOW_M = (1.25, 0.85), (1.25, 0.805)
FREE_ABOVE_LOAD_M = 0.1  # what a fork lift needs to lift a pallet off its beams


@dataclass(frozen=True)
class RackSlot:
    """A free place for a pallet at floor level of a rack: on its front line, `yaw_deg` looking into the rack."""

    x_m: float
    y_m: float
    yaw_deg: float


def draw_rack(random: np.random.Generator, hall_height_m: float) -> RackParameters:
    """Draw the kind of rack that a hall uses; `bays` is to be replaced. The floor level is open below 1.5 to 2.2 m."""
    height_limit = hall_height_m - 0.4
    levels = [random.uniform(1.5, 2.2)]
    pitch = random.uniform(1.1, 1.9)
    while levels[-1] + pitch + 0.9 < height_limit and len(levels) < 4:
        levels.append(levels[-1] + pitch)
    height = min(levels[-1] + random.uniform(0.1, 1.0), height_limit)
    return RackParameters(
        bays=1,
        bay_width_m=float(random.choice([1.825, 2.7, 3.6], p=[0.25, 0.65, 0.1])),
        depth_m=1.1,
        height_m=round(float(height), 3),
        level_heights_m=tuple(round(float(level), 3) for level in levels),
        upright_width_m=round(float(random.uniform(0.08, 0.12)), 3),
        beam_height_m=round(float(random.uniform(0.1, 0.14)), 3),
        upright_rgb=draw_color(random, RACK_UPRIGHTS),
        beam_rgb=draw_color(random, RACK_BEAMS),
        guards=bool(random.random() < 0.5),
        wear=round(float(random.beta(2, 3)), 3),
        seed=int(random.integers(SEED_RANGE)),
    )


def filled_rack(
    random: np.random.Generator, stock: Stock, parameters: RackParameters, hall_height_m: float, fill: float
) -> tuple[list[SceneObject], list[RackSlot]]:
    """A rack along x with pallets standing across it, and the places at floor level that stayed empty.

    `fill` is the share of taken places on the beams; fewer are taken on the floor, where people pick and park.
    """
    rack = Rack(name="rack", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters)
    things, slots = [rack], []
    levels = (0.0, *parameters.level_heights_m)
    places = _places_along(parameters)
    for number, level in enumerate(levels):
        above = levels[number + 1] - parameters.beam_height_m if number + 1 < len(levels) else hall_height_m
        most = above - level - FREE_ABOVE_LOAD_M
        share = 0.65 * fill if number == 0 else 0.25 + 0.7 * fill
        for place, x in enumerate(places):
            if random.random() < share:
                group = unit_load(random, stock, min(most, 1.9), WIDEST_ON_BEAMS_M if number else WIDEST_BELOW_M)
                position = (x + float(random.uniform(-0.012, 0.012)), float(random.uniform(-0.03, 0.03)), level)
                things += _shelved(group, f"{number}-{place}-", "rack" if number else "floor", position)
            elif number == 0:
                slots += [RackSlot(x, -parameters.depth_m / 2, 90.0), RackSlot(x, parameters.depth_m / 2, -90.0)]
    return things, slots


def _shelved(
    group: list[SceneObject], prefix: str, stands_on: str, position: tuple[float, float, float]
) -> list[SceneObject]:
    """Move a load across the rack onto its place and tell its names from those of the other places."""
    names = {"floor": stands_on} | {thing.name: prefix + thing.name for thing in group}
    return [moved(thing, position, 90.0, name=names[thing.name], stands_on=names[thing.stands_on]) for thing in group]


def _places_along(parameters: RackParameters) -> list[float]:
    """Return x of every pallet place: the pallets of 800 mm stand in a bay with equal gaps."""
    per_bay = int(parameters.bay_width_m / (PALLET_SIZE_M[1] + 0.07))
    pitch = parameters.bay_width_m / per_bay
    first = -rack_length_m(parameters) / 2 + parameters.upright_width_m + pitch / 2
    bay_pitch = parameters.bay_width_m + parameters.upright_width_m
    return [first + bay * bay_pitch + place * pitch for bay in range(parameters.bays) for place in range(per_bay)]
