# SPDX-License-Identifier: Apache-2.0
"""The layout "packing": a packing area.

Rules: packing tables stand in a row with their backs to a wall. In front of them is standing room of 1.1 to 1.7 m, then
a conveyor parallel to the tables. Boxes, cartons and roll cages stand between the tables. The pallets that are being
filled stand beyond the conveyor. The opposite wall may have a rack for packing material.
"""

import numpy as np

from pipeline.record.objects import PropParameters
from pipeline.scenes.assets.non_carton_goods import goods_on_floor, make_prop
from pipeline.scenes.assets.pallets_and_cartons import draw_carton_pile, loaded_pallet
from pipeline.scenes.assets.prop_shapes import draw_prop
from pipeline.scenes.assets.racks import draw_rack
from pipeline.scenes.assets.vehicle_shapes import draw_vehicle
from pipeline.scenes.geometry.collision_boxes import rack_length_m
from pipeline.scenes.geometry.floor_area import FloorArea, floor_area, shrink_area
from pipeline.scenes.hall.hall import draw_line_style, floor_line
from pipeline.scenes.layouts.hall_plan import WALL_GAP_M, HallPlan, put_rack, rack_y_at_wall, scatter

STANDING_ROOM_M = (1.1, 1.7)  # between tables and conveyor


def furnish_packing(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Furnish with tables along the wall at low or high y of the area, a conveyor and pallets in front of them."""
    low, high = np.array(area.low_m), np.array(area.high_m)
    side = int(random.choice([-1, 1]))
    wall = low[1] if side < 0 else high[1]
    if random.random() < 0.6:
        _put_material_rack(random, plan, area, -side)
    table = draw_prop(random, "packing_table")
    table_depth = table.size_m[0]
    front = wall - side * (0.15 + table_depth)
    conveyor_y = front - side * random.uniform(*STANDING_ROOM_M)
    if plan.furniture_density > 0:
        _put_tables(random, plan, area, (wall, side), table)
        if random.random() < 0.3 + 0.7 * plan.furniture_density:
            conveyor_y = _put_conveyor(random, plan, area, conveyor_y, side)
    near, far = sorted([front, conveyor_y])
    plan.walkways.append(floor_area((low[0] + 0.6, near + 0.1), (high[0] - 0.6, far - 0.1)))
    plan.forbid_goods(floor_area((low[0], near), (high[0], far)))
    floor = shrink_area(area)
    plan.walkways.append(floor)
    if random.random() < 0.5:
        edge = conveyor_y - side * 0.3
        plan.floor_lines.append(floor_line((low[0] + 0.5, edge), (high[0] - 0.5, edge), draw_line_style(random)))
    _put_pallets_to_fill(random, plan, area, conveyor_y, side)
    scatter(random, plan, floor, round(plan.goods_density * floor.area_m2() / 18), gap_m=0.6)


def _put_material_rack(random: np.random.Generator, plan: HallPlan, area: FloorArea, side: int) -> None:
    """Add a short rack at the wall on this side."""
    rack = draw_rack(random, plan.space.size_m[2])
    rack = rack.model_copy(update={"bays": int(random.integers(1, 5))})
    slack = max((area.high_m[0] - area.low_m[0] - rack_length_m(rack)) / 2 - WALL_GAP_M, 0)
    x = (area.low_m[0] + area.high_m[0]) / 2 + random.uniform(-slack, slack)
    y = rack_y_at_wall(area, side, rack)
    put_rack(random, plan, rack, (float(x), float(y), 0), 0, plan.goods_density)


def _put_tables(
    random: np.random.Generator, plan: HallPlan, area: FloorArea, wall: tuple[float, int], table: PropParameters
) -> None:
    """Add tables side by side that face the hall, with cartons, other goods and roll cages between them."""
    y, side = wall
    table_depth, table_width, _ = table.size_m
    cage = draw_vehicle(random, "roll_cage")
    x = area.low_m[0] + 0.6 + random.uniform(0, 1.5)
    for _ in range(int(random.integers(1, 2 + round(5 * plan.furniture_density)))):
        place = ((float(x + table_width / 2), float(y - side * (0.12 + table_depth / 2)), 0.0), -90.0 * side)
        plan.try_put([make_prop("packing_table", table)], [place], 0.02)
        x += table_width + 0.1
        for _ in range(int(random.integers(0, 3))):
            match random.choice(["cartons", "others", "cage"], p=[0.4, 0.3, 0.3]):
                case "cage":
                    group = [make_prop("roll_cage", cage)]
                case "others":
                    goods = plan.stock.other_goods
                    group = goods_on_floor(random, goods) if goods.share > 0 else []
                    group = group or draw_carton_pile(random, plan.stock)
                case _:
                    group = draw_carton_pile(random, plan.stock)
            plan.try_put(group, [((float(x + 0.45), float(y - side * 0.65), 0.0), -90.0 * side)], 0.03)
            x += 0.95


def _put_conveyor(random: np.random.Generator, plan: HallPlan, area: FloorArea, y_m: float, side: int) -> float:
    """Add equal conveyor segments end to end along x; return y of the far side."""
    segment = draw_prop(random, "conveyor")
    length, belt_width, _ = segment.size_m
    x = area.low_m[0] + random.uniform(0.8, 3.0)
    for _ in range(int(random.integers(1, 5))):
        if x + length > area.high_m[0] - 1.2:
            break
        place = ((float(x + length / 2), y_m - side * belt_width / 2, 0.0), 0.0)
        plan.try_put([make_prop("conveyor", segment)], [place], 0.002)
        x += length + 0.006
    return y_m - side * belt_width


def _put_pallets_to_fill(random: np.random.Generator, plan: HallPlan, area: FloorArea, y_m: float, side: int) -> None:
    """Add single pallets in a row along the conveyor, 1.1 m from it."""
    for x in np.arange(area.low_m[0] + 1.2, area.high_m[0] - 1.2, 1.6):
        if random.random() < 0.2 + 0.5 * plan.goods_density:
            place = ((float(x + random.normal(0, 0.1)), float(y_m - side * 1.1), 0.0), float(random.normal(0, 3)))
            plan.try_put(loaded_pallet(random, plan.stock, 1.6), [place], 0.1)
