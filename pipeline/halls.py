# SPDX-License-Identifier: Apache-2.0
"""The empty hall: its size, surfaces and the lines painted on its floor."""

import numpy as np

from pipeline.goods import SEEDS
from pipeline.palettes import BRICKS, CONCRETE, FLOOR_LINES, PAINTED_FLOORS, SHEET_METAL, WALLS, draw_color
from pipeline.parts import Vec2, Vec3
from pipeline.randomness import choose
from pipeline.scene import FloorLine, Hall, Surface

# Least and greatest length (x), width (y) and clear height in metres.
SIZES_M = {
    "aisle": ((16, 11, 5.5), (40, 30, 9)),
    "staging": ((13, 11, 4.5), (34, 28, 8)),
    "chaos": ((12, 10, 4.5), (30, 24, 9)),
}
FLOORS = {"concrete": 0.75, "painted": 0.25}
WALL_KINDS = {"painted": 0.5, "sheet_metal": 0.25, "brick": 0.15, "concrete": 0.1}
CEILINGS = {"sheet_metal": 0.5, "painted": 0.3, "concrete": 0.2}


def draw_size(random: np.random.Generator, layout: str) -> Vec3:
    least, greatest = np.array(SIZES_M[layout])
    length, width, height = (round(float(value), 2) for value in least + (greatest - least) * random.beta(1.5, 2, 3))
    return length, width, height


def draw_hall(random: np.random.Generator, size_m: Vec3, lines: list[FloorLine]) -> Hall:
    return Hall(
        size_m=size_m,
        floor=_surface(random, choose(random, FLOORS), PAINTED_FLOORS),
        walls=_surface(random, choose(random, WALL_KINDS), WALLS),
        ceiling=_surface(random, choose(random, CEILINGS), WALLS),
        lines=tuple(lines),
    )


def _surface(random: np.random.Generator, kind: str, paints: tuple[str, ...]) -> Surface:
    palette = {"concrete": CONCRETE, "painted": paints, "brick": BRICKS, "sheet_metal": SHEET_METAL}[kind]
    smooth = 0.25 if kind in ("painted", "sheet_metal") else 0.45
    return Surface(
        kind=kind,
        color_rgb=draw_color(random, palette),
        roughness=round(float(random.uniform(smooth, 0.9)), 3),
        wear=round(float(random.beta(2, 2)), 3),
        seed=int(random.integers(SEEDS)),
    )


def draw_line_style(random: np.random.Generator) -> dict:
    """Draw what all floor lines of a hall share."""
    return {
        "width_m": round(float(random.uniform(0.05, 0.1)), 3),
        "color_rgb": draw_color(random, FLOOR_LINES),
        "wear": round(float(random.beta(2, 2)), 3),
    }


def line(start_m: Vec2, end_m: Vec2, style: dict) -> FloorLine:
    ends = [tuple(round(float(value), 3) for value in end) for end in (start_m, end_m)]
    return FloorLine(start_m=ends[0], end_m=ends[1], **style)


def rectangle(low_m: Vec2, high_m: Vec2, style: dict) -> list[FloorLine]:
    corners = [low_m, (high_m[0], low_m[1]), high_m, (low_m[0], high_m[1])]
    return [line(corner, corners[(i + 1) % 4], style) for i, corner in enumerate(corners)]
