# SPDX-License-Identifier: Apache-2.0
"""The layout "block": block storage.

Rules: a lane holds one article and is filled from the back. Loads are stacked on their own kind: pallets up to three
high, stillages four, IBCs two. Lanes stand side by side, 80 to 150 mm apart, with a gangway of at least 2.5 m in front.
The front stack of a lane may be lower than the others, because people take loads from there.
"""

from collections.abc import Callable

import numpy as np

from pipeline.common.randomness import draw_seed
from pipeline.record.objects import SceneObject
from pipeline.scenes.assets.non_carton_goods import MIN_UNIT_LOAD_LENGTH_M, WITHOUT_PALLET_KINDS, make_stack, max_levels
from pipeline.scenes.assets.pallets_and_cartons import Stock, pallet_pile, stacked_pallets
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M
from pipeline.scenes.geometry.floor_area import FloorArea, floor_area, shrink_area
from pipeline.scenes.hall.hall import draw_line_style, floor_line
from pipeline.scenes.layouts.hall_plan import WALL_GAP_M, HallPlan, scatter

MAX_BLOCK_HEIGHT_M = 4.5
StackMaker = Callable[[int], list[SceneObject]]  # number of levels -> stack


def furnish_block(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Furnish with blocks in bands along x, with gangways between them; the outer bands stand at the walls."""
    low, high = np.array(area.low_m) + WALL_GAP_M, np.array(area.high_m) - WALL_GAP_M
    gangway = random.uniform(2.5, 4.0)
    depth = int(random.integers(2, 5))
    band_depth = depth * 1.32
    style = draw_line_style(random) if random.random() < 0.7 else None
    y, back_is_low = low[1], True
    while y + band_depth <= high[1]:
        _fill_band(random, plan, (low[0], high[0]), (y, y + band_depth), depth, back_is_low)
        front = y + band_depth if back_is_low else y
        if style is not None:
            plan.floor_lines.append(floor_line((low[0], front), (high[0], front), style))
        # Bands stand back to back: wall, band, gangway, band, band, gangway, ...
        y += band_depth + (gangway if back_is_low else 0.15)
        if back_is_low:
            plan.walkways.append(floor_area((low[0] + 0.4, front + 0.2), (high[0] - 0.4, front + gangway - 0.2)))
        back_is_low = not back_is_low
    floor = shrink_area(area)
    plan.walkways.append(floor)
    scatter(random, plan, floor, round(plan.goods_density * floor.area_m2() / 60), gap_m=0.9)


def _fill_band(
    random: np.random.Generator,
    plan: HallPlan,
    x_m: tuple[float, float],
    y_m: tuple[float, float],
    depth: int,
    back_is_low: bool,
) -> None:
    """Fill a band with blocks side by side, each of one to five lanes of one article; some blocks stay empty."""
    x = x_m[0] + random.uniform(0, 1)
    max_height = min(plan.space.size_m[2] - 0.8, MAX_BLOCK_HEIGHT_M)
    while x < x_m[1] - 0.9:
        build_stack, size, level_limit = _draw_stack_maker(random, plan.stock, max_height)
        lanes = int(random.integers(1, 6))
        pitch = size[1] + random.uniform(0.08, 0.15)
        if random.random() < 0.25 + 0.7 * plan.goods_density:
            for lane in range(lanes):
                if (middle := x + (lane + 0.5) * pitch) + pitch / 2 <= x_m[1]:
                    _fill_lane(random, plan, middle, y_m if back_is_low else y_m[::-1], depth, build_stack, level_limit)
        x += lanes * pitch + random.choice([0.1, 0.6, 1.4], p=[0.5, 0.3, 0.2])


def _draw_stack_maker(
    random: np.random.Generator, stock: Stock, max_height_m: float
) -> tuple[StackMaker, tuple[float, float], int]:
    """Draw an article; return a function that builds a stack of it, its (length, width), and its level limit."""
    if random.random() < stock.other_goods.share and (drawn := stock.other_goods.draw(random, WITHOUT_PALLET_KINDS)):
        kind, parameters = drawn
        level_limit = max_levels(kind, parameters, max_height_m)
        if MIN_UNIT_LOAD_LENGTH_M <= parameters.size_m[0] <= 1.3 and level_limit:
            return lambda levels: make_stack(random, kind, parameters, levels), parameters.size_m[:2], level_limit
    if random.random() < 0.15:
        return lambda levels: pallet_pile(random, stock, 5 * levels), PALLET_SIZE_M[:2], 3
    seed = draw_seed(random)

    def pallets(levels: int) -> list[SceneObject]:
        return stacked_pallets(np.random.default_rng(seed), stock, levels, max_height_m)

    return pallets, PALLET_SIZE_M[:2], int(random.integers(1, 4))


def _fill_lane(
    random: np.random.Generator,
    plan: HallPlan,
    x_m: float,
    y_m: tuple[float, float],
    depth: int,
    build_stack: StackMaker,
    level_limit: int,
) -> None:
    """Fill a lane from its back `y_m[0]` towards its front `y_m[1]`."""
    filled = int(np.clip(round(depth * (plan.goods_density + random.normal(0.15, 0.25))), 0, depth))
    pitch = (y_m[1] - y_m[0]) / depth
    for number in range(filled):
        is_lower = number == filled - 1 and random.random() < 0.5
        levels = int(random.integers(1, level_limit + 1)) if is_lower else level_limit
        y = y_m[0] + (number + 0.5) * pitch + random.uniform(-0.01, 0.01)
        stack = build_stack(levels)
        place = ((float(x_m), float(y), 0.0), 90.0 + float(random.uniform(-0.6, 0.6)))
        plan.try_put(stack, [place], 0.005)
