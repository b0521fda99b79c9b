# SPDX-License-Identifier: Apache-2.0
"""What stands along the walls of every hall. Rules: free wall is storage; a run holds one sort, its back to the wall.

In photographs of warehouses hardly a metre of bare wall is seen: racks, loads that wait, piles of empty pallets.
"""

from collections.abc import Callable

import numpy as np

from pipeline.record.objects import SceneObject
from pipeline.scenes.assets.non_carton_goods import goods_on_floor
from pipeline.scenes.assets.pallets_and_cartons import draw_carton_pile, loaded_pallet, stacked_pallets
from pipeline.scenes.assets.racks import draw_rack
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M
from pipeline.scenes.geometry.walls import Wall, hall_walls
from pipeline.scenes.layouts.hall_plan import RACK_LOAD_OVERHANG_M, WALL_GAP_M, HallPlan, draw_pallet_pile, put_rack

RUN_M = (2.0, 7.0)  # length of a run, and of a stretch of wall that stays free
RUNS = {"rack": 0.3, "stacks": 0.25, "loads": 0.2, "empties": 0.15, "goods": 0.1}
HIGHEST_M = 3.5


def add_wall_storage(random: np.random.Generator, setting: HallPlan, share: float) -> None:
    """Put runs of storage along `share` of the walls, as far as the layout has left room for them."""
    for wall in hall_walls(setting.space.size_m):
        along, end = -wall.length_m / 2 + random.uniform(0.3, 1.5), wall.length_m / 2 - 0.3
        while (run := min(random.uniform(*RUN_M), end - along)) > RUN_M[0]:
            if random.random() < share:
                _put_run(random, setting, wall, along, run)
            along += run + random.uniform(0.1, 0.5)


def _put_run(random: np.random.Generator, setting: HallPlan, wall: Wall, start_m: float, run_m: float) -> None:
    sort = random.choice(list(RUNS), p=list(RUNS.values()))
    if sort == "rack":
        _put_rack(random, setting, wall, start_m, run_m)
        return
    make = _maker(random, setting, sort)
    pitch = PALLET_SIZE_M[1] + random.uniform(0.08, 0.3)
    deep = WALL_GAP_M + PALLET_SIZE_M[0] / 2
    for along in np.arange(start_m + pitch / 2, start_m + run_m - pitch / 2, pitch):
        if random.random() < 0.4 + 0.6 * setting.density:
            place = wall.place(along, deep + random.uniform(0, 0.1))
            setting.try_put(
                make(), [((*place, 0.0), wall.yaw_deg + float(np.clip(random.normal(0, 1.5), -4, 4)))], 0.03
            )


def _put_rack(random: np.random.Generator, setting: HallPlan, wall: Wall, start_m: float, run_m: float) -> None:
    """A rack of the hall's kind, as long as the run."""
    racks = setting.racks()
    kind = racks[0].parameters if racks else draw_rack(random, setting.space.size_m[2])
    bays = int((run_m - kind.upright_width_m) / (kind.bay_width_m + kind.upright_width_m))
    if bays:
        place = wall.place(start_m + run_m / 2, WALL_GAP_M + RACK_LOAD_OVERHANG_M + kind.depth_m / 2)
        whole = kind.model_copy(update={"bays": bays})
        put_rack(random, setting, whole, (*place, 0.0), wall.yaw_deg - 90.0, setting.density)


def _maker(random: np.random.Generator, setting: HallPlan, sort: str) -> Callable[[], list[SceneObject]]:
    """Return what makes one group of a run: of one article in stacks, of what has come in in loads."""
    stock = setting.stock
    highest = min(setting.space.size_m[2] - 0.8, HIGHEST_M)
    match sort:
        case "stacks":
            seed, most = int(random.integers(2**31)), int(random.integers(1, 4))
            return lambda: stacked_pallets(
                np.random.default_rng(seed), stock, int(random.integers(1, most + 1)), highest
            )
        case "loads":
            return lambda: loaded_pallet(random, stock)
        case "empties":
            return lambda: draw_pallet_pile(random, stock)
        case _:
            return lambda: (
                goods_on_floor(random, stock.others) if stock.others.share > 0 else draw_carton_pile(random, stock)
            )
