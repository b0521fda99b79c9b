# SPDX-License-Identifier: Apache-2.0
"""Pallet racks and the loads in them."""

from dataclasses import dataclass

import numpy as np

from pipeline.common.randomness import draw_seed
from pipeline.record.objects import Rack, RackParameters, SceneObject
from pipeline.scenes.assets.palettes import RACK_BEAMS, RACK_UPRIGHTS, draw_color
from pipeline.scenes.assets.pallets_and_cartons import Stock, unit_load
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M, rack_length_m
from pipeline.scenes.geometry.free_space import moved

# Largest length and width of loads without a pallet. On the floor, the guards of the uprights leave less room.
MAX_LOAD_ON_BEAMS_M, MAX_LOAD_ON_FLOOR_M = (1.25, 0.85), (1.25, 0.805)
FREE_ABOVE_LOAD_M = 0.1  # a forklift needs it to lift a pallet off the beams


@dataclass(frozen=True)
class RackSlot:
    """A free pallet place at floor level: a point on the front line of the rack, and the heading into the rack."""

    x_m: float
    y_m: float
    yaw_deg: float


def draw_rack(random: np.random.Generator, hall_height_m: float) -> RackParameters:
    """Draw the kind of rack that a hall uses, with one bay. The lowest beams are 1.5 to 2.2 m high."""
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
        seed=draw_seed(random),
    )


def make_rack(parameters: RackParameters) -> Rack:
    """Return an empty rack at the origin."""
    return Rack(name="rack", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters)


def bays_that_fit(parameters: RackParameters, length_m: float) -> int:
    """Return the number of bays of the longest rack of this kind within a length."""
    return int((length_m - parameters.upright_width_m) / (parameters.bay_width_m + parameters.upright_width_m))


def filled_rack(
    random: np.random.Generator, stock: Stock, parameters: RackParameters, hall_height_m: float, fill: float
) -> tuple[list[SceneObject], list[RackSlot]]:
    """Return a rack along x with pallets across it, and the pallet places at floor level that stayed free.

    `fill` (0..1) sets the share of pallet places that are filled. On the floor fewer are filled than on the beams.
    """
    objects: list[SceneObject] = [make_rack(parameters)]
    slots: list[RackSlot] = []
    levels = (0.0, *parameters.level_heights_m)
    positions = _pallet_positions(parameters)
    for level_index, level in enumerate(levels):
        above = levels[level_index + 1] - parameters.beam_height_m if level_index + 1 < len(levels) else hall_height_m
        max_height = above - level - FREE_ABOVE_LOAD_M
        share = 0.65 * fill if level_index == 0 else 0.25 + 0.7 * fill
        support, max_size = ("rack", MAX_LOAD_ON_BEAMS_M) if level_index else ("floor", MAX_LOAD_ON_FLOOR_M)
        for position_index, x in enumerate(positions):
            if random.random() < share:
                group = unit_load(random, stock, min(max_height, 1.9), max_size)
                position = (x + float(random.uniform(-0.012, 0.012)), float(random.uniform(-0.03, 0.03)), level)
                objects += _place_on_shelf(group, f"{level_index}-{position_index}-", support, position)
            elif level_index == 0:
                slots += [RackSlot(x, -parameters.depth_m / 2, 90.0), RackSlot(x, parameters.depth_m / 2, -90.0)]
    return objects, slots


def _place_on_shelf(
    group: list[SceneObject], prefix: str, stands_on: str, position: tuple[float, float, float]
) -> list[SceneObject]:
    """Turn a load across the rack, move it to its position, and make the names of its objects unique by `prefix`."""
    names = {"floor": stands_on} | {scene_object.name: prefix + scene_object.name for scene_object in group}
    return [
        moved(scene_object, position, 90.0, name=names[scene_object.name], stands_on=names[scene_object.stands_on])
        for scene_object in group
    ]


def _pallet_positions(parameters: RackParameters) -> list[float]:
    """Return x of every pallet place. Within a bay, the pallets, 800 mm wide, have equal gaps."""
    per_bay = int(parameters.bay_width_m / (PALLET_SIZE_M[1] + 0.07))
    pitch = parameters.bay_width_m / per_bay
    first = -rack_length_m(parameters) / 2 + parameters.upright_width_m + pitch / 2
    bay_pitch = parameters.bay_width_m + parameters.upright_width_m
    return [first + bay * bay_pitch + place * pitch for bay in range(parameters.bays) for place in range(per_bay)]
