# SPDX-License-Identifier: Apache-2.0
"""The layout "staging": a staging area.

Rules: pallets stand in blocks of straight lanes, 80 to 300 mm apart, with at least 1.3 m between blocks. The pallets of
a block are all loaded or all empty. Painted lines may surround a block. Racks stand along walls only.
"""

import numpy as np

from pipeline.scenes.assets.pallets_and_cartons import unit_load
from pipeline.scenes.assets.racks import draw_rack
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M, rack_length_m
from pipeline.scenes.geometry.floor_area import FloorArea, shrink_area
from pipeline.scenes.geometry.free_space import first_free_place, moved
from pipeline.scenes.hall.hall import draw_line_style, floor_line_rectangle
from pipeline.scenes.layouts.hall_plan import (
    WALL_GAP_M,
    HallPlan,
    add_columns,
    draw_pallet_pile,
    draw_places,
    put_rack,
    rack_y_at_wall,
    scatter,
)


def furnish_staging(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Furnish with racks along up to two walls, a grid of columns, and blocks of pallets on the open floor."""
    low, high = np.array(area.low_m), np.array(area.high_m)
    length = high[0] - low[0]
    rack = draw_rack(random, plan.space.size_m[2])
    bays = int((length - random.uniform(1, 6)) / (rack.bay_width_m + rack.upright_width_m))
    rack = rack.model_copy(update={"bays": max(1, bays)})
    for side in random.permutation([-1, 1])[: random.integers(0, 3)]:
        slack = (length - rack_length_m(rack)) / 2 - WALL_GAP_M
        x = (low[0] + high[0]) / 2 + random.uniform(-slack, slack)
        y = rack_y_at_wall(area, side, rack)
        put_rack(random, plan, rack, (float(x), float(y), 0), 0, plan.goods_density)
    if random.random() < 0.6:
        add_columns(random, plan, area)
    floor = shrink_area(area)
    plan.walkways.append(floor)
    style = draw_line_style(random) if random.random() < 0.7 else None
    for _ in range(round(plan.goods_density * floor.area_m2() / 45)):
        _add_lane_block(random, plan, floor, style)
    scatter(random, plan, floor, round(plan.goods_density * floor.area_m2() / 25), gap_m=0.7)


def _add_lane_block(random: np.random.Generator, plan: HallPlan, floor: FloorArea, style: dict | None) -> None:
    """Add a block of pallets in straight lanes, all loaded or all piles of empty pallets; `style` None: no line."""
    columns, rows = int(random.integers(1, 5)), int(random.integers(1, 4))
    pitch = np.array(PALLET_SIZE_M[:2]) + random.uniform(0.08, 0.3, 2)
    size = pitch * (columns, rows)
    yaw = float(random.choice([0, 90]))
    outline = Boxes(np.array([(0, 0, 0, *size, 0, 2.2)]))
    place = first_free_place(plan.space, outline, draw_places(random, floor, 12, lambda: yaw), gap_m=1.3)
    if place is None:
        return
    is_empties_block = random.random() < 0.2
    for x in (np.arange(columns) + 0.5) * pitch[0] - size[0] / 2:
        for y in (np.arange(rows) + 0.5) * pitch[1] - size[1] / 2:
            if random.random() < 0.4 + 0.55 * plan.goods_density:
                group = draw_pallet_pile(random, plan.stock) if is_empties_block else unit_load(random, plan.stock)
                shift, yaw_jitter = random.uniform(-0.015, 0.015, 2), float(random.normal(0, 0.5))
                placed = [
                    moved(scene_object, (x + shift[0], y + shift[1], 0), np.clip(yaw_jitter, -1, 1))
                    for scene_object in group
                ]
                plan.try_put(placed, [place], 0.0)
    if style is not None:
        half = (size if yaw == 0 else size[::-1]) / 2 + 0.15
        middle = np.array(place[0][:2])
        plan.floor_lines += floor_line_rectangle(tuple(middle - half), tuple(middle + half), style)
