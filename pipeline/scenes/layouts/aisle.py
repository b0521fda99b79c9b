# SPDX-License-Identifier: Apache-2.0
"""Rack aisles. Rules: racks stand two by two back to back, 220 to 300 mm apart, with straight aisles between them.

Aisles are as wide as what drives in them needs (1.8 m for hand trucks .. 4.3 m for fork lifts); both ends stay open, so
that trucks get around; in an aisle stand only single loads that are being picked, close to a rack.
"""

import numpy as np

from pipeline.record.objects import RackParameters
from pipeline.scenes.assets.pallets_and_cartons import loaded_pallet
from pipeline.scenes.assets.racks import draw_rack
from pipeline.scenes.geometry.collision_boxes import rack_length_m
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.hall.hall import draw_line_style, floor_line
from pipeline.scenes.layouts.hall_plan import RACK_LOAD_OVERHANG_M, WALL_GAP_M, HallPlan, floor_area, put_rack, scatter


def furnish_aisle(random: np.random.Generator, setting: HallPlan, area: FloorArea) -> None:
    """Rows of racks along x, with aisles between them and open floor at both ends."""
    low, high = np.array(area.low_m), np.array(area.high_m)
    length = high[0] - low[0]
    kind = draw_rack(random, setting.space.size_m[2])
    bay = kind.bay_width_m + kind.upright_width_m
    bays = max(1, int((length - min(random.uniform(4, 9), 0.5 * length) - kind.upright_width_m) / bay))
    kind = kind.model_copy(update={"bays": bays})
    ends = (length - rack_length_m(kind)) / 2
    middle = (low[0] + high[0]) / 2 + random.uniform(-1, 1) * max(ends - 1.2, 0)
    reach = rack_length_m(kind) / 2
    style, painted = draw_line_style(random), random.random() < 0.7
    wide = random.uniform(1.8, 4.3)
    for y in _put_rows(random, setting, area, kind, middle, wide):
        way = floor_area((middle - reach, y - wide / 2), (middle + reach, y + wide / 2))
        setting.walkways.append(way)
        _pick(random, setting, way)
        if painted:
            for edge in (y - wide / 2 + 0.1, y + wide / 2 - 0.1):
                setting.lines.append(floor_line((middle - reach, edge), (middle + reach, edge), style))
    for start, stop in ((low[0], middle - reach), (middle + reach, high[0])):
        if stop - start > 2:
            end = floor_area((start + 0.3, low[1] + 0.3), (stop - 0.3, high[1] - 0.3), 90.0)
            setting.walkways.append(end)
            scatter(random, setting, end, int(setting.density * end.area_m2() / 9), gap_m=0.5)


def _put_rows(
    random: np.random.Generator,
    setting: HallPlan,
    area: FloorArea,
    kind: RackParameters,
    middle_m: float,
    wide_m: float,
) -> list[float]:
    """Put up the rows and return y of each aisle's middle."""
    half, back = kind.depth_m / 2, random.uniform(0.22, 0.3)
    pair = 2 * kind.depth_m + back
    center = (area.low_m[1] + area.high_m[1]) / 2
    limit = (area.high_m[1] - area.low_m[1]) / 2 - WALL_GAP_M - kind.depth_m - RACK_LOAD_OVERHANG_M
    first = random.uniform(-1, 1) * max(limit - wide_m / 2, 0) * 0.5
    middles = [first + step * (wide_m + pair) for step in (-1, 0, 1)]
    middles = [center + y for y in middles if abs(y) + wide_m / 2 <= limit]
    fill = float(np.clip(setting.density + random.normal(0, 0.15), 0, 1))
    for y in sorted({round(y + side * (wide_m / 2 + half), 4) for y in middles for side in (-1, 1)}):
        put_rack(random, setting, kind, (float(middle_m), float(y), 0), 0, fill)
    return middles


def _pick(random: np.random.Generator, setting: HallPlan, way: FloorArea) -> None:
    """Single loads that were set down along one side of an aisle, most of its width left free."""
    wide = way.high_m[1] - way.low_m[1]
    for _ in range(random.poisson(1.2 * setting.density) if wide > 2.2 else 0):
        side = random.choice([-1, 1])
        x = float(random.uniform(way.low_m[0] + 0.7, way.high_m[0] - 0.7))
        y = float((way.low_m[1] + way.high_m[1]) / 2 + side * (wide / 2 - 0.55))
        group = loaded_pallet(random, setting.stock)
        setting.try_put(group, [((x, y, 0.0), float(random.normal(0, 2)))], 0.02)
