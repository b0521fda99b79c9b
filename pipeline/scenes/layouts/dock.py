# SPDX-License-Identifier: Apache-2.0
"""The layout "dock": a loading dock.

Rules: a wall has doors every 4 to 5 m. The floor in front of the doors stays free over a depth of 2.5 to 3.5 m. Behind
this strip, each door has one or two lanes of pallets for the next delivery, filled from the door on. A gangway
separates the lanes of neighboring doors. Unsorted goods stand on the rest of the floor.
"""

import numpy as np

from pipeline.scenes.assets.pallets_and_cartons import unit_load
from pipeline.scenes.geometry.floor_area import FloorArea, floor_area, shrink_area
from pipeline.scenes.geometry.walls import Door
from pipeline.scenes.hall.hall import draw_line_style, floor_line_rectangle
from pipeline.scenes.layouts.hall_plan import HallPlan, draw_pallet_pile, scatter

LANE_SIZE_M = (1.0, 1.35)  # of one pallet place: across and along the lane; pallets stand lengthwise
DOOR_WIDTH_M, DOOR_HEIGHT_M = (2.4, 3.0), (2.8, 3.6)


def furnish_dock(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Furnish with doors in the wall at low or high y of the area, and lanes in front of them."""
    low, high = np.array(area.low_m), np.array(area.high_m)
    side = int(random.choice([-1, 1]))
    wall = low[1] if side < 0 else high[1]
    strip = random.uniform(2.5, 3.5)
    doors = _draw_doors(random, plan, area, side)
    plan.doors += doors
    near, far = sorted([wall, wall - side * strip])
    plan.forbid_goods(floor_area((low[0], near), (high[0], far)))
    floor = shrink_area(area)
    plan.walkways += [floor_area((low[0] + 0.6, near + 0.4), (high[0] - 0.6, far - 0.1)), floor]
    style = draw_line_style(random) if random.random() < 0.75 else None
    max_places = min(int((high[1] - low[1] - strip - 3.0) / LANE_SIZE_M[1]), 6)
    for door in doors:
        lanes = int(random.integers(1, 3))
        for lane in range(lanes):
            x = door.x_m + (lane - (lanes - 1) / 2) * (LANE_SIZE_M[0] + 0.1)
            _fill_dock_lane(random, plan, (x, wall - side * strip), -side, max(max_places, 2), style)
    scatter(random, plan, floor, round(plan.goods_density * floor.area_m2() / 22), gap_m=0.8)


def _draw_doors(random: np.random.Generator, plan: HallPlan, area: FloorArea, side: int) -> list[Door]:
    """Return equal doors at equal distances, as many as fit into the wall."""
    pitch = random.uniform(4.0, 5.0)
    width = round(float(random.uniform(*DOOR_WIDTH_M)), 2)
    height = round(float(min(random.uniform(*DOOR_HEIGHT_M), plan.space.size_m[2] - 0.8)), 2)
    length = area.high_m[0] - area.low_m[0]
    count = max(1, int((length - 1.0) / pitch))
    middle, y = (area.low_m[0] + area.high_m[0]) / 2, area.low_m[1] if side < 0 else area.high_m[1]
    x_positions = middle + (np.arange(count) - (count - 1) / 2) * pitch
    return [Door(round(float(x), 3), round(y, 3), -90.0 * side, width, height) for x in x_positions]


def _fill_dock_lane(
    random: np.random.Generator,
    plan: HallPlan,
    start_m: tuple[float, float],
    inwards: int,
    max_places: int,
    style: dict | None,
) -> None:
    """Add a lane of two to `max_places` pallet places that leads away from a door, filled from the door on."""
    place_count = int(random.integers(2, max_places + 1))
    filled = round(place_count * float(np.clip(plan.goods_density + random.normal(0, 0.3), 0, 1)))
    is_empties_lane = random.random() < 0.12
    for number in range(filled):
        group = draw_pallet_pile(random, plan.stock) if is_empties_lane else unit_load(random, plan.stock, 2.2)
        x, y = start_m[0] + random.normal(0, 0.015), start_m[1] + inwards * (number + 0.5) * LANE_SIZE_M[1]
        plan.try_put(group, [((float(x), float(y), 0.0), 90.0 + float(np.clip(random.normal(0, 0.8), -2, 2)))], 0.02)
    if style is not None:
        ends = sorted([start_m[1], start_m[1] + inwards * place_count * LANE_SIZE_M[1]])
        half = LANE_SIZE_M[0] / 2 + 0.03
        plan.floor_lines += floor_line_rectangle((start_m[0] - half, ends[0]), (start_m[0] + half, ends[1]), style)
