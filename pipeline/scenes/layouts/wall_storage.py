# SPDX-License-Identifier: Apache-2.0
"""Storage along the walls of every hall, whatever its layout.

Rules: the free parts of a wall are divided into sections. A section holds one kind of storage, with its back to the
wall. Photographs of warehouses show hardly any bare wall: racks, waiting loads and piles of empty pallets stand there.
"""

from collections.abc import Callable

import numpy as np

from pipeline.common.randomness import draw_seed
from pipeline.record.objects import SceneObject
from pipeline.scenes.assets.non_carton_goods import goods_on_floor
from pipeline.scenes.assets.pallets_and_cartons import draw_carton_pile, loaded_pallet, stacked_pallets
from pipeline.scenes.assets.racks import bays_that_fit, draw_rack
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M
from pipeline.scenes.geometry.walls import Wall, hall_walls
from pipeline.scenes.layouts.hall_plan import RACK_LOAD_OVERHANG_M, WALL_GAP_M, HallPlan, draw_pallet_pile, put_rack

SECTION_LENGTH_M = (2.0, 7.0)  # of a section, filled or left free
SECTION_KINDS = {"rack": 0.3, "stacks": 0.25, "loads": 0.2, "empties": 0.15, "goods": 0.1}
MAX_STACK_HEIGHT_M = 3.5


def add_wall_storage(random: np.random.Generator, plan: HallPlan, share: float) -> None:
    """Add storage along `share` of the walls, where the layout left room for it."""
    for wall in hall_walls(plan.space.size_m):
        along, end = -wall.length_m / 2 + random.uniform(0.3, 1.5), wall.length_m / 2 - 0.3
        while (section_length := min(random.uniform(*SECTION_LENGTH_M), end - along)) > SECTION_LENGTH_M[0]:
            if random.random() < share:
                _put_section(random, plan, wall, along, section_length)
            along += section_length + random.uniform(0.1, 0.5)


def _put_section(
    random: np.random.Generator, plan: HallPlan, wall: Wall, start_m: float, section_length_m: float
) -> None:
    """Add one section that begins `start_m` from the middle of the wall; to the left is negative."""
    section_kind = random.choice(list(SECTION_KINDS), p=list(SECTION_KINDS.values()))
    if section_kind == "rack":
        _put_wall_rack(random, plan, wall, start_m, section_length_m)
        return
    make_group = _group_factory(random, plan, section_kind)
    pitch = PALLET_SIZE_M[1] + random.uniform(0.08, 0.3)
    depth = WALL_GAP_M + PALLET_SIZE_M[0] / 2
    for along in np.arange(start_m + pitch / 2, start_m + section_length_m - pitch / 2, pitch):
        if random.random() < 0.4 + 0.6 * plan.goods_density:
            point = wall.floor_point(along, depth + random.uniform(0, 0.1))
            group = make_group()
            yaw = wall.yaw_deg + float(np.clip(random.normal(0, 1.5), -4, 4))
            plan.try_put(group, [((*point, 0.0), yaw)], 0.03)


def _put_wall_rack(
    random: np.random.Generator, plan: HallPlan, wall: Wall, start_m: float, section_length_m: float
) -> None:
    """Add a rack that fills the section, of the same kind as the other racks of the hall."""
    racks = plan.racks()
    rack = racks[0].parameters if racks else draw_rack(random, plan.space.size_m[2])
    if bays := bays_that_fit(rack, section_length_m):
        point = wall.floor_point(start_m + section_length_m / 2, WALL_GAP_M + RACK_LOAD_OVERHANG_M + rack.depth_m / 2)
        parameters = rack.model_copy(update={"bays": bays})
        put_rack(random, plan, parameters, (*point, 0.0), wall.yaw_deg - 90.0, plan.goods_density)


def _group_factory(random: np.random.Generator, plan: HallPlan, section_kind: str) -> Callable[[], list[SceneObject]]:
    """Return a function that builds one group of a section. "stacks" hold one kind of goods."""
    stock = plan.stock
    max_height = min(plan.space.size_m[2] - 0.8, MAX_STACK_HEIGHT_M)
    match section_kind:
        case "stacks":
            seed, level_limit = draw_seed(random), int(random.integers(1, 4))
            return lambda: stacked_pallets(
                np.random.default_rng(seed), stock, int(random.integers(1, level_limit + 1)), max_height
            )
        case "loads":
            return lambda: loaded_pallet(random, stock)
        case "empties":
            return lambda: draw_pallet_pile(random, stock)
        case _:  # "goods"
            return lambda: (
                goods_on_floor(random, stock.other_goods)
                if stock.other_goods.share > 0
                else draw_carton_pile(random, stock)
            )
