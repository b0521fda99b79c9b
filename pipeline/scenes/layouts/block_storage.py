# SPDX-License-Identifier: Apache-2.0
"""Block storage. Rules: one article in a lane, lanes filled from the back, loads stacked on their own kind.

Two or three loads high, stillages four, IBCs two; lanes stand side by side with 80 to 150 mm between them, at least
2.5 m of gangway before them. The front of a lane may be lower than its back: it is taken from there.
"""

from collections.abc import Callable

import numpy as np

from pipeline.record.objects import SceneObject
from pipeline.scenes.assets.non_carton_goods import MIN_UNIT_LOAD_LENGTH_M, make_stack, max_levels
from pipeline.scenes.assets.pallets_and_cartons import Stock, pallet_pile, stacked_pallets
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.hall.hall import draw_line_style, floor_line
from pipeline.scenes.layouts.hall_plan import WALL_GAP_M, HallPlan, floor_area, scatter, shrink_area

HIGHEST_M = 4.5
Stack = Callable[[int], list[SceneObject]]  # a stack so many levels high


def furnish_block(random: np.random.Generator, setting: HallPlan, area: FloorArea) -> None:
    """Blocks in bands along x with gangways between them; the outer bands stand against the walls."""
    low, high = np.array(area.low_m) + WALL_GAP_M, np.array(area.high_m) - WALL_GAP_M
    gangway = random.uniform(2.5, 4.0)
    depth = int(random.integers(2, 5))
    band = depth * 1.32
    style = draw_line_style(random) if random.random() < 0.7 else None
    y, back_is_low = low[1], True
    while y + band <= high[1]:
        _fill_band(random, setting, (low[0], high[0]), (y, y + band), depth, back_is_low)
        front = y + band if back_is_low else y
        if style is not None:
            setting.lines.append(floor_line((low[0], front), (high[0], front), style))
        # Bands stand back to back: wall, band, gangway, band, band, gangway ...
        y += band + (gangway if back_is_low else 0.15)
        if back_is_low:
            setting.walkways.append(floor_area((low[0] + 0.4, front + 0.2), (high[0] - 0.4, front + gangway - 0.2)))
        back_is_low = not back_is_low
    floor = shrink_area(area)
    setting.walkways.append(floor)
    scatter(random, setting, floor, round(setting.density * floor.area_m2() / 60), gap_m=0.9)


def _fill_band(
    random: np.random.Generator,
    setting: HallPlan,
    x_m: tuple[float, float],
    y_m: tuple[float, float],
    depth: int,
    back_is_low: bool,
) -> None:
    """Blocks of one to five lanes of one article each, side by side; some places stay empty."""
    x = x_m[0] + random.uniform(0, 1)
    room = min(setting.space.size_m[2] - 0.8, HIGHEST_M)
    while x < x_m[1] - 0.9:
        make, size, most = _article(random, setting.stock, room)
        lanes = int(random.integers(1, 6))
        pitch = size[1] + random.uniform(0.08, 0.15)
        if random.random() < 0.25 + 0.7 * setting.density:
            for lane in range(lanes):
                if (middle := x + (lane + 0.5) * pitch) + pitch / 2 <= x_m[1]:
                    _fill_lane(random, setting, middle, y_m if back_is_low else y_m[::-1], depth, make, most)
        x += lanes * pitch + random.choice([0.1, 0.6, 1.4], p=[0.5, 0.3, 0.2])


def _article(random: np.random.Generator, stock: Stock, room_m: float) -> tuple[Stack, tuple[float, float], int]:
    """Return what makes a stack of one article, the article's (length, width) and how many levels it may have."""
    if random.random() < max(stock.others.share, 0.0) and (
        drawn := stock.others.draw(random, ("stillage", "ibc", "crate", "bin"))
    ):
        kind, form = drawn
        most = max_levels(kind, form, room_m)
        if MIN_UNIT_LOAD_LENGTH_M <= form.size_m[0] <= 1.3 and most:
            return lambda levels: make_stack(random, kind, form, levels), form.size_m[:2], most
    if random.random() < 0.15:
        return lambda levels: pallet_pile(random, stock, 5 * levels), PALLET_SIZE_M[:2], 3
    seed = int(random.integers(2**31))

    def pallets(levels: int) -> list[SceneObject]:
        return stacked_pallets(np.random.default_rng(seed), stock, levels, room_m)

    return pallets, PALLET_SIZE_M[:2], int(random.integers(1, 4))


def _fill_lane(
    random: np.random.Generator,
    setting: HallPlan,
    x_m: float,
    y_m: tuple[float, float],
    depth: int,
    make: Stack,
    most: int,
) -> None:
    """One lane from its back `y_m[0]` towards its front `y_m[1]`."""
    taken = int(np.clip(round(depth * (setting.density + random.normal(0.15, 0.25))), 0, depth))
    pitch = (y_m[1] - y_m[0]) / depth
    for number in range(taken):
        lower = number == taken - 1 and random.random() < 0.5
        levels = int(random.integers(1, most + 1)) if lower else most
        y = y_m[0] + (number + 0.5) * pitch + random.uniform(-0.01, 0.01)
        setting.try_put(make(levels), [((float(x_m), float(y), 0.0), 90.0 + float(random.uniform(-0.6, 0.6)))], 0.005)
