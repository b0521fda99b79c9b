# SPDX-License-Identifier: Apache-2.0
"""The empty hall: its size, surfaces, doors, windows, skylights and floor lines."""

from collections.abc import Callable

import numpy as np

from pipeline.common.randomness import choose_weighted, draw_seed
from pipeline.record.base_types import Rgb, Vec2, Vec3
from pipeline.record.scene import FloorLine, Hall, Opening, SurfaceMaterial
from pipeline.scenes.assets.palettes import (
    BRICKS,
    CONCRETE,
    FLOOR_LINES,
    PAINTED_FLOORS,
    SHEET_METAL,
    WALLS,
    draw_color,
)
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.walls import Door, Wall, hall_walls

# Smallest and largest length (x), width (y) and clear height in meters.
HALL_SIZE_RANGES_M = {
    "aisle": ((16, 11, 5.5), (40, 30, 9)),
    "staging": ((13, 11, 4.5), (34, 28, 8)),
    "dock": ((14, 12, 4.5), (36, 28, 8)),
    "packing": ((12, 10, 3.5), (28, 22, 7)),
    "block": ((14, 12, 4.5), (34, 28, 9)),
    "mixed": ((18, 12, 4.5), (34, 24, 8)),
    "chaos": ((12, 10, 4.5), (30, 24, 9)),
}
FLOOR_KINDS = {"concrete": 0.85, "painted": 0.15}
WET_FLOOR_SHARE = 0.15
WALL_KINDS = {"painted": 0.5, "sheet_metal": 0.25, "brick": 0.15, "concrete": 0.1}
DOOR_CLEARANCE_M = 1.2  # free floor in front of a door
CEILING_KINDS = {"sheet_metal": 0.5, "painted": 0.3, "concrete": 0.2}


def draw_hall_size(random: np.random.Generator, layout: str) -> Vec3:
    """Draw length (x), width (y) and clear height of a hall for a layout."""
    smallest, largest = np.array(HALL_SIZE_RANGES_M[layout])
    length, width, height = (
        round(float(value), 2) for value in smallest + (largest - smallest) * random.beta(1.5, 2, 3)
    )
    return length, width, height


def draw_hall(
    random: np.random.Generator,
    size_m: Vec3,
    lines: list[FloorLine],
    openings: tuple[Opening, ...] = (),
    outside_light: tuple[Rgb, float] = ((0.8, 0.9, 1.0), 0.0),
) -> Hall:
    """Draw the surfaces of a hall. `outside_light` is the color and radiance seen through its openings."""
    floor = _draw_surface(random, choose_weighted(random, FLOOR_KINDS), PAINTED_FLOORS)
    walls = _draw_surface(random, choose_weighted(random, WALL_KINDS), WALLS)
    ceiling = _draw_surface(random, choose_weighted(random, CEILING_KINDS), WALLS)
    wet = round(float(random.beta(1.5, 2)), 3) if random.random() < WET_FLOOR_SHARE else 0.0
    return Hall(
        size_m=size_m,
        floor=floor.model_copy(update={"wet": wet}),
        walls=walls,
        ceiling=ceiling,
        lines=tuple(lines),
        openings=openings,
        outside_rgb=outside_light[0],
        outside_strength=outside_light[1],
    )


def draw_openings(
    random: np.random.Generator,
    size_m: Vec3,
    doors: list[Door],
    daylit: bool,
    is_free: Callable[[Boxes], bool],
) -> tuple[Opening, ...]:
    """Draw doors, windows and skylights.

    Args:
        doors: dock doors of the layout. If there are none, a wall may get a row of doors.
        daylit: daylight lights the hall, so at least one opening is open.
        is_free: tells whether space is free of objects; doors are only added where the floor in front is free.
    """
    openings: list[Opening] = []
    if not doors and random.random() < 0.45:
        doors = [door for door in _draw_door_row(random, size_m) if is_free(_door_clearance(door))]
    open_probability = random.uniform(0, 1 if daylit else 0.4)
    for number, door in enumerate(doors, int(random.integers(1, 20))):
        share = round(float(random.uniform(0.3, 1)), 2) if random.random() < open_probability else 0.0
        openings.append(_door_opening(door, share, number))
    if random.random() < (0.6 if daylit else 0.3):
        openings += _draw_windows(random, size_m)
    if random.random() < (0.5 if daylit else 0.15) or (daylit and not any(opening.open for opening in openings)):
        openings += _draw_skylights(random, size_m)
    return tuple(openings)


def _door_opening(door: Door, open_share: float, number: int) -> Opening:
    return Opening(
        kind="dock_door",
        center_m=(door.x_m, door.y_m, round(door.height_m / 2, 3)),
        yaw_deg=door.yaw_deg,
        size_m=(door.width_m, door.height_m),
        open=open_share,
        number=number,
    )


def _draw_wall(random: np.random.Generator, size_m: Vec3) -> Wall:
    return hall_walls(size_m)[random.integers(4)]


def _door_clearance(door: Door) -> Boxes:
    """Return the space in front of a door that must be free."""
    space = Boxes(np.array([(0, 0, 0, 2 * DOOR_CLEARANCE_M, door.width_m, 0, door.height_m)]))
    return space.moved((door.x_m, door.y_m, 0), door.yaw_deg)


def _draw_door_row(random: np.random.Generator, size_m: Vec3) -> list[Door]:
    """Draw one to four equal doors side by side in one wall, as far as they fit."""
    wall = _draw_wall(random, size_m)
    width = round(float(random.uniform(2.4, 3.2)), 2)
    height = round(float(min(random.uniform(2.8, 4.0), size_m[2] - 0.8)), 2)
    count = min(int(random.integers(1, 5)), int(wall.length_m / (width + 1.5)))
    first = random.uniform(-0.5, 0.5) * (wall.length_m - count * (width + 1.5))
    offsets = first + (np.arange(count) - (count - 1) / 2) * (width + 1.5)
    return [Door(*wall.floor_point(offset), wall.yaw_deg, width, height) for offset in offsets]


def _draw_windows(random: np.random.Generator, size_m: Vec3) -> list[Opening]:
    """Draw a band of windows under the ceiling: one opening of one wall, which Blender divides into panes."""
    wall = _draw_wall(random, size_m)
    height = round(float(random.uniform(0.7, 1.4)), 2)
    width = round(float(wall.length_m * random.uniform(0.3, 0.9)), 2)
    x, y = wall.floor_point(random.uniform(-0.5, 0.5) * (wall.length_m - width))
    center = (x, y, round(size_m[2] - 0.35 - height / 2, 3))
    return [Opening(kind="window", center_m=center, yaw_deg=wall.yaw_deg, size_m=(width, height))]


def _draw_skylights(random: np.random.Generator, size_m: Vec3) -> list[Opening]:
    """Draw two to four roof panels along the hall. They lie at the clear height, where no roof beam hides them."""
    count, width = int(random.integers(2, 5)), round(float(random.uniform(0.9, 1.6)), 2)
    offsets = (np.arange(count) + 0.5) * size_m[0] / count - size_m[0] / 2
    size = (width, round(float(size_m[1] * random.uniform(0.25, 0.6)), 2))
    return [
        Opening(kind="skylight", center_m=(round(float(x), 3), 0.0, round(size_m[2], 3)), yaw_deg=0.0, size_m=size)
        for x in offsets
    ]


def _draw_surface(random: np.random.Generator, kind: str, paints: tuple[str, ...]) -> SurfaceMaterial:
    palette = {"concrete": CONCRETE, "painted": paints, "brick": BRICKS, "sheet_metal": SHEET_METAL}[kind]
    min_roughness = 0.25 if kind in ("painted", "sheet_metal") else 0.45
    return SurfaceMaterial(
        kind=kind,
        color_rgb=draw_color(random, palette),
        roughness=round(float(random.uniform(min_roughness, 0.9)), 3),
        wear=round(float(random.beta(2, 2)), 3),
        seed=draw_seed(random),
    )


def draw_line_style(random: np.random.Generator) -> dict:
    """Draw the fields that all floor lines of a hall share: width, color and wear."""
    return {
        "width_m": round(float(random.uniform(0.05, 0.1)), 3),
        "color_rgb": draw_color(random, FLOOR_LINES),
        "wear": round(float(random.beta(2, 2)), 3),
    }


def floor_line(start_m: Vec2, end_m: Vec2, style: dict) -> FloorLine:
    """Return a floor line; `style` comes from `draw_line_style`."""
    ends = [tuple(round(float(value), 3) for value in end) for end in (start_m, end_m)]
    return FloorLine(start_m=ends[0], end_m=ends[1], **style)


def floor_line_rectangle(low_m: Vec2, high_m: Vec2, style: dict) -> list[FloorLine]:
    """Return the four floor lines around a rectangle."""
    corners = [low_m, (high_m[0], low_m[1]), high_m, (low_m[0], high_m[1])]
    return [floor_line(corner, corners[(i + 1) % 4], style) for i, corner in enumerate(corners)]
