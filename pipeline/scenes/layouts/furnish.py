# SPDX-License-Identifier: Apache-2.0
"""Furnish a hall: columns, racks and goods. Furniture, look-alikes, trucks and people come later.

Six layouts follow the rules of a working warehouse; each has a module of its own with its rules at the top. The layout
"chaos" follows no rules, so that the images also show what the rules exclude. Last, the free parts of the walls get
storage (wall_storage.py).
"""

import numpy as np

from pipeline.config.world import GoodsSection
from pipeline.scenes.assets.pallets_and_cartons import draw_goods_stock
from pipeline.scenes.assets.racks import draw_rack
from pipeline.scenes.geometry.floor_area import FloorArea, floor_area, shrink_area
from pipeline.scenes.geometry.free_space import HallSpace
from pipeline.scenes.hall.hall import draw_hall_size
from pipeline.scenes.layouts.aisle import furnish_aisle
from pipeline.scenes.layouts.block_storage import furnish_block
from pipeline.scenes.layouts.dock import furnish_dock
from pipeline.scenes.layouts.hall_plan import (
    HallPlan,
    draw_column_parameters,
    draw_places,
    make_column,
    put_rack,
    scatter,
)
from pipeline.scenes.layouts.packing import furnish_packing
from pipeline.scenes.layouts.staging import furnish_staging
from pipeline.scenes.layouts.wall_storage import add_wall_storage

ORDERLY_LAYOUTS = {
    "aisle": furnish_aisle,
    "staging": furnish_staging,
    "dock": furnish_dock,
    "packing": furnish_packing,
    "block": furnish_block,
}


def furnish_hall(random: np.random.Generator, layout: str, config: GoodsSection) -> HallPlan:
    """Return a hall with racks, columns and goods, furnished by one layout."""
    space = HallSpace(draw_hall_size(random, layout))
    plan = HallPlan(
        space,
        draw_goods_stock(random, config),
        orderly=layout != "chaos",
        goods_density=float(random.uniform(*config.fill)),
        furniture_density=float(random.uniform(*config.furniture)),
    )
    half = np.array(space.size_m[:2]) / 2
    furnish = {**ORDERLY_LAYOUTS, "mixed": _furnish_mixed, "chaos": _furnish_chaos}[layout]
    furnish(random, plan, floor_area(-half, half))
    add_wall_storage(random, plan, float(random.uniform(*config.along_walls)))
    return plan


def _furnish_mixed(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Furnish each half of the hall with another of the orderly layouts."""
    names = random.permutation(list(ORDERLY_LAYOUTS))[:2]
    middle = area.low_m[0] + random.uniform(0.4, 0.6) * (area.high_m[0] - area.low_m[0])
    ORDERLY_LAYOUTS[names[0]](random, plan, FloorArea(area.low_m, (float(middle), area.high_m[1]), 0.0))
    ORDERLY_LAYOUTS[names[1]](random, plan, FloorArea((float(middle), area.low_m[1]), area.high_m, 0.0))


def _furnish_chaos(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Add racks, columns and goods at random places and headings."""
    height = plan.space.size_m[2]
    floor = shrink_area(area)
    plan.walkways.append(floor)
    rack = draw_rack(random, height)
    for _ in range(random.integers(0, 4)):
        sized_rack = rack.model_copy(update={"bays": int(random.integers(1, 4))})
        x, y = floor.draw(random)
        yaw = float(random.uniform(-180, 180))
        put_rack(random, plan, sized_rack, (float(x), float(y), 0), yaw, plan.goods_density)
    column = draw_column_parameters(random, height)
    for _ in range(random.integers(0, 5)):
        turned_places = draw_places(random, floor, 4, lambda: float(random.uniform(-45, 45)))
        plan.try_put([make_column(column)], turned_places, 0.3)
    scatter(random, plan, floor, round(plan.goods_density * floor.area_m2() / 8), gap_m=0.25)
