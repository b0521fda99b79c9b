# SPDX-License-Identifier: Apache-2.0
"""The layout "aisle": rack aisles.

Rules: racks stand back to back in pairs, 220 to 300 mm apart, with straight aisles between the pairs. The width of an
aisle depends on its vehicles: 1.8 m for hand pallet trucks, up to 4.3 m for forklifts. Both ends of an aisle stay open.
Within an aisle stand only single loads that are being picked, close to a rack.
"""

import numpy as np

from pipeline.record.objects import RackParameters
from pipeline.scenes.assets.pallets_and_cartons import loaded_pallet
from pipeline.scenes.assets.racks import bays_that_fit, draw_rack
from pipeline.scenes.geometry.collision_boxes import rack_length_m
from pipeline.scenes.geometry.floor_area import FloorArea, floor_area
from pipeline.scenes.hall.hall import draw_line_style, floor_line
from pipeline.scenes.layouts.hall_plan import RACK_LOAD_OVERHANG_M, WALL_GAP_M, HallPlan, put_rack, scatter


def furnish_aisle(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Furnish with rows of racks along x, aisles between them, and open floor at both ends."""
    low, high = np.array(area.low_m), np.array(area.high_m)
    length = high[0] - low[0]
    rack = draw_rack(random, plan.space.size_m[2])
    bays = bays_that_fit(rack, length - min(random.uniform(4, 9), 0.5 * length))
    rack = rack.model_copy(update={"bays": max(1, bays)})
    free_length = (length - rack_length_m(rack)) / 2
    middle = (low[0] + high[0]) / 2 + random.uniform(-1, 1) * max(free_length - 1.2, 0)
    half_length = rack_length_m(rack) / 2
    style, painted = draw_line_style(random), random.random() < 0.7
    aisle_width = random.uniform(1.8, 4.3)
    for y in _put_rack_rows(random, plan, area, rack, middle, aisle_width):
        walkway = floor_area((middle - half_length, y - aisle_width / 2), (middle + half_length, y + aisle_width / 2))
        plan.walkways.append(walkway)
        _add_picked_loads(random, plan, walkway)
        if painted:
            for edge in (y - aisle_width / 2 + 0.1, y + aisle_width / 2 - 0.1):
                plan.floor_lines.append(floor_line((middle - half_length, edge), (middle + half_length, edge), style))
    for start, stop in ((low[0], middle - half_length), (middle + half_length, high[0])):
        if stop - start > 2:
            end = floor_area((start + 0.3, low[1] + 0.3), (stop - 0.3, high[1] - 0.3), 90.0)
            plan.walkways.append(end)
            scatter(random, plan, end, int(plan.goods_density * end.area_m2() / 9), gap_m=0.5)


def _put_rack_rows(
    random: np.random.Generator,
    plan: HallPlan,
    area: FloorArea,
    rack: RackParameters,
    middle_m: float,
    aisle_width_m: float,
) -> list[float]:
    """Add the rows of racks and return y of the center line of each aisle."""
    half, back = rack.depth_m / 2, random.uniform(0.22, 0.3)
    pair = 2 * rack.depth_m + back
    center = (area.low_m[1] + area.high_m[1]) / 2
    limit = (area.high_m[1] - area.low_m[1]) / 2 - WALL_GAP_M - rack.depth_m - RACK_LOAD_OVERHANG_M
    first = random.uniform(-1, 1) * max(limit - aisle_width_m / 2, 0) * 0.5
    middles = [first + step * (aisle_width_m + pair) for step in (-1, 0, 1)]
    middles = [center + y for y in middles if abs(y) + aisle_width_m / 2 <= limit]
    fill = float(np.clip(plan.goods_density + random.normal(0, 0.15), 0, 1))
    for y in sorted({round(y + side * (aisle_width_m / 2 + half), 4) for y in middles for side in (-1, 1)}):
        put_rack(random, plan, rack, (float(middle_m), float(y), 0), 0, fill)
    return middles


def _add_picked_loads(random: np.random.Generator, plan: HallPlan, walkway: FloorArea) -> None:
    """Add single loads along the sides of an aisle; most of its width stays free."""
    aisle_width = walkway.high_m[1] - walkway.low_m[1]
    for _ in range(random.poisson(1.2 * plan.goods_density) if aisle_width > 2.2 else 0):
        side = random.choice([-1, 1])
        x = float(random.uniform(walkway.low_m[0] + 0.7, walkway.high_m[0] - 0.7))
        y = float((walkway.low_m[1] + walkway.high_m[1]) / 2 + side * (aisle_width / 2 - 0.55))
        group = loaded_pallet(random, plan.stock)
        plan.try_put(group, [((x, y, 0.0), float(random.normal(0, 2)))], 0.02)
