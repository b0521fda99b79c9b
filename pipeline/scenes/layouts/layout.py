# SPDX-License-Identifier: Apache-2.0
"""What a hall is furnished with. Props, trucks and people come later.

Six layouts follow the rules of a warehouse that somebody works in (each in its own file, its rules at its top); chaos
is for all that nobody thought of. By default seven pictures in ten are orderly. Whatever wall a layout leaves free is
stocked last (layout_walls.py).
"""

import numpy as np

from pipeline.config.world import GoodsSection
from pipeline.scenes.assets.pallets_and_cartons import draw_whole_stock
from pipeline.scenes.assets.racks import draw_rack
from pipeline.scenes.geometry.free_space import Space
from pipeline.scenes.geometry.walkways import Walkway
from pipeline.scenes.hall.hall import draw_size
from pipeline.scenes.layouts.aisle import aisle
from pipeline.scenes.layouts.block_storage import block
from pipeline.scenes.layouts.dock import dock
from pipeline.scenes.layouts.furnished_hall import (
    Setting,
    anywhere,
    column,
    column_kind,
    floor_of,
    put_rack,
    rectangle_of,
    scatter,
)
from pipeline.scenes.layouts.packing import packing
from pipeline.scenes.layouts.staging import staging
from pipeline.scenes.layouts.wall_storage import stock_walls

ORDERLY = {"aisle": aisle, "staging": staging, "dock": dock, "packing": packing, "block": block}


def furnish(random: np.random.Generator, layout: str, config: GoodsSection) -> Setting:
    """Return a hall with its racks, columns and goods."""
    space = Space(draw_size(random, layout))
    setting = Setting(
        space,
        draw_whole_stock(random, config),
        square=layout != "chaos",
        density=float(random.uniform(*config.fill)),
        furniture=float(random.uniform(*config.furniture)),
    )
    half = np.array(space.size_m[:2]) / 2
    {**ORDERLY, "mixed": _mixed, "chaos": _chaos}[layout](random, setting, rectangle_of(-half, half))
    stock_walls(random, setting, float(random.uniform(*config.along_walls)))
    return setting


def _mixed(random: np.random.Generator, setting: Setting, area: Walkway) -> None:
    """Two of the orderly layouts, one at each end of the hall."""
    names = random.permutation(list(ORDERLY))[:2]
    middle = area.low_m[0] + random.uniform(0.4, 0.6) * (area.high_m[0] - area.low_m[0])
    ORDERLY[names[0]](random, setting, Walkway(area.low_m, (float(middle), area.high_m[1]), 0.0))
    ORDERLY[names[1]](random, setting, Walkway((float(middle), area.low_m[1]), area.high_m, 0.0))


def _chaos(random: np.random.Generator, setting: Setting, area: Walkway) -> None:
    """Racks, columns and goods in all directions."""
    height = setting.space.size_m[2]
    floor = floor_of(area)
    setting.walkways.append(floor)
    kind = draw_rack(random, height)
    for _ in range(random.integers(0, 4)):
        rack_kind = kind.model_copy(update={"bays": int(random.integers(1, 4))})
        x, y = floor.draw(random)
        put_rack(random, setting, rack_kind, (float(x), float(y), 0), float(random.uniform(-180, 180)), setting.density)
    kind = column_kind(random, height)
    for _ in range(random.integers(0, 5)):
        turned = anywhere(random, floor, 4, lambda: float(random.uniform(-45, 45)))
        setting.try_put([column(kind)], turned, 0.3)
    scatter(random, setting, floor, round(setting.density * floor.area_m2() / 8), gap_m=0.25)
