# SPDX-License-Identifier: Apache-2.0
"""What a hall is furnished with: rack aisles, a staging area, or chaos. Trucks and people come later.

About seven pictures in ten should look like a warehouse somebody works in; chaos is for all the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pipeline.cameras import Walkway
from pipeline.goods import (
    Slot,
    Stock,
    carton_pile,
    draw_rack,
    draw_stock,
    filled_rack,
    loaded_pallet,
    pallet_pile,
)
from pipeline.halls import draw_line_style, draw_size, line, rectangle
from pipeline.palettes import COLUMNS, draw_color
from pipeline.parts import Vec3
from pipeline.placing import Place, Space, find_place, moved
from pipeline.scene import FloorLine
from pipeline.things import Column, ColumnParameters, RackParameters, Thing
from pipeline.volumes import PALLET_SIZE_M, Boxes, rack_length_m, volumes

OVERHANG_M = 0.1  # a pallet of 1.2 m across a rack of 1.1 m, set down a little off
WALL_GAP_M = 0.2


@dataclass
class Setting:
    """A furnished hall: what stands in it, where people go, where a truck can be parked under a rack."""

    space: Space
    stock: Stock
    walkways: list[Walkway] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    lines: list[FloorLine] = field(default_factory=list)
    square: bool = True  # things stand square to the walls


def furnish(random: np.random.Generator, layout: str, goods: float) -> Setting:
    """Return a hall with its racks, columns and goods; `goods` 0 empty .. 1 crowded."""
    setting = Setting(Space(draw_size(random, layout)), draw_stock(random), square=layout != "chaos")
    {"aisle": _aisle, "staging": _staging, "chaos": _chaos}[layout](random, setting, goods)
    return setting


def _aisle(random: np.random.Generator, setting: Setting, goods: float) -> None:
    """Rows of racks along x, two by two back to back, with aisles between them and open floor at both ends."""
    length, width, height = setting.space.size_m
    kind = draw_rack(random, height)
    bay = kind.bay_width_m + kind.upright_width_m
    bays = max(2, int((length - random.uniform(4, 9) - kind.upright_width_m) / bay))
    kind = kind.model_copy(update={"bays": bays})
    ends = (length - rack_length_m(kind)) / 2
    middle = random.uniform(-1, 1) * max(ends - 1.2, 0)
    reach = rack_length_m(kind) / 2
    style, painted = draw_line_style(random), random.random() < 0.7
    aisle = random.uniform(1.8, 4.3)
    for y in _aisles(random, setting, kind, middle, aisle, goods):
        setting.walkways.append(Walkway((middle - reach, y - aisle / 2), (middle + reach, y + aisle / 2), 0.0))
        if painted:
            for edge in (y - aisle / 2 + 0.1, y + aisle / 2 - 0.1):
                setting.lines.append(line((middle - reach, edge), (middle + reach, edge), style))
    for low, high in ((-length / 2, middle - reach), (middle + reach, length / 2)):
        if high - low > 2:
            end = Walkway((low + 0.3, -width / 2 + 0.3), (high - 0.3, width / 2 - 0.3), 90.0)
            setting.walkways.append(end)
            _scatter(random, setting, end, int(goods * end.area_m2() / 9), gap_m=0.5)


def _aisles(
    random: np.random.Generator, setting: Setting, kind: RackParameters, middle_m: float, aisle_m: float, goods: float
) -> list[float]:
    """Put up the rows and return y of each aisle's middle: rows of a pair stand back to back, 200 to 300 mm apart."""
    half, back = kind.depth_m / 2, random.uniform(0.22, 0.3)
    pair = 2 * kind.depth_m + back
    limit = setting.space.size_m[1] / 2 - WALL_GAP_M - kind.depth_m - OVERHANG_M
    first = random.uniform(-1, 1) * max(limit - aisle_m / 2, 0) * 0.5
    middles = [first + step * (aisle_m + pair) for step in (-1, 0, 1)]
    middles = [y for y in middles if abs(y) + aisle_m / 2 <= limit]
    fill = float(np.clip(goods + random.normal(0, 0.15), 0, 1))
    for y in sorted({round(y + side * (aisle_m / 2 + half), 4) for y in middles for side in (-1, 1)}):
        _put_rack(random, setting, kind, (middle_m, y, 0), 0, fill)
    return middles


def _put_rack(
    random: np.random.Generator, setting: Setting, kind: RackParameters, place_m: Vec3, yaw_deg: float, fill: float
) -> None:
    """Put up a filled rack and remember its empty slots; nothing happens where it does not fit."""
    rack, slots = filled_rack(random, setting.stock, kind, setting.space.size_m[2], fill)
    outline = Boxes(np.array([(0, 0, 0, rack_length_m(kind), kind.depth_m + 2 * OVERHANG_M, 0, kind.height_m)]))
    if setting.space.fits(outline.moved(place_m, yaw_deg), gap_m=0.01):
        setting.space.put(rack, place_m, yaw_deg)
        cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
        for slot in slots:
            x, y = place_m[0] + cos * slot.x_m - sin * slot.y_m, place_m[1] + sin * slot.x_m + cos * slot.y_m
            setting.slots.append(Slot(float(x), float(y), slot.yaw_deg + yaw_deg))


def _staging(random: np.random.Generator, setting: Setting, goods: float) -> None:
    """Racks along one or two walls, columns in a grid, blocks of pallets in lanes on the open floor."""
    length, width, height = setting.space.size_m
    kind = draw_rack(random, height)
    bays = int((length - random.uniform(1, 6)) / (kind.bay_width_m + kind.upright_width_m))
    kind = kind.model_copy(update={"bays": max(1, bays)})
    for side in random.permutation([-1, 1])[: random.integers(0, 3)]:
        slack = (length - rack_length_m(kind)) / 2 - WALL_GAP_M
        y = side * (width / 2 - WALL_GAP_M - OVERHANG_M - kind.depth_m / 2)
        _put_rack(random, setting, kind, (float(random.uniform(-slack, slack)), y, 0), 0, goods)
    if random.random() < 0.6:
        _columns(random, setting)
    floor = _open_floor(setting.space.size_m)
    setting.walkways.append(floor)
    style = draw_line_style(random) if random.random() < 0.7 else None
    for _ in range(round(goods * floor.area_m2() / 45)):
        _lane_block(random, setting, floor, goods, style)
    _scatter(random, setting, floor, round(goods * floor.area_m2() / 25), gap_m=0.7)


def _open_floor(size_m: Vec3) -> Walkway:
    half = (size_m[0] / 2 - 0.6, size_m[1] / 2 - 0.6)
    return Walkway((-half[0], -half[1]), half, 0.0)


def _columns(random: np.random.Generator, setting: Setting) -> None:
    """Columns in a grid as far as there is room for them."""
    length, width, height = setting.space.size_m
    kind = _column_kind(random, height)
    pitch = random.uniform(5, 8)
    for x in np.arange(-length / 2 + pitch, length / 2 - 1, pitch):
        for y in np.arange(-width / 2 + pitch, width / 2 - 1, pitch):
            _try(setting, [_column(kind)], [((float(x), float(y), 0), 0.0)], 0.1)


def _column_kind(random: np.random.Generator, height_m: float) -> ColumnParameters:
    return ColumnParameters(
        width_m=round(float(random.uniform(0.2, 0.45)), 3),
        height_m=height_m,
        color_rgb=draw_color(random, COLUMNS),
        guard=bool(random.random() < 0.5),
    )


def _column(kind: ColumnParameters) -> Column:
    return Column(name="column", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=kind)


def _lane_block(
    random: np.random.Generator, setting: Setting, floor: Walkway, goods: float, style: dict | None
) -> None:
    """A block of pallets in straight lanes, all loaded or all piles of empty ones, with a line around it or none."""
    columns, rows = int(random.integers(1, 5)), int(random.integers(1, 4))
    pitch = np.array(PALLET_SIZE_M[:2]) + random.uniform(0.08, 0.3, 2)
    size = pitch * (columns, rows)
    yaw = float(random.choice([0, 90]))
    outline = Boxes(np.array([(0, 0, 0, *size, 0, 2.2)]))
    place = find_place(setting.space, outline, _anywhere(random, floor, 12, lambda: yaw), gap_m=1.3)
    if place is None:
        return
    empties = random.random() < 0.2
    for x in (np.arange(columns) + 0.5) * pitch[0] - size[0] / 2:
        for y in (np.arange(rows) + 0.5) * pitch[1] - size[1] / 2:
            if random.random() < 0.4 + 0.55 * goods:
                group = _pile(random, setting.stock) if empties else loaded_pallet(random, setting.stock)
                shift, askew = random.uniform(-0.015, 0.015, 2), float(random.normal(0, 0.5))
                placed = [moved(thing, (x + shift[0], y + shift[1], 0), np.clip(askew, -1, 1)) for thing in group]
                _try(setting, placed, [place], 0.0)
    if style is not None:
        half = (size if yaw == 0 else size[::-1]) / 2 + 0.15
        middle = np.array(place[0][:2])
        setting.lines += rectangle(tuple(middle - half), tuple(middle + half), style)


def _pile(random: np.random.Generator, stock: Stock) -> list[Thing]:
    return pallet_pile(random, stock, int(random.integers(2, 13)))


def _chaos(random: np.random.Generator, setting: Setting, goods: float) -> None:
    """Racks, columns and goods in all directions."""
    height = setting.space.size_m[2]
    floor = _open_floor(setting.space.size_m)
    setting.walkways.append(floor)
    kind = draw_rack(random, height)
    for _ in range(random.integers(0, 4)):
        rack_kind = kind.model_copy(update={"bays": int(random.integers(1, 4))})
        x, y = floor.draw(random)
        _put_rack(random, setting, rack_kind, (float(x), float(y), 0), float(random.uniform(-180, 180)), goods)
    column = _column_kind(random, height)
    for _ in range(random.integers(0, 5)):
        turned = list(_anywhere(random, floor, 4, lambda: float(random.uniform(-45, 45))))
        _try(setting, [_column(column)], turned, 0.3)
    _scatter(random, setting, floor, round(goods * floor.area_m2() / 8), gap_m=0.25)


def _scatter(random: np.random.Generator, setting: Setting, floor: Walkway, count: int, gap_m: float) -> None:
    """Put up to `count` pallets, piles and cartons on free places, square to the walls or anyhow."""

    def heading() -> float:
        return float(90 * random.integers(4) + random.normal(0, 3) if setting.square else random.uniform(-180, 180))

    for _ in range(count):
        kind = random.choice(["loaded", "pile", "cartons"], p=[0.6, 0.22, 0.18])
        if kind == "loaded":
            group = loaded_pallet(random, setting.stock)
        else:
            group = _pile(random, setting.stock) if kind == "pile" else carton_pile(random, setting.stock)
        _try(setting, group, list(_anywhere(random, floor, 8, heading)), gap_m)


def _anywhere(random: np.random.Generator, floor: Walkway, tries: int, heading: Callable[[], float]) -> Iterator[Place]:
    """Yield places on the floor."""
    for _ in range(tries):
        x, y = floor.draw(random)
        yield (float(x), float(y), 0.0), heading()


def _try(setting: Setting, group: list[Thing], places: list[Place], gap_m: float) -> None:
    """Put the group on the first place where it fits, if there is one."""
    place = find_place(setting.space, volumes(group), places, gap_m)
    if place is not None:
        setting.space.put(group, *place)
